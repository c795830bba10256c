/*
 * tests/unit/registryd/test_session_take.c - sessions that another sluice
 * had.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "fake_store.h"
#include "registryd/protocol/protocol.h"
#include "registryd/protocol/session_take.h"
#include "registryd/registry.h"
#include "registryd/write_parts.h"

#define KEY	 "a-1-key"
#define US	 "edge@here"
#define THEM	 "edge@there"
#define GRACE_MS 60000

#define ACTIVE	 "1|ROUTE_ADD|-|a.example|/api|http://h:1|5\n"
#define STAGED	 "2|ROUTE_ADD|-|b.example|/|http://h:2|0"

/* As much of a registryd as takes sessions: its database is the fake. */
struct edge {
	struct settings *settings;
	struct daemon daemon;
	struct fake_store fake;
	struct registry registry;
};

/* What came of a taking. */
struct taken {
	uint32_t count;
	struct session *session;
	bool is_again;
	char fault[64];			/* "": none */
};

static void
open_edge(struct edge *edge)
{
	struct registry *registry = &edge->registry;
	const struct write_backing backing = fake_store_backing(registry);
	struct buf errors = { 0 };

	*edge = (struct edge){ 0 };
	assert_int_equal(settings_parse(bytes_of("registration { grace = "
	    "60s }\n"), &edge->settings, &errors), 0);
	buf_free(&errors);
	edge->daemon.settings = edge->settings;
	registry->daemon = &edge->daemon;
	registry->loop = ev_loop_new(EVFLAG_AUTO);
	registry->store = &edge->fake.store;
	snprintf(registry->instances.name, sizeof(registry->instances.name),
	    US);
	STAILQ_INIT(&registry->instances.rows);
	fake_store_init(&edge->fake, registry->loop);
	news_bus_init(&registry->news);
	registry->model = model_new();
	registry->writes = write_queue_new(registry->loop, &backing);
	assert_non_null(registry->model);
	assert_non_null(registry->writes);
	assert_int_equal(protocol_new(registry, &registry->protocol), 0);
}

static void
close_edge(struct edge *edge)
{
	struct registry *registry = &edge->registry;
	struct instance_row *row;

	while ((row = STAILQ_FIRST(&registry->instances.rows)) != NULL) {
		STAILQ_REMOVE_HEAD(&registry->instances.rows, entry);
		free(row);
	}
	protocol_free(&registry->protocol);
	write_queue_free(&registry->writes);
	model_free(&registry->model);
	fake_store_clear(&edge->fake);
	ev_loop_destroy(registry->loop);
	settings_free(&edge->settings);
}

/* Who shares the store, in the order of names. */
static void
add_instance(struct edge *edge, const char *name, bool is_stale)
{
	struct instance_row *row = calloc(1, sizeof(*row));

	assert_non_null(row);
	row->instance.name = name;
	row->instance.is_stale = is_stale;
	STAILQ_INSERT_TAIL(&edge->registry.instances.rows, row, entry);
}

/* Rows -------------------------------------------------------------------- */

static struct store_note
session_row(const char *body)
{
	return (struct store_note){ NOTE_SESSION, KEY, body, 0 };
}

#define ROW(owner, more)                                                      \
	"{\"service\":\"a\",\"instance\":\"1\",\"maintenance_port\":7,"       \
	"\"metadata\":{},\"owner\":\"" owner "\",\"token\":\"\","             \
	"\"from\":\"192.0.2.1\",\"events\":0" more "}"

/* What we know of it: that they have it. */
static struct session *
know(struct edge *edge)
{
	const struct store_note row = session_row(ROW(THEM, ""));
	struct session *session;

	session_load_note(edge->registry.protocol, &row);
	session = session_find_key(edge->registry.protocol, KEY);
	assert_non_null(session);
	session_load_done(session);
	assert_false(session_is_ours(session));
	return session;
}

static struct session *
find(const struct edge *edge)
{
	return session_find_key(edge->registry.protocol, KEY);
}

/* Taking ------------------------------------------------------------------ */

static void
on_taken(void *context, const struct taking_outcome *outcome)
{
	struct taken *taken = context;

	taken->count++;
	taken->session = outcome->session;
	taken->is_again = outcome->is_again;
	snprintf(taken->fault, sizeof(taken->fault), "%s",
	    outcome->fault == NULL ? "" : outcome->fault);
}

static void
take(struct edge *edge, struct taken *taken)
{
	*taken = (struct taken){ 0 };
	assert_int_equal(session_take(edge->registry.protocol, KEY, on_taken,
	    taken), 0);
}

/* The store is asked for the session's rows, and has these. */
static void
answer_rows(struct edge *edge, const struct store_note *rows, size_t count)
{
	struct store_request *request = fake_store_take(&edge->fake);

	assert_int_equal(request->type, REQUEST_READ_NOTES);
	assert_string_equal(request->ask.read_notes.key, KEY);
	for (size_t i = 0; i < count; i++)
		request->ask.read_notes.note(request->context, &rows[i]);
	fake_store_answer(&edge->fake, request, STORE_OK);
}

static void
answer_row(struct edge *edge, const char *body)
{
	const struct store_note row = session_row(body);

	answer_rows(edge, &row, 1);
}

/* It is asked to make the session ours, if it is still whose we read; with
 * changes where it has routes. */
static void
answer_hold(struct edge *edge, const char *owner, enum store_result result)
{
	struct store_request *request = fake_store_take(&edge->fake);
	const struct note_changes *notes = request->type == REQUEST_COMMIT
	    ? request->ask.commit.notes : request->ask.notes;

	assert_true(request->type == REQUEST_COMMIT ||
	    request->type == REQUEST_NOTES);
	assert_int_equal(notes->count, 2);
	assert_int_equal(notes->list[0].op, NOTE_HOLD);
	assert_string_equal(notes->list[0].key, KEY);
	assert_string_equal(notes->list[0].body, owner);
	assert_int_equal(notes->list[1].op, NOTE_PUT);
	assert_int_equal(notes->list[1].kind, NOTE_SESSION);
	assert_non_null(strstr(notes->list[1].body,
	    "\"owner\":\"" US "\""));
	fake_store_answer(&edge->fake, request, result);
}

static bool
is_asked(const struct edge *edge)
{
	return !STAILQ_EMPTY(&edge->fake.requests);
}

/* Sentences: a client comes ----------------------------------------------- */

static void
what_is_read_is_ours_when_it_is_written(void **state)
{
	static const struct store_note rows[] = {
		{ NOTE_SESSION, KEY, ROW(THEM, ",\"disabled\":true"), 0 },
		{ NOTE_ACTIVE, KEY, ACTIVE, 0 },
		{ NOTE_STAGED, KEY, STAGED, 4 },
	};
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	take(&edge, &taken);
	answer_rows(&edge, rows, COUNT_OF(rows));
	assert_int_equal(taken.count, 0);
	assert_false(session_is_ours(find(&edge)));
	assert_true(find(&edge)->is_busy);
	answer_hold(&edge, THEM, STORE_OK);
	assert_int_equal(taken.count, 1);
	assert_string_equal(taken.fault, "");
	assert_false(taken.is_again);
	assert_ptr_equal(taken.session, find(&edge));
	assert_true(session_is_ours(taken.session));
	assert_string_equal(taken.session->service, "a");
	assert_int_equal(taken.session->maintenance_port, 7);
	assert_int_equal(taken.session->active.count, 1);
	assert_int_equal(taken.session->staged.count, 2);
	assert_int_equal(taken.session->line_count, 1);
	assert_false(taken.session->is_busy);
	/* Its client is here: its backends take requests again. */
	assert_false(taken.session->is_disabled);
	close_edge(&edge);
}

static void
what_we_knew_of_it_counts_for_nothing(void **state)
{
	static const struct store_note known[] = {
		{ NOTE_ACTIVE, KEY, ACTIVE, 0 },
		{ NOTE_STAGED, KEY, STAGED, 4 },
	};
	static const struct store_note rows[] = {
		{ NOTE_SESSION, KEY, ROW("third@edge", ""), 0 },
		{ NOTE_ACTIVE, KEY, "", 0 },
	};
	struct session *session;
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	for (size_t i = 0; i < COUNT_OF(known); i++)
		session_load_note(edge.registry.protocol, &known[i]);
	session_load_done(session);
	assert_int_equal(session->staged.count, 2);
	take(&edge, &taken);
	answer_rows(&edge, rows, COUNT_OF(rows));
	/* It may have been a third one's meanwhile. */
	answer_hold(&edge, "third@edge", STORE_OK);
	assert_ptr_equal(taken.session, session);
	assert_int_equal(session->active.count, 0);
	assert_int_equal(session->staged.count, 0);
	assert_int_equal(session->line_count, 0);
	close_edge(&edge);
}

static void
what_nobody_has_any_more_is_gone(void **state)
{
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	know(&edge);
	take(&edge, &taken);
	answer_rows(&edge, NULL, 0);
	assert_int_equal(taken.count, 1);
	assert_null(taken.session);
	assert_string_equal(taken.fault, "");
	assert_false(taken.is_again);
	assert_null(find(&edge));
	/* And what nobody ever had. */
	take(&edge, &taken);
	answer_rows(&edge, NULL, 0);
	assert_null(taken.session);
	assert_string_equal(taken.fault, "");
	assert_false(is_asked(&edge));
	close_edge(&edge);
}

static void
what_cannot_be_read_stays_theirs(void **state)
{
	struct session *session;
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	take(&edge, &taken);
	fake_store_answer(&edge.fake, fake_store_take(&edge.fake),
	    STORE_UNAVAILABLE);
	assert_int_equal(taken.count, 1);
	assert_string_equal(taken.fault, "store unavailable");
	assert_ptr_equal(taken.session, session);
	assert_string_equal(session->owner, THEM);
	assert_false(is_asked(&edge));
	close_edge(&edge);
}

static void
rows_without_their_session_are_a_fault(void **state)
{
	static const struct store_note rows[] = {
		{ NOTE_ACTIVE, KEY, ACTIVE, 0 },
	};
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	take(&edge, &taken);
	answer_rows(&edge, rows, COUNT_OF(rows));
	assert_string_equal(taken.fault, "store unavailable");
	assert_null(taken.session);
	assert_false(is_asked(&edge));
	close_edge(&edge);
}

static void
if_a_third_one_was_faster_it_is_not_ours(void **state)
{
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	take(&edge, &taken);
	answer_row(&edge, ROW(THEM, ""));
	answer_hold(&edge, THEM, STORE_CONFLICT);
	assert_int_equal(taken.count, 1);
	assert_string_equal(taken.fault, "store unavailable");
	assert_false(session_is_ours(find(&edge)));
	assert_false(find(&edge)->is_busy);
	/* The next try finds whose it is. */
	take(&edge, &taken);
	answer_row(&edge, ROW("third@edge", ""));
	answer_hold(&edge, "third@edge", STORE_OK);
	assert_string_equal(taken.fault, "");
	assert_true(session_is_ours(taken.session));
	close_edge(&edge);
}

static void
while_somebody_is_at_it_it_is_for_later(void **state)
{
	struct session *session;
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	take(&edge, &taken);
	session->is_busy = true;
	answer_row(&edge, ROW(THEM, ""));
	assert_true(taken.is_again);
	assert_ptr_equal(taken.session, session);
	assert_true(session->is_busy);
	/* Or it became ours while it was read. */
	session->is_busy = false;
	take(&edge, &taken);
	snprintf(session->owner, sizeof(session->owner), US);
	answer_row(&edge, ROW(THEM, ""));
	assert_true(taken.is_again);
	assert_string_equal(session->owner, US);
	assert_false(is_asked(&edge));
	close_edge(&edge);
}

static void
what_was_ended_says_no_more(void **state)
{
	struct taken taken;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	take(&edge, &taken);
	taking_end_all(edge.registry.protocol);
	assert_true(LIST_EMPTY(&edge.registry.protocol->takings));
	assert_int_equal(taken.count, 0);
	close_edge(&edge);
}

/* Sentences: its sluice is gone ------------------------------------------- */

static struct instant
after_ms(struct instant since, int64_t ms)
{
	return (struct instant){ since.ns + ms * NS_PER_MS };
}

static void
one_whose_sluice_is_there_is_no_orphan(void **state)
{
	struct session *session;
	struct instant later;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	/* The rows were not read yet: who knows. */
	later = after_ms(session->lost, 10 * GRACE_MS);
	session_check_orphan(session, later);
	assert_false(is_asked(&edge));
	assert_int_equal(session->lost.ns, later.ns);
	add_instance(&edge, US, false);
	add_instance(&edge, THEM, false);
	later = after_ms(session->lost, 10 * GRACE_MS);
	session_check_orphan(session, later);
	assert_false(is_asked(&edge));
	assert_int_equal(session->lost.ns, later.ns);
	close_edge(&edge);
}

static void
an_orphan_is_adopted_after_the_grace(void **state)
{
	struct session *session;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	add_instance(&edge, US, false);
	add_instance(&edge, THEM, true);
	session_check_orphan(session, after_ms(session->lost, GRACE_MS - 1));
	assert_false(is_asked(&edge));
	session_check_orphan(session, after_ms(session->lost, GRACE_MS));
	assert_true(session->is_busy);
	answer_row(&edge, ROW(THEM, ",\"disabled\":true"));
	answer_hold(&edge, THEM, STORE_OK);
	assert_true(session_is_ours(session));
	assert_false(session->is_busy);
	/* No client came: nothing else changes. */
	assert_true(session->is_disabled);
	close_edge(&edge);
}

static void
the_first_that_is_there_adopts(void **state)
{
	struct session *session;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	add_instance(&edge, "alpha@edge", false);
	add_instance(&edge, US, false);
	session_check_orphan(session, after_ms(session->lost, GRACE_MS));
	assert_false(is_asked(&edge));
	assert_false(session->is_busy);
	STAILQ_FIRST(&edge.registry.instances.rows)->instance.is_stale = true;
	session_check_orphan(session, after_ms(session->lost, GRACE_MS));
	assert_true(is_asked(&edge));
	answer_row(&edge, ROW(THEM, ""));
	answer_hold(&edge, THEM, STORE_OK);
	close_edge(&edge);
}

static void
an_adoption_that_fails_is_tried_again(void **state)
{
	struct session *session;
	struct instant later;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	add_instance(&edge, US, false);
	later = after_ms(session->lost, GRACE_MS);
	session_check_orphan(session, later);
	fake_store_answer(&edge.fake, fake_store_take(&edge.fake),
	    STORE_UNAVAILABLE);
	assert_false(session->is_busy);
	assert_string_equal(session->owner, THEM);
	session_check_orphan(session, later);
	answer_row(&edge, ROW(THEM, ""));
	answer_hold(&edge, THEM, STORE_UNAVAILABLE);
	assert_false(session->is_busy);
	assert_string_equal(session->owner, THEM);
	/* The read made it known anew: the grace begins again. */
	session_check_orphan(session, after_ms(session->lost, GRACE_MS));
	answer_row(&edge, ROW(THEM, ""));
	answer_hold(&edge, THEM, STORE_OK);
	assert_true(session_is_ours(session));
	close_edge(&edge);
}

static void
an_orphan_that_nobody_has_is_dropped(void **state)
{
	struct session *session;
	struct edge edge;

	(void)state;
	open_edge(&edge);
	session = know(&edge);
	add_instance(&edge, US, false);
	session_check_orphan(session, after_ms(session->lost, GRACE_MS));
	answer_rows(&edge, NULL, 0);
	assert_null(find(&edge));
	close_edge(&edge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_ours_when_it_is_written),
		cmocka_unit_test(what_we_knew_of_it_counts_for_nothing),
		cmocka_unit_test(what_nobody_has_any_more_is_gone),
		cmocka_unit_test(what_cannot_be_read_stays_theirs),
		cmocka_unit_test(rows_without_their_session_are_a_fault),
		cmocka_unit_test(if_a_third_one_was_faster_it_is_not_ours),
		cmocka_unit_test(while_somebody_is_at_it_it_is_for_later),
		cmocka_unit_test(what_was_ended_says_no_more),
		cmocka_unit_test(one_whose_sluice_is_there_is_no_orphan),
		cmocka_unit_test(an_orphan_is_adopted_after_the_grace),
		cmocka_unit_test(the_first_that_is_there_adopts),
		cmocka_unit_test(an_adoption_that_fails_is_tried_again),
		cmocka_unit_test(an_orphan_that_nobody_has_is_dropped),
	};

	if (log_open("test", "/dev/null") == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
