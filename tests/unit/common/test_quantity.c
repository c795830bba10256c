/*
 * tests/unit/common/test_quantity.c - spans and sizes, read and written.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/quantity.h"

#define REFUSED (-1)

static void
reads_spans(void **state)
{
	static const struct {
		const char *text;
		int64_t strict_ms, bare_ms;	/* where bare is seconds */
	} cases[] = {
		{ "30s", 30000, 30000 },
		{ "100ms", 100, 100 },
		{ "1h30m", 5400000, 5400000 },
		{ "1d", 86400000, 86400000 },
		{ "1d2h3m4s5ms", 93784005, 93784005 },
		{ "0", 0, 0 },
		{ "0s", 0, 0 },
		{ "15", REFUSED, 15000 },
		{ "3660d", INT64_C(316224000000), INT64_C(316224000000) },
		{ "3661d", REFUSED, REFUSED },
		{ "3660d1ms", REFUSED, REFUSED },
		{ "99999999999999999999s", REFUSED, REFUSED },
		{ "", REFUSED, REFUSED },
		{ "s", REFUSED, REFUSED },
		{ "1m1h", REFUSED, REFUSED },
		{ "1s1s", REFUSED, REFUSED },
		{ "1h15", REFUSED, REFUSED },
		{ "1.5s", REFUSED, REFUSED },
		{ "-1s", REFUSED, REFUSED },
		{ "1 s", REFUSED, REFUSED },
		{ "1S", REFUSED, REFUSED },
		{ "1y", REFUSED, REFUSED },
		{ "1us", REFUSED, REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct bytes text = bytes_of(cases[i].text);
		int64_t strict_ms, bare_ms;

		if (quantity_parse_span(text, false, &strict_ms) == -1)
			strict_ms = REFUSED;
		if (quantity_parse_span(text, true, &bare_ms) == -1)
			bare_ms = REFUSED;
		if (strict_ms != cases[i].strict_ms ||
		    bare_ms != cases[i].bare_ms)
			fail_msg("\"%s\": %lld, %lld", cases[i].text,
			    (long long)strict_ms, (long long)bare_ms);
	}
}

static void
reads_sizes(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
		uint64_t size;
	} cases[] = {
		{ "0", true, 0 },
		{ "1B", true, 1 },
		{ "4K", true, 4096 },
		{ "4KiB", true, 4096 },
		{ "1M", true, 1048576 },
		{ "1MiB", true, 1048576 },
		{ "2G", true, UINT64_C(2147483648) },
		{ "17179869183G", true, UINT64_C(18446744072635809792) },
		{ "17179869184G", false, 0 },
		{ "1", false, 0 },
		{ "", false, 0 },
		{ "K", false, 0 },
		{ "1k", false, 0 },
		{ "1KB", false, 0 },
		{ "1T", false, 0 },
		{ "-1K", false, 0 },
		{ "1.5K", false, 0 },
		{ "1 K", false, 0 },
		{ "1K1B", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t size = 0;
		int result =
		    quantity_parse_size(bytes_of(cases[i].text), &size);

		if ((result == 0) != cases[i].is_good || size != cases[i].size)
			fail_msg("\"%s\"", cases[i].text);
	}
}

static void
what_is_written_is_read_back(void **state)
{
	static const int64_t spans_ms[] = { 0, 1, 999, 1000, 1500, 60000, 61001,
		3600000, 5400000, 86400000, 93784005 };
	static const uint64_t sizes[] = { 0, 1, 1023, 1024, 1025, 4096, 1048576,
		1048577, UINT64_C(1) << 30, (UINT64_C(1) << 30) + 1024,
		UINT64_MAX };
	char text[QUANTITY_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(spans_ms); i++) {
		int64_t span_ms = -1;

		quantity_format_span(spans_ms[i], text);
		assert_int_equal(quantity_parse_span(bytes_of(text), false,
		    &span_ms), 0);
		assert_true(span_ms == spans_ms[i]);
	}
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		uint64_t size = 1;

		quantity_format_size(sizes[i], text);
		assert_int_equal(quantity_parse_size(bytes_of(text), &size), 0);
		assert_true(size == sizes[i]);
	}
}

static void
writes_the_shortest_form(void **state)
{
	char text[QUANTITY_TEXT_SIZE];

	(void)state;
	assert_string_equal(quantity_format_span(5400000, text), "1h30m");
	assert_string_equal(quantity_format_span(30000, text), "30s");
	assert_string_equal(quantity_format_span(0, text), "0s");
	assert_string_equal(quantity_format_size(8388608, text), "8MiB");
	assert_string_equal(quantity_format_size(1000, text), "1000B");
	assert_string_equal(quantity_format_size(0, text), "0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_spans),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(writes_the_shortest_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
