/*
 * tests/unit/registryd/test_poll.c - polls of maintenance, by their own clock.
 *
 * The test is the network, the client and the timer: a fetch ends, and a
 * pause is over, when a case says so.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "registryd/protocol/fetch.h"
#include "registryd/protocol/poll.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

#define ROUNDS	      60
#define PAGE_FAULT    "ERROR|timeout waiting for maintenance page to become " \
		      "reachable\n"
#define BACKEND_FAULT "ERROR|timeout waiting for backend to become reachable\n"

static struct {
	struct settings settings;
	struct daemon daemon;
	struct registry registry;
	struct protocol protocol;
	struct client client;
	struct session session;
	struct session_route routes[2];
	struct session_route *active[2];
	char kept[512];			/* notes, as "put 1: body" */
	char told[256];			/* lines, each with its end */
	char url[64];			/* what is asked now; "": nothing */
	int asked_count;
	fetch_done_fn *done;
	void *context;
	ev_timer *pause;		/* NULL: none is under way */
} world;

/* What poll.c stands on -------------------------------------------------- */

struct fetch *
fetch_start(struct ev_loop *loop, struct resolver *resolver,
    struct bytes url, int64_t timeout_ms, fetch_done_fn *done, void *context)
{
	(void)loop;
	(void)resolver;
	assert_int_equal(timeout_ms, 1000);
	snprintf(world.url, sizeof(world.url), "%.*s", BYTES_ARGS(url));
	world.asked_count++;
	world.done = done;
	world.context = context;
	return (struct fetch *)(void *)&world;
}

void
fetch_cancel(struct fetch **p)
{
	if (*p != NULL)
		world.url[0] = '\0';
	*p = NULL;
}

void
client_send(struct client *client, struct bytes line)
{
	size_t len = strlen(world.told);

	assert_ptr_equal(client, &world.client);
	snprintf(world.told + len, sizeof(world.told) - len, "%.*s\n",
	    BYTES_ARGS(line));
}

const char *
session_name(const struct session *session, char name[SESSION_NAME_SIZE])
{
	(void)session;
	snprintf(name, SESSION_NAME_SIZE, "billing/a");
	return name;
}

static void
keep(const struct note_changes *changes)
{
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct note_change *change = &changes->list[i];
		size_t len = strlen(world.kept);

		assert_int_equal(change->kind, NOTE_WAITING);
		assert_string_equal(change->key, "a-1-secret");
		snprintf(world.kept + len, sizeof(world.kept) - len,
		    "%s %u\n", change->op == NOTE_PUT ? "put" : "remove",
		    change->seq);
	}
}

int
note_queue_put(struct note_queue *queue, struct note_changes *changes,
    note_done_fn *done, void *context)
{
	(void)queue;
	(void)done;
	(void)context;
	keep(changes);
	note_changes_clear(changes);
	return 0;
}

void
ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	(void)loop;
	assert_null(world.pause);
	world.pause = timer;
}

void
ev_timer_stop(struct ev_loop *loop, ev_timer *timer)
{
	(void)loop;
	if (world.pause == timer)
		world.pause = NULL;
}

/* What happens ----------------------------------------------------------- */

static int
set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.settings.registration.poll_interval_ms = 1000;
	world.settings.registration.poll_limit = ROUNDS;
	world.daemon.settings = &world.settings;
	world.registry.daemon = &world.daemon;
	world.protocol.registry = &world.registry;
	world.session.protocol = &world.protocol;
	world.session.client = &world.client;
	world.session.key = strdup("a-1-secret");
	world.session.active.routes = world.active;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	poll_drop_all(&world.session);
	free(world.session.key);
	return 0;
}

static void
have_backends(const char *first, const char *second)
{
	const char *urls[] = { first, second };

	for (uint32_t i = 0; i < 2 && urls[i] != NULL; i++) {
		world.routes[i].number = i + 1;
		world.routes[i].url = (char *)(uintptr_t)urls[i];
		world.active[i] = &world.routes[i];
		world.session.active.count = i + 1;
	}
}

static struct poll *
make(bool is_page, const char *page_url)
{
	struct poll *poll = poll_new(&world.session, is_page,
	    bytes_of("ALL"), bytes_of(page_url));

	assert_non_null(poll);
	return poll;
}

static void
start_page(const char *url)
{
	poll_start(make(true, url));
}

static void
start_backends(const char *first, const char *second)
{
	have_backends(first, second);
	poll_start(make(false, ""));
}

/* As another registryd finds it, that began so much later. */
static void
load(bool is_page, const char *page_url, int64_t since_ms)
{
	char body[128];
	const struct store_note note = { .kind = NOTE_WAITING,
		.key = world.session.key, .seq = 7, .body = body };

	snprintf(body, sizeof(body), "%lld|%s|%s|ALL",
	    (long long)(clock_wall_ms() - since_ms),
	    is_page ? "enter" : "exit", page_url);
	poll_load_note(&world.session, &note);
	poll_start_all(&world.session);
}

static void
answer(unsigned int status)
{
	const struct fetch_outcome outcome = { .status = status };

	assert_string_not_equal(world.url, "");
	world.url[0] = '\0';
	world.done(world.context, &outcome);
}

static void
let_a_second_pass(void)
{
	ev_timer *timer = world.pause;

	assert_non_null(timer);
	assert_true(timer->at == 1.0 && timer->repeat == 0.0);
	world.pause = NULL;
	ev_cb(timer)(NULL, timer, EV_TIMER);
}

static void
sixty_rounds_without_an_answer_are_an_error(void **state)
{
	(void)state;
	start_backends("http://a", NULL);
	for (int round = 1; round < ROUNDS; round++) {
		answer(0);
		let_a_second_pass();
		assert_string_equal(world.told, "");
	}
	answer(0);
	assert_string_equal(world.told, BACKEND_FAULT);
	assert_int_equal(world.asked_count, ROUNDS);
	assert_null(world.pause);
	assert_true(LIST_EMPTY(&world.session.polls));
}

static void
a_page_has_an_error_of_its_own(void **state)
{
	(void)state;
	world.settings.registration.poll_limit = 1;
	start_page("http://a");
	answer(500);
	assert_string_equal(world.told, PAGE_FAULT);
}

static void
the_last_round_may_be_the_good_one(void **state)
{
	(void)state;
	start_page("http://a");
	for (int round = 1; round < ROUNDS; round++) {
		answer(503);
		let_a_second_pass();
	}
	answer(404);
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
}

static void
rounds_begin_a_second_apart(void **state)
{
	const struct fetch_outcome slow = { .took_ms = 400 };
	const struct fetch_outcome slower = { .took_ms = 1001 };
	ev_timer *timer;

	(void)state;
	start_page("http://a");
	world.done(world.context, &slow);
	assert_true(world.pause->at == 0.6);
	timer = world.pause;
	world.pause = NULL;
	ev_cb(timer)(NULL, timer, EV_TIMER);
	world.done(world.context, &slower);
	assert_true(world.pause->at == 0.0);
}

static void
without_a_page_nobody_is_asked(void **state)
{
	(void)state;
	start_page("");
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
	assert_int_equal(world.asked_count, 0);
}

static void
a_backend_answers_with_any_status(void **state)
{
	(void)state;
	start_backends("http://a", NULL);
	answer(500);
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
}

static void
what_has_answered_is_not_asked_again(void **state)
{
	(void)state;
	start_backends("http://a", "http://b");
	answer(200);
	assert_string_equal(world.url, "http://b");
	answer(0);
	let_a_second_pass();
	assert_string_equal(world.url, "http://b");
	assert_string_equal(world.told, "");
	answer(200);
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
}

static void
a_later_poll_of_a_target_ends_the_former(void **state)
{
	struct note_changes changes = { 0 };
	struct poll *poll;

	(void)state;
	start_page("http://a");
	answer(0);
	have_backends("http://b", NULL);
	poll = make(false, "");
	assert_int_equal(poll_add_notes(poll, &changes), 0);
	keep(&changes);
	note_changes_clear(&changes);
	assert_string_equal(world.kept, "remove 0\nput 1\n");
	poll_start(poll);
	assert_null(world.pause);
	answer(200);
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
	assert_string_equal(world.kept, "remove 0\nput 1\nremove 1\n");
}

static void
who_was_away_is_told_later(void **state)
{
	(void)state;
	world.session.client = NULL;
	start_page("http://a");
	answer(200);
	assert_string_equal(world.told, "");
	assert_string_equal(world.kept, "");
	world.session.client = &world.client;
	poll_tell_all(&world.session);
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
	assert_string_equal(world.kept, "remove 0\n");
	assert_true(LIST_EMPTY(&world.session.polls));
}

static void
who_comes_back_early_waits_on(void **state)
{
	(void)state;
	world.session.client = NULL;
	start_page("http://a");
	world.session.client = &world.client;
	poll_tell_all(&world.session);
	assert_string_equal(world.told, "");
	answer(200);
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
}

static void
the_rounds_go_on_after_a_restart(void **state)
{
	(void)state;
	load(true, "http://a", (ROUNDS - 2) * 1000 + 500);
	assert_string_equal(world.url, "http://a");
	answer(0);
	let_a_second_pass();
	answer(0);
	assert_string_equal(world.told, PAGE_FAULT);
	assert_string_equal(world.kept, "remove 7\n");
}

static void
there_is_one_round_however_late(void **state)
{
	(void)state;
	have_backends("http://b", NULL);
	load(false, "", 3600 * 1000);
	assert_string_equal(world.url, "http://b");
	answer(200);
	assert_string_equal(world.told, "MAINT_OK|ALL\n");
}

static void
a_note_that_is_none_is_left_out(void **state)
{
	static const char *const bodies[] = { "", "1", "1|enter", "x|enter||",
		"-1|exit||ALL" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		const struct store_note note = { .kind = NOTE_WAITING,
			.key = world.session.key, .body = bodies[i] };

		poll_load_note(&world.session, &note);
		assert_true(LIST_EMPTY(&world.session.polls));
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sixty_rounds_without_an_answer_are_an_error),
		CASE(a_page_has_an_error_of_its_own),
		CASE(the_last_round_may_be_the_good_one),
		CASE(rounds_begin_a_second_apart),
		CASE(without_a_page_nobody_is_asked),
		CASE(a_backend_answers_with_any_status),
		CASE(what_has_answered_is_not_asked_again),
		CASE(a_later_poll_of_a_target_ends_the_former),
		CASE(who_was_away_is_told_later),
		CASE(who_comes_back_early_waits_on),
		CASE(the_rounds_go_on_after_a_restart),
		CASE(there_is_one_round_however_late),
		CASE(a_note_that_is_none_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
