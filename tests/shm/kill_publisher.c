/*
 * tests/shm/kill_publisher.c - the publisher dies at each of its stores.
 *
 * The table goes from state to state: in state k the route of path i has
 * the id k * 1000 + i, and a host and a path are there in odd states
 * only.  A child publishes the next state and is killed at store 1, 2,
 * 3 ... of its batch, until it lives through it.  After each death the
 * table must be wholly in the old state or wholly in the new one, and a
 * successor must be able to publish the next.  The same is then done to
 * successors that die while they repair.
 *
 * Built with CRASH_HOOKS from the sources themselves.
 */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/fixture.h"

#define STATE_IDS 1000
#define STORES_MAX 100000

static const struct path {
	const char *host, *path;
	bool odd_only;
} paths[] = {
	{ "", "/", false },
	{ "", "/s1", false },
	{ "a.example.com", "/s1", false },
	{ "*.example.com", "/a/b", false },
	{ "b.example.com", "/a/path/that/is/longer/than/thirty-two/bytes",
	    false },
	{ "odd.example.com", "/", true },
	{ "a.example.com", "/odd", true },
};

/* The state that the table is in; -1 when it is in none. */
static int64_t
table_state(const struct route_table *table)
{
	uint64_t state = fixture_route_id(table, paths[0].host,
	    paths[0].path) / STATE_IDS;

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		const char *host = paths[i].host[0] == '*' ? "x.example.com"
							   : paths[i].host;
		uint64_t id = fixture_route_id(table, host, paths[i].path);
		bool is_there = !paths[i].odd_only || state % 2 == 1;

		if (is_there && id != state * STATE_IDS + i)
			return -1;
		if (!is_there && id % STATE_IDS == i)
			return -1;
	}
	return route_table_generation(table) == state ? (int64_t)state : -1;
}

/* The slot of the route that stands at a path, TABLE_NONE when none. */
static uint32_t
route_at(const struct route_table *table, size_t i)
{
	struct table_extent extent;
	struct arena arena;
	uint32_t route = TABLE_NONE;

	arena_init(&arena, 1 << 20);
	route_table_extent(table, &extent);
	for (uint32_t entry = 0; entry < extent.entries; entry++) {
		struct path_copy copy;

		if (route_table_read_path(table, entry, &arena, &copy) ==
			TABLE_FOUND &&
		    bytes_is(copy.host, paths[i].host) &&
		    bytes_is(copy.prefix, paths[i].path))
			route = copy.spec.routes[0];
	}
	arena_free(&arena);
	return route;
}

static void
change_path(struct table_writer *writer, const struct route_table *table,
    size_t i, uint64_t state)
{
	const struct path_key key = { 0, bytes_of(paths[i].host),
		bytes_of(paths[i].path) };
	uint32_t old = route_at(table, i);

	if (!paths[i].odd_only || state % 2 == 1)
		fixture_put_path(writer, paths[i].host, paths[i].path, 0,
		    fixture_put_route(writer, state * STATE_IDS + i, 0));
	else if (old != TABLE_NONE &&
	    table_writer_remove_path(writer, &key) == -1)
		err(1, "table_writer_remove_path");
	if (old != TABLE_NONE && table_writer_remove_route(writer, old) == -1)
		err(1, "table_writer_remove_route");
}

static void
publish(const struct fixture *fixture, const struct route_table *table,
    uint64_t state)
{
	struct table_writer *writer = fixture_writer(fixture);

	table_writer_begin(writer);
	if (route_at(table, 0) == TABLE_NONE)
		(void)fixture_put_service(writer, "s");
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		change_path(writer, table, i, state);
	table_writer_commit(writer, state);
	table_writer_close(&writer);
}

/* Publishes in a child that dies at a store; true when it lived. */
static bool
publish_in_child(const struct fixture *fixture,
    const struct route_table *table, uint64_t state, const char *variable,
    unsigned int store)
{
	char value[16];
	int status;
	pid_t pid;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		(void)snprintf(value, sizeof(value), "%u", store);
		if (setenv(variable, value, 1) == -1)
			_exit(2);
		publish(fixture, table, state);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return false;
	errx(1, "%s=%u: the child ended with %#x", variable, store, status);
}

static uint64_t
check_state(const struct route_table *table, uint64_t old, unsigned int store)
{
	int64_t state = table_state(table);

	if (state != (int64_t)old && state != (int64_t)old + 1)
		errx(1, "killed at store %u: state %lld after %llu", store,
		    (long long)state, (unsigned long long)old);
	return (uint64_t)state;
}

int
main(void)
{
	struct fixture fixture;
	struct route_table *table;
	uint64_t state = 1;
	unsigned int store, old_count = 0, new_count = 0;
	bool is_whole = false;

	fixture_make(&fixture, 1000);
	table = fixture_table(&fixture);
	publish(&fixture, table, state);
	for (store = 1; !is_whole && store < STORES_MAX; store++) {
		uint64_t before = state;

		is_whole = publish_in_child(&fixture, table, state + 1,
		    "SLUICE_CRASH_AT_STORE", store);
		state = check_state(table, state, store);
		old_count += state == before;
		new_count += state != before;
		publish(&fixture, table, state + 1);
		state++;
		if (table_state(table) != (int64_t)state)
			errx(1, "killed at store %u: the successor's state is "
				"not there", store);
	}
	printf("%u stores: %u deaths left the old table, %u the new one\n",
	    store - 2, old_count, new_count - 1);

	is_whole = false;
	for (store = 1; !is_whole && store < STORES_MAX; store++) {
		(void)publish_in_child(&fixture, table, state + 1,
		    "SLUICE_CRASH_AT_STORE", old_count / 2);
		is_whole = publish_in_child(&fixture, table, state + 1,
		    "SLUICE_CRASH_AT_REPAIR", store);
		state = check_state(table, state, store);
	}
	publish(&fixture, table, state + 1);
	if (table_state(table) != (int64_t)state + 1)
		errx(1, "nothing can be published after the repairs");
	printf("%u stores of a repair: the table stood\n", store - 2);

	route_table_close(&table);
	fixture_remove(&fixture);
	return 0;
}
