/*
 * tests/unit/registryd/test_api.c - the admin API, byte for byte.
 *
 * One registryd answers all cases in order; each may stand on those
 * before it.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "role.h"

static struct role role;

struct call {
	const char *sentence, *method, *path, *fields, *body;
	unsigned int status;
	const char *want;		/* the whole body; "~x": contains x */
	const char *want_field;		/* a line of the head; NULL: any */
};

static const struct call older[] = {
	{ "a registration is answered in its own shape", "POST", "/register",
	    "", "{\"name\":\"s\",\"base_url\":\"http://127.0.0.1:9\","
		"\"routes\":[\"/s\"]}",
	    201, "{\"status\":\"registered\",\"server\":\"s\"}",
	    "Sluice-Generation: 1" },
	{ "a registration may be repeated", "POST", "/register", "",
	    "{\"name\":\"s\",\"base_url\":\"http://127.0.0.1:8\","
	    "\"routes\":[\"/s\",\"/t\"],\"extra\":1}",
	    201, "{\"status\":\"registered\",\"server\":\"s\"}", NULL },
	{ "the registry shows what was said last", "GET", "/registry", "", "",
	    200, "~[{\"name\":\"s\",\"base_url\":\"http://127.0.0.1:8\","
		 "\"routes\":[\"/s\",\"/t\"],\"registered_at\":\"", NULL },
	{ "there is one backend then, not two", "GET",
	    "/v1/services/s/backends", "", "", 200, "~\"id\":1,", NULL },
	{ "half a body is no payload", "POST", "/register", "", "{", 400,
	    "invalid payload in request",
	    "Content-Type: text/plain; charset=utf-8" },
	{ "a number is no name", "POST", "/register", "",
	    "{\"name\":1,\"base_url\":\"http://h\",\"routes\":[\"/\"]}", 400,
	    "invalid payload in request", NULL },
	{ "a name alone is too little", "POST", "/register", "",
	    "{\"name\":\"x\"}", 400, "missing a required field in payload",
	    NULL },
	{ "no routes are too little", "POST", "/register", "",
	    "{\"name\":\"x\",\"base_url\":\"http://h\",\"routes\":[]}", 400,
	    "missing a required field in payload", NULL },
	{ "another name shares the path", "POST", "/register", "",
	    "{\"name\":\"u\",\"base_url\":\"unix:/run/u\","
	    "\"routes\":[\"/s\"],\"health_path\":\"/h\"}",
	    201, "{\"status\":\"registered\",\"server\":\"u\"}", NULL },
	{ "a health path asks for an HTTP probe", "GET", "/v1/services/u",
	    "", "", 200, "~\"probe\":{\"kind\":\"http\",\"path\":\"/h\"",
	    NULL },
	{ "the name may stand in the query", "DELETE", "/deregister?name=s",
	    "", "", 200, "{\"status\":\"deregistered\",\"server\":\"s\"}",
	    NULL },
	{ "gone is gone", "DELETE", "/deregister?name=s", "", "", 200,
	    "{\"status\":\"deregistered\",\"server\":\"s\"}", NULL },
	{ "the name may stand in a body", "POST", "/deregister", "",
	    "{\"name\":\"u\"}", 200,
	    "{\"status\":\"deregistered\",\"server\":\"u\"}", NULL },
	{ "a name there must be", "DELETE", "/deregister", "", "", 400,
	    "name parameter required", NULL },
	{ "also in a body", "POST", "/deregister", "", "{}", 400,
	    "name parameter required", NULL },
	{ "nobody is left", "GET", "/registry", "", "", 200, "[]", NULL },
	{ "other methods are refused", "PUT", "/register", "", "", 405,
	    "~\"status\":405", "Allow: POST" },
	{ "an embedded store is no connection", "GET", "/api/ready", "", "",
	    200, "{\"ready\":true,\"connections\":{\"database\":{\"status\":"
		 "\"not_configured\"}}}", NULL },
};

static const struct call current[] = {
	{ "a service is made", "POST", "/v1/services", "",
	    "{\"name\":\"a b\"}", 201, "~\"name\":\"a b\"",
	    "Location: /v1/services/a%20b" },
	{ "but once", "POST", "/v1/services", "", "{\"name\":\"a b\"}", 409,
	    "~\"reason\":\"exists\"",
	    "Content-Type: application/problem+json" },
	{ "a name is decoded from the path", "GET", "/v1/services/a%20b", "",
	    "", 200, "~\"name\":\"a b\"", NULL },
	{ "PUT makes", "PUT", "/v1/services/s", "", "{}", 201,
	    "~\"name\":\"s\"", NULL },
	{ "PUT of the same changes nothing", "PUT", "/v1/services/s", "",
	    "{}", 200, "~\"name\":\"s\"", NULL },
	{ "PUT cannot rename", "PUT", "/v1/services/s", "",
	    "{\"name\":\"t\"}", 422, "~\"pointer\":\"#/name\"", NULL },
	{ "a backend is added", "POST", "/v1/services/s/backends", "",
	    "{\"url\":\"http://127.0.0.1:1\"}", 201, "~\"weight\":1",
	    "Location: /v1/services/s/backends/3" },
	{ "a backend is another service's nothing", "GET",
	    "/v1/services/a%20b/backends/3", "", "", 404,
	    "~\"reason\":\"no_backend\"", NULL },
	{ "a route is made", "POST", "/v1/routes", "",
	    "{\"service\":\"s\",\"prefixes\":[\"/s/\"]}", 201,
	    "~\"prefixes\":[\"/s\"]", "Location: /v1/routes/3" },
	{ "a taken path names its owner", "POST", "/v1/routes", "",
	    "{\"service\":\"a b\",\"prefixes\":[\"/s\"]}", 409,
	    "~\"owner\":{\"service\":\"s\",\"route\":3}", NULL },
	{ "a dry run says what would be", "PATCH",
	    "/v1/routes/3?dry_run=true", "", "{\"priority\":9}", 200,
	    "~\"priority\":9", NULL },
	{ "and does not do it", "GET", "/v1/routes/3", "", "", 200,
	    "~\"priority\":0", NULL },
	{ "an old version is refused", "PATCH", "/v1/routes/3",
	    "If-Match: \"1\"\r\n", "{\"priority\":9}", 412,
	    "~\"reason\":\"version_mismatch\"", NULL },
	{ "any version is none", "DELETE", "/v1/routes/99",
	    "If-Match: *\r\n", "", 412, "~412", NULL },
	{ "what is there is not made", "PUT", "/v1/services/s",
	    "If-None-Match: *\r\n", "{}", 412, "~412", NULL },
	{ "a service in use stays", "DELETE", "/v1/services/s", "", "", 409,
	    "~\"reason\":\"in_use\"", NULL },
	{ "unless all go", "DELETE", "/v1/services/s?cascade=true", "", "",
	    204, "", NULL },
	{ "deleting again is well", "DELETE", "/v1/services/s", "", "", 204,
	    "", NULL },
	{ "an unknown parameter is refused", "GET", "/v1/services?colour=1",
	    "", "", 400, "~colour", NULL },
	{ "a page has a size", "GET", "/v1/services?limit=0", "", "", 400,
	    "~limit", NULL },
	{ "another origin may not write", "POST", "/v1/services",
	    "Origin: http://evil.example\r\n", "{\"name\":\"x\"}", 403,
	    "~foreign_origin", NULL },
	{ "a range needs its dots", "GET", "/v1/changes/7", "", "", 400,
	    "~A..B", NULL },
	{ "history says who", "GET", "/v1/changes?kind=service&limit=1", "",
	    "", 200, "~\"who\":\"anonymous\",\"from\":\"127.0.0.1\"", NULL },
	{ "explaining needs a url", "GET", "/v1/explain", "", "", 400,
	    "~url", NULL },
	{ "what nobody serves is explained, too", "GET",
	    "/v1/explain?url=http://h/nobody", "", "", 200,
	    "~\"refusal\":\"no_route\",\"status\":404", NULL },
	{ "nothing is nothing", "GET", "/v1/nothing", "", "", 404,
	    "~\"reason\":\"no_resource\"", NULL },
	{ "a level must be known", "PUT", "/v1/log", "",
	    "{\"level\":\"loud\"}", 422, "~level", NULL },
	{ "a level is everybody's", "PUT", "/v1/log", "",
	    "{\"level\":\"error\"}", 200, "{\"level\":\"error\"}", NULL },
	{ "figures are plain text", "GET", "/metrics", "", "", 200,
	    "~sluice_table_generation ",
	    "Content-Type: text/plain; version=0.0.4; charset=utf-8" },
};

static void
run(const struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct call *call = &calls[i];
		struct role_answer answer = role_call(&role, call->method,
		    call->path, call->fields, call->body);

		if (answer.status != call->status)
			fail_msg("%s: %u %s", call->sentence, answer.status,
			    answer.body);
		if (call->want[0] == '~' ?
			strstr(answer.body, call->want + 1) == NULL :
			strcmp(answer.body, call->want) != 0)
			fail_msg("%s: %s", call->sentence, answer.body);
		if (call->want_field != NULL &&
		    strstr(answer.head, call->want_field) == NULL)
			fail_msg("%s: %s", call->sentence, answer.head);
		free(answer.head);
	}
}

static void
older_clients_are_answered_to_the_letter(void **state)
{
	(void)state;
	run(older, COUNT_OF(older));
}

static void
the_api_keeps_its_rules(void **state)
{
	(void)state;
	run(current, COUNT_OF(current));
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	char *answers = role_talk(&role,
	    "POST /register HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "3c\r\n{\"name\":\"p\",\"base_url\":\"http://127.0.0.1:9\","
	    "\"routes\":[\"/p\"]}\r\n0\r\n\r\n"
	    "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	    "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	const char *first, *second, *third;

	(void)state;
	first = strstr(answers, "HTTP/1.1 201 ");
	second = strstr(answers, "HTTP/1.1 200 ");
	third = strstr(answers, "HTTP/1.1 404 ");
	assert_non_null(first);
	assert_non_null(second);
	assert_non_null(third);
	assert_true(first < second && second < third);
	free(answers);
}

static void
what_is_no_http_is_refused_and_closed(void **state)
{
	char *answer = role_talk(&role, "GET /livez HTTP/1.1\n\n");

	(void)state;
	assert_non_null(strstr(answer, "HTTP/1.1 400 "));
	assert_non_null(strstr(answer, "Connection: close"));
	free(answer);
}

static void
a_body_over_the_limit_is_413(void **state)
{
	char *answer = role_talk(&role, "POST /register HTTP/1.1\r\nHost: x"
	    "\r\nContent-Length: 99999999\r\n\r\n");

	(void)state;
	assert_non_null(strstr(answer, "HTTP/1.1 413 "));
	free(answer);
}

static void
what_was_answered_is_in_the_table(void **state)
{
	struct route_table *table = fixture_table(&role.fixture);
	struct role_answer answer = role_call(&role, "POST", "/register", "",
	    "{\"name\":\"q\",\"base_url\":\"http://127.0.0.1:9\","
	    "\"routes\":[\"/q\"]}");
	struct path_match match;

	(void)state;
	assert_int_equal(answer.status, 201);
	assert_int_equal(route_table_lookup(table, 0, bytes_of("h"),
	    bytes_of("/q/x"), &match), TABLE_FOUND);
	route_table_close(&table);
	free(answer.head);
}

static int
start(void **state)
{
	(void)state;
	role_start(&role);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	role_stop(&role);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_clients_are_answered_to_the_letter),
		cmocka_unit_test(the_api_keeps_its_rules),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(what_is_no_http_is_refused_and_closed),
		cmocka_unit_test(a_body_over_the_limit_is_413),
		cmocka_unit_test(what_was_answered_is_in_the_table),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
