/*
 * tests/unit/registryd/test_object_json.c - bodies of the API, read strictly.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registryd/object_json.h"

struct reading {
	const char *sentence, *json;
	unsigned int status;		/* 0: good */
	const char *pointer;
};

static const struct reading services[] = {
	{ "a name is enough", "{\"name\":\"a\"}", 0, "" },
	{ "no name is refused", "{}", 422, "/name" },
	{ "an unknown member is refused", "{\"name\":\"a\",\"x\":1}", 422,
	    "/x" },
	{ "a pointer is escaped", "{\"a/b~c\":1}", 422, "/a~1b~0c" },
	{ "a word must be known", "{\"name\":\"a\",\"policy\":\"fast\"}", 422,
	    "/policy" },
	{ "a number must be in range", "{\"name\":\"a\",\"retries\":2}", 422,
	    "/retries" },
	{ "a number must be whole", "{\"name\":\"a\",\"retries\":0.5}", 422,
	    "/retries" },
	{ "null is no value", "{\"name\":null}", 422, "/name" },
	{ "inner members have longer pointers",
	    "{\"name\":\"a\",\"probe\":{\"rise\":\"2\"}}", 422,
	    "/probe/rise" },
	{ "an HTTP probe needs a path",
	    "{\"name\":\"a\",\"probe\":{\"kind\":\"http\"}}", 422,
	    "/probe/path" },
	{ "a path with a blank would break the probe",
	    "{\"name\":\"a\",\"probe\":{\"path\":\"/a b\"}}", 422,
	    "/probe/path" },
	{ "a slash cannot be in a name", "{\"name\":\"a/b\"}", 422, "/name" },
	{ "what is shown only is ignored",
	    "{\"name\":\"a\",\"version\":7,\"origin\":\"file\"}", 0, "" },
	{ "hashing by a field needs its name",
	    "{\"name\":\"a\",\"policy\":\"hash_header\"}", 422,
	    "/hash_header" },
	{ "an array is no service", "[]", 422, "" },
	{ "text is no JSON", "nonsense", 400, "" },
	{ "half an object is no JSON", "{\"name\":", 400, "" },
};

static const struct reading backends[] = {
	{ "a url is enough", "{\"url\":\"http://h:1\"}", 0, "" },
	{ "a socket is a url", "{\"url\":\"unix:/run/x\"}", 0, "" },
	{ "no url is refused", "{\"weight\":1}", 422, "/url" },
	{ "a url needs its scheme", "{\"url\":\"h:1\"}", 422, "/url" },
	{ "a weight has an end", "{\"url\":\"http://h\",\"weight\":65536}",
	    422, "/weight" },
};

static const struct reading routes[] = {
	{ "a prefix and a service are enough",
	    "{\"prefixes\":[\"/a\"],\"service\":\"s\"}", 0, "" },
	{ "a route needs a prefix", "{\"service\":\"s\"}", 422, "/prefixes" },
	{ "a route needs a service", "{\"prefixes\":[\"/a\"]}", 422,
	    "/service" },
	{ "the bad element is pointed at",
	    "{\"prefixes\":[\"/a\",7],\"service\":\"s\"}", 422,
	    "/prefixes/1" },
	{ "a prefix that no path has is refused",
	    "{\"prefixes\":[\"/a%00\"],\"service\":\"s\"}", 422,
	    "/prefixes/0" },
	{ "service and one target may say the same",
	    "{\"prefixes\":[\"/\"],\"service\":\"s\","
	    "\"targets\":[{\"service\":\"s\"}]}", 0, "" },
	{ "service and targets may not differ",
	    "{\"prefixes\":[\"/\"],\"service\":\"s\","
	    "\"targets\":[{\"service\":\"t\"}]}", 422, "/service" },
	{ "a service is named once",
	    "{\"prefixes\":[\"/\"],\"targets\":[{\"service\":\"s\"},"
	    "{\"service\":\"s\"}]}", 422, "/targets/1/service" },
	{ "a target has two members",
	    "{\"prefixes\":[\"/\"],\"targets\":[{\"service\":\"s\",\"x\":1}]}",
	    422, "/targets/0" },
	{ "framing fields are not for edits",
	    "{\"prefixes\":[\"/\"],\"service\":\"s\",\"headers\":[{\"op\":"
	    "\"set\",\"of\":\"request\",\"name\":\"Content-Length\","
	    "\"value\":\"1\"}]}", 422, "/headers/0" },
	{ "a line break would be a second field",
	    "{\"prefixes\":[\"/\"],\"service\":\"s\",\"headers\":[{\"op\":"
	    "\"set\",\"of\":\"request\",\"name\":\"X\","
	    "\"value\":\"1\\r\\nY: 2\"}]}", 422, "/headers/0" },
};

static void
check_case(const struct reading *want, int result,
    const struct problem *problem)
{
	unsigned int status = result == 0 ? 0 : problem->status;

	if (status != want->status)
		fail_msg("%s: %u %s", want->sentence, status,
		    status == 0 ? "" : problem->detail);
	if (status != 0 && strcmp(problem->pointer, want->pointer) != 0)
		fail_msg("%s: points to %s", want->sentence,
		    problem->pointer);
}

static void
services_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(services); i++) {
		struct problem problem;
		struct service service;
		int result;

		assert_int_equal(service_init(&service, &problem), 0);
		result = service_read(bytes_of(services[i].json), false,
		    &service, &problem);
		if (result == 0)
			result = service_check(&service, &problem);
		check_case(&services[i], result, &problem);
		service_clear(&service);
	}
}

static void
backends_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(backends); i++) {
		struct problem problem;
		struct backend backend;
		int result;

		assert_int_equal(backend_init(&backend, &problem), 0);
		result = backend_read(bytes_of(backends[i].json), false,
		    &backend, &problem);
		if (result == 0)
			result = backend_check(&backend, &problem);
		check_case(&backends[i], result, &problem);
		backend_clear(&backend);
	}
}

static void
routes_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		struct problem problem;
		struct route route;
		int result;

		assert_int_equal(route_init(&route, &problem), 0);
		result = route_read(bytes_of(routes[i].json), false, &route,
		    &problem);
		if (result == 0)
			result = route_check(&route, &problem);
		check_case(&routes[i], result, &problem);
		route_clear(&route);
	}
}

static void
a_merge_changes_what_it_names(void **state)
{
	struct problem problem;
	struct service service;

	(void)state;
	assert_int_equal(service_init(&service, &problem), 0);
	assert_int_equal(service_read(bytes_of("{\"name\":\"a\","
	    "\"connect_timeout_ms\":7,\"probe\":{\"kind\":\"http\","
	    "\"path\":\"/h\",\"rise\":3}}"), false, &service, &problem), 0);
	assert_int_equal(service_read(bytes_of("{\"connect_timeout_ms\":null,"
	    "\"probe\":{\"rise\":4}}"), true, &service, &problem), 0);
	assert_int_equal(service.connect_timeout_ms, 0);
	assert_int_equal(service.probe_rise, 4);
	assert_int_equal(service.probe_kind, PROBE_HTTP);
	assert_string_equal(service.probe_path, "/h");
	service_clear(&service);
}

static void
domains_and_prefixes_become_canonical_and_unique(void **state)
{
	struct problem problem;
	struct route route;

	(void)state;
	assert_int_equal(route_init(&route, &problem), 0);
	assert_int_equal(route_read(bytes_of("{\"service\":\"s\",\"domains\":"
	    "[\"Example.ORG.\",\"example.org\"],\"prefixes\":[\"/a/\","
	    "\"/b/../a\",\"/c\"]}"), false, &route, &problem), 0);
	assert_int_equal(route_check(&route, &problem), 0);
	assert_int_equal(route.domain_count, 1);
	assert_string_equal(route.domains[0], "example.org");
	assert_int_equal(route.prefix_count, 2);
	assert_string_equal(route.prefixes[0], "/a");
	assert_string_equal(route.prefixes[1], "/c");
	route_clear(&route);
}

static void
what_is_written_reads_back(void **state)
{
	struct problem problem;
	struct route route, again;
	char *text, *text_again;

	(void)state;
	assert_int_equal(route_init(&route, &problem), 0);
	assert_int_equal(route_init(&again, &problem), 0);
	assert_int_equal(route_read(bytes_of("{\"service\":\"s\",\"label\":"
	    "\"l\\\"\",\"prefixes\":[\"/a\"],\"priority\":-3,\"on_conflict\":"
	    "\"share\",\"headers\":[{\"op\":\"add\",\"of\":\"response\","
	    "\"name\":\"X\",\"value\":\"\\u00e9\"}]}"), false, &route,
	    &problem), 0);
	assert_non_null(text = route_text(&route));
	assert_int_equal(route_read(bytes_of(text), false, &again, &problem),
	    0);
	assert_non_null(text_again = route_text(&again));
	assert_string_equal(text, text_again);
	free(text);
	free(text_again);
	route_clear(&route);
	route_clear(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_read_strictly),
		cmocka_unit_test(backends_are_read_strictly),
		cmocka_unit_test(routes_are_read_strictly),
		cmocka_unit_test(a_merge_changes_what_it_names),
		cmocka_unit_test(
		    domains_and_prefixes_become_canonical_and_unique),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
