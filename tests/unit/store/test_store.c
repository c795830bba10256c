/*
 * tests/unit/store/test_store.c - names, queries and what was built in.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "registryd/store/cells.h"
#include "registryd/store/queries.h"
#include "registryd/store/store.h"

static void
each_name_is_read_back(void **state)
{
	enum object_kind kind;
	enum object_origin origin;
	enum balance_policy policy;
	enum probe_kind probe;

	(void)state;
	for (int i = OBJECT_SERVICE; i <= OBJECT_ROUTE; i++) {
		assert_int_equal(object_kind_parse(
		    object_kind_name((enum object_kind)i), &kind), 0);
		assert_int_equal(kind, i);
	}
	for (int i = ORIGIN_API; i <= ORIGIN_SESSION; i++) {
		assert_int_equal(object_origin_parse(
		    object_origin_name((enum object_origin)i), &origin), 0);
		assert_int_equal(origin, i);
	}
	for (int i = BALANCE_ROUND_ROBIN; i <= BALANCE_HASH_HEADER; i++) {
		assert_int_equal(balance_policy_parse(
		    balance_policy_name((enum balance_policy)i), &policy), 0);
		assert_int_equal(policy, i);
	}
	for (int i = PROBE_OFF; i <= PROBE_HTTP; i++) {
		assert_int_equal(probe_kind_parse(
		    probe_kind_name((enum probe_kind)i), &probe), 0);
		assert_int_equal(probe, i);
	}
	assert_int_equal(object_kind_parse("", &kind), -1);
	assert_int_equal(balance_policy_parse("random", &policy), -1);
}

static void
each_query_has_a_text(void **state)
{
	(void)state;
	for (int i = 0; i < QUERY_COUNT; i++) {
		if (i < QUERY_SHARED_COUNT || i >= QUERY_POSTGRES_END)
			assert_non_null(sqlite_queries[i].sql);
#ifdef HAVE_POSTGRESQL
		if (i < QUERY_POSTGRES_END)
			assert_non_null(postgres_queries[i].sql);
		if (i < QUERY_SHARED_COUNT)
			assert_string_equal(postgres_queries[i].name,
			    sqlite_queries[i].name);
#endif
	}
}

/* The number stands in its name, and at the end of the way down. */
static void
check_migration(const struct store_migration *migration, uint32_t number)
{
	char last[80];

	assert_int_equal(migration->version, number);
	assert_int_equal(strtoul(migration->name, NULL, 10), number);
	snprintf(last, sizeof(last),
	    "DELETE FROM schema_version WHERE version = %" PRIu32 ";\n",
	    number);
	assert_non_null(strstr(migration->down, last));
	assert_null(strstr(migration->up, "INTO schema_version"));
}

static void
migrations_are_numbered_without_gaps(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < sqlite_migration_count; i++)
		check_migration(&sqlite_migrations[i], i + 1);
#ifdef HAVE_POSTGRESQL
	assert_int_equal(postgres_migration_count, sqlite_migration_count);
	for (uint32_t i = 0; i < postgres_migration_count; i++)
		check_migration(&postgres_migrations[i], i + 1);
#endif
}

#ifdef HAVE_POSTGRESQL
/* The highest parameter of a query. */
static unsigned long
parameters_of(enum store_query query)
{
	const char *at = postgres_queries[query].sql;
	unsigned long highest = 0, number;

	while ((at = strchr(at, '$')) != NULL) {
		number = strtoul(++at, NULL, 10);
		highest = number > highest ? number : highest;
	}
	return highest;
}

static void
many_rows_have_the_columns_of_one(void **state)
{
	(void)state;
	assert_int_equal(parameters_of(QUERY_INSERT_BACKENDS), BACKEND_CELLS);
	assert_int_equal(parameters_of(QUERY_INSERT_ROUTES), ROUTE_CELLS);
	assert_int_equal(parameters_of(QUERY_INSERT_CHANGES), CHANGE_CELLS);
	assert_int_equal(parameters_of(QUERY_INSERT_TARGETS_OF),
	    parameters_of(QUERY_INSERT_ROUTE_TARGETS));
}
#endif

static void
a_driver_that_is_not_built_in_is_said_so(void **state)
{
	struct settings settings = { .store.driver = STORE_POSTGRES };
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	static char no_text[] = "";
	const char *error = NULL;
	struct store *store;

	(void)state;
	settings.store.url = no_text;
	settings.store.listen_url = no_text;
#ifdef HAVE_POSTGRESQL
	assert_int_equal(store_new(loop, &settings, &store, &error), 0);
	assert_non_null(store);
#else
	assert_int_equal(store_new(loop, &settings, &store, &error), -1);
	assert_string_equal(error,
	    "postgres: not built in; configure --with-postgresql");
#endif
	store_free(&store);
	assert_null(store);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_is_read_back),
		cmocka_unit_test(each_query_has_a_text),
		cmocka_unit_test(migrations_are_numbered_without_gaps),
#ifdef HAVE_POSTGRESQL
		cmocka_unit_test(many_rows_have_the_columns_of_one),
#endif
		cmocka_unit_test(a_driver_that_is_not_built_in_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
