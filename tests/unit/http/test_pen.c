/*
 * tests/unit/http/test_pen.c - pieces of each length, and no room.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "http/pen.h"

#define LEN_MAX 80

static char text[LEN_MAX];

static void
fill_text(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(' ' + i);
}

/* Writes a piece of that length from memory of its size to such. */
static void
check_piece(size_t len)
{
	char *from = malloc(len > 0 ? len : 1), *to = malloc(len + 3);
	struct http_out out = { .data = to, .size = len + 3 };

	assert_non_null(from);
	assert_non_null(to);
	memcpy(from, text, len);
	pen_end(pen_framed(pen_begin(&out), "<", bytes_slice(from, len), ">\n"),
	    &out);
	assert_false(out.is_full);
	assert_int_equal(out.len, len + 3);
	assert_int_equal(to[0], '<');
	assert_memory_equal(to + 1, text, len);
	assert_memory_equal(to + 1 + len, ">\n", 2);
	free(from);
	free(to);
}

static void
writes_pieces_of_each_length(void **state)
{
	(void)state;
	fill_text();
	for (size_t len = 0; len <= LEN_MAX; len++)
		check_piece(len);
}

static void
says_when_something_did_not_fit(void **state)
{
	char data[8];

	(void)state;
	for (size_t size = 0; size <= sizeof(data); size++) {
		struct http_out out = { .data = data, .size = size };
		struct http_pen pen = pen_begin(&out);

		pen = pen_literal(pen, "abcd");
		pen = pen_slice(pen, bytes_slice("", 0));
		pen = pen_literal(pen, "ef");
		pen = pen_literal(pen, "");
		pen_end(pen, &out);
		assert_int_equal(out.is_full, size < 6);
		assert_int_equal(out.len, size < 6 ? 0 : 6);
	}
}

static void
writes_behind_what_is_there(void **state)
{
	char data[8] = "ab";
	struct http_out out = { .data = data, .size = 8, .len = 2 };

	(void)state;
	pen_end(pen_literal(pen_begin(&out), "cd"), &out);
	assert_int_equal(out.len, 4);
	assert_memory_equal(data, "abcd", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_pieces_of_each_length),
		cmocka_unit_test(says_when_something_did_not_fit),
		cmocka_unit_test(writes_behind_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
