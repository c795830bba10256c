/*
 * registryd/protocol/session_store.c - sessions as notes of the store.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/member.h"
#include "registryd/protocol/poll.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

/* Writing ---------------------------------------------------------------- */

char *
session_text(const struct session *session)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "service");
	json_write_text(&writer, session->service);
	json_write_key(&writer, "instance");
	json_write_text(&writer, session->instance);
	json_write_key(&writer, "maintenance_port");
	json_write_integer(&writer, session->maintenance_port);
	json_write_key(&writer, "metadata");
	json_write_raw(&writer, bytes_of(session->metadata));
	json_write_key(&writer, "owner");
	json_write_text(&writer, session->protocol->registry->instances.name);
	json_write_key(&writer, "token");
	json_write_text(&writer, session->token);
	json_write_key(&writer, "from");
	json_write_text(&writer, session->from);
	json_write_key(&writer, "connected");
	json_write_integer(&writer, session->connected_wall_ms);
	json_write_key(&writer, "applied");
	json_write_integer(&writer, session->applied_wall_ms);
	json_write_key(&writer, "events");
	json_write_integer(&writer, session->events);
	json_write_key(&writer, "next_route");
	json_write_integer(&writer, session->staged.next_number);
	json_write_key(&writer, "disabled");
	json_write_bool(&writer, session->is_disabled);
	json_write_end(&writer, '}');
	if (!buf.is_failed)
		return buf.data;
	buf_free(&buf);
	return NULL;
}

int
session_add_note(const struct session *session, struct note_changes *changes)
{
	char *text = session_text(session);
	int result = -1;

	if (text != NULL)
		result = note_changes_add(changes, NOTE_PUT, NOTE_SESSION,
		    session->key, 0, text);
	free(text);
	return result;
}

int
session_add_hold(const struct session *session, struct note_changes *changes)
{
	if (!store_can_follow(session->protocol->registry->store))
		return 0;
	return note_changes_add(changes, NOTE_HOLD, NOTE_SESSION,
	    session->key, 0, session->owner);
}

int
session_add_active_note(const struct session *session,
    const struct session_config *config, struct note_changes *changes)
{
	struct buf buf = { 0 };
	int result = -1;

	config_write_lines(config, &buf);
	if (!buf.is_failed)
		result = note_changes_add(changes, NOTE_PUT, NOTE_ACTIVE,
		    session->key, 0, buf.len == 0 ? "" : buf.data);
	buf_free(&buf);
	return result;
}

int
session_add_removal_notes(const struct session *session,
    struct note_changes *changes)
{
	static const enum note_kind kinds[] = { NOTE_SESSION, NOTE_ACTIVE,
		NOTE_STAGED, NOTE_WAITING };

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (note_changes_add(changes, NOTE_REMOVE_ALL, kinds[i],
			session->key, 0, NULL) == -1)
			return -1;
	return 0;
}

/* Reading ---------------------------------------------------------------- */

static int64_t
read_integer(const struct json_doc *doc, const char *name)
{
	int value = json_member(doc, json_root(doc), name);
	int64_t number = 0;

	if (value == JSON_NONE ||
	    json_integer(doc, value, 0, INT64_MAX, &number) == -1)
		return 0;
	return number;
}

static void
read_into(const struct json_doc *doc, const char *name, char *text,
    size_t size)
{
	int value = json_member(doc, json_root(doc), name);
	char *string = value == JSON_NONE ? NULL : json_string(doc, value);

	snprintf(text, size, "%s", string == NULL ? "" : string);
	free(string);
}

static void
read_members(struct session *session, const struct json_doc *doc)
{
	int metadata = json_member(doc, json_root(doc), "metadata");
	int disabled = json_member(doc, json_root(doc), "disabled");

	session->maintenance_port =
	    (uint32_t)read_integer(doc, "maintenance_port");
	read_into(doc, "token", session->token, sizeof(session->token));
	read_into(doc, "owner", session->owner, sizeof(session->owner));
	read_into(doc, "from", session->from, sizeof(session->from));
	session->connected_wall_ms = read_integer(doc, "connected");
	session->applied_wall_ms = read_integer(doc, "applied");
	session->active_wall_ms = clock_wall_ms();
	session->events = (uint32_t)read_integer(doc, "events");
	session->staged.next_number =
	    (uint32_t)read_integer(doc, "next_route");
	if (metadata != JSON_NONE &&
	    text_set(&session->metadata, json_raw(doc, metadata)) == -1)
		log_warn("session: metadata: out of memory");
	if (disabled != JSON_NONE &&
	    json_bool(doc, disabled, &session->is_disabled) == -1)
		session->is_disabled = false;
}

static void
load_session(struct protocol *protocol, const struct store_note *note)
{
	struct session *session = session_find_key(protocol, note->key);
	struct json_doc *doc;
	char *service, *instance;
	size_t offset;

	if (json_parse(bytes_of(note->body), &doc, &offset) == -1) {
		log_warn("session of the store: no JSON: left out");
		return;
	}
	service = json_string(doc,
	    json_member(doc, json_root(doc), "service"));
	instance = json_string(doc,
	    json_member(doc, json_root(doc), "instance"));
	if (session == NULL && service != NULL && instance != NULL)
		session = session_new(protocol, note->key, service, instance);
	if (session == NULL)
		log_warn("session of the store: left out");
	else
		read_members(session, doc);
	free(service);
	free(instance);
	json_doc_free(&doc);
}

void
session_load_owner(struct session *session, const struct store_note *note)
{
	struct json_doc *doc;
	size_t offset;

	if (json_parse(bytes_of(note->body), &doc, &offset) == -1)
		return;
	read_into(doc, "owner", session->owner, sizeof(session->owner));
	json_doc_free(&doc);
}

/* The lines of NOTE_ACTIVE, in place of those that are there. */
static void
load_active(struct session *session, const char *body)
{
	struct bytes rest = bytes_of(body), line;
	const char *fault;

	config_clear(&session->active);
	while (bytes_next_field(&rest, '\n', &line)) {
		if (line.len == 0)
			continue;
		fault = config_stage_text(&session->active, line);
		if (fault != NULL)
			log_warn("session %s/%s: a line of the store: %s",
			    session->service, session->instance, fault);
	}
}

static void
load_staged(struct session *session, const struct store_note *note)
{
	struct protocol_line line;
	struct bytes text = bytes_of(note->body), number;

	if (!bytes_next_field(&text, '|', &number) ||
	    line_parse(text, &line) != LINE_GOOD ||
	    session_add_line(session, note->seq, command_scope(line.command),
		note->body) == -1)
		log_warn("session %s/%s: a staged line of the store: left out",
		    session->service, session->instance);
}

void
session_load_note(struct protocol *protocol, const struct store_note *note)
{
	struct session *session;

	if (note->kind == NOTE_GONE || note->kind == NOTE_CONDITION)
		return;
	if (note->kind == NOTE_SESSION) {
		load_session(protocol, note);
		return;
	}
	session = session_find_key(protocol, note->key);
	if (session == NULL)
		log_warn("store: a note of no session: left out");
	else if (note->kind == NOTE_ACTIVE)
		load_active(session, note->body);
	else if (note->kind == NOTE_STAGED)
		load_staged(session, note);
	else if (note->kind == NOTE_WAITING)
		poll_load_note(session, note);
}

void
session_load_done(struct session *session)
{
	struct session_config staged;
	uint32_t next_number = session->staged.next_number;
	char name[SESSION_NAME_SIZE];

	session->lost = session->staged_at = session->kept = clock_now();
	if (session->active.next_number < next_number)
		session->active.next_number = next_number;
	if (session_stage_scopes(session, SCOPES_ALL, &staged) == -1) {
		log_error("session %s: staged: out of memory",
		    session_name(session, name));
		return;
	}
	config_clear(&session->staged);
	session->staged = staged;
}

void
session_forget_staged(struct session *session)
{
	poll_drop_all(session);
	session_roll_back(session);
}
