/*
 * tests/unit/shm/test_limits.c - limits that all workers keep together.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "shm/fixture.h"
#include "shm/limits.h"

static struct fixture fixture;
static struct limits *limits, *reader;

static int
set_up(void **state)
{
	(void)state;
	fixture_make(&fixture, 100);
	assert_int_equal(limits_open_writable(
	    fixture_region_fd(&fixture, SEGMENT_LIMITS, 0), &limits), 0);
	assert_int_equal(limits_open(fixture.dir, &reader), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	limits_close(&limits);
	limits_close(&reader);
	fixture_remove(&fixture);
	return 0;
}

static uint64_t
key_of(const char *address)
{
	struct in6_addr in6;

	assert_int_equal(inet_pton(AF_INET6, address, &in6), 1);
	return limits_key(7, &in6);
}

/* How many of so many requests pass, one each step_ns. */
static int
ask(uint64_t key, const struct rate_limit_spec *spec, int64_t *now_ns,
    int count, int64_t step_ns)
{
	int passed = 0;

	for (int i = 0; i < count; i++, *now_ns += step_ns) {
		struct limit_verdict verdict;

		limits_take(limits, key, spec, *now_ns, &verdict);
		passed += verdict.is_allowed;
	}
	return passed;
}

static const struct rate_limit_spec hundred = { .requests = 100,
	.window_ms = 1000 };

static void
a_client_may_have_all_its_requests_at_once(void **state)
{
	int64_t now_ns = 50 * NS_PER_S;

	(void)state;
	assert_int_equal(ask(key_of("::ffff:10.0.0.1"), &hundred, &now_ns,
	    150, 1000), 100);
	/* Quiet until the window is over, it has them again. */
	now_ns += NS_PER_S;
	assert_int_equal(ask(key_of("::ffff:10.0.0.1"), &hundred, &now_ns,
	    150, 1000), 100);
}

static void
who_hammers_gets_exactly_the_rate(void **state)
{
	int64_t now_ns = 50 * NS_PER_S;
	uint64_t key = key_of("::ffff:10.0.0.1");

	(void)state;
	for (int second = 0; second < 20; second++) {
		int passed = ask(key, &hundred, &now_ns, 10000,
		    NS_PER_S / 10000);

		assert_in_range(passed, 99, 101);
	}
}

static void
a_clock_that_is_behind_counts_in_the_same_window(void **state)
{
	int64_t now_ns = 50 * NS_PER_S, late_ns = now_ns - 20 * NS_PER_MS;
	uint64_t key = key_of("::ffff:10.0.0.1");

	(void)state;
	assert_int_equal(ask(key, &hundred, &now_ns, 60, 0), 60);
	assert_int_equal(ask(key, &hundred, &late_ns, 60, 0), 40);
	assert_int_equal(ask(key, &hundred, &now_ns, 60, 0), 0);
}

static void
a_window_that_became_shorter_is_over(void **state)
{
	const struct rate_limit_spec hour = { .requests = 100,
		.window_ms = 3600000 };
	int64_t now_ns = 50 * NS_PER_S;
	uint64_t key = key_of("::ffff:10.0.0.1");

	(void)state;
	assert_int_equal(ask(key, &hour, &now_ns, 150, 0), 100);
	assert_int_equal(ask(key, &hundred, &now_ns, 150, 0), 100);
}

static void
a_verdict_says_what_is_left_and_when(void **state)
{
	const struct rate_limit_spec two = { .requests = 2,
		.window_ms = 10000 };
	int64_t now_ns = 50 * NS_PER_S;
	uint64_t key = key_of("2001:db8::1");
	struct limit_verdict verdict;

	(void)state;
	limits_look(reader, key, &two, now_ns, &verdict);
	assert_int_equal(verdict.remaining, 2);
	limits_take(limits, key, &two, now_ns, &verdict);
	assert_true(verdict.is_allowed);
	assert_int_equal(verdict.remaining, 1);
	limits_take(limits, key, &two, now_ns, &verdict);
	assert_int_equal(verdict.remaining, 0);
	limits_look(reader, key, &two, now_ns, &verdict);
	assert_false(verdict.is_allowed);
	limits_take(limits, key, &two, now_ns + NS_PER_S, &verdict);
	assert_false(verdict.is_allowed);
	assert_in_range(verdict.retry_ms, 8999, 9001);
}

static void
an_ipv6_client_is_its_network(void **state)
{
	(void)state;
	assert_true(key_of("2001:db8::1") == key_of("2001:db8::ffff:0:1"));
	assert_true(key_of("2001:db8::1") != key_of("2001:db8:0:1::1"));
	assert_true(key_of("::ffff:1.2.3.4") != key_of("::ffff:1.2.3.5"));
}

static void
more_clients_than_cells_find_room_still(void **state)
{
	int64_t now_ns = 50 * NS_PER_S;
	struct in6_addr in6 = { 0 };
	int passed = 0;

	(void)state;
	memset(in6.s6_addr + 10, 0xff, 2);
	for (uint32_t i = 0; i < 100000; i++) {
		struct limit_verdict verdict;

		memcpy(in6.s6_addr + 12, &i, sizeof(i));
		limits_take(limits, limits_key(1, &in6), &hundred, now_ns,
		    &verdict);
		passed += verdict.is_allowed;
	}
	assert_int_equal(passed, 100000);
}

/* The next so many of all IPv4 addresses ask once each. */
static void
flood(uint32_t *address, int count, int64_t now_ns)
{
	struct in6_addr in6 = { 0 };
	struct limit_verdict verdict;

	memset(in6.s6_addr + 10, 0xff, 2);
	for (; count > 0; count--, ++*address) {
		memcpy(in6.s6_addr + 12, address, sizeof(*address));
		limits_take(limits, limits_key(1, &in6), &hundred, now_ns,
		    &verdict);
	}
}

/* How large the region is, and how much of that is allocated. */
static void
measure(off_t *size_r, blkcnt_t *blocks_r)
{
	int fd = fixture_region_fd(&fixture, SEGMENT_LIMITS, 0);
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	close(fd);
	*size_r = status.st_size;
	*blocks_r = status.st_blocks;
}

static void
a_million_addresses_take_no_memory_and_no_limit(void **state)
{
	const uint64_t key = key_of("2001:db8::1");
	int64_t now_ns = 50 * NS_PER_S;
	uint32_t address = 0;
	off_t size, size_after;
	blkcnt_t blocks, blocks_after;

	(void)state;
	measure(&size, &blocks);
	/* 100,000 of them each second; one client hammers all the time. */
	for (int second = 0; second < 10; second++) {
		int passed = 0;

		for (int i = 0; i < 10000; i++) {
			flood(&address, 10, now_ns);
			passed += ask(key, &hundred, &now_ns, 1,
			    NS_PER_S / 10000);
		}
		assert_in_range(passed, 99, 101);
	}
	assert_int_equal(address, 1000000);
	measure(&size_after, &blocks_after);
	assert_int_equal(size_after, size);
	assert_int_equal(blocks_after, blocks);
}

/* Threads as workers: all at one moment, so none may pass in excess. */
static void *
hammer(void *context)
{
	int64_t now_ns = 50 * NS_PER_S;

	(void)context;
	return (void *)(intptr_t)ask(key_of("::ffff:10.0.0.1"), &hundred,
	    &now_ns, 2000, 0);
}

static void
workers_keep_one_limit_together(void **state)
{
	pthread_t threads[4];
	intptr_t sum = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer,
		    NULL), 0);
	for (int i = 0; i < 4; i++) {
		void *passed;

		assert_int_equal(pthread_join(threads[i], &passed), 0);
		sum += (intptr_t)passed;
	}
	assert_in_range(sum, 100, 101);
}

static void
trials_are_of_one_round_and_tenant(void **state)
{
	struct limit_trial trial = { .slot = 3, .generation = 9, .round = 1 };

	(void)state;
	assert_true(limits_take_trial(limits, &trial, 2));
	assert_true(limits_take_trial(limits, &trial, 2));
	assert_false(limits_take_trial(limits, &trial, 2));
	assert_int_equal(limits_trials_taken(reader, &trial), 2);
	limits_return_trial(limits, &trial);
	assert_true(limits_take_trial(limits, &trial, 2));
	trial.round = 2;
	assert_int_equal(limits_trials_taken(reader, &trial), 0);
	assert_true(limits_take_trial(limits, &trial, 1));
	assert_false(limits_take_trial(limits, &trial, 1));
	trial.generation = 10;
	assert_true(limits_take_trial(limits, &trial, 1));
	trial.slot = fixture.capacity.backends;
	assert_false(limits_take_trial(limits, &trial, 1));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_client_may_have_all_its_requests_at_once),
		CASE(who_hammers_gets_exactly_the_rate),
		CASE(a_clock_that_is_behind_counts_in_the_same_window),
		CASE(a_window_that_became_shorter_is_over),
		CASE(a_verdict_says_what_is_left_and_when),
		CASE(an_ipv6_client_is_its_network),
		CASE(more_clients_than_cells_find_room_still),
		CASE(a_million_addresses_take_no_memory_and_no_limit),
		CASE(workers_keep_one_limit_together),
		CASE(trials_are_of_one_round_and_tenant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
