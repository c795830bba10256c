/*
 * registryd/protocol/session_stage.c - what a session has staged.
 *
 * The lines are the truth; the staged config is what comes of them upon
 * the active one.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/protocol/session.h"

int
session_add_line(struct session *session, uint32_t seq,
    enum config_scope scope, const char *text)
{
	struct staged_line *line = calloc(1, sizeof(*line));

	if (line == NULL || (line->text = strdup(text)) == NULL) {
		free(line);
		return -1;
	}
	line->seq = seq;
	line->scope = scope;
	STAILQ_INSERT_TAIL(&session->lines, line, entry);
	session->line_count++;
	if (session->next_seq <= seq)
		session->next_seq = seq + 1;
	return 0;
}

static void
drop_line(struct session *session, struct staged_line *line)
{
	STAILQ_REMOVE(&session->lines, line, staged_line, entry);
	session->line_count--;
	free(line->text);
	free(line);
}

void
session_clear_lines(struct session *session)
{
	struct staged_line *line;

	while ((line = STAILQ_FIRST(&session->lines)) != NULL)
		drop_line(session, line);
}

/* Stages one line into *config, or leaves it as it was. */
static int
stage(struct session_config *config, const char *text, bool *is_staged_r)
{
	struct session_config next;

	if (config_copy(config, &next) == -1)
		return -1;
	*is_staged_r = config_stage_text(&next, bytes_of(text)) == NULL;
	if (!*is_staged_r) {
		config_clear(&next);
		return 0;
	}
	config_clear(config);
	*config = next;
	return 0;
}

int
session_stage_scopes(const struct session *session, uint32_t scopes,
    struct session_config *config_r)
{
	const struct staged_line *line;
	bool is_staged;

	if (config_copy(&session->active, config_r) == -1)
		return -1;
	STAILQ_FOREACH(line, &session->lines, entry) {
		if ((scopes & 1u << line->scope) == 0 ||
		    stage(config_r, line->text, &is_staged) == 0)
			continue;
		config_clear(config_r);
		return -1;
	}
	if (config_r->next_number < session->staged.next_number)
		config_r->next_number = session->staged.next_number;
	return 0;
}

/* Whether the line is part of config, once these scopes are: one whose
 * route is not in it stays for later. */
static bool
is_applied(const struct session_config *config,
    const struct staged_line *line, uint32_t scopes)
{
	struct session_config probe;
	bool is_staged = false;

	if ((scopes & 1u << line->scope) == 0)
		return false;
	if ((scopes & 1u << SCOPE_ROUTES) != 0)
		return true;
	if (config_copy(config, &probe) == -1)
		return false;
	if (stage(&probe, line->text, &is_staged) == -1)
		is_staged = false;
	config_clear(&probe);
	return is_staged;
}

int
session_add_applied_notes(const struct session *session,
    const struct session_config *config, uint32_t scopes,
    struct note_changes *changes)
{
	const struct staged_line *line;

	if (scopes == SCOPES_ALL)
		return note_changes_add(changes, NOTE_REMOVE_ALL, NOTE_STAGED,
		    session->key, 0, NULL);
	STAILQ_FOREACH(line, &session->lines, entry)
		if (is_applied(config, line, scopes) &&
		    note_changes_add(changes, NOTE_REMOVE, NOTE_STAGED,
			session->key, line->seq, NULL) == -1)
			return -1;
	return 0;
}

static void
drop_applied_lines(struct session *session, uint32_t scopes)
{
	struct staged_line *line, *next;

	for (line = STAILQ_FIRST(&session->lines); line != NULL; line = next) {
		next = STAILQ_NEXT(line, entry);
		if (is_applied(&session->active, line, scopes))
			drop_line(session, line);
	}
}

void
session_take_active(struct session *session, struct session_config *config,
    uint32_t scopes)
{
	struct session_config staged;
	uint32_t next_number = session->staged.next_number;

	config_clear(&session->active);
	session->active = *config;
	config_init(config);
	drop_applied_lines(session, scopes);
	if (session->active.next_number < next_number)
		session->active.next_number = next_number;
	if (session_stage_scopes(session, SCOPES_ALL, &staged) == -1) {
		log_error("session %s/%s: staged: out of memory",
		    session->service, session->instance);
		return;
	}
	config_clear(&session->staged);
	session->staged = staged;
}

void
session_roll_back(struct session *session)
{
	struct session_config staged;
	uint32_t next_number = session->staged.next_number;

	session_clear_lines(session);
	if (config_copy(&session->active, &staged) == -1)
		return;
	if (staged.next_number < next_number)
		staged.next_number = next_number;
	config_clear(&session->staged);
	session->staged = staged;
}
