/*
 * tests/unit/common/test_bytes.c - borrowed runs of bytes, and UTF-8.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/bytes.h"
#include "common/utf8.h"

static void
compares(void **state)
{
	const struct bytes none = { NULL, 0 };

	(void)state;
	assert_true(bytes_equal(none, bytes_of("")));
	assert_true(bytes_equal(bytes_of("a"), bytes_of("a")));
	assert_false(bytes_equal(bytes_of("a"), bytes_of("ab")));
	assert_false(bytes_equal(bytes_of("a"), bytes_of("A")));
	assert_true(bytes_equal_nocase(bytes_of("aB-1"), bytes_of("Ab-1")));
	assert_false(bytes_equal_nocase(bytes_of("a"), bytes_of("b")));
	assert_true(bytes_equal_nocase(none, bytes_of("")));
	assert_true(bytes_is(bytes_of("x"), "x"));
	assert_true(bytes_is(none, ""));
	assert_true(bytes_start_with(bytes_of("abc"), bytes_of("ab")));
	assert_true(bytes_start_with(bytes_of("abc"), none));
	assert_false(bytes_start_with(bytes_of("a"), bytes_of("ab")));
	assert_int_equal(bytes_of(NULL).len, 0);
}

static void
trims_blanks(void **state)
{
	(void)state;
	assert_true(bytes_is(bytes_trim(bytes_of(" \t a b\t ")), "a b"));
	assert_true(bytes_is(bytes_trim(bytes_of(" \t")), ""));
	assert_true(bytes_is(bytes_trim(bytes_slice(NULL, 0)), ""));
	assert_true(bytes_is(bytes_trim(bytes_of("\na\n")), "\na\n"));
}

static void
splits_fields(void **state)
{
	static const struct {
		const char *text;
		const char *fields[4];
	} cases[] = {
		{ "a,b,c", { "a", "b", "c", NULL } },
		{ "a", { "a", NULL } },
		{ "", { "", NULL } },
		{ ",", { "", "", NULL } },
		{ "a,,b", { "a", "", "b", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct bytes rest = bytes_of(cases[i].text), field;
		size_t count = 0;

		while (bytes_next_field(&rest, ',', &field)) {
			assert_non_null(cases[i].fields[count]);
			assert_true(bytes_is(field, cases[i].fields[count]));
			count++;
		}
		assert_null(cases[i].fields[count]);
	}
}

static void
reads_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned long long max;
		bool is_good;
		unsigned long long number;
	} cases[] = {
		{ "0", 0, true, 0 },
		{ "007", 7, true, 7 },
		{ "8", 7, false, 0 },
		{ "10", 7, false, 0 },
		{ "65535", 65535, true, 65535 },
		{ "65536", 65535, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 },
		{ "1a", 99, false, 0 },
		{ "1", 0, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned long long number = 42;
		int result = bytes_to_number(bytes_of(cases[i].text),
		    cases[i].max, &number);

		if ((result == 0) != cases[i].is_good)
			fail_msg("%s up to %llu", cases[i].text, cases[i].max);
		assert_true(number == (result == 0 ? cases[i].number : 42));
	}
}

static void
duplicates(void **state)
{
	char *copy = bytes_duplicate(bytes_slice("abc", 2));

	(void)state;
	assert_string_equal(copy, "ab");
	free(copy);
	copy = bytes_duplicate(bytes_slice(NULL, 0));
	assert_string_equal(copy, "");
	free(copy);
}

static void
knows_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{ "a", 1 },		    { "\x7f", 1 },
		{ "\xc3\xa4", 2 },	    { "\xe2\x82\xac", 3 },
		{ "\xf0\x9f\x98\x80", 4 },  { "\xf4\x8f\xbf\xbf", 4 },
		{ "\x80", 0 },		    { "\xc3", 0 },
		{ "\xc3 ", 0 },		    { "\xc0\x80", 0 },
		{ "\xc1\xbf", 0 },	    { "\xe0\x9f\xbf", 0 },
		{ "\xed\xa0\x80", 0 },	    { "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf4\x90\x80\x80", 0 },  { "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },		    { "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(utf8_char_len(cases[i].text,
		    strlen(cases[i].text)), cases[i].len);
}

static void
writes_utf8(void **state)
{
	static const uint32_t edges[] = { 0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff,
		0x10000, 0x10ffff };
	char text[UTF8_CHAR_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(edges); i++) {
		size_t len = utf8_put(edges[i], text);

		assert_int_equal(len, i / 2 + 1);
		assert_int_equal(utf8_char_len(text, len), len);
	}
	assert_int_equal(utf8_put(0x20ac, text), 3);
	assert_memory_equal(text, "\xe2\x82\xac", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(trims_blanks),
		cmocka_unit_test(splits_fields),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(knows_utf8),
		cmocka_unit_test(writes_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
