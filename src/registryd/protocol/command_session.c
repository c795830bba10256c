/*
 * registryd/protocol/command_session.c - sessions come, return and go.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/random.h"
#include "registryd/member.h"
#include "registryd/object_json.h"
#include "registryd/protocol/apply.h"
#include "registryd/protocol/command.h"
#include "registryd/protocol/poll.h"
#include "registryd/protocol/session_take.h"
#include "registryd/registry.h"

#define NAME_MAX_BYTES 100		/* of a service or an instance */
#define PORT_MAX       65535

/* REGISTER --------------------------------------------------------------- */

struct wanted {
	struct client *client;
	char *service, *instance, *metadata;
	char secret[128];		/* the token as given; "" */
	char token[TOKEN_ID_SIZE];
	uint32_t maintenance_port;
};

static void
wanted_free(struct wanted *wanted)
{
	free(wanted->service);
	free(wanted->instance);
	free(wanted->metadata);
	free(wanted);
}

/* Copies all members but the token, which is nobody's business later. */
static const char *
copy_metadata(const struct json_doc *doc, struct wanted *wanted)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);
	int value = JSON_NONE;
	struct bytes key;
	char *token;

	json_write_begin(&writer, '{');
	while (json_each(doc, json_root(doc), &value, &key)) {
		if (bytes_is(key, "token")) {
			token = json_string(doc, value);
			snprintf(wanted->secret, sizeof(wanted->secret), "%s",
			    token == NULL ? "" : token);
			free(token);
			continue;
		}
		buf_printf(&buf, "%s\"%.*s\":%.*s", buf.len > 1 ? "," : "",
		    BYTES_ARGS(key), BYTES_ARGS(json_raw(doc, value)));
	}
	json_write_end(&writer, '}');
	if (buf.is_failed)
		buf_free(&buf);
	wanted->metadata = buf.data;
	return buf.data == NULL ? "store unavailable" : NULL;
}

static const char *
read_metadata(struct bytes text, struct wanted *wanted)
{
	const char *fault = "invalid metadata json";
	struct json_doc *doc;
	size_t offset;

	text = bytes_trim(text);
	if (json_parse(text.len == 0 ? bytes_of("{}") : text, &doc,
		&offset) == -1)
		return fault;
	if (json_type(doc, json_root(doc)) == JSON_OBJECT)
		fault = copy_metadata(doc, wanted);
	json_doc_free(&doc);
	return fault;
}

/* What becomes part of names elsewhere. */
static bool
is_name(struct bytes text)
{
	struct problem problem;
	char *name;
	bool is_good;

	if (text.len == 0 || text.len > NAME_MAX_BYTES ||
	    (name = bytes_duplicate(text)) == NULL)
		return false;
	for (char *c = name; *c != '\0'; c++)
		if (*c == '/')
			*c = ':';
	is_good = service_name_check(name, "", &problem) == 0;
	free(name);
	return is_good;
}

static const char *
read_wanted(const struct protocol_line *line, struct wanted *wanted)
{
	unsigned long long port;

	if (!is_name(line->fields[0]) || !is_name(line->fields[1]))
		return "invalid format";
	if (bytes_to_number(line->fields[2], PORT_MAX, &port) == -1)
		return "invalid number";
	wanted->maintenance_port = (uint32_t)port;
	wanted->service = bytes_duplicate(line->fields[0]);
	wanted->instance = bytes_duplicate(line->fields[1]);
	if (wanted->service == NULL || wanted->instance == NULL)
		return "store unavailable";
	return read_metadata(line->fields[3], wanted);
}

/* Without any token, whoever is on this machine may. */
static bool
is_authorized(struct wanted *wanted)
{
	const struct protocol *protocol = wanted->client->protocol;
	const struct token *token;

	if (TAILQ_EMPTY(&protocol->tokens))
		return wanted->client->is_local;
	token = token_find(&protocol->tokens, wanted->secret);
	if (token == NULL || !token_allows_service(token, wanted->service))
		return false;
	snprintf(wanted->token, sizeof(wanted->token), "%s", token->id);
	return true;
}

static void
on_registered(void *context, bool is_kept)
{
	struct session *session = context;
	struct client *client = session->opening;
	char name[SESSION_NAME_SIZE];

	session->opening = NULL;
	session->is_busy = false;
	session->kept = clock_now();
	if (!is_kept) {
		session_drop(session);
		client_refuse(client, "store unavailable");
	} else {
		log_info("session %s: registered from %s",
		    session_name(session, name), session->from);
		if (client_is_connected(client))
			session_attach(session, client);
		client_answer(client, "ACK|%s", session->secret_id);
		free(session->secret_id);
		session->secret_id = NULL;
	}
	session_release(&session);
}

static struct session *
make_session(const struct wanted *wanted)
{
	struct client *client = wanted->client;
	struct session *session = NULL;
	char *id, key[SESSION_KEY_SIZE], random[33];

	random_hex(random, 16);
	if (asprintf(&id, "%s-%" PRId64 "-%s", wanted->instance,
		clock_wall_ms() / 1000, random) == -1)
		return NULL;
	if (session_key(bytes_of(id), key) == 0)
		session = session_new(client->protocol, key, wanted->service,
		    wanted->instance);
	if (session == NULL) {
		free(id);
		return NULL;
	}
	session->secret_id = id;
	session->maintenance_port = wanted->maintenance_port;
	snprintf(session->token, sizeof(session->token), "%s",
	    wanted->token);
	snprintf(session->from, sizeof(session->from), "%s",
	    client->from);
	snprintf(session->owner, sizeof(session->owner), "%s",
	    client->protocol->registry->instances.name);
	if (text_set(&session->metadata, bytes_of(wanted->metadata)) == -1) {
		session_drop(session);
		return NULL;
	}
	return session;
}

static void
open_session(struct wanted *wanted)
{
	struct client *client = wanted->client;
	struct session *session = make_session(wanted);
	struct note_changes changes = { 0 };

	wanted_free(wanted);
	if (session == NULL) {
		client_refuse(client, "store unavailable");
		return;
	}
	session->is_busy = true;
	session->opening = client;
	session_hold(session);
	if (session_add_note(session, &changes) == 0 &&
	    note_queue_put(client->protocol->notes, &changes,
		on_registered, session) == 0)
		return;
	note_changes_clear(&changes);
	on_registered(session, false);
}

static void
on_replaced(void *context, const char *fault)
{
	struct wanted *wanted = context;

	if (fault == NULL) {
		open_session(wanted);
		return;
	}
	client_refuse(wanted->client, fault);
	wanted_free(wanted);
}

/* The old one's routes go first. */
static void
replace(struct session *old, struct wanted *wanted)
{
	const struct apply_order order = {
		.kind = APPLY_REMOVE,
		.session = old,
		.done = on_replaced,
		.context = wanted,
	};

	if (apply_submit(&order) == 0)
		return;
	client_refuse(wanted->client, "store unavailable");
	wanted_free(wanted);
}

void
command_register(struct client *client)
{
	struct wanted *wanted = calloc(1, sizeof(*wanted));
	const char *fault = "store unavailable";
	struct session *old = NULL;

	if (wanted != NULL) {
		wanted->client = client;
		fault = read_wanted(&client->line, wanted);
		if (fault == NULL && !is_authorized(wanted))
			fault = "not authorized";
	}
	if (fault != NULL) {
		client_refuse(client, fault);
		if (wanted != NULL)
			wanted_free(wanted);
		return;
	}
	old = session_find_owner(client->protocol, wanted->service,
	    wanted->instance);
	if (old == NULL) {
		open_session(wanted);
	} else if (old->is_busy) {
		wanted_free(wanted);
		command_wait(client);
	} else {
		replace(old, wanted);
	}
}

/* RECONNECT, PING --------------------------------------------------------- */

/* What it waited for while it was away stands behind the OK. */
static void
answer_reconnected(struct client *client)
{
	bool was_advancing = command_answer_first(client, "OK");

	if (client->session != NULL)
		poll_tell_all(client->session);
	command_go_on(client, was_advancing);
}

static void
on_enabled(void *context, const char *fault)
{
	struct client *client = context;

	if (fault != NULL)
		client_refuse(client, fault);
	else
		answer_reconnected(client);
}

static void
connect_to(struct session *session, struct client *client)
{
	session->active_wall_ms = clock_wall_ms();
	snprintf(session->from, sizeof(session->from), "%s",
	    client->from);
	if (client_is_connected(client))
		session_attach(session, client);
}

static void
enable(struct client *client, struct session *session)
{
	const struct apply_order order = {
		.kind = APPLY_ENABLE,
		.session = session,
		.done = on_enabled,
		.context = client,
	};

	if (apply_submit(&order) == -1)
		client_refuse(client, "store unavailable");
}

/* Another sluice had it. */
static void
on_taken(void *context, const struct taking_outcome *outcome)
{
	struct client *client = context;

	if (outcome->is_again) {
		command_wait(client);
		protocol_wake(client->protocol);
	} else if (outcome->fault != NULL) {
		client_refuse(client, outcome->fault);
	} else if (outcome->session == NULL) {
		client_answer(client, "REREGISTER");
	} else {
		connect_to(outcome->session, client);
		answer_reconnected(client);
	}
}

static void
take(struct client *client)
{
	struct protocol *protocol = client->protocol;
	char key[SESSION_KEY_SIZE];

	if (!store_can_follow(protocol->registry->store) ||
	    session_key(client->line.fields[0], key) == -1)
		client_answer(client, "REREGISTER");
	else if (session_take(protocol, key, on_taken, client) == -1)
		client_refuse(client, "store unavailable");
}

void
command_reconnect(struct client *client)
{
	struct session *session = session_find(client->protocol,
	    client->line.fields[0]);

	if (session == NULL ||
	    (!session_is_ours(session) && !session->is_busy)) {
		take(client);
		return;
	}
	if (session->opening != NULL) {
		client_answer(client, "REREGISTER");
		return;
	}
	if (session->is_busy) {
		command_wait(client);
		return;
	}
	connect_to(session, client);
	if (session->is_disabled)
		enable(client, session);
	else
		answer_reconnected(client);
}

void
command_ping(struct client *client)
{
	client_answer(client, "PONG");
}

/* SESSION_INFO, CLIENT_SHUTDOWN ------------------------------------------- */

static void
write_time(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE] = "";

	if (wall_ms != 0)
		clock_format_rfc3339(wall_ms, text);
	json_write_key(writer, key);
	json_write_text(writer, text);
}

/* The metadata is the client's own text: '|' is escaped by hand. */
static void
write_metadata(struct json_writer *writer, const char *metadata)
{
	struct buf escaped = { 0 };

	for (; *metadata != '\0'; metadata++) {
		if (*metadata == '|')
			buf_append_text(&escaped, "\\u007c");
		else
			buf_append_char(&escaped, *metadata);
	}
	json_write_key(writer, "metadata");
	json_write_raw(writer, buf_bytes(&escaped));
	writer->buf->is_failed |= escaped.is_failed;
	buf_free(&escaped);
}

void
command_session_info(struct client *client)
{
	const struct session *session = client->session;
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "session_id");
	json_write_string(&writer, client->line.fields[0]);
	json_write_key(&writer, "service_name");
	json_write_text(&writer, session->service);
	json_write_key(&writer, "instance_name");
	json_write_text(&writer, session->instance);
	write_time(&writer, "connected_at", session->connected_wall_ms);
	json_write_key(&writer, "uptime_seconds");
	json_write_integer(&writer,
	    (clock_wall_ms() - session->connected_wall_ms) / 1000);
	json_write_key(&writer, "routes_active");
	json_write_integer(&writer, session->active.count);
	json_write_key(&writer, "routes_staged");
	json_write_integer(&writer,
	    config_staged_count(&session->active, &session->staged));
	write_time(&writer, "last_activity", session->active_wall_ms);
	write_time(&writer, "last_apply", session->applied_wall_ms);
	write_metadata(&writer, session->metadata);
	json_write_end(&writer, '}');
	client_answer_json(client, "SESSION_OK", &buf);
}

static void
on_shut_down(void *context, const char *fault)
{
	struct client *client = context;

	if (fault != NULL) {
		client_refuse(client, fault);
		return;
	}
	client_finish(client);
	client_answer(client, "SHUTDOWN_OK");
}

void
command_client_shutdown(struct client *client)
{
	const struct apply_order order = {
		.kind = APPLY_REMOVE,
		.session = client->session,
		.done = on_shut_down,
		.context = client,
	};

	if (apply_submit(&order) == -1)
		client_refuse(client, "store unavailable");
}
