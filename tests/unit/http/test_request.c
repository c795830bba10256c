/*
 * tests/unit/http/test_request.c - what a request head is taken to say.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "http/head.h"

static struct http_request request;

static void
parse(const char *head)
{
	enum http_fault fault = http_request_parse(bytes_of(head), &request);

	if (fault != HTTP_FAULT_NONE)
		fail_msg("%s\n%s", head, http_fault_text(fault));
}

static void
assert_text(struct bytes got, const char *want)
{
	if (!bytes_is(got, want))
		fail_msg("got \"%.*s\", want \"%s\"", BYTES_ARGS(got), want);
}

static void
reads_targets(void **state)
{
	static const struct {
		const char *line, *path, *query, *host, *authority;
	} cases[] = {
		{ "GET / HTTP/1.1", "/", NULL, "h.example", "H.example:80" },
		{ "GET /a/b?c=%2e HTTP/1.1", "/a/b", "c=%2e", "h.example",
		    "H.example:80" },
		{ "GET /a? HTTP/1.1", "/a", "", "h.example", "H.example:80" },
		{ "GET /a?b?/../\\ HTTP/1.1", "/a", "b?/../\\", "h.example",
		    "H.example:80" },
		{ "GET /a/../%62//c HTTP/1.1", "/b/c", NULL, "h.example",
		    "H.example:80" },
		{ "GET /.well-known/x HTTP/1.1", "/.well-known/x", NULL,
		    "h.example", "H.example:80" },
		{ "GET http://B.Example:1/x?y HTTP/1.1", "/x", "y", "b.example",
		    "B.Example:1" },
		{ "GET HTTPS://b HTTP/1.1", "/", NULL, "b", "b" },
		{ "GET http://b?y HTTP/1.1", "/", "y", "b", "b" },
		{ "OPTIONS * HTTP/1.1", "*", NULL, "h.example",
		    "H.example:80" },
		{ "OPTIONS http://b HTTP/1.1", "*", NULL, "b", "b" },
		{ "OPTIONS http://b/ HTTP/1.1", "/", NULL, "b", "b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char head[256];

		snprintf(head, sizeof(head), "%s\r\nHost: H.example:80\r\n\r\n",
		    cases[i].line);
		parse(head);
		assert_text(request.path, cases[i].path);
		assert_int_equal(request.query.data == NULL,
		    cases[i].query == NULL);
		if (cases[i].query != NULL)
			assert_text(request.query, cases[i].query);
		assert_text(request.host, cases[i].host);
		assert_text(request.authority, cases[i].authority);
	}
}

static void
normal_paths_are_not_copied(void **state)
{
	const char *head = "GET /a/b.c HTTP/1.1\r\nHost: h\r\n\r\n";

	(void)state;
	parse(head);
	assert_ptr_equal(request.path.data, head + 4);
}

static void
normalises_hosts(void **state)
{
	static const struct {
		const char *field, *host;
	} cases[] = {
		{ "EXAMPLE.com", "example.com" },
		{ "example.com.", "example.com" },
		{ "example.com:", "example.com" },
		{ "example.com.:8080", "example.com" },
		{ "a_b-c.x", "a_b-c.x" },
		{ "192.0.2.7:65535", "192.0.2.7" },
		{ "[2001:DB8:0:0::1]:80", "[2001:db8::1]" },
		{ "[::1]", "[::1]" },
		{ "ABCDEFGHIJKLMNO.pqrstuvw-0123456789.Z:1",
		    "abcdefghijklmno.pqrstuvw-0123456789.z" },
		{ "Sixteen-bytes-ab", "sixteen-bytes-ab" },
		{ "Sixteen-bytes-ab:80", "sixteen-bytes-ab" },
		{ "Sixteen-bytes-abC", "sixteen-bytes-abc" },
		{ "Sixteen-bytes-aB_C~d!$&'()*+,;=E.:7",
		    "sixteen-bytes-ab_c~d!$&'()*+,;=e" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char head[256];

		snprintf(head, sizeof(head),
		    "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
		    cases[i].field);
		parse(head);
		assert_text(request.host, cases[i].host);
	}
}

static void
takes_hosts_up_to_their_limit(void **state)
{
	char head[512], host[HTTP_HOST_MAX + 32];

	(void)state;
	memset(host, 'A', sizeof(host));
	for (int len = 1; len <= HTTP_HOST_MAX + 20; len++) {
		snprintf(head, sizeof(head),
		    "GET / HTTP/1.1\r\nHost: %.*s:1\r\n\r\n", len, host);
		assert_int_equal(http_request_parse(bytes_of(head), &request),
		    len <= HTTP_HOST_MAX ? HTTP_FAULT_NONE : HTTP_FAULT_HOST);
		if (len > HTTP_HOST_MAX)
			continue;
		assert_int_equal(request.host.len, len);
		for (int i = 0; i < len; i++)
			assert_int_equal(request.host.data[i], 'a');
	}
}

static void
old_requests_need_no_host(void **state)
{
	(void)state;
	parse("GET / HTTP/1.0\r\n\r\n");
	assert_int_equal(request.minor_version, 0);
	assert_int_equal(request.host.len, 0);
	assert_false(request.keeps_alive);
	parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
	assert_true(request.keeps_alive);
	parse("GET / HTTP/1.7\r\nHost: h\r\n\r\n");
	assert_int_equal(request.minor_version, 1);
}

static void
an_empty_line_may_come_first(void **state)
{
	(void)state;
	parse("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_text(request.method, "GET");
}

#define HEAD "POST / HTTP/1.1\r\nHost: h\r\n"

static void
reads_how_long_the_body_is(void **state)
{
	static const struct {
		const char *head;
		enum http_body body;
		uint64_t length;
	} cases[] = {
		{ HEAD "\r\n", HTTP_BODY_NONE, 0 },
		{ HEAD "Content-Length: 0\r\n\r\n", HTTP_BODY_NONE, 0 },
		{ HEAD "Content-Length:5\r\n\r\n", HTTP_BODY_LENGTH, 5 },
		{ HEAD "content-length: \t 005 \r\n\r\n", HTTP_BODY_LENGTH, 5 },
		{ HEAD "Content-Length: 9223372036854775807\r\n\r\n",
		    HTTP_BODY_LENGTH, INT64_MAX },
		{ HEAD "Transfer-Encoding: Chunked\r\n\r\n", HTTP_BODY_CHUNKED,
		    0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		parse(cases[i].head);
		assert_int_equal(request.body, cases[i].body);
		assert_true(request.content_length == cases[i].length);
	}
}

static void
reads_what_the_connection_is_for(void **state)
{
	(void)state;
	parse(HEAD "\r\n");
	assert_true(request.keeps_alive);
	assert_int_equal(request.upgrade.len, 0);
	parse(HEAD "Connection: keep-alive, close\r\n\r\n");
	assert_false(request.keeps_alive);
	parse(HEAD "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	assert_text(request.upgrade, "websocket");
	parse(HEAD "Upgrade: websocket\r\n\r\n");
	assert_int_equal(request.upgrade.len, 0);
	parse(HEAD "Connection: upgrade\r\nUpgrade: H2C\r\n\r\n");
	assert_int_equal(request.upgrade.len, 0);
	parse(HEAD "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n");
	assert_int_equal(request.upgrade.len, 0);
	parse("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
	assert_int_equal(request.upgrade.len, 0);
	parse(HEAD "TE: gzip, Trailers\r\n\r\n");
	assert_true(request.accepts_trailers);
	parse(HEAD "TE: gzip\r\n\r\n");
	assert_false(request.accepts_trailers);
}

static void
reads_expectations(void **state)
{
	(void)state;
	parse(HEAD "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n");
	assert_true(request.expects_continue);
	parse(HEAD "Expect: 100-continue\r\n\r\n");
	assert_false(request.expects_continue);
	parse("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\n");
	assert_false(request.expects_continue);
}

static void
marks_what_is_for_this_hop(void **state)
{
	static const struct {
		const char *name;
		bool is_hop_by_hop;
	} cases[] = {
		{ "Connection", true },	       { "Proxy-Connection", true },
		{ "Keep-Alive", true },	       { "TE", true },
		{ "Transfer-Encoding", true }, { "Upgrade", true },
		{ "Proxy-Authorization", true }, { "Proxy", true },
		{ "Proxy-Anything", true },    { "X-Named", true },
		{ "HTTP2-Settings", true },    { "X-Other", false },
		{ "Host", false },	       { "X-Forwarded-For", false },
		{ "Proxyless", false },	       { "Trailer", false },
	};

	(void)state;
	parse("GET / HTTP/1.1\r\nHost: h\r\n"
	      "Connection: x-named, Host, X-Forwarded-For, , \r\n"
	      "Proxy-Connection: a\r\nKeep-Alive: a\r\nTE: a\r\n"
	      "Transfer-Encoding: chunked\r\nUpgrade: a\r\n"
	      "Proxy-Authorization: a\r\nProxy: a\r\nproxy-anything: a\r\n"
	      "X-Named: a\r\nHTTP2-Settings: a\r\nX-Other: a\r\n"
	      "X-Forwarded-For: a\r\nProxyless: a\r\nTrailer: a\r\n\r\n");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct http_field *field = http_field_find_name(
		    &request.fields, bytes_of(cases[i].name));

		assert_non_null(field);
		if (field->is_withheld != cases[i].is_hop_by_hop)
			fail_msg("%s", cases[i].name);
	}
}

static void
knows_names_that_shadow_its_own(void **state)
{
	static const struct {
		const char *name;
		bool is_shadow;
	} cases[] = {
		{ "X_Forwarded_For", true }, { "x_real-ip", true },
		{ "Content_Length", true },  { "transfer_encoding", true },
		{ "X_Custom", false },	     { "User_Agent", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char head[256];

		snprintf(head, sizeof(head), "%s%s: x\r\n\r\n", HEAD,
		    cases[i].name);
		parse(head);
		if (request.fields.list[1].is_withheld != cases[i].is_shadow)
			fail_msg("%s", cases[i].name);
	}
}

static void
finds_fields(void **state)
{
	const struct http_field *field;

	(void)state;
	parse(HEAD "COOKIE: a\r\nX-A: \t b c\t \r\ncookie: d\r\n"
	    "X-Empty:\r\n\r\n");
	field = http_field_find(&request.fields, HTTP_FIELD_COOKIE);
	assert_non_null(field);
	assert_text(field->value, "a");
	field = http_field_find_name(&request.fields, bytes_of("x-a"));
	assert_text(field->value, "b c");
	field = http_field_find_name(&request.fields, bytes_of("x-empty"));
	assert_text(field->value, "");
	assert_null(http_field_find(&request.fields, HTTP_FIELD_ACCEPT));
	assert_null(http_field_find_name(&request.fields, bytes_of("x-b")));
}

/* In the order of enum http_field_id, without the first. */
static const char *const names[] = { "accept", "authorization", "connection",
	"content-length", "content-type", "cookie", "date", "expect",
	"forwarded", "host", "http2-settings", "keep-alive",
	"proxy-authenticate", "proxy-authorization", "proxy-connection",
	"proxy-status", "referer", "retry-after", "server", "set-cookie", "te",
	"traceparent", "trailer", "transfer-encoding", "upgrade", "user-agent",
	"via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
	"x-forwarded-prefix", "x-forwarded-proto", "x-real-ip",
	"x-request-id" };

static void
knows_each_name_in_any_case(void **state)
{
	(void)state;
	assert_int_equal(COUNT_OF(names), HTTP_FIELD_COUNT - 1);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct bytes name = bytes_of(names[i]);
		char other[32] = "";

		assert_int_equal(http_field_id(name), i + 1);
		for (size_t j = 0; j < name.len; j++)
			other[j] = name.data[j] >= 'a' ?
			    (char)(name.data[j] - 32) : name.data[j];
		assert_int_equal(http_field_id(bytes_of(other)), i + 1);
		other[name.len - 1] = '!';
		assert_int_equal(http_field_id(bytes_of(other)),
		    HTTP_FIELD_OTHER);
	}
}

/* A hyphen and a carriage return, for one, differ in a case bit too. */
static void
takes_no_other_byte_for_a_letter(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		size_t len = strlen(names[i]);
		char name[32];

		memcpy(name, names[i], len);
		for (size_t j = 0; j < len; j++) {
			for (int c = 0; c < 256; c++) {
				int lower = names[i][j];
				bool is_same = c == lower ||
				    (lower >= 'a' && c == lower - 32);

				name[j] = (char)c;
				assert_int_equal(
				    http_field_id(bytes_slice(name, len)) ==
				    i + 1, is_same);
			}
			name[j] = names[i][j];
		}
	}
}

static void
knows_methods(void **state)
{
	static const struct {
		const char *word;
		enum http_method id;
		bool is_idempotent;
	} cases[] = {
		{ "GET", HTTP_METHOD_GET, true },
		{ "HEAD", HTTP_METHOD_HEAD, true },
		{ "POST", HTTP_METHOD_POST, false },
		{ "PUT", HTTP_METHOD_PUT, true },
		{ "DELETE", HTTP_METHOD_DELETE, true },
		{ "OPTIONS", HTTP_METHOD_OPTIONS, true },
		{ "TRACE", HTTP_METHOD_TRACE, true },
		{ "PATCH", HTTP_METHOD_PATCH, false },
		{ "get", HTTP_METHOD_OTHER, false },
		{ "M-SEARCH", HTTP_METHOD_OTHER, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char head[256];

		snprintf(head, sizeof(head), "%s / HTTP/1.1\r\nHost: h\r\n\r\n",
		    cases[i].word);
		parse(head);
		assert_int_equal(request.method_id, cases[i].id);
		assert_int_equal(http_method_is_idempotent(cases[i].id),
		    cases[i].is_idempotent);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_targets),
		cmocka_unit_test(normal_paths_are_not_copied),
		cmocka_unit_test(normalises_hosts),
		cmocka_unit_test(takes_hosts_up_to_their_limit),
		cmocka_unit_test(old_requests_need_no_host),
		cmocka_unit_test(an_empty_line_may_come_first),
		cmocka_unit_test(reads_how_long_the_body_is),
		cmocka_unit_test(reads_what_the_connection_is_for),
		cmocka_unit_test(reads_expectations),
		cmocka_unit_test(marks_what_is_for_this_hop),
		cmocka_unit_test(knows_names_that_shadow_its_own),
		cmocka_unit_test(finds_fields),
		cmocka_unit_test(knows_each_name_in_any_case),
		cmocka_unit_test(takes_no_other_byte_for_a_letter),
		cmocka_unit_test(knows_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
