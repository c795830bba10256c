/*
 * tests/unit/http/test_chunked.c - chunked bodies, whole and byte by byte.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/buf.h"
#include "http/chunked.h"

#define BYTES(text) BYTES_LITERAL(text)

static const struct {
	const char *sentence;
	struct bytes input;
	enum http_chunked_result result;
	const char *data, *trailers;
} cases[] = {
	{ "two chunks", BYTES("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
	    HTTP_CHUNKED_DONE, "hello world", "" },
	{ "no chunk", BYTES("0\r\n\r\n"), HTTP_CHUNKED_DONE, "", "" },
	{ "what is behind the end is left alone", BYTES("0\r\n\r\nGET /"),
	    HTTP_CHUNKED_DONE, "", "" },
	{ "hex digits in any case", BYTES("a\r\n0123456789\r\nB\r\n01234567890"
					  "\r\n0\r\n\r\n"),
	    HTTP_CHUNKED_DONE, "012345678901234567890", "" },
	{ "leading zeros", BYTES("0000000000000001\r\na\r\n000\r\n\r\n"),
	    HTTP_CHUNKED_DONE, "a", "" },
	{ "an extension", BYTES("1;a=b\r\na\r\n0;c\r\n\r\n"), HTTP_CHUNKED_DONE,
	    "a", "" },
	{ "blanks before an extension", BYTES("1 \t;a\r\na\r\n0\r\n\r\n"),
	    HTTP_CHUNKED_DONE, "a", "" },
	{ "a quoted extension", BYTES("1;a=\"b;c\"\r\na\r\n0\r\n\r\n"),
	    HTTP_CHUNKED_DONE, "a", "" },
	{ "trailers", BYTES("1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\n"),
	    HTTP_CHUNKED_DONE, "a", "A: b\r\nC:\r\n" },
	{ "trailers that would speak for the head are dropped",
	    BYTES("0\r\nContent-Length: 5\r\nHost: b\r\nA: b\r\n"
		  "X_Forwarded_For: c\r\nTransfer-Encoding: chunked\r\n\r\n"),
	    HTTP_CHUNKED_DONE, "", "A: b\r\n" },
	{ "half a body", BYTES("5\r\nhel"), HTTP_CHUNKED_MORE, "hel", "" },
	{ "half a size", BYTES("5"), HTTP_CHUNKED_MORE, "", "" },
	{ "half a trailer", BYTES("0\r\nA: b"), HTTP_CHUNKED_MORE, "", "" },
	{ "the largest size", BYTES("7fffffffffffffff\r\na"),
	    HTTP_CHUNKED_MORE, "a", "" },

	{ "a size of 2^63", BYTES("8000000000000000\r\na"), HTTP_CHUNKED_FAULT,
	    "", "" },
	{ "a size over 2^64", BYTES("10000000000000001\r\na"),
	    HTTP_CHUNKED_FAULT, "", "" },
	{ "17 digits", BYTES("00000000000000001\r\na"), HTTP_CHUNKED_FAULT, "",
	    "" },
	{ "a plus", BYTES("+1\r\na\r\n"), HTTP_CHUNKED_FAULT, "", "" },
	{ "a minus", BYTES("-1\r\na\r\n"), HTTP_CHUNKED_FAULT, "", "" },
	{ "0x", BYTES("0x1\r\na\r\n"), HTTP_CHUNKED_FAULT, "", "" },
	{ "an empty size", BYTES("\r\na\r\n"), HTTP_CHUNKED_FAULT, "", "" },
	{ "an empty size before an extension", BYTES(";a\r\na\r\n"),
	    HTTP_CHUNKED_FAULT, "", "" },
	{ "a blank before the size", BYTES(" 1\r\na\r\n"), HTTP_CHUNKED_FAULT,
	    "", "" },
	{ "a blank behind the size", BYTES("1 \r\na\r\n"), HTTP_CHUNKED_FAULT,
	    "", "" },
	{ "no digit", BYTES("g\r\na\r\n"), HTTP_CHUNKED_FAULT, "", "" },
	{ "a bare LF behind the size", BYTES("1\na\r\n"), HTTP_CHUNKED_FAULT,
	    "", "" },
	{ "a bare CR behind the size", BYTES("1\ra\r\n"), HTTP_CHUNKED_FAULT,
	    "", "" },
	{ "a bare LF in an extension", BYTES("1;a\nb\r\na\r\n"),
	    HTTP_CHUNKED_FAULT, "", "" },
	{ "a control in an extension", BYTES("1;a\x01\r\na\r\n"),
	    HTTP_CHUNKED_FAULT, "", "" },
	{ "a bare LF behind the data", BYTES("1\r\na\n0\r\n\r\n"),
	    HTTP_CHUNKED_FAULT, "a", "" },
	{ "no CRLF behind the data", BYTES("1\r\nab\r\n"), HTTP_CHUNKED_FAULT,
	    "a", "" },
	{ "a bare LF behind the last size", BYTES("0\n\r\n"),
	    HTTP_CHUNKED_FAULT, "", "" },
	{ "a bare LF at the end", BYTES("0\r\n\n"), HTTP_CHUNKED_FAULT, "",
	    "" },
	{ "a bare LF behind a trailer", BYTES("0\r\nA: b\n\r\n"),
	    HTTP_CHUNKED_FAULT, "", "" },
	{ "a folded trailer", BYTES("0\r\nA: b\r\n c\r\n\r\n"),
	    HTTP_CHUNKED_FAULT, "", "A: b\r\n" },
	{ "a trailer with a space before the colon",
	    BYTES("0\r\nA : b\r\n\r\n"), HTTP_CHUNKED_FAULT, "", "" },
	{ "a trailer with NUL", BYTES("0\r\nA: \0\r\n\r\n"), HTTP_CHUNKED_FAULT,
	    "", "" },
	{ "a trailer without a colon", BYTES("0\r\nA\r\n\r\n"),
	    HTTP_CHUNKED_FAULT, "", "" },
};

struct decoded {
	struct buf data, trailers;
	size_t used;
};

static enum http_chunked_result
decode(struct http_chunked *chunked, struct bytes input,
    struct decoded *decoded)
{
	for (;;) {
		enum http_chunked_result result;
		struct bytes data;
		size_t used;

		result = http_chunked_decode(chunked,
		    input.data + decoded->used, input.len - decoded->used,
		    &used, &data);
		decoded->used += used;
		if (result == HTTP_CHUNKED_DATA)
			buf_append(&decoded->data, data);
		else if (result == HTTP_CHUNKED_TRAILER)
			buf_append(&decoded->trailers, data);
		else
			return result;
	}
}

static void
decode_and_compare(size_t i, size_t step)
{
	struct http_chunked chunked = { 0 };
	struct decoded decoded = { .used = 0 };
	enum http_chunked_result result;
	size_t len = 0;

	do {
		len = len + step < cases[i].input.len ? len + step
						      : cases[i].input.len;
		result = decode(&chunked, bytes_slice(cases[i].input.data, len),
		    &decoded);
	} while (result == HTTP_CHUNKED_MORE && len < cases[i].input.len);

	if (result != cases[i].result ||
	    !bytes_is(buf_bytes(&decoded.data), cases[i].data) ||
	    !bytes_is(buf_bytes(&decoded.trailers), cases[i].trailers))
		fail_msg("%s, %zu at a time", cases[i].sentence, step);
	buf_free(&decoded.data);
	buf_free(&decoded.trailers);
}

static void
decodes_and_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		decode_and_compare(i, 1000);
		decode_and_compare(i, 1);
		decode_and_compare(i, 3);
	}
}

/* Feeds before, then count bytes of fill, then after. */
static enum http_chunked_result
decode_long(const char *before, char fill, size_t count, const char *after)
{
	struct http_chunked chunked = { 0 };
	struct decoded decoded = { .used = 0 };
	struct buf input = { 0 };
	enum http_chunked_result result;

	buf_append_text(&input, before);
	for (size_t i = 0; i < count; i++)
		buf_append_char(&input, fill);
	buf_append_text(&input, after);
	result = decode(&chunked, buf_bytes(&input), &decoded);
	buf_free(&input);
	buf_free(&decoded.data);
	buf_free(&decoded.trailers);
	return result;
}

static void
ends_at_its_limits(void **state)
{
	(void)state;
	assert_int_equal(decode_long("0;", 'a', HTTP_CHUNK_EXTENSIONS_MAX - 1,
	    "\r\n\r\n"), HTTP_CHUNKED_DONE);
	assert_int_equal(decode_long("0;", 'a', HTTP_CHUNK_EXTENSIONS_MAX,
	    "\r\n\r\n"), HTTP_CHUNKED_FAULT);
	assert_int_equal(decode_long("0\r\nA: ", 'a', HTTP_TRAILERS_MAX - 5,
	    "\r\nB"), HTTP_CHUNKED_FAULT);
	assert_int_equal(decode_long("0\r\nA: ", 'a', HTTP_TRAILERS_MAX - 5,
	    "\r\n"), HTTP_CHUNKED_MORE);
	assert_int_equal(decode_long("0\r\n", 'a', HTTP_TRAILERS_MAX + 1, ""),
	    HTTP_CHUNKED_FAULT);
}

static void
extensions_add_up_over_chunks(void **state)
{
	struct buf body = { 0 };
	struct http_chunked chunked = { 0 };
	struct decoded decoded = { .used = 0 };

	(void)state;
	for (int i = 0; i < 2000; i++)
		buf_append_text(&body, "1;ab\r\nx\r\n");
	buf_append_text(&body, "0\r\n\r\n");
	assert_int_equal(decode(&chunked, buf_bytes(&body), &decoded),
	    HTTP_CHUNKED_FAULT);
	buf_free(&body);
	buf_free(&decoded.data);
	buf_free(&decoded.trailers);
}

static void
leaves_what_is_behind_the_end(void **state)
{
	struct http_chunked chunked = { 0 };
	struct bytes input = BYTES_LITERAL("0\r\n\r\nGET /"), data;
	size_t used;

	(void)state;
	assert_int_equal(http_chunked_decode(&chunked, input.data, input.len,
	    &used, &data), HTTP_CHUNKED_DONE);
	assert_int_equal(used, 5);
	assert_int_equal(http_chunked_decode(&chunked, input.data + used, 5,
	    &used, &data), HTTP_CHUNKED_DONE);
	assert_int_equal(used, 0);
}

static void
writes_chunk_heads(void **state)
{
	static const struct {
		uint64_t size;
		const char *head;
	} heads[] = { { 1, "1\r\n" }, { 16, "10\r\n" }, { 0xabc, "abc\r\n" },
		{ UINT64_MAX, "ffffffffffffffff\r\n" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		char head[HTTP_CHUNK_HEAD_MAX];
		size_t len = http_chunk_head(head, heads[i].size);

		assert_true(bytes_is(bytes_slice(head, len), heads[i].head));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_and_refuses),
		cmocka_unit_test(ends_at_its_limits),
		cmocka_unit_test(extensions_add_up_over_chunks),
		cmocka_unit_test(leaves_what_is_behind_the_end),
		cmocka_unit_test(writes_chunk_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
