/*
 * registryd/protocol/command_stage.c - what is staged, and what is there.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/protocol/command.h"

/* A line on its way to the store. */
struct staging {
	struct client *client;
	struct session *session;
	struct session_config config;
	enum protocol_command command;
	uint32_t seq, first_number;
	char *text;
};

static void
staging_free(struct staging *staging)
{
	config_clear(&staging->config);
	session_release(&staging->session);
	free(staging->text);
	free(staging);
}

static void
answer_bulk(const struct staging *staging)
{
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);
	char id[16];

	json_write_begin(&writer, '[');
	for (uint32_t n = staging->first_number;
	    n < staging->session->staged.next_number; n++) {
		snprintf(id, sizeof(id), "r%" PRIu32, n);
		json_write_begin(&writer, '{');
		json_write_key(&writer, "route_id");
		json_write_text(&writer, id);
		json_write_key(&writer, "status");
		json_write_text(&writer, "ok");
		json_write_end(&writer, '}');
	}
	json_write_end(&writer, ']');
	client_answer_json(staging->client, "ROUTE_BULK_OK", &buf);
}

static void
answer_staged(const struct staging *staging)
{
	static const char *const words[SCOPE_COUNT] = {
		[SCOPE_ROUTES] = "ROUTE_OK",
		[SCOPE_HEADERS] = "HEADERS_OK",
		[SCOPE_OPTIONS] = "OPTIONS_OK",
		[SCOPE_HEALTH] = "HEALTH_OK",
		[SCOPE_RATELIMIT] = "RATELIMIT_OK",
		[SCOPE_CIRCUIT] = "CIRCUIT_OK",
	};

	if (staging->command == COMMAND_ROUTE_ADD)
		client_answer(staging->client,
		    "ROUTE_OK|r%" PRIu32, staging->first_number);
	else if (staging->command == COMMAND_ROUTE_ADD_BULK)
		answer_bulk(staging);
	else
		client_answer(staging->client, "%s",
		    words[command_scope(staging->command)]);
}

static void
on_kept(void *context, bool is_kept)
{
	struct staging *staging = context;
	struct session *session = staging->session;

	session->is_busy = false;
	if (is_kept && session_add_line(session, staging->seq,
		command_scope(staging->command), staging->text) == 0) {
		config_clear(&session->staged);
		session->staged = staging->config;
		config_init(&staging->config);
		session->staged_at = clock_now();
		answer_staged(staging);
	} else {
		client_refuse(staging->client, "store unavailable");
	}
	protocol_wake(session->protocol);
	staging_free(staging);
}

/* Whether what is new is within the bounds of the session's token. */
static bool
is_authorized(const struct session *session,
    const struct session_config *config)
{
	const struct protocol *protocol = session->protocol;
	const struct token *token = token_find_id(&protocol->tokens,
	    session->token);

	if (token == NULL)
		return TAILQ_EMPTY(&protocol->tokens);
	for (uint32_t i = 0; i < config->count; i++)
		if (config_find_number(&session->staged,
			config->routes[i]->number) != config->routes[i] &&
		    !token_allows_route(token, config->routes[i]))
			return false;
	return true;
}

/* As config_stage_text() reads it; without the id, which is a secret. */
static char *
text_of(const struct client *client, uint32_t first_number)
{
	struct bytes id = client->line.fields[0];
	const char *end = client->text.data + client->text.len;
	char *text;

	if (asprintf(&text, "%" PRIu32 "|%.*s|-%.*s", first_number,
		BYTES_ARGS(client->line.word),
		(int)(end - (id.data + id.len)), id.data + id.len) == -1)
		return NULL;
	return text;
}

/* NULL, or the error's text. */
static const char *
prepare(struct staging *staging)
{
	const struct client *client = staging->client;
	const struct session *session = staging->session;
	const char *fault;

	if (config_copy(&session->staged, &staging->config) == -1)
		return "store unavailable";
	fault = config_stage(&staging->config, &client->line);
	if (fault != NULL)
		return fault;
	if (!is_authorized(session, &staging->config))
		return "not authorized";
	staging->command = client->line.command;
	staging->seq = session->next_seq;
	staging->first_number = session->staged.next_number;
	staging->text = text_of(client, staging->first_number);
	return staging->text == NULL ? "store unavailable" : NULL;
}

static int
keep(struct staging *staging)
{
	struct note_changes changes = { 0 };
	struct session *session = staging->session;

	if (note_changes_add(&changes, NOTE_PUT, NOTE_STAGED, session->key,
		staging->seq, staging->text) == 0 &&
	    note_queue_put(session->protocol->notes, &changes, on_kept,
		staging) == 0)
		return 0;
	note_changes_clear(&changes);
	return -1;
}

void
command_stage(struct client *client)
{
	struct staging *staging = calloc(1, sizeof(*staging));
	const char *fault = "store unavailable";

	if (staging == NULL) {
		client_refuse(client, fault);
		return;
	}
	config_init(&staging->config);
	staging->client = client;
	staging->session = session_hold(client->session);
	fault = prepare(staging);
	if (fault == NULL) {
		client->session->is_busy = true;
		if (keep(staging) == 0)
			return;
		client->session->is_busy = false;
		fault = "store unavailable";
	}
	client_refuse(client, fault);
	staging_free(staging);
}

void
command_route_list(struct client *client)
{
	const struct session *session = client->session;
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	config_write_routes(&writer, &session->active, &session->staged);
	client_answer_json(client, "ROUTE_LIST_OK", &buf);
}

void
command_config_diff(struct client *client)
{
	const struct session *session = client->session;
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	config_write_diff(&writer, &session->active, &session->staged);
	client_answer_json(client, "DIFF_OK", &buf);
}

/* ROLLBACK --------------------------------------------------------------- */

struct rollback {
	struct client *client;
	struct session *session;
};

static void
on_rolled_back(void *context, bool is_kept)
{
	struct rollback *rollback = context;
	struct session *session = rollback->session;

	session->is_busy = false;
	if (is_kept) {
		session_roll_back(session);
		client_answer(rollback->client, "OK");
	} else {
		client_refuse(rollback->client, "store unavailable");
	}
	protocol_wake(session->protocol);
	session_release(&rollback->session);
	free(rollback);
}

void
command_config_rollback(struct client *client)
{
	struct rollback *rollback = calloc(1, sizeof(*rollback));
	struct session *session = client->session;
	struct note_changes changes = { 0 };

	if (rollback != NULL && note_changes_add(&changes, NOTE_REMOVE_ALL,
		NOTE_STAGED, session->key, 0, NULL) == 0) {
		rollback->client = client;
		rollback->session = session_hold(session);
		session->is_busy = true;
		if (note_queue_put(session->protocol->notes, &changes,
			on_rolled_back, rollback) == 0)
			return;
		session->is_busy = false;
		session_release(&rollback->session);
	}
	free(rollback);
	client_refuse(client, "store unavailable");
}
