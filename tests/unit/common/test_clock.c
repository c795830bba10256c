/*
 * tests/unit/common/test_clock.c - points in time, and randomness.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/compat.h"
#include "common/random.h"

static void
never_runs_backwards(void **state)
{
	struct instant before = clock_now();
	struct instant after = clock_now();

	(void)state;
	assert_true(before.ns > 0);
	assert_false(instant_is_before(after, before));
	assert_true(clock_wall_ms() > INT64_C(1600000000000));
}

static void
adds_and_subtracts(void **state)
{
	const struct instant from = { 5 * NS_PER_S };
	struct instant later = instant_after_ms(from, 250);

	(void)state;
	assert_true(later.ns == 5 * NS_PER_S + 250 * NS_PER_MS);
	assert_true(instant_diff_ms(later, from) == 250);
	assert_true(instant_diff_ms(from, later) == -250);
	assert_true(instant_is_before(from, later));
	assert_false(instant_is_before(from, from));
}

static void
writes_rfc3339(void **state)
{
	static const struct {
		int64_t wall_ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ INT64_C(951827696250), "2000-02-29T12:34:56.250Z" },
		{ INT64_C(1767225599999), "2025-12-31T23:59:59.999Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[CLOCK_RFC3339_SIZE];

		clock_format_rfc3339(cases[i].wall_ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
random_hex_is_hex_and_differs(void **state)
{
	char a[33], b[33];

	(void)state;
	random_hex(a, 16);
	random_hex(b, 16);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

static void
random_fill_fills_large_blocks(void **state)
{
	unsigned char block[1000] = { 0 };
	size_t zero_count = 0;

	(void)state;
	random_fill(block, sizeof(block));
	for (size_t i = 0; i < sizeof(block); i++)
		zero_count += block[i] == 0;
	assert_true(zero_count < 100);
}

/* The first numbers of SplitMix64 from 0, as published. */
static void
the_cheap_stream_is_splitmix(void **state)
{
	struct random_stream stream = { 0 };

	(void)state;
	assert_true(random_next(&stream) == UINT64_C(0xe220a8397b1dcdaf));
	assert_true(random_next(&stream) == UINT64_C(0x6e789e6aa1b965f4));
	assert_true(random_next(&stream) == UINT64_C(0x06c45d188009454f));
}

static void
random_below_is_below_and_even(void **state)
{
	struct random_stream stream = { 1 };
	unsigned int counts[10] = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint32_t number = random_below(&stream, 10);

		assert_true(number < 10);
		counts[number]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(counts[i], 850, 1150);
	assert_int_equal(random_below(&stream, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_runs_backwards),
		cmocka_unit_test(adds_and_subtracts),
		cmocka_unit_test(writes_rfc3339),
		cmocka_unit_test(random_hex_is_hex_and_differs),
		cmocka_unit_test(random_fill_fills_large_blocks),
		cmocka_unit_test(the_cheap_stream_is_splitmix),
		cmocka_unit_test(random_below_is_below_and_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
