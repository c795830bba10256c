/*
 * tests/unit/common/test_json.c - JSON, read and written.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/json.h"

#define GOOD SIZE_MAX

static void
reads_only_json(void **state)
{
	static const struct {
		const char *text;
		size_t offset;			/* of the fault */
	} cases[] = {
		{ "{}", GOOD },
		{ "[]", GOOD },
		{ " { \"a\" : [ 1 , \"b\" , null ] } \r\n", GOOD },
		{ "true", GOOD },
		{ "[false]", GOOD },
		{ " 12 ", GOOD },
		{ "\"a\"", GOOD },
		{ "[-0,0.5,1e5,1E+5,1e-5,-1.5e10]", GOOD },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"", GOOD },
		{ "\"\\ud83d\\ude00\"", GOOD },
		{ "\"\xc3\xa4\"", GOOD },
		{ "", 0 },
		{ "  ", 2 },
		{ "{", 1 },
		{ "[1", 2 },
		{ "\"a", 2 },
		{ "tru", 3 },
		{ "truely", 4 },
		{ "1 2", 2 },
		{ "[1 2]", 3 },
		{ "[1,]", 3 },
		{ "[,1]", 1 },
		{ "{\"a\":1,}", 7 },
		{ "{\"a\" 1}", 5 },
		{ "{\"a\":}", 5 },
		{ "{a:1}", 1 },
		{ "{1:1}", 1 },
		{ "{\"a\":1 \"b\":2}", 7 },
		{ "[1}", 2 },
		{ "[1]]", 3 },
		{ "'a'", 0 },
		{ "01", 1 },
		{ "1.", 2 },
		{ ".5", 0 },
		{ "+1", 0 },
		{ "-", 1 },
		{ "1e", 2 },
		{ "0x1", 1 },
		{ "NaN", 0 },
		{ "\"\\x\"", 2 },
		{ "\"\\u12g4\"", 5 },
		{ "\"\\ud800\"", 7 },
		{ "\"\\udc00\"", 3 },
		{ "\"\\ud800\\u0041\"", 3 },
		{ "\"a\nb\"", 2 },
		{ "\"a\tb\"", 2 },
		{ "\"\xff\"", 1 },
		{ "\"\xc0\x80\"", 1 },
		{ "\"\xed\xa0\x80\"", 1 },
		{ "\xef\xbb\xbf{}", 0 },
		{ "/**/1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct json_doc *doc = NULL;
		size_t offset = GOOD;
		int result;

		errno = 0;
		result = json_parse(bytes_of(cases[i].text), &doc, &offset);
		if (result == 0 ? cases[i].offset != GOOD
				: offset != cases[i].offset || errno != EINVAL)
			fail_msg("%s: %zu", cases[i].text, offset);
		if (result == 0)
			json_doc_free(&doc);
	}
}

static struct json_doc *
parse(const char *text)
{
	struct json_doc *doc;
	size_t offset;

	if (json_parse(bytes_of(text), &doc, &offset) == -1)
		fail_msg("%s: fault at %zu", text, offset);
	return doc;
}

static void
bounds_its_depth(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1) + 1];
	struct json_doc *doc;
	size_t offset;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	text[2 * (size_t)JSON_DEPTH_MAX] = '\0';
	doc = parse(text);
	json_doc_free(&doc);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(json_parse(bytes_slice(text, sizeof(text) - 1), &doc,
	    &offset), -1);
	assert_int_equal(offset, JSON_DEPTH_MAX);
}

static void
walks(void **state)
{
	struct json_doc *doc = parse(
	    "{\"a\":[1,[2,3],{\"x\":4}],\"b\":{\"c\":{}},\"d\":\"e\"}");
	int root = json_root(doc), value = JSON_NONE, element = JSON_NONE;
	struct bytes key;
	struct buf keys = { 0 };
	int64_t integer;

	(void)state;
	assert_int_equal(json_type(doc, root), JSON_OBJECT);
	assert_int_equal(json_count(doc, root), 3);
	while (json_each(doc, root, &value, &key))
		buf_append(&keys, key);
	assert_string_equal(keys.data, "abd");
	buf_free(&keys);

	value = json_member(doc, root, "a");
	assert_int_equal(json_count(doc, value), 3);
	assert_true(json_each(doc, value, &element, NULL));
	assert_int_equal(json_integer(doc, element, 0, 9, &integer), 0);
	assert_true(integer == 1);
	assert_true(json_each(doc, value, &element, NULL));
	assert_true(bytes_is(json_raw(doc, element), "[2,3]"));
	assert_true(json_each(doc, value, &element, NULL));
	assert_true(bytes_is(json_raw(doc, element), "{\"x\":4}"));
	assert_false(json_each(doc, value, &element, NULL));
	assert_true(bytes_is(json_raw(doc, json_member(doc, root, "d")),
	    "\"e\""));
	json_doc_free(&doc);
	assert_null(doc);
}

static void
finds_members(void **state)
{
	struct json_doc *doc = parse(
	    "{\"a\":1,\"n\\u0061me\":2,\"a\":3,\"\":4,\"ab\":5,\"b\":[6]}");
	int root = json_root(doc);
	int64_t integer;

	(void)state;
	assert_int_equal(json_integer(doc, json_member(doc, root, "a"), 0, 9,
	    &integer), 0);
	assert_true(integer == 3);	/* the last of equals */
	assert_int_not_equal(json_member(doc, root, "name"), JSON_NONE);
	assert_int_not_equal(json_member(doc, root, ""), JSON_NONE);
	assert_int_equal(json_member(doc, root, "x"), JSON_NONE);
	assert_int_equal(json_member(doc, root, "na"), JSON_NONE);
	assert_int_equal(json_member(doc, JSON_NONE, "a"), JSON_NONE);
	assert_int_equal(json_member(doc, json_member(doc, root, "b"), "a"),
	    JSON_NONE);
	json_doc_free(&doc);
}

static void
resolves_strings(void **state)
{
	static const struct {
		const char *text, *value;	/* NULL: no such string */
	} cases[] = {
		{ "\"\"", "" },
		{ "\"a b\"", "a b" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"\\u00e4\\u20AC\\ud83d\\ude00\"",
		    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80" },
		{ "\"a\\u0000b\"", NULL },
		{ "1", NULL },
		{ "null", NULL },
		{ "[]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct json_doc *doc = parse(cases[i].text);
		char *value = json_string(doc, json_root(doc));

		if (cases[i].value == NULL)
			assert_null(value);
		else
			assert_string_equal(value, cases[i].value);
		free(value);
		json_doc_free(&doc);
	}
}

static void
reads_numbers_and_truths(void **state)
{
	struct json_doc *doc = parse("[5,-5,9223372036854775807,"
				     "9223372036854775808,1.0,1e3,\"5\",true]");
	static const bool is_good[] = { true, true, true, false, false, false,
		false, false };
	int value = JSON_NONE;
	int64_t integer = 0;
	bool is_true = false;

	(void)state;
	for (size_t i = 0; json_each(doc, json_root(doc), &value, NULL); i++)
		assert_int_equal(json_integer(doc, value, -100, INT64_MAX,
		    &integer), is_good[i] ? 0 : -1);
	assert_true(integer == INT64_MAX);
	value = JSON_NONE;
	assert_true(json_each(doc, json_root(doc), &value, NULL));
	assert_int_equal(json_integer(doc, value, 6, 9, &integer), -1);
	assert_int_equal(json_integer(doc, value, 0, 4, &integer), -1);
	assert_int_equal(json_bool(doc, value, &is_true), -1);
	assert_int_equal(json_bool(doc, JSON_NONE, &is_true), -1);
	assert_int_equal(json_integer(doc, JSON_NONE, 0, 9, &integer), -1);
	json_doc_free(&doc);

	doc = parse("\t[[], null] ");
	assert_int_equal(json_type(doc, json_root(doc)), JSON_ARRAY);
	value = JSON_NONE;
	assert_true(json_each(doc, json_root(doc), &value, NULL));
	assert_true(json_each(doc, json_root(doc), &value, NULL));
	assert_int_equal(json_type(doc, value), JSON_NULL);
	assert_int_equal(json_count(doc, value), 0);
	assert_false(json_each(doc, value, &(int){ JSON_NONE }, NULL));
	json_doc_free(&doc);

	doc = parse(" 17 ");
	assert_int_equal(json_integer(doc, json_root(doc), 0, 99, &integer), 0);
	assert_true(bytes_is(json_raw(doc, json_root(doc)), "17"));
	json_doc_free(&doc);

	doc = parse("true");
	assert_int_equal(json_bool(doc, json_root(doc), &is_true), 0);
	assert_true(is_true);
	assert_int_equal(json_type(doc, json_root(doc)), JSON_BOOL);
	json_doc_free(&doc);
}

static void
writes(void **state)
{
	struct buf text = { 0 };
	struct json_writer writer = json_writer(&text);

	(void)state;
	json_write_begin(&writer, '{');
	json_write_key(&writer, "a");
	json_write_integer(&writer, INT64_MIN);
	json_write_key(&writer, "b\"");
	json_write_begin(&writer, '[');
	json_write_string(&writer, bytes_of("x\"\\\n\x01\x7f|\xc3\xa4\xff"));
	json_write_bool(&writer, true);
	json_write_null(&writer);
	json_write_text(&writer, NULL);
	json_write_begin(&writer, '{');
	json_write_end(&writer, '}');
	json_write_end(&writer, ']');
	json_write_key(&writer, "c");
	json_write_raw(&writer, bytes_of("[1]"));
	json_write_end(&writer, '}');
	assert_string_equal(text.data,
	    "{\"a\":-9223372036854775808,\"b\\\"\":["
	    "\"x\\\"\\\\\\n\\u0001\\u007f|\xc3\xa4\xef\xbf\xbd\","
	    "true,null,null,"
	    "{}],\"c\":[1]}");
	buf_free(&text);
}

static void
writes_numbers_that_are_read_back(void **state)
{
	static const double numbers[] = { 0, 0.1, 1.0 / 3, 1e300, -2.5, 1e-9,
		123456789.125 };
	struct buf text = { 0 };
	struct json_writer writer = json_writer(&text);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		buf_clear(&text);
		writer.needs_comma = false;
		json_write_number(&writer, numbers[i]);
		assert_true(strtod(text.data, NULL) == numbers[i]);
	}
	buf_clear(&text);
	writer.needs_comma = false;
	json_write_number(&writer, (double)INFINITY);
	json_write_number(&writer, 0.1);
	assert_string_equal(text.data, "null,0.1");
	buf_free(&text);
}

static void
escapes_pipes_where_asked(void **state)
{
	struct buf text = { 0 };
	struct json_writer writer = json_writer(&text);

	(void)state;
	writer.escapes_pipe = true;
	json_write_text(&writer, "a|b");
	assert_string_equal(text.data, "\"a\\u007cb\"");
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_only_json),
		cmocka_unit_test(bounds_its_depth),
		cmocka_unit_test(walks),
		cmocka_unit_test(finds_members),
		cmocka_unit_test(resolves_strings),
		cmocka_unit_test(reads_numbers_and_truths),
		cmocka_unit_test(writes),
		cmocka_unit_test(writes_numbers_that_are_read_back),
		cmocka_unit_test(escapes_pipes_where_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
