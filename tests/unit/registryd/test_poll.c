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

#define FAULT "timeout waiting for it to become reachable"

static struct {
	struct protocol protocol;
	struct client client;
	struct session session;
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

struct session *
session_hold(struct session *session)
{
	return session;
}

void
session_release(struct session **p)
{
	*p = NULL;
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
	LIST_INIT(&world.protocol.polls);
	world.session.protocol = &world.protocol;
	world.session.client = &world.client;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	poll_end_all(&world.protocol);
	return 0;
}

static void
start(bool is_page, const char *first, const char *second)
{
	const struct poll_order order = { .session = &world.session,
		.target = BYTES_LITERAL("r1"), .is_page = is_page,
		.fault = FAULT };
	char **urls = calloc(2, sizeof(*urls));

	assert_non_null(urls);
	urls[0] = strdup(first);
	urls[1] = second == NULL ? NULL : strdup(second);
	poll_start(&order, urls, second == NULL ? 1 : 2);
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
	start(false, "http://a", NULL);
	for (int round = 1; round < 60; round++) {
		answer(0);
		let_a_second_pass();
		assert_string_equal(world.told, "");
	}
	answer(0);
	assert_string_equal(world.told, "ERROR|" FAULT "\n");
	assert_int_equal(world.asked_count, 60);
	assert_null(world.pause);
	assert_true(LIST_EMPTY(&world.protocol.polls));
}

static void
the_last_round_may_be_the_good_one(void **state)
{
	(void)state;
	start(true, "http://a", NULL);
	for (int round = 1; round < 60; round++) {
		answer(503);
		let_a_second_pass();
	}
	answer(404);
	assert_string_equal(world.told, "MAINT_OK|r1\n");
}

static void
a_backend_answers_with_any_status(void **state)
{
	(void)state;
	start(false, "http://a", NULL);
	answer(500);
	assert_string_equal(world.told, "MAINT_OK|r1\n");
}

static void
what_has_answered_is_not_asked_again(void **state)
{
	(void)state;
	start(false, "http://a", "http://b");
	answer(200);
	assert_string_equal(world.url, "http://b");
	answer(0);
	let_a_second_pass();
	assert_string_equal(world.url, "http://b");
	assert_string_equal(world.told, "");
	answer(200);
	assert_string_equal(world.told, "MAINT_OK|r1\n");
}

static void
a_later_poll_of_a_target_ends_the_former(void **state)
{
	(void)state;
	start(true, "http://a", NULL);
	answer(0);
	start(false, "http://b", NULL);
	assert_null(world.pause);
	answer(200);
	assert_string_equal(world.told, "MAINT_OK|r1\n");
}

static void
nobody_is_told_when_the_client_is_gone(void **state)
{
	(void)state;
	start(false, "http://a", NULL);
	world.session.client = NULL;
	answer(200);
	start(false, "http://a", NULL);
	answer(0);
	world.session.is_gone = true;
	let_a_second_pass();
	assert_string_equal(world.told, "");
	assert_true(LIST_EMPTY(&world.protocol.polls));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sixty_rounds_without_an_answer_are_an_error),
		CASE(the_last_round_may_be_the_good_one),
		CASE(a_backend_answers_with_any_status),
		CASE(what_has_answered_is_not_asked_again),
		CASE(a_later_poll_of_a_target_ends_the_former),
		CASE(nobody_is_told_when_the_client_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
