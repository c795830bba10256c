/*
 * tests/shm/torture.c - readers that look up while a writer publishes.
 *
 * All that a state of the table says carries the state's number: the
 * route's id, its label, its target's weight, the priority of its path,
 * the weights of the service's backends.  A reader that sees two numbers
 * in one answer has seen a torn table.  Readers are threads, for
 * ThreadSanitizer's sake, and a process with a mapping of its own.
 */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/random.h"
#include "shm/fixture.h"

#define READERS	     3
#define PATHS	     50
#define BACKENDS     5
#define PUBLICATIONS 60000
#define LABEL_SIZE   64

static struct fixture fixture;
static _Atomic bool is_over;
static uint32_t route_slots[PATHS], service_slot, backend_slots[BACKENDS];

/* A label of varying length, so that it moves between record and heap. */
static void
format_label(char label[LABEL_SIZE], uint64_t state)
{
	(void)snprintf(label, LABEL_SIZE, "%llu-%.*s",
	    (unsigned long long)state, (int)(state % 40),
	    "the longer it is the more words it takes");
}

static void
put_state(struct table_writer *writer, uint32_t path, uint64_t state)
{
	char prefix[32], label[LABEL_SIZE];
	struct route_spec route = { .id = state, .target_count = 1 };
	const struct path_key key = { 0, BYTES_LITERAL("h"),
		{ prefix, (size_t)snprintf(prefix, sizeof(prefix), "/p/%u",
		    path) } };
	const struct path_spec spec = { (int32_t)state, &route_slots[path], 1 };

	format_label(label, state);
	route.label = bytes_of(label);
	route.max_body_bytes = state % 3 == 0 ? state : 0;
	route.targets[0] = (struct route_target){ service_slot,
		(uint32_t)state };
	if (table_writer_put_route(writer, &route_slots[path], &route) == -1 ||
	    table_writer_put_path(writer, &key, &spec) == -1)
		err(1, "put");
}

static void
put_service(struct table_writer *writer, uint64_t state)
{
	struct service_spec service = { .name = BYTES_LITERAL("s"),
		.retries = (uint32_t)state % 65536,
		.backends = backend_slots, .backend_count = BACKENDS };

	for (uint32_t i = 0; i < BACKENDS; i++) {
		struct backend_spec backend = { .service = TABLE_NONE,
			.weight = (uint32_t)state % 65536,
			.host = BYTES_LITERAL("127.0.0.1") };

		if (table_writer_put_backend(writer, &backend_slots[i],
			&backend) == -1)
			err(1, "put backend");
	}
	if (table_writer_put_service(writer, &service_slot, &service) == -1)
		err(1, "put service");
}

static bool
is_route_one(const struct route_copy *copy)
{
	char label[LABEL_SIZE];
	uint64_t state = copy->spec.id;

	format_label(label, state);
	return bytes_is(copy->spec.label, label) &&
	    copy->spec.targets[0].weight == (uint32_t)state &&
	    copy->spec.max_body_bytes == (state % 3 == 0 ? state : 0);
}

static void
check_service(const struct route_table *table, struct arena *arena)
{
	struct service_copy copy;

	if (route_table_read_service(table, service_slot, arena, &copy) !=
	    TABLE_FOUND)
		errx(1, "the service is gone");
	for (uint32_t i = 0; i < copy.spec.backend_count; i++)
		if (copy.backends[i].spec.weight != copy.spec.retries)
			errx(1, "a torn service: %u beside %u",
			    copy.backends[i].spec.weight, copy.spec.retries);
}

static void
check_path(const struct route_table *table, struct arena *arena,
    uint32_t path)
{
	char text[32];
	struct bytes wanted = { text, (size_t)snprintf(text, sizeof(text),
	    "/p/%u/x", path) };
	struct path_match match;
	struct path_copy path_copy;
	struct route_copy route;
	enum table_result result = route_table_lookup(table, 0, bytes_of("h"),
	    wanted, &match);

	if (result == TABLE_ABSENT)
		return;			/* every path comes and goes */
	if (result != TABLE_FOUND)
		errx(1, "lookup: %d", result);
	if (match.prefix_len != wanted.len - 2)
		errx(1, "lookup: a prefix of %u bytes", match.prefix_len);
	if (route_table_read_path(table, match.entry, arena, &path_copy) ==
		TABLE_FOUND &&
	    path_copy.version == match.version &&
	    (path_copy.spec.priority != match.priority ||
		!bytes_is(path_copy.host, "h")))
		errx(1, "a torn path");
	result = route_table_read_route(table, route_slots[path], arena,
	    &route);
	if (result != TABLE_FOUND || !is_route_one(&route))
		errx(1, "a torn route");
}

static void
read_until_over(const struct route_table *table, uint64_t seed)
{
	struct random_stream stream = { seed };
	uint64_t last_change = 0;
	struct arena arena;

	arena_init(&arena, 1 << 22);
	while (!atomic_load(&is_over)) {
		uint64_t change = route_table_change_count(table);

		if (change < last_change)
			errx(1, "the table went back in time");
		last_change = change;
		check_path(table, &arena, random_below(&stream, PATHS));
		check_service(table, &arena);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

static void *
reader_thread(void *context)
{
	read_until_over(context, (uint64_t)(uintptr_t)&context);
	return NULL;
}

/* A reader with its own mapping; told to end by its parent's end. */
static void *
watch_parent(void *context)
{
	char byte;

	while (read(*(int *)context, &byte, 1) > 0)
		continue;
	atomic_store(&is_over, true);
	return NULL;
}

static pid_t
fork_reader(int pipe_fds[2])
{
	pid_t pid;

	if (pipe(pipe_fds) == -1 || (pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		struct route_table *table = fixture_table(&fixture);
		pthread_t watcher;

		close(pipe_fds[1]);
		if (pthread_create(&watcher, NULL, watch_parent,
			&pipe_fds[0]) != 0 ||
		    pthread_detach(watcher) != 0)
			_exit(2);
		read_until_over(table, 1);
		_exit(0);
	}
	close(pipe_fds[0]);
	return pid;
}

static void
write_states(struct table_writer *writer)
{
	struct random_stream stream = { 42 };

	for (uint64_t state = PATHS + 1; state < PUBLICATIONS; state++) {
		uint32_t path = random_below(&stream, PATHS);
		char prefix[32];
		const struct path_key key = { 0, BYTES_LITERAL("h"),
			{ prefix, (size_t)snprintf(prefix, sizeof(prefix),
			    "/p/%u", path) } };

		table_writer_begin(writer);
		if (state % 7 == 0)
			put_service(writer, state);
		if (state % 5 == 0)
			(void)!table_writer_remove_path(writer, &key);
		else
			put_state(writer, path, state);
		if (state % 11 == 0)
			table_writer_abort(writer);
		else
			table_writer_commit(writer, state);
	}
}

int
main(void)
{
	struct table_writer *writer;
	struct route_table *table;
	pthread_t threads[READERS];
	int pipe_fds[2], status;
	pid_t child;

	fixture_make(&fixture, 1000);
	writer = fixture_writer(&fixture);
	for (uint32_t i = 0; i < PATHS; i++)
		route_slots[i] = TABLE_NONE;
	for (uint32_t i = 0; i < BACKENDS; i++)
		backend_slots[i] = TABLE_NONE;
	service_slot = TABLE_NONE;
	table_writer_begin(writer);
	put_service(writer, 1);
	for (uint32_t i = 0; i < PATHS; i++)
		put_state(writer, i, i + 1);
	table_writer_commit(writer, PATHS);

	child = fork_reader(pipe_fds);
	table = fixture_table(&fixture);
	for (int i = 0; i < READERS; i++)
		if (pthread_create(&threads[i], NULL, reader_thread, table) !=
		    0)
			errx(1, "pthread_create");
	write_states(writer);
	atomic_store(&is_over, true);
	for (int i = 0; i < READERS; i++)
		(void)pthread_join(threads[i], NULL);
	close(pipe_fds[1]);
	if (waitpid(child, &status, 0) == -1 || status != 0)
		errx(1, "the reading process ended with %#x", status);
	printf("%u publications, %llu reads done again\n", PUBLICATIONS,
	    (unsigned long long)route_table_retry_count(table));
	route_table_close(&table);
	table_writer_close(&writer);
	fixture_remove(&fixture);
	return 0;
}
