/*
 * tests/unit/store/test_store_postgres.c - the contract, in PostgreSQL.
 *
 * Run by with-postgres, which starts a server for it.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libpq-fe.h>
#include <cmocka.h>

#include "contract.h"
#include "registryd/store/pg_pool.h"

static const char *url;

/* Runs statements beside the store; returns the first value, malloc()ed. */
static char *
run_sql(const char *sql)
{
	PGconn *handle = PQconnectdb(url);
	PGresult *result;
	char *value = NULL;

	assert_int_equal(PQstatus(handle), CONNECTION_OK);
	result = PQexec(handle, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
	    PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(handle));
	if (PQntuples(result) > 0)
		value = strdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	PQfinish(handle);
	return value;
}

static void
control(const char *order)
{
	char command[256];

	snprintf(command, sizeof(command), "%s %s",
	    getenv("POSTGRES_CONTROL"), order);
	assert_int_equal(system(command), 0);
}

static void
make(struct fixture *fixture)
{
	free(run_sql("SET client_min_messages = error;"
	    "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
	fixture_new(fixture, STORE_POSTGRES, "", url);
	if (fixture_open(fixture) != STORE_OK)
		fail_msg("%s", fixture->message);
}

static void
a_server_that_stops_and_starts_is_followed(void **state)
{
	struct fixture fixture;
	struct service service = make_service("users");
	struct store_change change = put_service(&service);
	struct store_figures figures;
	struct loaded loaded;

	(void)state;
	make(&fixture);
	assert_int_equal(fixture_commit(&fixture, &change, 1), STORE_OK);
	control("stop");
	fixture_await_up(&fixture, false);
	store_figures(fixture.store, &figures);
	assert_string_not_equal(figures.error, "");
	assert_int_equal(fixture.down_count, 1);
	service_clear(&service);
	service = make_service("orders");
	assert_int_equal(fixture_commit(&fixture, &change, 1),
	    STORE_UNAVAILABLE);
	assert_int_equal(service.times.version, 0);
	assert_int_equal(fixture_load(&fixture, &loaded), STORE_UNAVAILABLE);
	loaded_clear(&loaded);
	control("start");
	fixture_await_up(&fixture, true);
	assert_int_equal(fixture.up_count, 2);
	assert_int_equal(fixture_commit(&fixture, &change, 1), STORE_OK);
	assert_int_equal(fixture.outcome.generation, 2);
	assert_int_equal(fixture_load(&fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, 2);
	loaded_clear(&loaded);
	service_clear(&service);
	fixture_free(&fixture);
}

static void
a_store_opened_without_a_server_waits_for_it(void **state)
{
	struct fixture fixture;

	(void)state;
	free(run_sql("SET client_min_messages = error;"
	    "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
	control("stop");
	fixture_new(&fixture, STORE_POSTGRES, "", url);
	assert_int_equal(fixture_open(&fixture), STORE_UNAVAILABLE);
	assert_string_not_equal(fixture.message, "");
	assert_int_equal(fixture_ping(&fixture), STORE_UNAVAILABLE);
	control("start");
	fixture_await_up(&fixture, true);
	assert_int_equal(fixture_ping(&fixture), STORE_OK);
	fixture_free(&fixture);
}

static void
a_newer_schema_is_refused(void **state)
{
	struct fixture fixture;

	(void)state;
	make(&fixture);
	fixture_free(&fixture);
	free(run_sql("INSERT INTO schema_version VALUES (99, 'new', now())"));
	fixture_new(&fixture, STORE_POSTGRES, "", url);
	assert_int_equal(fixture_open(&fixture), STORE_REFUSED);
	assert_non_null(strstr(fixture.message, "99 is newer"));
	fixture_free(&fixture);
}

static void
a_commit_behind_a_lock_times_out_and_leaves_no_trace(void **state)
{
	struct fixture fixture;
	struct service service = make_service("users");
	struct store_change change = put_service(&service);
	PGconn *other = PQconnectdb(url);

	(void)state;
	make(&fixture);
	fixture_free(&fixture);
	PQclear(PQexec(other, "BEGIN; UPDATE generation SET value = value"));
	fixture_new_timed(&fixture, STORE_POSTGRES, "", url, 100);
	assert_int_equal(fixture_open(&fixture), STORE_OK);
	assert_int_equal(fixture_commit(&fixture, &change, 1),
	    STORE_UNAVAILABLE);
	assert_int_equal(fixture.down_count, 0);
	PQclear(PQexec(other, "ROLLBACK"));
	PQfinish(other);
	assert_int_equal(fixture_commit(&fixture, &change, 1), STORE_OK);
	assert_int_equal(fixture.outcome.generation, 1);
	service_clear(&service);
	fixture_free(&fixture);
}

static void
a_server_that_does_not_answer_is_given_up(void **state)
{
	struct fixture fixture;
	char *pid;

	(void)state;
	make(&fixture);
	fixture_free(&fixture);
	fixture_new_timed(&fixture, STORE_POSTGRES, "", url, 100);
	assert_int_equal(fixture_open(&fixture), STORE_OK);
	pid = run_sql("SELECT pid FROM pg_stat_activity "
	    "WHERE application_name = 'sluice'");
	assert_non_null(pid);
	assert_int_equal(kill(atoi(pid), SIGSTOP), 0);
	assert_int_equal(fixture_ping(&fixture), STORE_UNAVAILABLE);
	assert_int_equal(fixture.down_count, 1);
	assert_int_equal(kill(atoi(pid), SIGCONT), 0);
	fixture_await_up(&fixture, true);
	assert_int_equal(fixture_ping(&fixture), STORE_OK);
	free(pid);
	fixture_free(&fixture);
}

static void
a_killed_connection_is_replaced(void **state)
{
	struct fixture fixture;
	struct service service = make_service("users");
	struct store_change change = put_service(&service);

	(void)state;
	make(&fixture);
	free(run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
	    "WHERE application_name = 'sluice'"));
	fixture_await_up(&fixture, false);
	fixture_await_up(&fixture, true);
	assert_int_equal(fixture_commit(&fixture, &change, 1), STORE_OK);
	service_clear(&service);
	fixture_free(&fixture);
}

/* Answers to pings. */
struct answers {
	uint32_t good, refused, due;
	struct ev_loop *loop;
};

static void
on_ping(void *context, const struct store_outcome *outcome)
{
	struct answers *answers = context;

	if (outcome->result == STORE_OK)
		answers->good++;
	else if (strstr(outcome->message, "too many requests wait") != NULL)
		answers->refused++;
	if (--answers->due == 0)
		ev_break(answers->loop, EVBREAK_ONE);
}

static void
more_than_may_wait_are_refused(void **state)
{
	struct fixture fixture;
	struct answers answers = { 0 };
	struct store_figures figures;

	(void)state;
	make(&fixture);
	answers.loop = fixture.loop;
	for (uint32_t i = 0; i < PG_WAITING_MAX + 50; i++, answers.due++)
		assert_int_equal(store_ping(fixture.store, on_ping, &answers),
		    0);
	store_figures(fixture.store, &figures);
	assert_int_equal(figures.waiting, PG_WAITING_MAX);
	ev_run(fixture.loop, 0);
	/* The first did not have to wait. */
	assert_int_equal(answers.good, PG_WAITING_MAX + 1);
	assert_int_equal(answers.refused, 49);
	store_figures(fixture.store, &figures);
	assert_int_equal(figures.waiting, 0);
	assert_true(figures.open <= 4);
	fixture_free(&fixture);
}

static void
a_host_without_an_address_is_told(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_new(&fixture, STORE_POSTGRES, "",
	    "postgresql://sluice@nowhere.invalid/postgres");
	assert_int_equal(fixture_open(&fixture), STORE_UNAVAILABLE);
	assert_non_null(strstr(fixture.message, "nowhere.invalid"));
	fixture_free(&fixture);
	fixture_new(&fixture, STORE_POSTGRES, "",
	    "postgresql://sluice@localhost:1/postgres");
	assert_int_equal(fixture_open(&fixture), STORE_UNAVAILABLE);
	assert_non_null(strstr(fixture.message, "refused"));
	fixture_free(&fixture);
}

static void
two_instances_share_one_line_of_generations(void **state)
{
	struct fixture one, other;
	struct service first = make_service("first");
	struct service second = make_service("second");
	struct store_change change = put_service(&first);
	struct store_change second_change = put_service(&second);

	(void)state;
	make(&one);
	fixture_new(&other, STORE_POSTGRES, "", url);
	assert_int_equal(fixture_open(&other), STORE_OK);
	assert_int_equal(fixture_commit(&one, &change, 1), STORE_OK);
	assert_int_equal(fixture_commit(&other, &second_change, 1), STORE_OK);
	assert_int_equal(other.outcome.generation, 2);
	fixture_free(&one);
	fixture_free(&other);
	service_clear(&first);
	service_clear(&second);
}

/* What a follower is told of. */
struct heard {
	uint64_t generation;
	uint32_t listening_count;
	uint32_t service_count, gone_count;
	bool is_done;
	struct store_outcome outcome;
	char last[64];
};

static void
on_news(void *context, uint64_t generation)
{
	struct heard *heard = context;

	if (generation == 0)
		heard->listening_count++;
	else
		heard->generation = generation;
}

static void
hear_service(void *context, struct service *service)
{
	struct heard *heard = context;

	heard->service_count++;
	snprintf(heard->last, sizeof(heard->last), "%s", service->name);
	service_clear(service);
}

static void
hear_gone(void *context, enum object_kind kind, const char *key)
{
	struct heard *heard = context;

	assert_int_equal(kind, OBJECT_SERVICE);
	heard->gone_count++;
	snprintf(heard->last, sizeof(heard->last), "%s", key);
}

static void
hear_age(void *context, int64_t age_ms)
{
	(void)context;
	assert_true(age_ms >= 0);
}

static void
hear_done(void *context, const struct store_outcome *outcome)
{
	struct heard *heard = context;

	heard->outcome = *outcome;
	heard->is_done = true;
}

static void
follow(struct fixture *fixture, struct heard *heard, uint64_t since)
{
	const struct store_follow_query query = {
		.since = since,
		.loader = { .service = hear_service, .done = hear_done,
			.context = heard },
		.gone = hear_gone,
		.age = hear_age,
	};

	heard->service_count = heard->gone_count = 0;
	heard->is_done = false;
	assert_int_equal(store_follow(fixture->store, &query), 0);
	while (!heard->is_done)
		ev_run(fixture->loop, EVRUN_ONCE);
}

static void
commits_are_heard_and_read_by_generation(void **state)
{
	struct fixture one, other;
	struct service service = make_service("first");
	struct store_change change = put_service(&service);
	struct heard heard = { 0 };

	(void)state;
	make(&one);
	fixture_new(&other, STORE_POSTGRES, "", url);
	store_set_on_news(other.store, on_news, &heard);
	assert_int_equal(fixture_open(&other), STORE_OK);
	while (heard.listening_count == 0)
		ev_run(other.loop, EVRUN_ONCE);
	assert_int_equal(fixture_commit(&one, &change, 1), STORE_OK);
	while (heard.generation != 1)
		ev_run(other.loop, EVRUN_ONCE);
	follow(&other, &heard, 0);
	assert_int_equal(heard.outcome.result, STORE_OK);
	assert_int_equal(heard.outcome.generation, 1);
	assert_int_equal(heard.service_count, 1);
	assert_string_equal(heard.last, "first");
	follow(&other, &heard, 1);
	assert_int_equal(heard.service_count, 0);
	change.is_removal = true;
	assert_int_equal(fixture_commit(&one, &change, 1), STORE_OK);
	follow(&other, &heard, 1);
	assert_int_equal(heard.outcome.generation, 2);
	assert_int_equal(heard.service_count, 0);
	assert_int_equal(heard.gone_count, 1);
	/* What was changed since is not known any more. */
	assert_int_equal(fixture_prune(&one, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 10, .excess = 1 }), 1);
	follow(&other, &heard, 0);
	assert_int_equal(heard.outcome.result, STORE_CONFLICT);
	follow(&other, &heard, 1);
	assert_int_equal(heard.gone_count, 1);
	/* Of another database, it seems. */
	follow(&other, &heard, 7);
	assert_int_equal(heard.outcome.result, STORE_CONFLICT);
	/* The connection that hears is made again. */
	free(run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		     "WHERE query LIKE 'LISTEN%'"));
	while (heard.listening_count == 1)
		ev_run(other.loop, EVRUN_ONCE);
	fixture_free(&one);
	fixture_free(&other);
	service_clear(&service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_stops_and_starts_is_followed),
		cmocka_unit_test(a_store_opened_without_a_server_waits_for_it),
		cmocka_unit_test(a_newer_schema_is_refused),
		cmocka_unit_test(
		    a_commit_behind_a_lock_times_out_and_leaves_no_trace),
		cmocka_unit_test(a_server_that_does_not_answer_is_given_up),
		cmocka_unit_test(a_killed_connection_is_replaced),
		cmocka_unit_test(more_than_may_wait_are_refused),
		cmocka_unit_test(a_host_without_an_address_is_told),
		cmocka_unit_test(two_instances_share_one_line_of_generations),
		cmocka_unit_test(commits_are_heard_and_read_by_generation),
	};

	if ((url = getenv("DATABASE_URL")) == NULL)
		return 77;
	return contract_run("postgres", make) +
	    cmocka_run_group_tests_name("postgres server", tests, NULL, NULL);
}
