/*
 * tests/unit/http/test_response.c - response heads: what they say, and
 * what is refused.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/head.h"

#define BYTES(text) BYTES_LITERAL(text)
#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n"

static const struct {
	const char *sentence;
	struct bytes head;
	enum http_fault fault;
} faults[] = {
	{ "a plain response is taken", BYTES(OK END), HTTP_FAULT_NONE },
	{ "no phrase", BYTES("HTTP/1.1 200 \r\n" END), HTTP_FAULT_NONE },
	{ "not even a space before it", BYTES("HTTP/1.1 200\r\n" END),
	    HTTP_FAULT_NONE },
	{ "a phrase with high bytes", BYTES("HTTP/1.1 200 \xc3\xa4\r\n" END),
	    HTTP_FAULT_NONE },

	{ "another protocol", BYTES("ICY 200 OK\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a version in lower case", BYTES("http/1.1 200 OK\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "HTTP/2.0", BYTES("HTTP/2.0 200 OK\r\n" END), HTTP_FAULT_VERSION },
	{ "a status of two digits", BYTES("HTTP/1.1 20 OK\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a status of four digits", BYTES("HTTP/1.1 2000 OK\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a status below 100", BYTES("HTTP/1.1 099 x\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a status over 599", BYTES("HTTP/1.1 600 x\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "two spaces before the status", BYTES("HTTP/1.1  200 OK\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a control in the phrase", BYTES("HTTP/1.1 200 O\x01\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a bare CR in the phrase", BYTES("HTTP/1.1 200 O\rK\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "half a status line", BYTES("HTTP/1.1\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "no empty line", BYTES(OK "A: b\r\n"), HTTP_FAULT_STATUS_LINE },

	{ "Content-Length with Transfer-Encoding",
	    BYTES(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END),
	    HTTP_FAULT_LENGTH_AND_CODING },
	{ "two lengths",
	    BYTES(OK "Content-Length: 5\r\nContent-Length: 6\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "the same length twice",
	    BYTES(OK "Content-Length: 5\r\nContent-Length: 5\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a list of lengths", BYTES(OK "Content-Length: 5, 5\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a length with a sign", BYTES(OK "Content-Length: +5\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a length that overflows",
	    BYTES(OK "Content-Length: 99999999999999999999\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "chunked twice",
	    BYTES(OK "Transfer-Encoding: chunked, chunked\r\n" END),
	    HTTP_FAULT_CODING },
	{ "chunked is not last",
	    BYTES(OK "Transfer-Encoding: chunked, gzip\r\n" END),
	    HTTP_FAULT_CODING },
	{ "Transfer-Encoding in HTTP/1.0",
	    BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n" END),
	    HTTP_FAULT_CODING },
	{ "an unknown coding",
	    BYTES(OK "Transfer-Encoding: br, chunked\r\n" END),
	    HTTP_FAULT_CODING_UNKNOWN },

	{ "a space before the colon", BYTES(OK "Foo : bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a name that is no token", BYTES(OK "F@o: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a folded line", BYTES(OK "Foo: a\r\n b\r\n" END), HTTP_FAULT_FOLD },
	{ "a blank before the first field", BYTES(OK " Foo: a\r\n" END),
	    HTTP_FAULT_FOLD },
	{ "NUL in a value", BYTES(OK "Foo: a\0b\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },
	{ "a bare CR in a value", BYTES(OK "Foo: a\rb\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },

	{ "a switch that says to what",
	    BYTES("HTTP/1.1 101 x\r\nConnection: Upgrade\r\n"
		  "Upgrade: websocket\r\n" END),
	    HTTP_FAULT_NONE },
	{ "a switch that does not", BYTES("HTTP/1.1 101 x\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a switch to h2c",
	    BYTES("HTTP/1.1 101 x\r\nConnection: Upgrade\r\n"
		  "Upgrade: h2c\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
	{ "a switch in HTTP/1.0",
	    BYTES("HTTP/1.0 101 x\r\nConnection: Upgrade\r\n"
		  "Upgrade: websocket\r\n" END),
	    HTTP_FAULT_STATUS_LINE },
};

static struct http_response response;

static void
refuses_what_is_not_http(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		enum http_fault fault = http_response_parse(faults[i].head,
		    HTTP_METHOD_GET, &response);

		if (fault != faults[i].fault)
			fail_msg("%s: %s", faults[i].sentence,
			    http_fault_text(fault));
	}
}

static const struct {
	const char *sentence, *head;
	enum http_method method;
	enum http_body body;
	uint64_t length;
	bool keeps_alive;
} bodies[] = {
	{ "a length", OK "Content-Length: 5\r\n\r\n", HTTP_METHOD_GET,
	    HTTP_BODY_LENGTH, 5, true },
	{ "a length of 0", OK "Content-Length: 0\r\n\r\n", HTTP_METHOD_GET,
	    HTTP_BODY_NONE, 0, true },
	{ "chunked", OK "Transfer-Encoding: chunked\r\n\r\n", HTTP_METHOD_GET,
	    HTTP_BODY_CHUNKED, 0, true },
	{ "neither", OK "\r\n", HTTP_METHOD_GET, HTTP_BODY_CLOSE, 0, false },
	{ "the answer to HEAD", OK "Content-Length: 5\r\n\r\n",
	    HTTP_METHOD_HEAD, HTTP_BODY_NONE, 5, true },
	{ "the answer to HEAD, chunked",
	    OK "Transfer-Encoding: chunked\r\n\r\n",
	    HTTP_METHOD_HEAD, HTTP_BODY_NONE, 0, true },
	{ "the answer to HEAD without a length", OK "\r\n", HTTP_METHOD_HEAD,
	    HTTP_BODY_NONE, 0, true },
	{ "204", "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", HTTP_METHOD_GET,
	    HTTP_BODY_NONE, 5, true },
	{ "304", "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", HTTP_METHOD_GET,
	    HTTP_BODY_NONE, 5, true },
	{ "100", "HTTP/1.1 100 Continue\r\n\r\n", HTTP_METHOD_POST,
	    HTTP_BODY_NONE, 0, true },
	{ "close", OK "Content-Length: 5\r\nConnection: close\r\n\r\n",
	    HTTP_METHOD_GET, HTTP_BODY_LENGTH, 5, false },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
	    HTTP_METHOD_GET, HTTP_BODY_LENGTH, 5, false },
	{ "HTTP/1.0 that keeps the connection",
	    "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n"
	    "Connection: keep-alive\r\n\r\n",
	    HTTP_METHOD_GET, HTTP_BODY_LENGTH, 5, true },
};

static void
reads_how_long_the_body_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		assert_int_equal(http_response_parse(bytes_of(bodies[i].head),
				     bodies[i].method, &response),
		    HTTP_FAULT_NONE);
		if (response.body != bodies[i].body ||
		    response.content_length != bodies[i].length ||
		    response.keeps_alive != bodies[i].keeps_alive)
			fail_msg("%s", bodies[i].sentence);
	}
}

static void
reads_the_status_line(void **state)
{
	(void)state;
	assert_int_equal(
	    http_response_parse(bytes_of("HTTP/1.1 404 Not here\r\n\r\n"),
		HTTP_METHOD_GET, &response),
	    HTTP_FAULT_NONE);
	assert_int_equal(response.status, 404);
	assert_true(bytes_is(response.reason, "Not here"));
	assert_int_equal(response.minor_version, 1);
	assert_false(response.has_content_length);
	assert_int_equal(response.upgrade.len, 0);
}

static void
knows_phrases(void **state)
{
	(void)state;
	assert_string_equal(http_status_phrase(200), "OK");
	assert_string_equal(http_status_phrase(508), "Loop Detected");
	assert_string_equal(http_status_phrase(299), "Unknown");
	assert_string_equal(http_status_phrase(0), "Unknown");
	assert_string_equal(http_status_phrase(600), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_http),
		cmocka_unit_test(reads_how_long_the_body_is),
		cmocka_unit_test(reads_the_status_line),
		cmocka_unit_test(knows_phrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
