/*
 * tests/unit/http/test_request_faults.c - request heads that are refused,
 * in bytes, each for its reason.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/head.h"

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define HOST "Host: a\r\n"
#define END "\r\n"

/* Bytes with their length, since some contain NUL. */
#define BYTES(text) BYTES_LITERAL(text)

static const struct {
	const char *sentence;
	struct bytes head;
	enum http_fault fault;
} cases[] = {
	{ "a plain request is taken", BYTES(GET HOST END), HTTP_FAULT_NONE },

	{ "Content-Length with Transfer-Encoding",
	    BYTES(POST "Content-Length: 5\r\n"
		"Transfer-Encoding: chunked\r\n" END),
	    HTTP_FAULT_LENGTH_AND_CODING },
	{ "Transfer-Encoding with Content-Length",
	    BYTES(POST "Transfer-Encoding: chunked\r\n"
		"Content-Length: 5\r\n" END),
	    HTTP_FAULT_LENGTH_AND_CODING },
	{ "a faulty length beside Transfer-Encoding",
	    BYTES(POST "Content-Length: x\r\n"
		"Transfer-Encoding: chunked\r\n" END),
	    HTTP_FAULT_LENGTH_AND_CODING },

	{ "chunked is not last",
	    BYTES(POST "Transfer-Encoding: chunked, gzip\r\n" END),
	    HTTP_FAULT_CODING },
	{ "chunked is not last, over two fields",
	    BYTES(POST "Transfer-Encoding: chunked\r\n"
		       "Transfer-Encoding: identity\r\n" END),
	    HTTP_FAULT_CODING },
	{ "no chunked at all", BYTES(POST "Transfer-Encoding: gzip\r\n" END),
	    HTTP_FAULT_CODING },
	{ "identity", BYTES(POST "Transfer-Encoding: identity\r\n" END),
	    HTTP_FAULT_CODING },
	{ "chunked twice",
	    BYTES(POST "Transfer-Encoding: chunked, chunked\r\n" END),
	    HTTP_FAULT_CODING },
	{ "chunked twice, over two fields",
	    BYTES(POST "Transfer-Encoding: chunked\r\n"
		       "Transfer-Encoding: chunked\r\n" END),
	    HTTP_FAULT_CODING },
	{ "an empty coding", BYTES(POST "Transfer-Encoding: \r\n" END),
	    HTTP_FAULT_CODING },
	{ "an empty element before chunked",
	    BYTES(POST "Transfer-Encoding: , chunked\r\n" END),
	    HTTP_FAULT_CODING },
	{ "chunked with a parameter",
	    BYTES(POST "Transfer-Encoding: chunked;q=1\r\n" END),
	    HTTP_FAULT_CODING },
	{ "chunked in quotes",
	    BYTES(POST "Transfer-Encoding: \"chunked\"\r\n" END),
	    HTTP_FAULT_CODING },
	{ "xchunked", BYTES(POST "Transfer-Encoding: xchunked\r\n" END),
	    HTTP_FAULT_CODING },
	{ "a vertical tab before chunked",
	    BYTES(POST "Transfer-Encoding: \vchunked\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },
	{ "Transfer-Encoding in HTTP/1.0",
	    BYTES("POST / HTTP/1.0\r\nHost: a\r\n"
		  "Transfer-Encoding: chunked\r\n" END),
	    HTTP_FAULT_CODING },
	{ "an unknown coding before chunked",
	    BYTES(POST "Transfer-Encoding: gzip, chunked\r\n" END),
	    HTTP_FAULT_CODING_UNKNOWN },

	{ "a length with a plus", BYTES(POST "Content-Length: +5\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a length with a minus", BYTES(POST "Content-Length: -5\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a length with a space in it",
	    BYTES(POST "Content-Length: 5 5\r\n" END), HTTP_FAULT_LENGTH },
	{ "a length in hex", BYTES(POST "Content-Length: 0x5\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a length of hex digits", BYTES(POST "Content-Length: a\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a length with a fraction", BYTES(POST "Content-Length: 5.0\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "an empty length", BYTES(POST "Content-Length:\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a list of differing lengths",
	    BYTES(POST "Content-Length: 5, 6\r\n" END), HTTP_FAULT_LENGTH },
	{ "a list of equal lengths",
	    BYTES(POST "Content-Length: 5, 5\r\n" END), HTTP_FAULT_LENGTH },
	{ "a length over 2^63 - 1",
	    BYTES(POST "Content-Length: 9223372036854775808\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "a length that wraps around to 5",
	    BYTES(POST "Content-Length: 18446744073709551621\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "two lengths",
	    BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n" END),
	    HTTP_FAULT_LENGTH },
	{ "the same length twice",
	    BYTES(POST "Content-Length: 5\r\nContent-Length: 5\r\n" END),
	    HTTP_FAULT_LENGTH },

	{ "a space before the colon", BYTES(GET HOST "Foo : bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a tab before the colon", BYTES(GET HOST "Foo\t: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a name with a blank in it", BYTES(GET HOST "Fo o: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a name that is no token", BYTES(GET HOST "F(o: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a name with a high byte", BYTES(GET HOST "F\xc3\xa4: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a name with NUL", BYTES(GET HOST "F\0o: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "an empty name", BYTES(GET HOST ": bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "no colon", BYTES(GET HOST "Foo\r\n" END), HTTP_FAULT_FIELD_NAME },
	{ "a bare CR in a name", BYTES(GET HOST "Fo\ro: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },
	{ "a bare CR first in a line", BYTES(GET HOST "\rFoo: bar\r\n" END),
	    HTTP_FAULT_FIELD_NAME },

	{ "a bare LF behind a field", BYTES(GET HOST "Foo: a\nb: c\r\n" END),
	    HTTP_FAULT_BARE_LF },
	{ "a folded line", BYTES(GET HOST "Foo: bar\r\n baz\r\n" END),
	    HTTP_FAULT_FOLD },
	{ "a line folded by a tab", BYTES(GET HOST "Foo: bar\r\n\tbaz\r\n" END),
	    HTTP_FAULT_FOLD },
	{ "a blank before the first field",
	    BYTES(GET " Foo: bar\r\n" HOST END), HTTP_FAULT_FOLD },

	{ "a bare CR in a value", BYTES(GET HOST "Foo: b\rar\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },
	{ "a CR before the CRLF", BYTES(GET HOST "Foo: bar\r\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },
	{ "NUL in a value", BYTES(GET HOST "Foo: b\0r\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },
	{ "a control in a value", BYTES(GET HOST "Foo: b\x1br\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },
	{ "a control in a value of more than 16 bytes",
	    BYTES(GET HOST "Foo: 0123456789abcdef0123456789\x01\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },
	{ "DEL in a value", BYTES(GET HOST "Foo: 0123456789abcdef\x7f\r\n" END),
	    HTTP_FAULT_FIELD_VALUE },

	{ "no Host", BYTES(GET END), HTTP_FAULT_HOST },
	{ "no Host with an absolute target",
	    BYTES("GET http://a/ HTTP/1.1\r\n" END), HTTP_FAULT_HOST },
	{ "two Hosts", BYTES(GET HOST HOST END), HTTP_FAULT_HOST },
	{ "two Hosts in HTTP/1.0", BYTES("GET / HTTP/1.0\r\n" HOST HOST END),
	    HTTP_FAULT_HOST },
	{ "an empty Host", BYTES(GET "Host:\r\n" END), HTTP_FAULT_HOST },
	{ "a Host that is only a port", BYTES(GET "Host: :80\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a Host with a blank", BYTES(GET "Host: a b\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a Host with a slash", BYTES(GET "Host: a/b\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a Host with user information", BYTES(GET "Host: u@a\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a Host with an escape", BYTES(GET "Host: a%2eb\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a Host with a comma", BYTES(GET "Host: a, b\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a port over 65535", BYTES(GET "Host: a:65536\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a port that is no number", BYTES(GET "Host: a:8o\r\n" END),
	    HTTP_FAULT_HOST },
	{ "two ports", BYTES(GET "Host: a:80:80\r\n" END), HTTP_FAULT_HOST },
	{ "an IPv6 address without brackets", BYTES(GET "Host: ::1\r\n" END),
	    HTTP_FAULT_HOST },
	{ "an IPv6 address that is none", BYTES(GET "Host: [::g]\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a bracket that is left open", BYTES(GET "Host: [::1\r\n" END),
	    HTTP_FAULT_HOST },
	{ "something behind the bracket", BYTES(GET "Host: [::1]a\r\n" END),
	    HTTP_FAULT_HOST },
	{ "a faulty Host under an absolute target",
	    BYTES("GET http://b/ HTTP/1.1\r\nHost: a b\r\n" END),
	    HTTP_FAULT_HOST },

	{ "a method that is no token", BYTES("G(T / HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_METHOD },
	{ "no method", BYTES(" / HTTP/1.1\r\n" HOST END), HTTP_FAULT_METHOD },
	{ "CONNECT", BYTES("CONNECT a:443 HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_CONNECT },
	{ "a method alone", BYTES("GET\r\n" HOST END),
	    HTTP_FAULT_REQUEST_LINE },
	{ "no version", BYTES("GET /\r\n" HOST END), HTTP_FAULT_TARGET },
	{ "two spaces before the target",
	    BYTES("GET  / HTTP/1.1\r\n" HOST END), HTTP_FAULT_TARGET },
	{ "two spaces before the version",
	    BYTES("GET /  HTTP/1.1\r\n" HOST END), HTTP_FAULT_REQUEST_LINE },
	{ "a space behind the version",
	    BYTES("GET / HTTP/1.1 \r\n" HOST END), HTTP_FAULT_REQUEST_LINE },
	{ "a space in the target", BYTES("GET /a b HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_REQUEST_LINE },
	{ "a version in lower case", BYTES("GET / http/1.1\r\n" HOST END),
	    HTTP_FAULT_REQUEST_LINE },
	{ "a version without minor", BYTES("GET / HTTP/1\r\n" HOST END),
	    HTTP_FAULT_REQUEST_LINE },
	{ "HTTP/2.0", BYTES("GET / HTTP/2.0\r\n" HOST END),
	    HTTP_FAULT_VERSION },
	{ "HTTP/0.9", BYTES("GET / HTTP/0.9\r\n" HOST END),
	    HTTP_FAULT_VERSION },

	{ "%00 in the path", BYTES("GET /a%00 HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "a backslash in the path", BYTES("GET /a\\b HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "half an escape", BYTES("GET /a%4 HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "an escape that is none", BYTES("GET /a%zz HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "a fragment", BYTES("GET /a#b HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "a fragment in the query", BYTES("GET /a?b#c HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "a tab in the target", BYTES("GET /a\tb HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "NUL in the target", BYTES("GET /a\0b HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "a high byte in the target",
	    BYTES("GET /\xc3\xa4 HTTP/1.1\r\n" HOST END), HTTP_FAULT_TARGET },
	{ "a target without a slash", BYTES("GET a HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "an asterisk without OPTIONS", BYTES("GET * HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "another scheme", BYTES("GET ftp://a/ HTTP/1.1\r\n" HOST END),
	    HTTP_FAULT_TARGET },
	{ "an absolute target without a host",
	    BYTES("GET http:///a HTTP/1.1\r\n" HOST END), HTTP_FAULT_TARGET },
	{ "an absolute target with user information",
	    BYTES("GET http://u@a/ HTTP/1.1\r\n" HOST END), HTTP_FAULT_TARGET },

	{ "an expectation that nobody knows",
	    BYTES(GET HOST "Expect: 200-ok\r\n" END), HTTP_FAULT_EXPECT },
	{ "no empty line at the end", BYTES(GET HOST),
	    HTTP_FAULT_REQUEST_LINE },
	{ "nothing", BYTES(""), HTTP_FAULT_REQUEST_LINE },
};

static struct http_request request;

static void
refuses_what_is_not_http(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum http_fault fault =
		    http_request_parse(cases[i].head, &request);

		if (fault != cases[i].fault)
			fail_msg("%s: %s", cases[i].sentence,
			    http_fault_text(fault));
	}
}

static void
says_each_fault_with_its_status(void **state)
{
	static const struct {
		enum http_fault fault;
		unsigned int status;
	} statuses[] = {
		{ HTTP_FAULT_BARE_LF, 400 },
		{ HTTP_FAULT_CONNECT, 405 },
		{ HTTP_FAULT_TARGET_LONG, 414 },
		{ HTTP_FAULT_EXPECT, 417 },
		{ HTTP_FAULT_HEAD_LONG, 431 },
		{ HTTP_FAULT_FIELDS_MANY, 431 },
		{ HTTP_FAULT_CODING_UNKNOWN, 501 },
		{ HTTP_FAULT_VERSION, 505 },
		{ HTTP_FAULT_LENGTH_AND_CODING, 400 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		assert_int_equal(http_fault_status(statuses[i].fault),
		    statuses[i].status);
	for (int i = 0; i < HTTP_FAULT_COUNT; i++) {
		assert_non_null(http_fault_word((enum http_fault)i));
		assert_non_null(http_fault_text((enum http_fault)i));
	}
}

/* A head with a target or a number of fields at the limit. */
static enum http_fault
parse_with(size_t target_len, unsigned int field_count)
{
	static char head[2 * HTTP_HEAD_MAX];
	size_t len = 0;

	memcpy(head, "GET /", 5);
	memset(head + 5, 'a', target_len - 1);
	len = 4 + target_len;
	memcpy(head + len, " HTTP/1.1\r\nHost: a\r\n", 20);
	len += 20;
	for (unsigned int i = 1; i < field_count; i++, len += 6)
		memcpy(head + len, "F: x\r\n", 6);
	memcpy(head + len, "\r\n", 2);
	return http_request_parse(bytes_slice(head, len + 2), &request);
}

static void
refuses_what_is_over_a_limit(void **state)
{
	(void)state;
	assert_int_equal(parse_with(HTTP_TARGET_MAX, 1), HTTP_FAULT_NONE);
	assert_int_equal(parse_with(HTTP_TARGET_MAX + 1, 1),
	    HTTP_FAULT_TARGET_LONG);
	assert_int_equal(parse_with(1, HTTP_FIELDS_MAX), HTTP_FAULT_NONE);
	assert_int_equal(request.fields.count, HTTP_FIELDS_MAX);
	assert_int_equal(parse_with(1, HTTP_FIELDS_MAX + 1),
	    HTTP_FAULT_FIELDS_MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_http),
		cmocka_unit_test(says_each_fault_with_its_status),
		cmocka_unit_test(refuses_what_is_over_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
