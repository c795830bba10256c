/*
 * registryd/protocol/session_follow.c - what others changed, of sessions
 * and tokens.
 *
 * Of the sessions that we have, we know better; but that another has one
 * now, or that it is gone, is news.
 */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/log.h"
#include "registryd/protocol/protocol.h"

/* Tokens ----------------------------------------------------------------- */

static void
drop_token(struct protocol *protocol, const char *id)
{
	struct token *token;

	TAILQ_FOREACH(token, &protocol->tokens, of_all)
		if (strcmp(token->id, id) == 0)
			break;
	if (token == NULL)
		return;
	TAILQ_REMOVE(&protocol->tokens, token, of_all);
	token_free(&token);
}

static void
take_token(struct protocol *protocol, const struct store_note *note)
{
	struct token *token = token_read(note->key, note->body);

	if (token == NULL) {
		log_warn("token of the store: left out");
		return;
	}
	drop_token(protocol, note->key);
	token->is_there = true;
	TAILQ_INSERT_TAIL(&protocol->tokens, token, of_all);
}

/* Sessions --------------------------------------------------------------- */

static void
take_session(struct protocol *protocol, const struct store_note *note)
{
	struct session *session = session_find_key(protocol, note->key);

	if (session != NULL && session_is_ours(session)) {
		session_load_owner(session, note);
		if (!session_is_ours(session))
			session_let_go(session);
	} else {
		session_load_note(protocol, note);
		session = session_find_key(protocol, note->key);
	}
	if (session != NULL)
		session->is_there = true;
}

static void
take_active(struct protocol *protocol, const struct store_note *note)
{
	struct session *session = session_find_key(protocol, note->key);

	if (session == NULL || session_is_ours(session))
		return;
	session_load_note(protocol, note);
	if (!session->is_busy)
		session_forget_staged(session);
}

static void
drop(struct session *session)
{
	char name[SESSION_NAME_SIZE];

	if (session_is_ours(session))
		log_notice("session %s: removed by another instance",
		    session_name(session, name));
	session_drop(session);
}

/* What is under way with it comes to nothing; then it is nobody's. */
static void
drop_gone(struct protocol *protocol, const char *key)
{
	struct session *session = session_find_key(protocol, key);

	if (session == NULL)
		return;
	if (session->is_busy)
		session->owner[0] = '\0';
	else
		drop(session);
}

/* Following -------------------------------------------------------------- */

void
session_follow_begin(struct protocol *protocol)
{
	struct session *session;
	struct token *token;

	protocol->read_began = clock_now();
	TAILQ_FOREACH(token, &protocol->tokens, of_all)
		token->is_there = token->is_static;
	TAILQ_FOREACH(session, &protocol->sessions, of_all)
		session->is_there = false;
}

void
session_follow_note(struct protocol *protocol, const struct store_note *note)
{
	switch (note->kind) {
	case NOTE_SESSION:
		take_session(protocol, note);
		break;
	case NOTE_ACTIVE:
		take_active(protocol, note);
		break;
	case NOTE_TOKEN:
		take_token(protocol, note);
		break;
	case NOTE_GONE:
		if (strcmp(note->body, "token") == 0)
			drop_token(protocol, note->key);
		else
			drop_gone(protocol, note->key);
		break;
	case NOTE_STAGED:
	case NOTE_WAITING:
	case NOTE_CONDITION:
		break;
	}
}

static void
sweep_tokens(struct protocol *protocol)
{
	struct token *token, *next;

	for (token = TAILQ_FIRST(&protocol->tokens); token != NULL;
	    token = next) {
		next = TAILQ_NEXT(token, of_all);
		if (!token->is_there)
			drop_token(protocol, token->id);
	}
}

/* One that was stored meanwhile may not have been told of. */
static void
sweep_sessions(struct protocol *protocol)
{
	struct session *session, *next;

	for (session = TAILQ_FIRST(&protocol->sessions); session != NULL;
	    session = next) {
		next = TAILQ_NEXT(session, of_all);
		if (!session->is_there && !session->is_busy &&
		    instant_diff_ms(protocol->read_began, session->kept) > 0)
			drop(session);
	}
}

void
session_follow_done(struct protocol *protocol, bool is_all)
{
	if (!is_all)
		return;
	sweep_tokens(protocol);
	sweep_sessions(protocol);
}
