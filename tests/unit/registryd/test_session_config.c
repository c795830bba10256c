/*
 * tests/unit/registryd/test_session_config.c - what sessions stage.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "registryd/protocol/apply.h"
#include "registryd/protocol/config.h"
#include "registryd/protocol/token.h"

#define ONE "1|ROUTE_ADD|-|a.example,b.example|/api|http://h:1|5"
#define TWO "2|ROUTE_ADD|-|c.example|/|http://h:2|0"

/* Stages lines, each ended by ';'; the last fault, or NULL. */
static const char *
stage(struct session_config *config, const char *lines)
{
	struct bytes rest = bytes_of(lines), line;
	const char *fault = NULL;

	while (bytes_next_field(&rest, ';', &line))
		if (line.len > 0)
			fault = config_stage_text(config, line);
	return fault;
}

/* What is staged on top of what, what is said of it, and what comes of
 * it: the lines of the config. */
static const struct {
	const char *sentence, *before, *line, *fault, *after;
} cases[] = {
	{ "a route is numbered", "", ONE, NULL, ONE ";" },
	{ "numbers go on", ONE, TWO, NULL, ONE ";" TWO ";" },
	{ "a removal leaves the others their numbers", ONE ";" TWO,
	    "0|ROUTE_REMOVE|-|r1", NULL, TWO ";" },
	{ "nobody removes what is not there", ONE, "0|ROUTE_REMOVE|-|r2",
	    "route not found", ONE ";" },
	{ "an update replaces one field", ONE,
	    "0|ROUTE_UPDATE|-|r1|path|/x", NULL,
	    "1|ROUTE_ADD|-|a.example,b.example|/x|http://h:1|5;" },
	{ "a header of ALL is the session's", ONE,
	    "0|HEADERS_SET|-|ALL|X-A|1", NULL,
	    "0|HEADERS_SET|-|ALL|X-A|1;" ONE ";" },
	{ "a header of a route is its own", ONE,
	    "0|HEADERS_SET|-|r1|X-A|1", NULL,
	    ONE ";0|HEADERS_SET|-|r1|X-A|1;" },
	{ "a target may be a domain", ONE,
	    "0|HEADERS_SET|-|B.example|X-A|1", NULL,
	    ONE ";0|HEADERS_SET|-|r1|X-A|1;" },
	{ "a target may be a path", ONE, "0|HEADERS_SET|-|/api|X-A|1", NULL,
	    ONE ";0|HEADERS_SET|-|r1|X-A|1;" },
	{ "each of a list must be known", ONE,
	    "0|HEADERS_SET|-|r1,r2|X-A|1", "route not found", ONE ";" },
	{ "the later header wins", ONE ";0|HEADERS_SET|-|r1|X-A|1",
	    "0|HEADERS_SET|-|ALL|x-a|2", NULL,
	    "0|HEADERS_SET|-|ALL|x-a|2;" ONE ";" },
	{ "a removal takes back", ONE ";0|HEADERS_SET|-|r1|X-A|1",
	    "0|HEADERS_REMOVE|-|r1|X-A", NULL, ONE ";" },
	{ "a removal from ALL takes back from routes",
	    ONE ";0|HEADERS_SET|-|r1|X-A|1", "0|HEADERS_REMOVE|-|ALL|X-A",
	    NULL, ONE ";" },
	{ "a route can do without what ALL has",
	    ONE ";0|HEADERS_SET|-|ALL|X-A|1", "0|HEADERS_REMOVE|-|r1|X-A",
	    NULL,
	    "0|HEADERS_SET|-|ALL|X-A|1;" ONE
	    ";0|HEADERS_REMOVE|-|r1|X-A;" },
	{ "what was not set is the backend's", ONE,
	    "0|HEADERS_REMOVE|-|ALL|Server", NULL,
	    "0|HEADERS_REMOVE|-|ALL|Server;" ONE ";" },
	{ "unknown options are kept", ONE, "0|OPTIONS_SET|-|ALL|colour|red",
	    NULL, "0|OPTIONS_SET|-|ALL|colour|red;" ONE ";" },
	{ "an option that is not there is removed already", ONE,
	    "0|OPTIONS_REMOVE|-|ALL|colour", NULL, ONE ";" },
	{ "bare numbers are seconds", ONE, "0|HEALTH_SET|-|r1|/h|5|1m30s",
	    NULL, ONE ";0|HEALTH_SET|-|r1|/h|5000ms|90000ms;" },
	{ "a limit of 0 is none", ONE ";0|RATELIMIT_SET|-|r1|5|1s",
	    "0|RATELIMIT_SET|-|r1|0|1s", NULL, ONE ";" },
	{ "a breaker is kept", ONE, "0|CIRCUIT_SET|-|r1|3|30|2", NULL,
	    ONE ";0|CIRCUIT_BREAKER_SET|-|r1|3|30000ms|2;" },
};

static char *
lines_of(const struct session_config *config)
{
	struct buf buf = { 0 };

	config_write_lines(config, &buf);
	for (size_t i = 0; i < buf.len; i++)
		if (buf.data[i] == '\n')
			buf.data[i] = ';';
	return buf.data == NULL ? strdup("") : buf.data;
}

static void
configs_follow_their_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct session_config config;
		const char *fault;
		char *lines;

		config_init(&config);
		assert_null(stage(&config, cases[i].before));
		fault = stage(&config, cases[i].line);
		lines = lines_of(&config);
		if ((fault == NULL) != (cases[i].fault == NULL) ||
		    (fault != NULL && strcmp(fault, cases[i].fault) != 0))
			fail_msg("%s: %s", cases[i].sentence, fault);
		if (strcmp(lines, cases[i].after) != 0)
			fail_msg("%s: %s", cases[i].sentence, lines);
		free(lines);
		config_clear(&config);
	}
}

static void
a_copy_is_changed_alone(void **state)
{
	struct session_config config, copy;
	char *lines;

	(void)state;
	config_init(&config);
	assert_null(stage(&config, ONE ";" TWO));
	assert_int_equal(config_copy(&config, &copy), 0);
	assert_ptr_equal(config.routes[0], copy.routes[0]);
	assert_null(stage(&copy, "0|ROUTE_UPDATE|-|r1|priority|9"));
	assert_ptr_not_equal(config.routes[0], copy.routes[0]);
	assert_ptr_equal(config.routes[1], copy.routes[1]);
	config_clear(&copy);
	lines = lines_of(&config);
	assert_string_equal(lines, ONE ";" TWO ";");
	free(lines);
	config_clear(&config);
}

static void
names_of_places_are_one_to_one(void **state)
{
	static const struct {
		const char *service, *host, *prefix, *name;
	} places[] = {
		{ "billing", "a.example", "/", "billing@a.example" },
		{ "billing", "", "/", "billing@" },
		{ "billing", "a.example", "/v1/x", "billing@a.example:v1:x" },
		{ "billing", "a.example", "/v1:x",
		    "billing@a.example:v1%3Ax" },
		{ "a/b@c", "", "/", "a:b%40c@" },
	};
	char name[PLACE_NAME_SIZE], owner[PLACE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		assert_int_equal(place_name(places[i].service,
		    places[i].host, places[i].prefix, name), 0);
		assert_string_equal(name, places[i].name);
		place_owner(name, owner);
		assert_string_equal(owner, places[i].service);
	}
}

/* Tokens ----------------------------------------------------------------- */

static const struct {
	const char *sentence, *scopes, *service, *line;
	bool allows_service, allows_route;
} token_cases[] = {
	{ "an empty token allows all", "{}", "x", ONE, true, true },
	{ "a service is named", "{\"services\":[\"x\"]}", "y", ONE, false,
	    true },
	{ "a service may begin so", "{\"services\":[\"web-*\"]}", "web-1",
	    ONE, true, true },
	{ "all domains must be within", "{\"domains\":[\"a.example\"]}", "x",
	    ONE, true, false },
	{ "a star is each name below", "{\"domains\":[\"*.example\"]}", "x",
	    ONE, true, true },
	{ "a star is not the name itself",
	    "{\"domains\":[\"*.a.example\",\"b.example\"]}", "x", ONE, true,
	    false },
	{ "a prefix covers itself", "{\"prefixes\":[\"/api\"]}", "x", ONE,
	    true, true },
	{ "a prefix ends with a segment", "{\"prefixes\":[\"/ap\"]}", "x",
	    ONE, true, false },
	{ "the root covers all", "{\"prefixes\":[\"/\"]}", "x", ONE, true,
	    true },
};

static void
tokens_follow_their_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(token_cases); i++) {
		char secret[TOKEN_SECRET_SIZE];
		struct session_config config;
		struct problem problem;
		struct token *token;

		config_init(&config);
		assert_null(stage(&config, token_cases[i].line));
		assert_int_equal(token_make(bytes_of(token_cases[i].scopes),
		    &token, secret, &problem), 0);
		if (token_allows_service(token, token_cases[i].service) !=
			token_cases[i].allows_service ||
		    token_allows_route(token, config.routes[0]) !=
			token_cases[i].allows_route)
			fail_msg("%s", token_cases[i].sentence);
		token_free(&token);
		config_clear(&config);
	}
}

static void
a_token_is_found_by_its_secret_alone(void **state)
{
	struct token_list tokens = TAILQ_HEAD_INITIALIZER(tokens);
	char secret[TOKEN_SECRET_SIZE];
	struct problem problem;
	struct token *token, *again;
	char *text;

	(void)state;
	assert_int_equal(token_make(bytes_of("{\"label\":\"x\"}"), &token,
	    secret, &problem), 0);
	text = token_text(token);
	assert_null(strstr(text, secret));
	again = token_read(token->id, text);
	assert_non_null(again);
	TAILQ_INSERT_TAIL(&tokens, again, of_all);
	assert_ptr_equal(token_find(&tokens, secret), again);
	secret[strlen(secret) - 1] ^= 1;
	assert_null(token_find(&tokens, secret));
	assert_null(token_find(&tokens, ""));
	free(text);
	token_free(&again);
	token_free(&token);
}

static void
a_bad_token_is_refused(void **state)
{
	static const char *const bad[] = { "{", "[]", "{\"services\":\"x\"}",
		"{\"domains\":[1]}", "{\"label\":7}", "{\"colour\":\"red\"}" };
	char secret[TOKEN_SECRET_SIZE];
	struct problem problem;
	struct token *token;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		problem = (struct problem){ 0 };
		assert_int_equal(token_make(bytes_of(bad[i]), &token, secret,
		    &problem), -1);
		assert_true(problem.status == 400 || problem.status == 422);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configs_follow_their_table),
		cmocka_unit_test(a_copy_is_changed_alone),
		cmocka_unit_test(names_of_places_are_one_to_one),
		cmocka_unit_test(tokens_follow_their_table),
		cmocka_unit_test(a_token_is_found_by_its_secret_alone),
		cmocka_unit_test(a_bad_token_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
