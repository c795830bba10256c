/*
 * tests/unit/http/test_forward_response.c - the response that the client
 * gets, byte for byte, and sluice's own answers.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "http/forward.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define ID "X-Request-Id: id-1\r\n"
#define END "\r\n"

static struct http_response response;
static char written[65536];

enum client { CLIENT_NEW, CLIENT_OLD, CLIENT_CLOSES };

static const struct {
	const char *sentence, *head, *want;
	enum client client;
} cases[] = {
	{ "a plain response", OK "Content-Length: 5\r\nServer: x\r\n" END,
	    OK "Content-Length: 5\r\nServer: x\r\n" DATE ID END, CLIENT_NEW },
	{ "a date that is there stays",
	    OK "Date: x\r\nContent-Length: 0\r\n" END,
	    OK "Date: x\r\nContent-Length: 0\r\n" ID END, CLIENT_NEW },
	{ "what is for one hop is dropped",
	    OK "Connection: keep-alive, x-a\r\nX-A: 1\r\nContent-Length: 1\r\n"
	       "Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
	       "Proxy-Status: a\r\n" END,
	    OK "Content-Length: 1\r\nProxy-Status: a\r\n" DATE ID END,
	    CLIENT_NEW },
	{ "a Connection field cannot remove the length",
	    OK "Connection: content-length\r\nContent-Length: 1\r\n" END,
	    OK "Content-Length: 1\r\n" DATE ID END, CLIENT_NEW },
	{ "equal names keep their order",
	    OK "Set-Cookie: a\r\nContent-Length: 1\r\nSet-Cookie: b\r\n" END,
	    OK "Set-Cookie: a\r\nContent-Length: 1\r\nSet-Cookie: b\r\n" DATE ID
	    END, CLIENT_NEW },
	{ "chunked is made anew", OK "Transfer-Encoding: chunked\r\n" END,
	    OK DATE ID "Transfer-Encoding: chunked\r\n" END, CLIENT_NEW },
	{ "the backend's request id is replaced",
	    OK "X-Request-Id: theirs\r\nContent-Length: 1\r\n" END,
	    OK "Content-Length: 1\r\n" DATE ID END, CLIENT_NEW },
	{ "the phrase is the backend's",
	    "HTTP/1.0 404 Nothing here\r\nContent-Length: 1\r\n" END,
	    "HTTP/1.1 404 Nothing here\r\nContent-Length: 1\r\n" DATE ID END,
	    CLIENT_NEW },
	{ "204 has no length", "HTTP/1.1 204 x\r\nContent-Length: 5\r\n" END,
	    "HTTP/1.1 204 x\r\n" DATE ID END, CLIENT_NEW },
	{ "304 keeps it", "HTTP/1.1 304 x\r\nContent-Length: 5\r\n" END,
	    "HTTP/1.1 304 x\r\nContent-Length: 5\r\n" DATE ID END, CLIENT_NEW },
	{ "an informational response is passed as it is",
	    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n" END,
	    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n" END, CLIENT_NEW },
	{ "an old client is told that its connection lasts",
	    OK "Content-Length: 1\r\n" END,
	    OK "Content-Length: 1\r\n" DATE ID "Connection: keep-alive\r\n" END,
	    CLIENT_OLD },
	{ "a client is told that its connection ends",
	    OK "Content-Length: 1\r\n" END,
	    OK "Content-Length: 1\r\n" DATE ID "Connection: close\r\n" END,
	    CLIENT_CLOSES },
	{ "a switch of protocols",
	    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	    "Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n" END,
	    "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n"
	    DATE ID "Connection: upgrade\r\nUpgrade: websocket\r\n" END,
	    CLIENT_NEW },
};

static struct forward_response
forward_of(const char *head, enum client client)
{
	enum http_fault fault = http_response_parse(bytes_of(head),
	    HTTP_METHOD_GET, &response);

	if (fault != HTTP_FAULT_NONE)
		fail_msg("%s\n%s", head, http_fault_text(fault));
	return (struct forward_response){
		.response = &response,
		.client_minor = client == CLIENT_OLD ? 0 : 1,
		.keeps_alive = client != CLIENT_CLOSES,
		.is_chunked = response.body == HTTP_BODY_CHUNKED,
		.is_tunnel = response.status == 101,
		.request_id = bytes_of("id-1"),
		.date = bytes_of("Sun, 06 Nov 1994 08:49:37 GMT"),
	};
}

static void
assert_forwarded(const struct forward_response *forward,
    const char *sentence, const char *want)
{
	struct http_out out = { .data = written, .size = sizeof(written) };

	http_forward_response(forward, &out);
	assert_false(out.is_full);
	if (!bytes_is(bytes_slice(out.data, out.len), want))
		fail_msg("%s:\n%.*s\nwant\n%s", sentence, (int)out.len,
		    out.data, want);
}

static void
forwards_by_its_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct forward_response forward =
		    forward_of(cases[i].head, cases[i].client);

		assert_forwarded(&forward, cases[i].sentence, cases[i].want);
	}
}

static void
obeys_edits_but_for_framing(void **state)
{
	static const struct header_edit edits[] = {
		{ HEADER_SET, false, BYTES_LITERAL("Server"),
		    BYTES_LITERAL("hidden") },
		{ HEADER_ADD, false, BYTES_LITERAL("X-Frame-Options"),
		    BYTES_LITERAL("DENY") },
		{ HEADER_REMOVE, false, BYTES_LITERAL("X-Powered-By"),
		    { NULL, 0 } },
		{ HEADER_REMOVE, false, BYTES_LITERAL("Date"), { NULL, 0 } },
		{ HEADER_REMOVE, false, BYTES_LITERAL("Content-Length"),
		    { NULL, 0 } },
		{ HEADER_SET, true, BYTES_LITERAL("X-Kept"),
		    BYTES_LITERAL("x") },
	};
	struct forward_response forward = forward_of(
	    OK "Server: a\r\nX-Powered-By: b\r\nX-Kept: c\r\n"
	       "Content-Length: 1\r\n" END, CLIENT_NEW);

	(void)state;
	forward.edits = edits;
	forward.edit_count = COUNT_OF(edits);
	assert_forwarded(&forward, "edits",
	    OK "X-Kept: c\r\nContent-Length: 1\r\n" ID
	       "Server: hidden\r\nX-Frame-Options: DENY\r\n" END);
}

static void
adds_proxy_status(void **state)
{
	struct forward_response forward =
	    forward_of(OK "Content-Length: 1\r\n" END, CLIENT_NEW);

	(void)state;
	forward.proxy_status = bytes_of("sluice; error=http_protocol_error");
	assert_forwarded(&forward, "Proxy-Status",
	    OK "Content-Length: 1\r\n" DATE ID
	       "Proxy-Status: sluice; error=http_protocol_error\r\n" END);
}

/* Own answers ---------------------------------------------------------- */

static const char *
own(const struct own_answer *answer)
{
	struct http_out out = { .data = written, .size = sizeof(written) - 1 };

	http_forward_own(answer, &out);
	assert_false(out.is_full);
	written[out.len] = '\0';
	return written;
}

static void
answers_in_plain_text(void **state)
{
	const struct own_answer answer = {
		.status = 503,
		.reason_word = "draining",
		.detail = "Draining",
		.retry_after_s = 5,
		.keeps_alive = true,
		.request_id = BYTES_LITERAL("id-1"),
		.date = BYTES_LITERAL("Sun, 06 Nov 1994 08:49:37 GMT"),
	};

	(void)state;
	assert_string_equal(own(&answer),
	    "HTTP/1.1 503 Service Unavailable\r\n" DATE
	    "Cache-Control: no-store\r\nX-Request-Id: id-1\r\n"
	    "Retry-After: 5\r\nConnection: keep-alive\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 67\r\n\r\n"
	    "503 Service Unavailable\nDraining\nreason: draining\n"
	    "request id: id-1\n");
}

static void
answers_in_json(void **state)
{
	const struct own_answer answer = {
		.status = 404,
		.reason_word = "no_route",
		.detail = "no route for \"x\\y\"",
		.wants_json = true,
		.request_id = BYTES_LITERAL("i\"d\x01\xff"),
	};

	(void)state;
	assert_non_null(strstr(own(&answer),
	    "Content-Type: application/problem+json\r\n"));
	assert_non_null(strstr(written,
	    "\r\n\r\n{\"type\":\"about:blank\",\"status\":404,"
	    "\"title\":\"Not Found\","
	    "\"detail\":\"no route for \\\"x\\\\y\\\"\","
	    "\"reason\":\"no_route\",\"request_id\":\"i\\\"d??\"}\n"));
	assert_non_null(strstr(written, "Connection: close\r\n"));
}

static void
answers_head_with_a_head(void **state)
{
	const struct own_answer answer = { .status = 404, .is_head = true };

	(void)state;
	assert_string_equal(own(&answer),
	    "HTTP/1.1 404 Not Found\r\nCache-Control: no-store\r\n"
	    "Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 14\r\n\r\n");
}

static void
answers_with_a_given_body(void **state)
{
	const struct own_answer answer = {
		.status = 503,
		.wants_json = true,
		.keeps_alive = true,
		.extra_fields = BYTES_LITERAL("X-A: b\r\nAllow: GET\r\n"),
		.body = BYTES_LITERAL("<p>closed"),
		.content_type = BYTES_LITERAL("text/html"),
	};

	(void)state;
	assert_string_equal(own(&answer),
	    "HTTP/1.1 503 Service Unavailable\r\nCache-Control: no-store\r\n"
	    "X-A: b\r\nAllow: GET\r\nConnection: keep-alive\r\n"
	    "Content-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>closed");
}

static void
answers_405_with_allow(void **state)
{
	struct own_answer answer = { .status = 405 };

	(void)state;
	assert_non_null(strstr(own(&answer), "\r\nAllow: GET, HEAD, "));
	answer.extra_fields = bytes_of("X: y\r\nallow: PUT\r\n");
	assert_null(strstr(own(&answer), "Allow: GET"));
}

/* Every answer of sluice's own is one that sluice would take. */
static void
answers_are_responses(void **state)
{
	static const unsigned int statuses[] = { 204, 304, 400, 404, 405, 408,
		413, 414, 417, 421, 429, 431, 500, 501, 502, 503, 504, 505,
		508 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		struct own_answer answer = { .status = statuses[i],
			.detail = "why", .wants_json = i % 2 == 0 };
		const char *body;
		size_t head_len;

		body = strstr(own(&answer), "\r\n\r\n");
		assert_non_null(body);
		head_len = (size_t)(body - written) + 4;
		assert_int_equal(
		    http_response_parse(bytes_slice(written, head_len),
			HTTP_METHOD_GET, &response), HTTP_FAULT_NONE);
		assert_int_equal(response.status, statuses[i]);
		assert_int_equal(response.content_length,
		    strlen(written) - head_len);
		assert_true(bytes_is(response.reason,
		    http_status_phrase(statuses[i])));
	}
}

static void
chooses_json_by_accept(void **state)
{
	static const struct {
		const char *accept;
		bool wants_json;
	} accepts[] = {
		{ "*/*", false },
		{ "application/json", true },
		{ "application/problem+json", true },
		{ "APPLICATION/JSON; charset=utf-8", true },
		{ "application/*", true },
		{ "application/json, text/plain, */*", true },
		{ "text/html, application/json", false },
		{ "text/html;q=0.8, application/json;q=0.9", true },
		{ "text/html;q=0.9, application/json;q=0.8", false },
		{ "application/json;q=0", false },
		{ "application/json;q=0.5, */*", false },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,"
		  "*/*;q=0.8", false },
		{ "*/*, text/plain;q=0", true },
		{ "application/json;q=2", false },
		{ "application/json;q=x", false },
		{ "text/*, application/json;q=0.5", false },
		{ "text/*;q=0.1, application/json;q=0.5", true },
		{ "application/json;q=0.1.2", false },
		{ "image/png", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(accepts); i++) {
		static struct http_request request;
		char head[256];

		snprintf(head, sizeof(head),
		    "GET / HTTP/1.1\r\nHost: h\r\nAccept: %s\r\n\r\n",
		    accepts[i].accept);
		assert_int_equal(http_request_parse(bytes_of(head), &request),
		    HTTP_FAULT_NONE);
		if (http_wants_json(&request.fields) != accepts[i].wants_json)
			fail_msg("%s", accepts[i].accept);
	}
}

static void
formats_dates(void **state)
{
	char date[HTTP_DATE_SIZE];

	(void)state;
	http_format_date(784111777, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	http_format_date(0, date);
	assert_string_equal(date, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_format_date(951782400, date);
	assert_string_equal(date, "Tue, 29 Feb 2000 00:00:00 GMT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_by_its_table),
		cmocka_unit_test(obeys_edits_but_for_framing),
		cmocka_unit_test(adds_proxy_status),
		cmocka_unit_test(answers_in_plain_text),
		cmocka_unit_test(answers_in_json),
		cmocka_unit_test(answers_head_with_a_head),
		cmocka_unit_test(answers_with_a_given_body),
		cmocka_unit_test(answers_405_with_allow),
		cmocka_unit_test(answers_are_responses),
		cmocka_unit_test(chooses_json_by_accept),
		cmocka_unit_test(formats_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
