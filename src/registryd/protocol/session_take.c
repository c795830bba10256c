/*
 * registryd/protocol/session_take.c - sessions that another sluice had.
 *
 *	read from the store -> in place of what we knew -> written as ours
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/session_take.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/protocol/apply.h"
#include "registryd/protocol/poll.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

struct taking {
	LIST_ENTRY(taking) of_protocol;
	struct protocol *protocol;
	char key[SESSION_KEY_SIZE];
	taking_done_fn *done;
	void *context;
	bool is_adoption;		/* no client came */
	bool is_failed;
	struct note_changes rows;
};

static void
taking_free(struct taking *taking)
{
	LIST_REMOVE(taking, of_protocol);
	note_changes_clear(&taking->rows);
	free(taking);
}

void
taking_end_all(struct protocol *protocol)
{
	struct taking *taking;

	while ((taking = LIST_FIRST(&protocol->takings)) != NULL)
		taking_free(taking);
}

static void
finish(struct taking *taking, const struct taking_outcome *outcome)
{
	taking_done_fn *done = taking->done;
	void *context = taking->context;

	taking_free(taking);
	done(context, outcome);
}

/* Writing ---------------------------------------------------------------- */

static void
on_taken(void *context, const char *fault)
{
	struct taking *taking = context;
	struct session *session = session_find_key(taking->protocol,
	    taking->key);
	const struct taking_outcome outcome = { session, fault, false };
	char name[SESSION_NAME_SIZE];

	if (session != NULL && fault == NULL) {
		log_notice("session %s: taken over",
		    session_name(session, name));
		session->lost = session->staged_at = clock_now();
		poll_start_all(session);
	}
	finish(taking, &outcome);
}

/* Backends that the other one disabled take requests again, if it is for
 * their client. */
static void
write_owner(struct taking *taking, struct session *session)
{
	const struct apply_order order = {
		.kind = taking->is_adoption ? APPLY_ADOPT : APPLY_ENABLE,
		.session = session,
		.cause = taking->is_adoption ? "is taken over" : NULL,
		.done = on_taken,
		.context = taking,
	};

	if (apply_submit(&order) == -1)
		on_taken(taking, "store unavailable");
}

/* Reading ---------------------------------------------------------------- */

static void
on_row(void *context, const struct store_note *note)
{
	struct taking *taking = context;

	if (note_changes_add(&taking->rows, NOTE_PUT, note->kind, note->key,
		note->seq, note->body) == -1)
		taking->is_failed = true;
}

static struct session *
restore(const struct taking *taking)
{
	struct session *session = session_find_key(taking->protocol,
	    taking->key);

	if (session != NULL)
		session_forget_staged(session);
	for (uint32_t i = 0; i < taking->rows.count; i++) {
		const struct note_change *row = &taking->rows.list[i];

		session_load_note(taking->protocol, &(struct store_note){
		    row->kind, row->key, row->body, row->seq });
	}
	session = session_find_key(taking->protocol, taking->key);
	if (session != NULL)
		session_load_done(session);
	return session;
}

static void
take_read(struct taking *taking)
{
	struct session *session = session_find_key(taking->protocol,
	    taking->key);
	struct taking_outcome outcome = { session, NULL, false };

	if (session != NULL && taking->is_adoption)
		session->is_busy = false;
	if (session != NULL &&
	    (session->is_busy || session_is_ours(session))) {
		outcome.is_again = true;
	} else if (taking->rows.count == 0) {
		if (session != NULL)
			session_drop(session);
		outcome.session = NULL;
	} else if ((session = restore(taking)) == NULL) {
		outcome.fault = "store unavailable";
	} else {
		write_owner(taking, session);
		return;
	}
	finish(taking, &outcome);
}

static void
on_read(void *context, const struct store_outcome *outcome)
{
	struct taking *taking = context;
	struct session *session = session_find_key(taking->protocol,
	    taking->key);
	const struct taking_outcome failed = { session, "store unavailable",
		false };

	if (outcome->result == STORE_OK && !taking->is_failed) {
		take_read(taking);
		return;
	}
	if (session != NULL && taking->is_adoption)
		session->is_busy = false;
	finish(taking, &failed);
}

static int
begin(struct protocol *protocol, const char *key, bool is_adoption,
    taking_done_fn *done, void *context)
{
	struct taking *taking = calloc(1, sizeof(*taking));
	struct store_note_query query = { .note = on_row, .done = on_read,
		.context = taking };

	if (taking == NULL)
		return -1;
	taking->protocol = protocol;
	taking->is_adoption = is_adoption;
	taking->done = done;
	taking->context = context;
	snprintf(taking->key, sizeof(taking->key), "%s", key);
	query.key = taking->key;
	LIST_INSERT_HEAD(&protocol->takings, taking, of_protocol);
	if (store_read_notes(protocol->registry->store, &query) == 0)
		return 0;
	taking_free(taking);
	return -1;
}

int
session_take(struct protocol *protocol, const char *key,
    taking_done_fn *done, void *context)
{
	return begin(protocol, key, false, done, context);
}

/* Orphans ---------------------------------------------------------------- */

static void
on_adopted(void *context, const struct taking_outcome *outcome)
{
	char name[SESSION_NAME_SIZE];

	(void)context;
	if (outcome->fault != NULL && outcome->session != NULL)
		log_info("session %s: not taken over: %s",
		    session_name(outcome->session, name), outcome->fault);
}

/* Of the rows as they were read last; while there are none, who knows. */
static bool
is_alive(const struct registry *registry, const char *name)
{
	const struct instance_row *row;

	STAILQ_FOREACH(row, &registry->instances.rows, entry)
		if (strcmp(row->instance.name, name) == 0)
			return !row->instance.is_stale;
	return STAILQ_EMPTY(&registry->instances.rows);
}

/* One of those that are there does it. */
static bool
is_first(const struct registry *registry)
{
	const struct instance_row *row;

	STAILQ_FOREACH(row, &registry->instances.rows, entry)
		if (!row->instance.is_stale)
			return strcmp(row->instance.name,
				   registry->instances.name) == 0;
	return false;
}

void
session_check_orphan(struct session *session, struct instant now)
{
	struct protocol *protocol = session->protocol;
	const struct registry *registry = protocol->registry;
	const struct settings *settings = registry->daemon->settings;

	if (is_alive(registry, session->owner)) {
		session->lost = now;
		return;
	}
	if (instant_diff_ms(now, session->lost) <
		settings->registration.grace_ms ||
	    !is_first(registry))
		return;
	session->is_busy = true;
	if (begin(protocol, session->key, true, on_adopted, NULL) == -1)
		session->is_busy = false;
}
