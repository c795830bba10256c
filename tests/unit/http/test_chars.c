/*
 * tests/unit/http/test_chars.c - searches at the edges of their blocks.
 *
 * Each text is in memory of exactly its size, at each place in a block,
 * so that a sanitizer sees a look beyond it.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/random.h"
#include "http/chars.h"

#define LEN_MAX 50

typedef const char *search_fn(const char *pos, const char *end);

static const char *
find_feed(const char *pos, const char *end)
{
	const char *feed = http_find_feed(pos, end);

	return feed == NULL ? end : feed;
}

/* One wanted among the fill is found at each place of runs of each length. */
static void
check_search(search_fn *search, char fill, char wanted)
{
	for (size_t len = 0; len <= LEN_MAX; len++) {
		char *text = malloc(len + 1), *end = text + len;

		assert_non_null(text);
		memset(text, fill, len);
		text = realloc(text, len > 0 ? len : 1);
		assert_non_null(text);
		end = text + len;
		for (size_t start = 0; start <= len; start++)
			assert_ptr_equal(search(text + start, end), end);
		for (size_t at = 0; at < len; at++) {
			text[at] = wanted;
			for (size_t start = 0; start <= at; start++)
				assert_ptr_equal(search(text + start, end),
				    text + at);
			assert_ptr_equal(search(text + at + 1, end), end);
			text[at] = fill;
		}
		free(text);
	}
}

static void
finds_colons(void **state)
{
	(void)state;
	check_search(http_find_colon, 'a', ':');
	check_search(http_find_colon, '\r', ':');
	check_search(http_find_colon, ';', ':');
}

static void
finds_line_feeds(void **state)
{
	(void)state;
	check_search(find_feed, 'a', '\n');
	check_search(find_feed, '\r', '\n');
}

static const char *
odd_feed(const char *pos, const char *end)
{
	for (; pos < end; pos++)
		if (*pos == '\n' && (pos[-1] != '\r' || pos[-2] == '\n'))
			return pos;
	return NULL;
}

/* Lines as they should be, but for some bytes that are drawn. */
static void
fill_lines(char *text, size_t len, struct random_stream *random)
{
	for (size_t i = 0; i < len; i++) {
		text[i] = "abc\r\n"[i % 5];
		if (random_below(random, 40) == 0)
			text[i] = "a\r\n"[random_below(random, 3)];
	}
}

static void
finds_odd_line_feeds(void **state)
{
	struct random_stream random = { 1 };

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = 2 + random_below(&random, LEN_MAX);
		char *text = malloc(len);

		assert_non_null(text);
		fill_lines(text, len, &random);
		assert_ptr_equal(http_find_odd_feed(text + 2, text + len),
		    odd_feed(text + 2, text + len));
		free(text);
	}
}

static void
finds_ends_of_values(void **state)
{
	static const char good[] = "\t ~a\x80\xff";

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (char c = 0; c < ' '; c++)
			if (c != '\t')
				check_search(http_value_end, good[i], c);
		check_search(http_value_end, good[i], 0x7f);
	}
}

/* It may stop sooner, but never goes on. */
static void
skips_no_more_than_plain_names(void **state)
{
	const char *pos;
	char text[32];

	(void)state;
	for (int c = 0; c < 256; c++) {
		if (http_char_is((char)c, HTTP_CHAR_UNRESERVED) && c != '.' &&
		    c != '_' && c != '~')
			continue;
		memset(text, 'a', sizeof(text));
		text[17] = (char)c;
		pos = http_skip_plain_name(text, text + sizeof(text));
		assert_in_range(pos - text, 0, 17);
	}
}

static void
finds_nothing_in_nothing(void **state)
{
	(void)state;
	assert_null(http_find_feed(NULL, NULL));
	assert_null(http_find_colon(NULL, NULL));
	assert_null(http_value_end(NULL, NULL));
	assert_null(http_find_odd_feed(NULL, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_colons),
		cmocka_unit_test(finds_line_feeds),
		cmocka_unit_test(finds_odd_line_feeds),
		cmocka_unit_test(finds_ends_of_values),
		cmocka_unit_test(skips_no_more_than_plain_names),
		cmocka_unit_test(finds_nothing_in_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
