/*
 * tests/unit/worker/test_poller.c - who is told of what, and in which order.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/poller.h"

#define PAIRS 8

struct end {
	struct watch watch;
	struct poller *poller;
	int peer;
	size_t reads;			/* bytes it reads at a time */
	int told_read, told_write;
	ssize_t got;			/* by the latest read */
	struct end *closes;		/* when it is told */
	struct end *says_to;		/* gets a byte then */
};

static struct fixture {
	struct ev_loop *loop;
	struct poller poller;
	struct end ends[PAIRS];
	int told[64], told_count;	/* who was, in order */
	int rounds;			/* but the first of each turn */
} fixture;

static void
close_end(struct end *end)
{
	int fd = end->watch.fd;

	if (fd == -1)
		return;
	poller_forget(end->poller, &end->watch);
	close(fd);
}

static void
on_event(struct watch *watch, int events)
{
	struct end *end = watch->owner;
	char bytes[64];

	fixture.told[fixture.told_count++] = (int)(end - fixture.ends);
	if (end->closes != NULL)
		close_end(end->closes);
	if (end->says_to != NULL)
		assert_int_equal(write(end->says_to->peer, "x", 1), 1);
	if (events == EV_WRITE) {
		end->told_write++;
		return;
	}
	end->told_read++;
	if (end->reads == 0)
		return;
	end->got = recv(watch->fd, bytes, end->reads, MSG_DONTWAIT);
	watch_was_read(watch, end->got, end->reads);
}

static void
on_round(void *context)
{
	struct fixture *own = context;

	own->rounds++;
}

static int
open_poller(void **state)
{
	memset(&fixture, 0, sizeof(fixture));
	fixture.loop = ev_loop_new(EVBACKEND_EPOLL);
	assert_int_equal(poller_open(&fixture.poller, fixture.loop,
	    on_round, &fixture), 0);
	for (int i = 0; i < PAIRS; i++) {
		struct end *end = &fixture.ends[i];
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX,
		    SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
		end->poller = &fixture.poller;
		end->peer = pair[1];
		end->reads = 64;
		watch_init(&end->watch, pair[0], on_event, end);
	}
	*state = fixture.ends;
	return 0;
}

static int
close_poller(void **state)
{
	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		close_end(&fixture.ends[i]);
		close(fixture.ends[i].peer);
	}
	assert_true(TAILQ_EMPTY(&fixture.poller.queue));
	poller_close(&fixture.poller);
	ev_loop_destroy(fixture.loop);
	return 0;
}

static void
want(struct end *end, int events)
{
	poller_want(end->poller, &end->watch, events);
}

static void
say(struct end *end, const char *text)
{
	assert_int_equal(write(end->peer, text, strlen(text)), strlen(text));
}

static void
turn(void)
{
	ev_run(fixture.loop, EVRUN_NOWAIT);
}

static void
who_comes_first_is_told_first(void **state)
{
	static const int order[PAIRS] = { 3, 1, 7, 0, 5, 2, 6, 4 };
	struct end *ends = *state;

	for (int i = 0; i < PAIRS; i++)
		want(&ends[i], EV_READ);
	turn();
	assert_int_equal(fixture.told_count, 0);
	for (int i = 0; i < PAIRS; i++)
		say(&ends[order[i]], "x");
	turn();
	assert_int_equal(fixture.told_count, PAIRS);
	for (int i = 0; i < PAIRS; i++)
		assert_int_equal(fixture.told[i], order[i]);
	turn();
	assert_int_equal(fixture.told_count, PAIRS);
}

static void
a_busy_turn_takes_what_comes_meanwhile(void **state)
{
	struct end *ends = *state;

	for (int i = 0; i < PAIRS; i++)
		want(&ends[i], EV_READ);
	say(&ends[0], "x");
	ends[0].says_to = &ends[1];
	turn();
	assert_int_equal(fixture.rounds, 0);
	assert_int_equal(ends[1].told_read, 0);
	turn();
	assert_int_equal(ends[1].told_read, 1);
	for (int i = 0; i < PAIRS; i++)
		if (i != 1)
			say(&ends[i], "x");
	turn();
	assert_int_equal(fixture.rounds, 1);
	assert_int_equal(ends[1].told_read, 2);
}

static void
what_is_left_is_told_in_each_turn(void **state)
{
	struct end *end = *state;

	end->reads = 2;
	want(end, EV_READ);
	say(end, "abcde");
	for (int i = 1; i <= 3; i++) {
		turn();
		assert_int_equal(end->told_read, i);
	}
	assert_int_equal(end->got, 1);
	turn();
	assert_int_equal(end->told_read, 3);
	say(end, "f");
	turn();
	assert_int_equal(end->told_read, 4);
}

static void
who_does_not_read_is_told_again(void **state)
{
	struct end *end = *state;

	end->reads = 0;
	want(end, EV_READ);
	say(end, "x");
	turn();
	turn();
	assert_int_equal(end->told_read, 2);
}

static void
the_others_are_served_between_two_pieces_of_one(void **state)
{
	struct end *ends = *state;

	ends[0].reads = 1;
	want(&ends[0], EV_READ);
	want(&ends[1], EV_READ);
	say(&ends[0], "abc");
	say(&ends[1], "x");
	turn();
	say(&ends[1], "y");
	turn();
	assert_int_equal(fixture.told_count, 4);
	assert_int_equal(fixture.told[1], 1);
	assert_int_equal(ends[0].told_read, 2);
	assert_int_equal(ends[1].told_read, 2);
}

static void
what_is_not_wanted_waits_until_it_is(void **state)
{
	struct end *end = *state;

	want(end, EV_READ);
	want(end, EV_NONE);
	say(end, "x");
	turn();
	assert_int_equal(end->told_read, 0);
	want(end, EV_READ);
	turn();
	assert_int_equal(end->told_read, 1);
	assert_int_equal(end->got, 1);
}

static void
what_came_before_it_was_watched_is_told(void **state)
{
	struct end *end = *state;

	say(end, "x");
	want(end, EV_READ);
	turn();
	assert_int_equal(end->told_read, 1);
}

static void
an_end_behind_the_last_bytes_is_told(void **state)
{
	struct end *end = *state;

	want(end, EV_READ);
	say(end, "x");
	shutdown(end->peer, SHUT_WR);
	turn();
	assert_int_equal(end->got, 1);
	turn();
	assert_int_equal(end->told_read, 2);
	assert_int_equal(end->got, 0);
}

static void
an_end_is_told_after_the_bytes_were_read(void **state)
{
	struct end *end = *state;

	want(end, EV_READ);
	say(end, "x");
	turn();
	shutdown(end->peer, SHUT_WR);
	turn();
	assert_int_equal(end->told_read, 2);
	assert_int_equal(end->got, 0);
}

static void
fill(int fd)
{
	char bytes[4096] = "";

	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
}

static void
drain(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void
room_is_told_once_and_before_input(void **state)
{
	struct end *end = *state;

	fill(end->watch.fd);
	want(end, EV_READ | EV_WRITE);
	turn();
	assert_int_equal(fixture.told_count, 0);
	say(end, "x");
	drain(end->peer);
	turn();
	assert_int_equal(end->told_write, 1);
	assert_int_equal(end->told_read, 0);
	turn();
	assert_int_equal(end->told_read, 1);
	want(end, EV_READ);
	say(end, "y");
	turn();
	assert_int_equal(end->told_write, 1);
	fill(end->watch.fd);
	want(end, EV_READ | EV_WRITE);
	turn();
	assert_int_equal(end->told_write, 1);
	drain(end->peer);
	turn();
	assert_int_equal(end->told_write, 2);
}

static void
who_was_closed_earlier_in_the_turn_is_told_nothing(void **state)
{
	struct end *ends = *state;

	ends[0].closes = &ends[1];
	want(&ends[0], EV_READ);
	want(&ends[1], EV_READ);
	say(&ends[0], "x");
	say(&ends[1], "x");
	turn();
	assert_int_equal(ends[0].told_read, 1);
	assert_int_equal(ends[1].told_read, 0);
}

static void
who_is_closed_while_queued_is_told_nothing(void **state)
{
	struct end *end = *state;

	end->reads = 1;
	want(end, EV_READ);
	say(end, "abc");
	turn();
	assert_true(end->watch.is_queued);
	close_end(end);
	turn();
	assert_int_equal(end->told_read, 1);
}

static void
what_the_kernel_does_not_watch_is_ended(void **state)
{
	struct end *end = *state;

	close_end(end);
	watch_init(&end->watch, open("/dev/null", O_RDWR), on_event, end);
	want(end, EV_READ);
	turn();
	assert_int_equal(end->told_read, 1);
}

#define WITH_POLLER(test)                                                      \
	cmocka_unit_test_setup_teardown(test, open_poller, close_poller)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_POLLER(who_comes_first_is_told_first),
		WITH_POLLER(a_busy_turn_takes_what_comes_meanwhile),
		WITH_POLLER(what_is_left_is_told_in_each_turn),
		WITH_POLLER(who_does_not_read_is_told_again),
		WITH_POLLER(the_others_are_served_between_two_pieces_of_one),
		WITH_POLLER(what_is_not_wanted_waits_until_it_is),
		WITH_POLLER(what_came_before_it_was_watched_is_told),
		WITH_POLLER(an_end_behind_the_last_bytes_is_told),
		WITH_POLLER(an_end_is_told_after_the_bytes_were_read),
		WITH_POLLER(room_is_told_once_and_before_input),
		WITH_POLLER(who_was_closed_earlier_in_the_turn_is_told_nothing),
		WITH_POLLER(who_is_closed_while_queued_is_told_nothing),
		WITH_POLLER(what_the_kernel_does_not_watch_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
