/*
 * tests/unit/http/test_forward_request.c - the request that a backend
 * gets, byte for byte.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "http/forward.h"

#define LINE "GET /a HTTP/1.1\r\nHost: h\r\n"
#define END "\r\n"

/* What sluice says at the end of each request of these tests. */
#define ORIGIN                                                                 \
	"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"            \
	"X-Forwarded-Host: h\r\nX-Forwarded-Port: 8080\r\n"                    \
	"X-Real-IP: 192.0.2.7\r\n"
#define SIGNED "Via: 1.1 sluice\r\nX-Request-Id: id-1\r\n"

static struct http_request request;
static char written[65536];

static const struct forward_peer stranger = {
	.address = BYTES_LITERAL("192.0.2.7"),
	.listen_port = BYTES_LITERAL("8080"),
};
static const struct forward_peer friend = {
	.address = BYTES_LITERAL("192.0.2.7"),
	.listen_port = BYTES_LITERAL("8080"),
	.is_trusted = true,
};
static const struct forward_options plain;

static struct forward_request
forward_of(const char *head)
{
	enum http_fault fault = http_request_parse(bytes_of(head), &request);

	if (fault != HTTP_FAULT_NONE)
		fail_msg("%s\n%s", head, http_fault_text(fault));
	return (struct forward_request){
		.request = &request,
		.peer = &stranger,
		.options = &plain,
		.host = request.authority,
		.request_id = bytes_of("id-1"),
		.is_upgrade = request.upgrade.len > 0,
		.continues = request.expects_continue,
	};
}

static void
assert_forwarded(const struct forward_request *forward, const char *want)
{
	struct http_out out = { .data = written, .size = sizeof(written) };

	http_forward_request(forward, &out);
	assert_false(out.is_full);
	if (!bytes_is(bytes_slice(out.data, out.len), want))
		fail_msg("got\n%.*s\nwant\n%s", (int)out.len, out.data, want);
}

static const struct {
	const char *sentence, *head, *want;
	bool is_trusted;
} cases[] = {
	{ "a plain request", LINE END, LINE ORIGIN SIGNED END, false },
	{ "fields keep their order and their spelling",
	    LINE "b: 1\r\nA:2\r\nB: \r\n" END,
	    LINE "b: 1\r\nA:2\r\nB: \r\n" ORIGIN SIGNED END, false },
	{ "what is for one hop is dropped",
	    LINE "Connection: keep-alive, x-a\r\nX-A: 1\r\nX-B: 2\r\n"
		 "Keep-Alive: 5\r\nProxy-Connection: x\r\n"
		 "Proxy-Authorization: y\r\nProxy: z\r\n" END,
	    LINE "X-B: 2\r\n" ORIGIN SIGNED END, false },
	{ "a Connection field cannot remove what sluice sets",
	    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
	    "Connection: host, content-length, x-forwarded-for, via, "
	    "x-request-id\r\n" END,
	    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n" ORIGIN SIGNED
	    END, false },
	{ "not even what a trusted peer said before it",
	    LINE "Connection: x-forwarded-for\r\nX-Forwarded-For: 1.1.1.1\r\n"
	    END,
	    LINE "X-Forwarded-For: 1.1.1.1, 192.0.2.7\r\n"
		 "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
		 "X-Forwarded-Port: 8080\r\nX-Real-IP: 192.0.2.7\r\n"
		 SIGNED END,
	    true },
	{ "what a stranger says of its origin is dropped",
	    LINE "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
		 "X-Forwarded-Host: x\r\nX-Forwarded-Port: 1\r\n"
		 "X-Forwarded-Prefix: /x\r\nX-Real-IP: 6.6.6.6\r\n"
		 "Forwarded: for=6.6.6.6\r\nX-Request-Id: x\r\n" END,
	    LINE ORIGIN SIGNED END, false },
	{ "what a trusted peer says is kept",
	    LINE "X-Forwarded-For: 6.6.6.6, 7.7.7.7\r\n"
		 "X-Forwarded-Proto: https\r\nX-Forwarded-Host: x\r\n"
		 "X-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /x\r\n"
		 "X-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
		 "X-Forwarded-For: 8.8.8.8\r\nX-Request-Id: x\r\n" END,
	    LINE "X-Forwarded-Proto: https\r\nX-Forwarded-Host: x\r\n"
		 "X-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /x\r\n"
		 "X-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
		 "X-Forwarded-For: 6.6.6.6, 7.7.7.7, 8.8.8.8, 192.0.2.7\r\n"
	    SIGNED END, true },
	{ "names that only look like those are dropped",
	    LINE "X_Forwarded_For: 6.6.6.6\r\nx-real_ip: 6.6.6.6\r\n"
		 "Content_Length: 7\r\nX_Other: 1\r\n" END,
	    LINE "X_Other: 1\r\n" ORIGIN SIGNED END, true },
	{ "Via grows",
	    LINE "Via: 1.1 a, 1.0 b\r\n" END,
	    LINE "Via: 1.1 a, 1.0 b\r\n" ORIGIN SIGNED END, false },
	{ "Content-Length: 0 is forwarded",
	    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n" END,
	    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n" ORIGIN SIGNED
	    END, false },
	{ "chunked is made anew",
	    "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: CHUNKED\r\n"
	    "Trailer: A\r\n" END,
	    "POST /a HTTP/1.1\r\nHost: h\r\nTrailer: A\r\n" ORIGIN SIGNED
	    "Transfer-Encoding: chunked\r\n" END, false },
	{ "TE: trailers is made anew",
	    LINE "TE: gzip, trailers\r\nConnection: TE\r\n" END,
	    LINE ORIGIN SIGNED "TE: trailers\r\nConnection: TE\r\n" END,
	    false },
	{ "another TE is dropped", LINE "TE: gzip\r\n" END,
	    LINE ORIGIN SIGNED END, false },
	{ "Expect goes on",
	    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
	    "Expect: 100-continue\r\n" END,
	    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n" ORIGIN SIGNED
	    "Expect: 100-continue\r\n" END, false },
	{ "an upgrade goes on",
	    LINE "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
		 "Sec-WebSocket-Version: 13\r\n" END,
	    LINE "Sec-WebSocket-Version: 13\r\n" ORIGIN SIGNED
		 "Upgrade: websocket\r\nConnection: upgrade\r\n" END, false },
	{ "an upgrade and trailers share Connection",
	    LINE "Connection: Upgrade, TE\r\nUpgrade: x\r\n"
	    "TE: trailers\r\n" END,
	    LINE ORIGIN SIGNED "TE: trailers\r\nUpgrade: x\r\n"
			       "Connection: upgrade, TE\r\n" END, false },
	{ "two Upgrade fields are none",
	    LINE "Connection: Upgrade\r\nUpgrade: x\r\nUpgrade: y\r\n" END,
	    LINE ORIGIN SIGNED END, false },
	{ "Connection may come twice",
	    LINE "Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\nConnection: x-b\r\n"
	    END, LINE ORIGIN SIGNED END, false },
	{ "an upgrade to h2c does not",
	    LINE "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		 "HTTP2-Settings: AAM\r\n" END,
	    LINE ORIGIN SIGNED END, false },
	{ "the query is not touched",
	    "GET /a?%2e%2e//\\&b=%zz HTTP/1.1\r\nHost: h\r\n" END,
	    "GET /a?%2e%2e//\\&b=%zz HTTP/1.1\r\nHost: h\r\n" ORIGIN SIGNED END,
	    false },
	{ "an empty query stays one", "GET /a? HTTP/1.1\r\nHost: h\r\n" END,
	    "GET /a? HTTP/1.1\r\nHost: h\r\n" ORIGIN SIGNED END, false },
	{ "the path that was matched is forwarded",
	    "GET /x/..//%61 HTTP/1.1\r\nHost: h\r\n" END,
	    LINE ORIGIN SIGNED END, false },
	{ "an absolute target gives its authority",
	    "GET http://h/a HTTP/1.1\r\nHost: other\r\n" END,
	    LINE ORIGIN SIGNED END, false },
	{ "OPTIONS * stays so", "OPTIONS * HTTP/1.1\r\nHost: h\r\n" END,
	    "OPTIONS * HTTP/1.1\r\nHost: h\r\n" ORIGIN SIGNED END, false },
	{ "traceparent is passed on",
	    LINE "traceparent: 00-1-2-01\r\n" END,
	    LINE "traceparent: 00-1-2-01\r\n" ORIGIN SIGNED END, false },
};

static void
forwards_by_its_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct forward_request forward = forward_of(cases[i].head);
		struct http_out out = { .data = written,
			.size = sizeof(written) };

		forward.peer = cases[i].is_trusted ? &friend : &stranger;
		http_forward_request(&forward, &out);
		if (!bytes_is(bytes_slice(out.data, out.len), cases[i].want))
			fail_msg("%s:\n%.*s\nwant\n%s", cases[i].sentence,
			    (int)out.len, out.data, cases[i].want);
	}
}

static void
makes_the_path_from_its_parts(void **state)
{
	static const struct {
		const char *path, *base;
		size_t strip;
		const char *want;
	} paths[] = {
		{ "/s2/headers", "", 3, "GET /headers HTTP/1.1\r\n" },
		{ "/s2/", "", 3, "GET / HTTP/1.1\r\n" },
		{ "/s2", "", 3, "GET / HTTP/1.1\r\n" },
		{ "/s2?q", "", 3, "GET /?q HTTP/1.1\r\n" },
		{ "/s2/x", "/api", 3, "GET /api/x HTTP/1.1\r\n" },
		{ "/s2", "/api", 3, "GET /api HTTP/1.1\r\n" },
		{ "/s2/", "/api", 3, "GET /api/ HTTP/1.1\r\n" },
		{ "/s2/x", "/api", 0, "GET /api/s2/x HTTP/1.1\r\n" },
		{ "/x", "", 1, "GET /x HTTP/1.1\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct http_out out = { .data = written,
			.size = sizeof(written) };
		struct forward_request forward;
		char head[128];

		snprintf(head, sizeof(head),
		    "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
		    paths[i].path);
		forward = forward_of(head);
		forward.base_path = bytes_of(paths[i].base);
		forward.strip_len = paths[i].strip;
		http_forward_request(&forward, &out);
		if (!bytes_start_with(bytes_slice(out.data, out.len),
			bytes_of(paths[i].want)))
			fail_msg("%s with %s: %.*s", paths[i].path,
			    paths[i].base, (int)out.len, out.data);
	}
}

static void
tells_the_prefix_that_was_stripped(void **state)
{
	struct forward_request forward =
	    forward_of("GET /s2/a HTTP/1.1\r\nHost: h\r\n"
		       "X-Forwarded-Prefix: /front\r\n\r\n");

	(void)state;
	forward.strip_len = 3;
	forward.stripped_prefix = bytes_of("/s2");
	assert_forwarded(&forward,
	    LINE ORIGIN "X-Forwarded-Prefix: /s2\r\n" SIGNED END);
	forward.peer = &friend;
	assert_forwarded(&forward,
	    LINE ORIGIN "X-Forwarded-Prefix: /front, /s2\r\n" SIGNED END);
}

static void
tells_forwarded_by_switch(void **state)
{
	static const struct forward_options options = { .forwarded = true };
	static const struct forward_peer peer_v6 = {
		.address = BYTES_LITERAL("2001:db8::1"),
		.is_trusted = true,
		.is_tls = true,
	};
	struct forward_request forward =
	    forward_of(LINE "Forwarded: for=1.1.1.1\r\n" END);

	(void)state;
	forward.options = &options;
	assert_forwarded(&forward,
	    LINE ORIGIN
	    "Forwarded: for=192.0.2.7;host=\"h\";proto=http\r\n" SIGNED END);
	forward.peer = &peer_v6;
	assert_forwarded(&forward,
	    LINE "X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: https\r\n"
		 "X-Forwarded-Host: h\r\nX-Real-IP: 2001:db8::1\r\n"
		 "Forwarded: for=1.1.1.1, for=\"[2001:db8::1]\";host=\"h\";"
		 "proto=https\r\n" SIGNED END);
}

static void
peers_on_unix_sockets_have_no_address(void **state)
{
	static const struct forward_options options = { .forwarded = true };
	static const struct forward_peer peer = { .is_trusted = true };
	struct forward_request forward =
	    forward_of(LINE "X-Forwarded-For: 1.1.1.1\r\n" END);

	(void)state;
	forward.peer = &peer;
	assert_forwarded(&forward,
	    LINE "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: http\r\n"
		 "X-Forwarded-Host: h\r\n" SIGNED END);
	forward.options = &options;
	assert_forwarded(&forward,
	    LINE "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: http\r\n"
		 "X-Forwarded-Host: h\r\n"
		 "Forwarded: for=unknown;host=\"h\";proto=http\r\n" SIGNED END);
}

static void
starts_a_trace_by_switch(void **state)
{
	static const struct forward_options options = { .traceparent = true };
	struct forward_request forward = forward_of(LINE END);
	struct http_out out = { .data = written, .size = sizeof(written) };
	const struct http_field *field;
	static struct http_request again;

	(void)state;
	forward.options = &options;
	http_forward_request(&forward, &out);
	assert_int_equal(http_request_parse(bytes_slice(out.data, out.len),
	    &again), HTTP_FAULT_NONE);
	field = http_field_find(&again.fields, HTTP_FIELD_TRACEPARENT);
	assert_non_null(field);
	assert_int_equal(field->value.len, 55);
	assert_true(bytes_start_with(field->value, bytes_of("00-")));

	forward = forward_of(LINE "Traceparent: theirs\r\n" END);
	forward.options = &options;
	assert_forwarded(&forward,
	    LINE "Traceparent: theirs\r\n" ORIGIN SIGNED END);
}

static void
obeys_edits_but_for_its_own_fields(void **state)
{
	static const struct header_edit edits[] = {
		{ HEADER_SET, true, BYTES_LITERAL("X-A"),
		    BYTES_LITERAL("new") },
		{ HEADER_ADD, true, BYTES_LITERAL("X-B"),
		    BYTES_LITERAL("two") },
		{ HEADER_REMOVE, true, BYTES_LITERAL("x-c"), { NULL, 0 } },
		{ HEADER_SET, false, BYTES_LITERAL("X-D"), BYTES_LITERAL("x") },
		{ HEADER_SET, true, BYTES_LITERAL("Host"), BYTES_LITERAL("x") },
		{ HEADER_SET, true, BYTES_LITERAL("Content-Length"),
		    BYTES_LITERAL("9") },
		{ HEADER_REMOVE, true, BYTES_LITERAL("Via"), { NULL, 0 } },
	};
	struct forward_request forward = forward_of(
	    LINE "x-a: 1\r\nX-B: one\r\nX-A: 2\r\nX-C: 3\r\nX-D: 4\r\n" END);

	(void)state;
	forward.edits = edits;
	forward.edit_count = COUNT_OF(edits);
	assert_forwarded(&forward,
	    LINE "X-B: one\r\nX-D: 4\r\n" ORIGIN SIGNED
		 "X-A: new\r\nX-B: two\r\n" END);
}

static void
old_requests_are_signed_so(void **state)
{
	struct forward_request forward =
	    forward_of("GET /a HTTP/1.0\r\n\r\n");

	(void)state;
	forward.host = bytes_of("backend:80");
	assert_forwarded(&forward,
	    "GET /a HTTP/1.1\r\nHost: backend:80\r\n"
	    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
	    "X-Forwarded-Port: 8080\r\nX-Real-IP: 192.0.2.7\r\n"
	    "Via: 1.0 sluice\r\nX-Request-Id: id-1\r\n\r\n");
}

static void
sees_itself_in_via(void **state)
{
	static const struct {
		const char *via;
		bool is_loop;
	} loops[] = {
		{ "1.1 sluice", true },
		{ "1.0 a, 1.1 Sluice (comment), 1.1 b", true },
		{ "HTTP/1.1  sluice", true },
		{ "1.1 sluices", false },
		{ "1.1 a (sluice)", false },
		{ "sluice", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(loops); i++) {
		char head[256];

		snprintf(head, sizeof(head), LINE "Via: %s\r\n\r\n",
		    loops[i].via);
		forward_of(head);
		if (http_forward_is_loop(&request) != loops[i].is_loop)
			fail_msg("%s", loops[i].via);
	}
	forward_of(LINE END);
	assert_false(http_forward_is_loop(&request));
}

/* A request that went through says the same as before. */
static void
is_parsed_again_as_the_same_request(void **state)
{
	static struct http_request again;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct forward_request forward = forward_of(cases[i].head);
		struct http_out out = { .data = written,
			.size = sizeof(written) };

		http_forward_request(&forward, &out);
		assert_int_equal(
		    http_request_parse(bytes_slice(out.data, out.len), &again),
		    HTTP_FAULT_NONE);
		assert_true(bytes_equal(request.method, again.method));
		assert_true(bytes_equal(request.path, again.path));
		assert_true(bytes_equal(request.query, again.query));
		assert_true(bytes_equal(request.host, again.host));
		assert_true(bytes_equal(request.upgrade, again.upgrade));
		assert_int_equal(request.body, again.body);
		assert_true(request.content_length == again.content_length);
		assert_int_equal(request.accepts_trailers,
		    again.accepts_trailers);
		assert_true(http_forward_is_loop(&again));
	}
}

static void
says_when_there_is_no_room(void **state)
{
	struct forward_request forward = forward_of(LINE END);
	struct http_out out = { .data = written, .size = sizeof(written) };
	size_t len;

	(void)state;
	http_forward_request(&forward, &out);
	len = out.len;
	for (size_t size = 0; size <= len; size++) {
		out = (struct http_out){ .data = written, .size = size };
		http_forward_request(&forward, &out);
		assert_int_equal(out.is_full, size < len);
		assert_true(out.len <= size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_by_its_table),
		cmocka_unit_test(makes_the_path_from_its_parts),
		cmocka_unit_test(tells_the_prefix_that_was_stripped),
		cmocka_unit_test(tells_forwarded_by_switch),
		cmocka_unit_test(peers_on_unix_sockets_have_no_address),
		cmocka_unit_test(starts_a_trace_by_switch),
		cmocka_unit_test(obeys_edits_but_for_its_own_fields),
		cmocka_unit_test(old_requests_are_signed_so),
		cmocka_unit_test(sees_itself_in_via),
		cmocka_unit_test(is_parsed_again_as_the_same_request),
		cmocka_unit_test(says_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
