/*
 * tests/unit/registryd/test_digest.c - equal tables, whatever their order.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "registryd/offline/digest.h"

static const struct {
	const char *sentence, *one, *other;
	bool is_equal;
} cases[] = {
	{ "blanks say nothing", "{\"a\":[1,2]}", "{ \"a\" : [ 1, 2 ] }", true },
	{ "members have no order", "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}",
	    true },
	{ "elements have one", "[1,2]", "[2,1]", false },
	{ "an escape is what it means", "\"\\u00e9\"", "\"\303\251\"", true },
	{ "a text is no number", "\"1\"", "1", false },
	{ "a list is no object", "[]", "{}", false },
	{ "a value belongs to its member", "{\"a\":1,\"b\":2}",
	    "{\"a\":2,\"b\":1}", false },
	{ "depth counts", "[[1],2]", "[1,[2]]", false },
};

static void
json_is_hashed_by_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if ((digest_json(bytes_of(cases[i].one)) ==
			digest_json(bytes_of(cases[i].other))) !=
		    cases[i].is_equal)
			fail_msg("%s", cases[i].sentence);
}

static void
rows_have_no_order_and_columns_have(void **state)
{
	const enum sql_type types[] = { SQL_INTEGER, SQL_TEXT };
	const struct cell one[] = { cell_integer(1), cell_text("a") };
	const struct cell two[] = { cell_integer(2), cell_text(NULL) };
	const struct cell mixed[] = { cell_integer(1), cell_text(NULL) };
	struct digest there = { 0 }, back = { 0 }, other = { 0 };

	(void)state;
	digest_add_row(&there, types, one, 2);
	digest_add_row(&there, types, two, 2);
	digest_add_row(&back, types, two, 2);
	digest_add_row(&back, types, one, 2);
	assert_int_equal(there.count, 2);
	assert_int_equal(there.sum, back.sum);
	digest_add_row(&other, types, one, 2);
	digest_add_row(&other, types, mixed, 2);
	assert_int_not_equal(there.sum, other.sum);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_hashed_by_what_it_says),
		cmocka_unit_test(rows_have_no_order_and_columns_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
