/*
 * tests/unit/shm/test_health.c - a verdict belongs to one tenant.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shm/fixture.h"
#include "shm/health.h"

static struct fixture fixture;
static struct health_map *writer, *reader;

static void
open_both(void)
{
	assert_int_equal(health_open_writable(
	    fixture_region_fd(&fixture, SEGMENT_HEALTH, 0), &writer), 0);
	assert_int_equal(health_open(fixture.dir, &reader), 0);
}

static int
set_up(void **state)
{
	(void)state;
	fixture_make(&fixture, 100);
	open_both();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	health_close(&writer);
	health_close(&reader);
	fixture_remove(&fixture);
	return 0;
}

static void
a_word_is_read_by_its_generation_only(void **state)
{
	(void)state;
	assert_int_equal(health_get(reader, 7, 3), 0);
	assert_int_equal(health_put(writer, 7, 3, HEALTH_UP | HEALTH_BREAKER),
	    0);
	assert_int_equal(health_get(reader, 7, 3), HEALTH_UP | HEALTH_BREAKER);
	assert_int_equal(health_get(reader, 7, 4), 0);
	assert_int_equal(health_get(reader, 8, 3), 0);
}

static void
slots_out_of_range_are_unjudged(void **state)
{
	uint32_t slots = fixture.capacity.backends;

	(void)state;
	assert_int_equal(health_put(writer, slots, 1, HEALTH_UP), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(health_get(reader, slots, 1), 0);
	assert_null(health_detail(reader, slots));
	assert_null(health_detail_writable(writer, slots));
	assert_int_equal(health_put(writer, slots - 1, 1, HEALTH_UP), 0);
	assert_int_equal(health_get(reader, slots - 1, 1), HEALTH_UP);
}

static void
details_are_zero_until_written(void **state)
{
	struct health_detail *detail;

	(void)state;
	assert_int_equal(health_detail(reader, 3000)->backend_id, 0);
	detail = health_detail_writable(writer, 3000);
	assert_non_null(detail);
	detail->backend_id = 42;
	assert_int_equal(health_detail(reader, 3000)->backend_id, 42);
	assert_int_equal(health_detail(reader, 2999)->backend_id, 0);
}

static void
last_words_stand_when_healthd_is_gone(void **state)
{
	(void)state;
	assert_int_equal(health_put(writer, 1, 9, HEALTH_DOWN), 0);
	health_beat_writable(writer)->wall_ms = 5;
	health_close(&writer);
	assert_int_equal(health_get(reader, 1, 9), HEALTH_DOWN);
	health_close(&reader);
	open_both();
	assert_int_equal(health_get(writer, 1, 9), HEALTH_DOWN);
	assert_int_equal(health_beat(reader)->wall_ms, 5);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_word_is_read_by_its_generation_only),
		CASE(slots_out_of_range_are_unjudged),
		CASE(details_are_zero_until_written),
		CASE(last_words_stand_when_healthd_is_gone),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
