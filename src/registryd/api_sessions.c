/*
 * registryd/api_sessions.c - /v1/sessions and /v1/tokens.
 *
 * A session's id is the right to its routes: it is shown without its
 * random part.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/api_parts.h"
#include "registryd/protocol/protocol.h"

/* Sessions --------------------------------------------------------------- */

static void
write_time(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	json_write_key(writer, key);
	if (wall_ms == 0) {
		json_write_null(writer);
		return;
	}
	clock_format_rfc3339(wall_ms, text);
	json_write_text(writer, text);
}

static void
write_options(struct json_writer *writer, const struct pairs *options)
{
	json_write_key(writer, "options");
	json_write_begin(writer, '{');
	for (uint32_t i = 0; i < options->count; i++) {
		json_write_key(writer, options->list[i].name);
		json_write_text(writer, options->list[i].value);
	}
	json_write_end(writer, '}');
}

static void
write_routes(struct json_writer *writer, const struct session_config *active)
{
	char id[16];

	json_write_key(writer, "routes");
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < active->count; i++) {
		const struct session_route *route = active->routes[i];

		snprintf(id, sizeof(id), "r%" PRIu32, route->number);
		json_write_begin(writer, '{');
		json_write_key(writer, "id");
		json_write_text(writer, id);
		json_write_key(writer, "domains");
		json_write_begin(writer, '[');
		for (uint32_t d = 0; d < route->domain_count; d++)
			json_write_text(writer, route->domains[d]);
		json_write_end(writer, ']');
		json_write_key(writer, "path");
		json_write_text(writer, route->path);
		json_write_key(writer, "backend");
		json_write_text(writer, route->url);
		json_write_key(writer, "priority");
		json_write_integer(writer, route->priority);
		write_options(writer, &route->options);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

static const char *
state_of(const struct session *session)
{
	if (!session_is_ours(session))
		return "elsewhere";
	if (session->client != NULL)
		return "connected";
	return session->is_disabled ? "disabled" : "lost";
}

static void
write_session(struct json_writer *writer, const struct session *session)
{
	char text[SESSION_PUBLIC_SIZE];

	json_write_begin(writer, '{');
	json_write_key(writer, "id");
	json_write_text(writer, session_public_id(session, text));
	json_write_key(writer, "service");
	json_write_text(writer, session->service);
	json_write_key(writer, "instance");
	json_write_text(writer, session->instance);
	json_write_key(writer, "state");
	json_write_text(writer, state_of(session));
	json_write_key(writer, "owner");
	json_write_text(writer, session->owner);
	json_write_key(writer, "from");
	json_write_text(writer, session->from);
	json_write_key(writer, "token");
	json_write_text(writer,
	    session->token[0] == '\0' ? NULL : session->token);
	json_write_key(writer, "routes_active");
	json_write_integer(writer, session->active.count);
	json_write_key(writer, "routes_staged");
	json_write_integer(writer,
	    config_staged_count(&session->active, &session->staged));
	write_time(writer, "connected_at", session->connected_wall_ms);
	write_time(writer, "last_activity", session->active_wall_ms);
	write_time(writer, "last_apply", session->applied_wall_ms);
	json_write_key(writer, "metadata");
	json_write_raw(writer, bytes_of(session->metadata));
	write_options(writer, &session->active.options);
	write_routes(writer, &session->active);
	json_write_end(writer, '}');
}

/* limit, and how many to leave out: the cursor is an index.  false:
 * answered. */
static bool
read_page(struct registry *registry, struct admin_request *request,
    struct api_page *page_r, unsigned long long *skip_r)
{
	return api_has_model(registry, request) &&
	    api_page(request, page_r) &&
	    api_cursor_number(request, page_r, skip_r);
}

static void
reply_page(struct registry *registry, struct admin_request *request,
    struct api_list *list, unsigned long long skip, bool is_last)
{
	char next[24];

	snprintf(next, sizeof(next), "%llu", skip + list->count);
	api_list_reply(registry, request, list, is_last ? NULL : next);
}

void
api_sessions_list(struct registry *registry, struct admin_request *request)
{
	const struct session *session;
	unsigned long long skip, index = 0;
	struct api_page page;
	struct api_list list;

	if (!read_page(registry, request, &page, &skip))
		return;
	api_list_begin(&list);
	TAILQ_FOREACH(session, &registry->protocol->sessions, of_all) {
		if (index++ < skip)
			continue;
		if (list.count == page.limit)
			break;
		write_session(&list.writer, session);
		list.count++;
	}
	reply_page(registry, request, &list, skip, session == NULL);
}

/* Tokens ----------------------------------------------------------------- */

void
api_tokens_list(struct registry *registry, struct admin_request *request)
{
	const struct token *token;
	unsigned long long skip, index = 0;
	struct api_page page;
	struct api_list list;

	if (!read_page(registry, request, &page, &skip))
		return;
	api_list_begin(&list);
	TAILQ_FOREACH(token, &registry->protocol->tokens, of_all) {
		if (index++ < skip)
			continue;
		if (list.count == page.limit)
			break;
		json_write_begin(&list.writer, '{');
		token_write(&list.writer, token);
		json_write_end(&list.writer, '}');
		list.count++;
	}
	reply_page(registry, request, &list, skip, token == NULL);
}

/* A token on its way to the store, or out of it. */
struct token_write {
	struct registry *registry;
	struct admin_request *request;
	struct token *token;		/* made; or NULL */
	char secret[TOKEN_SECRET_SIZE];
	char id[TOKEN_ID_SIZE];
};

static void
token_write_free(struct token_write *writing)
{
	token_free(&writing->token);
	free(writing);
}

static void
reply_lost(struct admin_request *request)
{
	api_reply_problem(request, 503, "store_unavailable",
	    "the store cannot be reached");
}

static void
on_token_kept(void *context, bool is_kept)
{
	struct token_write *writing = context;
	struct admin_request *request = writing->request;
	struct token *token = writing->token;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	if (!is_kept) {
		reply_lost(request);
		token_write_free(writing);
		return;
	}
	log_notice("token %s: made by %s (%s)", token->id, request->who,
	    request->from);
	json_write_begin(&writer, '{');
	token_write(&writer, token);
	json_write_key(&writer, "token");
	json_write_text(&writer, writing->secret);
	json_write_end(&writer, '}');
	TAILQ_INSERT_TAIL(&writing->registry->protocol->tokens, token,
	    of_all);
	writing->token = NULL;
	admin_reply_json(request, 201, &json);
	token_write_free(writing);
}

static int
keep_token(struct token_write *writing)
{
	struct note_changes changes = { 0 };
	char *text = token_text(writing->token);
	int result = -1;

	if (text != NULL && note_changes_add(&changes, NOTE_PUT, NOTE_TOKEN,
		writing->token->id, 0, text) == 0)
		result = note_queue_put(writing->registry->protocol->notes,
		    &changes, on_token_kept, writing);
	free(text);
	return result;
}

static struct token_write *
new_writing(struct registry *registry, struct admin_request *request)
{
	struct token_write *writing = calloc(1, sizeof(*writing));

	if (writing == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return NULL;
	}
	writing->registry = registry;
	writing->request = request;
	return writing;
}

void
api_token_post(struct registry *registry, struct admin_request *request)
{
	struct token_write *writing;
	struct problem problem;

	if (!api_has_model(registry, request) ||
	    (writing = new_writing(registry, request)) == NULL)
		return;
	if (token_make(request->body, &writing->token, writing->secret,
		&problem) == -1)
		admin_reply_problem(request, &problem);
	else if (keep_token(writing) == 0)
		return;
	else
		reply_lost(request);
	token_write_free(writing);
}

static void
on_token_gone(void *context, bool is_kept)
{
	struct token_write *writing = context;
	struct token_list *tokens = &writing->registry->protocol->tokens;
	struct admin_request *request = writing->request;
	struct token *token;

	if (!is_kept) {
		reply_lost(request);
		token_write_free(writing);
		return;
	}
	TAILQ_FOREACH(token, tokens, of_all)
		if (strcmp(token->id, writing->id) == 0)
			break;
	if (token != NULL) {
		TAILQ_REMOVE(tokens, token, of_all);
		token_free(&token);
		log_notice("token %s: revoked by %s (%s)", writing->id,
		    request->who, request->from);
	}
	admin_reply(request, 204, NULL, bytes_of(""));
	token_write_free(writing);
}

void
api_token_delete(struct registry *registry, struct admin_request *request)
{
	const char *id = request->segments[2].data;
	struct note_changes changes = { 0 };
	struct token_write *writing;
	const struct token *token;

	if (!api_has_model(registry, request))
		return;
	token = token_find_id(&registry->protocol->tokens, id);
	if (token == NULL) {
		api_reply_problem(request, 404, "no_token",
		    "there is no token \"%.64s\"", id);
		return;
	}
	if (token->is_static) {
		api_reply_problem(request, 409, "static",
		    "token %s stands in the configuration file; take it out "
		    "there and reload", id);
		return;
	}
	if ((writing = new_writing(registry, request)) == NULL)
		return;
	snprintf(writing->id, sizeof(writing->id), "%s", id);
	if (note_changes_add(&changes, NOTE_REMOVE_ALL, NOTE_TOKEN, id, 0,
		NULL) == 0 &&
	    note_queue_put(registry->protocol->notes, &changes,
		on_token_gone, writing) == 0)
		return;
	reply_lost(request);
	token_write_free(writing);
}
