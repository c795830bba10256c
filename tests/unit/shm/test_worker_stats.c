/*
 * tests/unit/shm/test_worker_stats.c - what a worker counts outlives it.
 */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/fixture.h"
#include "shm/worker_stats.h"

#define WORKER 3

static struct fixture fixture;
static struct worker_stats *writer, *reader;

static void
open_writer(void)
{
	assert_int_equal(worker_stats_open_writable(
	    fixture_region_fd(&fixture, SEGMENT_WORKER, WORKER), &writer), 0);
}

static int
set_up(void **state)
{
	(void)state;
	fixture_make(&fixture, 100000);
	if (segment_create_worker(fixture.dir, WORKER, &fixture.capacity,
		(uid_t)-1, (gid_t)-1) == -1)
		err(1, "segment_create_worker");
	open_writer();
	assert_int_equal(worker_stats_open(fixture.dir, WORKER, &reader), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	worker_stats_close(&writer);
	worker_stats_close(&reader);
	fixture_remove(&fixture);
	return 0;
}

static void
counters_go_on_and_gauges_start_anew(void **state)
{
	struct worker_info info;

	(void)state;
	stats_add(&worker_stats_counters(writer)->requests, 5);
	stats_add(&worker_stats_counters(writer)->connections_open, 2);
	stats_add(&worker_stats_backend(writer, 9, 90)->requests, 4);
	worker_stats_backend(writer, 9, 90)->in_flight = 3;
	worker_stats_beat(writer, 17, 18);
	worker_stats_info(reader, &info);
	assert_int_equal(info.pid, getpid());
	assert_int_equal(info.table_generation, 17);
	assert_int_equal(info.beat_ns, 18);

	worker_stats_close(&writer);
	worker_stats_info(reader, &info);
	assert_int_equal(info.pid, 0);
	open_writer();
	stats_add(&worker_stats_counters(writer)->requests, 1);
	assert_int_equal(worker_stats_read_counters(reader)->requests, 6);
	assert_int_equal(worker_stats_read_counters(reader)->connections_open,
	    0);
	assert_int_equal(worker_stats_read_backend(reader, 9, 90)->requests,
	    4);
	assert_int_equal(worker_stats_read_backend(reader, 9, 90)->in_flight,
	    0);
}

/* What the reader finds of a route; all zeroes where it is not known. */
static struct route_figures
route_figures(uint32_t slot, uint64_t id)
{
	struct route_figures figures = { 0 };

	(void)worker_stats_add_route(reader, slot, id, &figures);
	return figures;
}

static void
count(uint32_t slot, uint64_t id, unsigned int status, uint64_t us)
{
	worker_stats_count_route(writer, slot, id, &(struct route_sample){
	    .status = status, .us = us, .bytes_received = 1, .bytes_sent = 8 });
}

static void
a_record_belongs_to_one_tenant(void **state)
{
	struct route_figures figures;

	(void)state;
	assert_false(worker_stats_add_route(reader, 70000, 1, &figures));
	worker_stats_claim_route(writer, 70000, 1);
	count(70000, 1, 503, 90000000);
	assert_int_equal(route_figures(70000, 1).bytes_sent, 8);
	assert_false(worker_stats_add_route(reader, 70000, 2, &figures));
	worker_stats_claim_route(writer, 70000, 2);
	count(70000, 2, 502, 90000000);
	assert_false(worker_stats_add_route(reader, 70000, 1, &figures));
	figures = route_figures(70000, 2);
	assert_int_equal(figures.bytes_sent, 8);
	assert_int_equal(figures.codes[stats_code_index(503)], 0);
	assert_int_equal(figures.codes[stats_code_index(502)], 1);
	assert_int_equal(figures.buckets[STATS_BUCKETS - 1], 1);
}

static void
every_status_and_latency_is_counted_once(void **state)
{
	struct route_figures figures;
	uint64_t codes = 0, buckets = 0, sum_us = 0;

	(void)state;
	worker_stats_claim_route(writer, 3, 30);
	for (unsigned int status = 100; status < 600; status++) {
		uint64_t us = (uint64_t)status * status * status;

		count(3, 30, status, us);
		sum_us += us;
	}
	worker_stats_count_limited(writer, 3, 30);
	figures = route_figures(3, 30);
	for (uint32_t i = 0; i < STATS_CODES_MAX; i++)
		codes += figures.codes[i];
	for (uint32_t i = 0; i < STATS_BUCKETS; i++)
		buckets += figures.buckets[i];
	assert_int_equal(codes, 500);
	assert_int_equal(buckets, 500);
	assert_int_equal(figures.codes[stats_code_index(200)], 1);
	assert_int_equal(figures.codes[stats_code_index(404)], 1);
	assert_int_equal(figures.sum_us, sum_us);
	assert_int_equal(figures.bytes_received, 500);
	assert_int_equal(figures.rate_limited, 1);
}

static void
what_ends_late_leaves_the_next_tenant_alone(void **state)
{
	struct backend_stats *old = worker_stats_backend(writer, 5, 1);
	struct backend_stats *next;

	(void)state;
	stats_add(&old->requests, 1);
	assert_ptr_equal(worker_stats_kept_backend(writer, 5, 1), old);
	assert_ptr_equal(worker_stats_keep_backend(writer, old, 1), old);
	next = worker_stats_backend(writer, 5, 2);
	stats_add(&next->requests, 7);
	stats_add(&worker_stats_kept_backend(writer, 5, 1)->requests, 1);
	stats_add(&worker_stats_keep_backend(writer, old, 1)->requests, 1);
	assert_int_equal(worker_stats_read_backend(reader, 5, 2)->requests, 7);

	worker_stats_claim_route(writer, 6, 4);
	count(6, 4, 200, 1);
	count(6, 3, 200, 1);
	worker_stats_count_limited(writer, 6, 3);
	assert_int_equal(route_figures(6, 4).bytes_sent, 8);
	assert_int_equal(route_figures(6, 4).rate_limited, 0);
}

static void
a_slot_out_of_range_counts_as_lost(void **state)
{
	uint32_t slot = fixture.capacity.routes;

	(void)state;
	worker_stats_claim_route(writer, slot, 1);
	count(slot, 1, 200, 1);
	assert_int_equal(worker_stats_read_counters(reader)->stats_lost, 1);
	assert_int_equal(route_figures(slot, 1).bytes_sent, 0);
	slot = fixture.capacity.backends;
	stats_add(&worker_stats_backend(writer, slot, 1)->bytes_sent, 8);
	assert_int_equal(worker_stats_read_counters(reader)->stats_lost, 2);
}

static void
few_records_take_little_memory(void **state)
{
	char path[SEGMENT_DIR_SIZE + 16];
	struct stat st;

	(void)state;
	for (uint32_t slot = 0; slot < 10; slot++) {
		worker_stats_claim_route(writer, slot, slot + 1);
		(void)worker_stats_backend(writer, slot, slot + 1);
	}
	(void)snprintf(path, sizeof(path), "%s/worker.%d", fixture.dir, WORKER);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_blocks * 512 < 128 * 1024);
}

static void
failures_come_in_order(void **state)
{
	struct failure failure;
	uint64_t cursor = 0, lost = 0;

	(void)state;
	assert_false(worker_stats_next_failure(reader, &cursor, &failure,
	    &lost));
	for (uint32_t i = 0; i < 3; i++)
		worker_stats_push_failure(writer, &(struct failure){
		    .backend = i, .generation = 10 + i,
		    .kind = FAILURE_TIMEOUT, .at_ns = -1 });
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(worker_stats_next_failure(reader, &cursor,
		    &failure, &lost));
		assert_int_equal(failure.backend, i);
		assert_int_equal(failure.generation, 10 + i);
		assert_int_equal(failure.kind, FAILURE_TIMEOUT);
		assert_true(failure.at_ns == -1);
	}
	assert_false(worker_stats_next_failure(reader, &cursor, &failure,
	    &lost));
	assert_int_equal(lost, 0);
}

static void
failures_that_were_overwritten_are_counted(void **state)
{
	struct failure failure = { 0 };
	uint64_t cursor = 0, lost = 0;

	(void)state;
	for (uint32_t i = 0; i < FAILURE_RING_SIZE + 100; i++) {
		failure.backend = i;
		worker_stats_push_failure(writer, &failure);
	}
	assert_true(worker_stats_next_failure(reader, &cursor, &failure,
	    &lost));
	assert_int_equal(failure.backend, 100);
	assert_int_equal(lost, 100);
	/* a successor's failures follow those of the worker before */
	worker_stats_close(&writer);
	open_writer();
	failure.backend = 7;
	worker_stats_push_failure(writer, &failure);
	for (uint32_t i = 0; i < FAILURE_RING_SIZE; i++)
		assert_true(worker_stats_next_failure(reader, &cursor,
		    &failure, &lost));
	assert_int_equal(failure.backend, 7);
	assert_int_equal(lost, 100);
}

static void
every_status_has_an_index(void **state)
{
	(void)state;
	for (unsigned int status = 100; status <= 599; status++) {
		uint32_t index = stats_code_index(status);
		unsigned int named = stats_code_status(index);

		assert_in_range(index, 1, STATS_CODES_MAX - 1);
		if (named != status)
			assert_int_equal(named, status / 100 * 100 + 99);
	}
	assert_int_equal(stats_code_status(stats_code_index(404)), 404);
	assert_int_equal(stats_code_status(stats_code_index(298)), 299);
	assert_int_equal(stats_code_index(99), 0);
	assert_int_equal(stats_code_index(600), 0);
	assert_int_equal(stats_code_status(0), 0);
	assert_int_equal(stats_code_status(STATS_CODES_MAX), 0);
}

static void
a_latency_falls_into_the_first_bucket_that_holds_it(void **state)
{
	struct latency_histogram histogram = { 0 };

	(void)state;
	for (uint32_t i = 1; i < STATS_BUCKETS; i++)
		assert_true(stats_bucket_bound_us(i) >
		    stats_bucket_bound_us(i - 1));
	latency_add(&histogram, 0);
	latency_add(&histogram, stats_bucket_bound_us(0));
	latency_add(&histogram, stats_bucket_bound_us(0) + 1);
	latency_add(&histogram, UINT32_MAX);
	assert_int_equal(histogram.buckets[0], 2);
	assert_int_equal(histogram.buckets[1], 1);
	assert_int_equal(histogram.buckets[STATS_BUCKETS - 1], 1);
	assert_true(histogram.sum_us ==
	    2 * stats_bucket_bound_us(0) + 1 + UINT32_MAX);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(counters_go_on_and_gauges_start_anew),
		CASE(a_record_belongs_to_one_tenant),
		CASE(every_status_and_latency_is_counted_once),
		CASE(what_ends_late_leaves_the_next_tenant_alone),
		CASE(a_slot_out_of_range_counts_as_lost),
		CASE(few_records_take_little_memory),
		CASE(failures_come_in_order),
		CASE(failures_that_were_overwritten_are_counted),
		CASE(every_status_has_an_index),
		CASE(a_latency_falls_into_the_first_bucket_that_holds_it),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
