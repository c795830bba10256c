/*
 * tests/unit/http/test_head_scan.c - where a head ends, however its bytes
 * arrive.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/head.h"

#define HEAD "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct {
	const char *sentence;
	struct bytes data;
	bool is_response;
	enum http_scan_result want;
	size_t head_end;		/* DONE */
	enum http_fault fault;		/* FAULT */
} cases[] = {
	{ "a head ends behind its empty line", BYTES_LITERAL(HEAD), false,
	    HTTP_SCAN_DONE, sizeof(HEAD) - 1, HTTP_FAULT_NONE },
	{ "what is behind it is left alone", BYTES_LITERAL(HEAD "body"), false,
	    HTTP_SCAN_DONE, sizeof(HEAD) - 1, HTTP_FAULT_NONE },
	{ "one empty line before it is skipped", BYTES_LITERAL("\r\n" HEAD),
	    false, HTTP_SCAN_DONE, sizeof(HEAD) + 1, HTTP_FAULT_NONE },
	{ "two are not", BYTES_LITERAL("\r\n\r\n" HEAD), false, HTTP_SCAN_FAULT,
	    0, HTTP_FAULT_REQUEST_LINE },
	{ "before a response not even one",
	    BYTES_LITERAL("\r\nHTTP/1.1 200 OK\r\n\r\n"), true, HTTP_SCAN_FAULT,
	    0, HTTP_FAULT_STATUS_LINE },
	{ "a response ends as well", BYTES_LITERAL("HTTP/1.1 200 OK\r\n\r\n"),
	    true, HTTP_SCAN_DONE, 19, HTTP_FAULT_NONE },
	{ "half a head is waited for", BYTES_LITERAL("GET / HTTP/1.1\r\nHo"),
	    false, HTTP_SCAN_MORE, 0, HTTP_FAULT_NONE },
	{ "nothing is waited for", BYTES_LITERAL(""), false, HTTP_SCAN_MORE, 0,
	    HTTP_FAULT_NONE },
	{ "a bare LF behind the request line",
	    BYTES_LITERAL("GET / HTTP/1.1\nHost: a\r\n\r\n"), false,
	    HTTP_SCAN_FAULT, 0, HTTP_FAULT_BARE_LF },
	{ "a bare LF behind a field",
	    BYTES_LITERAL("GET / HTTP/1.1\r\nHost: a\n\r\n"), false,
	    HTTP_SCAN_FAULT, 0, HTTP_FAULT_BARE_LF },
	{ "a bare LF for the empty line",
	    BYTES_LITERAL("GET / HTTP/1.1\r\nHost: a\r\n\n"), false,
	    HTTP_SCAN_FAULT, 0, HTTP_FAULT_BARE_LF },
	{ "a bare LF before everything", BYTES_LITERAL("\n" HEAD), false,
	    HTTP_SCAN_FAULT, 0, HTTP_FAULT_BARE_LF },
	{ "a TLS greeting is known by its first byte",
	    BYTES_LITERAL("\x16\x03\x01"), false, HTTP_SCAN_FAULT, 0,
	    HTTP_FAULT_METHOD },
	{ "a response that is no HTTP as well", BYTES_LITERAL("SSH-2.0-x"),
	    true, HTTP_SCAN_FAULT, 0, HTTP_FAULT_STATUS_LINE },
};

static void
finds_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_head_scan scan = { 0 };
		enum http_fault fault = HTTP_FAULT_NONE;
		size_t head_end = 0;

		if (http_head_scan(&scan, cases[i].data.data, cases[i].data.len,
			!cases[i].is_response, &head_end,
			&fault) != cases[i].want ||
		    head_end != cases[i].head_end || fault != cases[i].fault)
			fail_msg("%s", cases[i].sentence);
	}
}

static void
finds_the_same_end_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_head_scan scan = { 0 };
		enum http_scan_result result = HTTP_SCAN_MORE;
		enum http_fault fault = HTTP_FAULT_NONE;
		size_t head_end = 0;

		for (size_t len = 1; len <= cases[i].data.len &&
		     result == HTTP_SCAN_MORE; len++)
			result = http_head_scan(&scan, cases[i].data.data, len,
			    !cases[i].is_response, &head_end, &fault);
		if (result != cases[i].want || head_end != cases[i].head_end ||
		    fault != cases[i].fault)
			fail_msg("%s", cases[i].sentence);
	}
}

/* Scans start, then fill up to len, then end. */
static enum http_scan_result
scan_long(const char *start, char fill, size_t len, const char *end,
    enum http_fault *fault_r)
{
	static char data[3 * HTTP_HEAD_MAX];
	struct http_head_scan scan = { 0 };
	size_t start_len = strlen(start), end_len = strlen(end), head_end;

	memset(data, fill, sizeof(data));
	memcpy(data, start, start_len);
	memcpy(data + len - end_len, end, end_len);
	*fault_r = HTTP_FAULT_NONE;
	return http_head_scan(&scan, data, len, true, &head_end, fault_r);
}

static void
ends_at_its_limits(void **state)
{
	enum http_fault fault;

	(void)state;
	assert_int_equal(scan_long("GET / HTTP/1.1\r\nA: ", 'a', HTTP_HEAD_MAX,
	    "\r\n\r\n", &fault), HTTP_SCAN_DONE);
	assert_int_equal(scan_long("GET / HTTP/1.1\r\nA: ", 'a',
	    HTTP_HEAD_MAX + 1, "\r\n\r\n", &fault), HTTP_SCAN_FAULT);
	assert_int_equal(fault, HTTP_FAULT_HEAD_LONG);
	assert_int_equal(scan_long("GET / HTTP/1.1\r\nA: ", 'a', HTTP_HEAD_MAX,
	    "a", &fault), HTTP_SCAN_FAULT);
	assert_int_equal(fault, HTTP_FAULT_HEAD_LONG);
	assert_int_equal(scan_long("GET /", 'a', HTTP_TARGET_MAX + 100, "a",
	    &fault), HTTP_SCAN_FAULT);
	assert_int_equal(fault, HTTP_FAULT_TARGET_LONG);
	assert_int_equal(scan_long("GET", 'a', HTTP_TARGET_MAX + 100, "a",
	    &fault), HTTP_SCAN_FAULT);
	assert_int_equal(fault, HTTP_FAULT_METHOD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_end),
		cmocka_unit_test(finds_the_same_end_byte_by_byte),
		cmocka_unit_test(ends_at_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
