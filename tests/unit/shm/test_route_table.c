/*
 * tests/unit/shm/test_route_table.c - what is put into the table is found.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/fixture.h"

static struct fixture fixture;
static struct table_writer *writer;
static struct route_table *table;
static struct arena arena;

static int
set_up(void **state)
{
	(void)state;
	fixture_make(&fixture, 100000);
	writer = fixture_writer(&fixture);
	table = fixture_table(&fixture);
	arena_init(&arena, 1 << 24);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	route_table_close(&table);
	table_writer_close(&writer);
	fixture_remove(&fixture);
	return 0;
}

static void
assert_text(struct bytes have, const char *want)
{
	if (!bytes_is(have, want))
		fail_msg("%.*s, not %s", BYTES_ARGS(have), want);
}

static const struct {
	const char *host, *prefix;
	int32_t priority;
} routes[] = {
	/* the id of a route is its index plus one */
	{ "", "/", 0 },
	{ "", "/s1", 0 },
	{ "", "/s1/deep/er", 0 },
	{ "a.example.com", "/s1", 0 },
	{ "*.example.com", "/", 0 },
	{ "*.com", "/only", 0 },
	{ "*.b.example.com", "/wild", 0 },
	{ "p.org", "/a/b", 0 },
	{ "p.org", "/a", 5 },
	{ "p.org", "/a/b/c", 9 },
	{ "a-very-long-host-name-that-does-not-fit.its.record.example.net",
	    "/and/a/very/long/prefix/that/does/not/fit/its/record", 0 },
};

static const struct {
	const char *sentence, *host, *path;
	uint64_t want;
} cases[] = {
	{ "a prefix serves itself", "x", "/s1", 2 },
	{ "a prefix serves what is under it", "x", "/s1/x", 2 },
	{ "a prefix serves itself with a slash", "x", "/s1/", 2 },
	{ "a prefix ends at a segment's end", "x", "/s10", 1 },
	{ "the longest prefix wins", "x", "/s1/deep/er/x", 3 },
	{ "half of a deep prefix is not enough", "x", "/s1/deep", 2 },
	{ "the root takes the rest", "x", "/", 1 },
	{ "no host at all is served by default", "", "/s1", 2 },
	{ "an exact host comes first", "a.example.com", "/s1", 4 },
	{ "an exact host without a match falls to the wildcard",
	    "a.example.com", "/zz", 5 },
	{ "a wildcard takes several labels", "x.y.example.com", "/", 5 },
	{ "a wildcard needs a label", "example.com", "/only", 6 },
	{ "a wildcard without a match falls to the next", "example.com",
	    "/s1", 2 },
	{ "the longest wildcard wins", "q.b.example.com", "/wild", 7 },
	{ "a longer wildcard without a match falls to the shorter",
	    "q.b.example.com", "/", 5 },
	{ "priority beats a longer prefix", "p.org", "/a/b", 9 },
	{ "the highest priority wins", "p.org", "/a/b/c/d", 10 },
	{ "long names are found",
	    "a-very-long-host-name-that-does-not-fit.its.record.example.net",
	    "/and/a/very/long/prefix/that/does/not/fit/its/record/x", 11 },
	{ "long names are compared to their end",
	    "a-very-long-host-name-that-does-not-fit.its.record.example.neu",
	    "/and/a/very/long/prefix/that/does/not/fit/its/record/x", 1 },
};

static void
requests_find_their_route(void **state)
{
	uint32_t service;

	(void)state;
	table_writer_begin(writer);
	service = fixture_put_service(writer, "s");
	for (size_t i = 0; i < COUNT_OF(routes); i++)
		fixture_put_path(writer, routes[i].host, routes[i].prefix,
		    routes[i].priority,
		    fixture_put_route(writer, i + 1, service));
	assert_int_equal(fixture_route_id(table, "x", "/s1"), 0);
	table_writer_commit(writer, 7);

	assert_int_equal(route_table_generation(table), 7);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t id = fixture_route_id(table, cases[i].host,
		    cases[i].path);

		if (id != cases[i].want)
			fail_msg("%s: route %u, not %u", cases[i].sentence,
			    (unsigned int)id, (unsigned int)cases[i].want);
	}
}

static void
a_service_comes_back_with_its_backends(void **state)
{
	uint32_t slots[3] = { TABLE_NONE, TABLE_NONE, TABLE_NONE };
	uint32_t service = TABLE_NONE, version, generation;
	struct backend_spec backend = {
		.service = TABLE_NONE,
		.weight = 10,
		.port = 8080,
		.host = BYTES_LITERAL("backend.example.org"),
		.base_path = BYTES_LITERAL("/api"),
		.max_connections = 7,
	};
	struct service_spec spec = {
		.name = BYTES_LITERAL("users"),
		.policy = BALANCE_HASH_HEADER,
		.hash_header = BYTES_LITERAL("x-user"),
		.connect_timeout_ms = 1, .response_timeout_ms = 2,
		.queue_timeout_ms = 3, .retries = 1,
		.probe = { PROBE_HTTP, 5000, 2000, 2, 3, 200, 399,
		    BYTES_LITERAL("/health"), BYTES_LITERAL("h") },
		.backends = slots, .backend_count = 3,
	};
	struct service_copy copy;

	(void)state;
	table_writer_begin(writer);
	for (uint32_t i = 0; i < 3; i++) {
		backend.id = 100 + i;
		assert_int_equal(table_writer_put_backend(writer, &slots[i],
		    &backend), 0);
	}
	assert_int_equal(table_writer_put_service(writer, &service, &spec), 0);
	table_writer_commit(writer, 1);

	assert_int_equal(route_table_read_service(table, service, &arena,
	    &copy), TABLE_FOUND);
	assert_int_equal(copy.version,
	    route_table_service_version(table, service));
	assert_text(copy.spec.name, "users");
	assert_text(copy.spec.hash_header, "x-user");
	assert_int_equal(copy.spec.policy, BALANCE_HASH_HEADER);
	assert_int_equal(copy.spec.probe.fall, 3);
	assert_int_equal(copy.spec.probe.status_max, 399);
	assert_text(copy.spec.probe.path, "/health");
	assert_int_equal(copy.spec.backend_count, 3);
	assert_int_equal(copy.backends[2].spec.id, 102);
	assert_int_equal(copy.backends[2].slot, slots[2]);
	assert_text(copy.backends[2].spec.host, "backend.example.org");
	assert_text(copy.backends[2].spec.base_path, "/api");
	assert_int_equal(copy.backends[2].spec.port, 8080);

	/* a backend's change makes its service new, too */
	generation = copy.backends[2].generation;
	backend.service = service;
	backend.weight = 5;
	table_writer_begin(writer);
	assert_int_equal(table_writer_put_backend(writer, &slots[2], &backend),
	    0);
	table_writer_commit(writer, 2);
	version = copy.version;
	assert_int_not_equal(route_table_service_version(table, service),
	    version);
	assert_int_equal(route_table_read_service(table, service, &arena,
	    &copy), TABLE_FOUND);
	assert_int_equal(copy.backends[2].spec.weight, 5);
	assert_int_equal(copy.backends[2].generation, generation);

	/* another address is another backend */
	backend.port = 8081;
	table_writer_begin(writer);
	assert_int_equal(table_writer_put_backend(writer, &slots[2], &backend),
	    0);
	table_writer_commit(writer, 3);
	assert_int_equal(route_table_read_service(table, service, &arena,
	    &copy), TABLE_FOUND);
	assert_int_not_equal(copy.backends[2].generation, generation);
}

static void
a_route_comes_back_with_all_it_says(void **state)
{
	static const struct header_edit edits[] = {
		{ HEADER_SET, true, BYTES_LITERAL("x-a"), BYTES_LITERAL("1") },
		{ HEADER_REMOVE, false, BYTES_LITERAL("server"), { "", 0 } },
	};
	struct route_spec spec = {
		.id = 77,
		.label = BYTES_LITERAL("a label that is longer than thirty-two"
				       " bytes, as some are"),
		.target_count = 3, .strip_prefix = true,
		.refuses_websocket = true, .rate_limit.is_told = true,
		.host_rewrite = BYTES_LITERAL("inner.example"),
		.max_body_bytes = UINT64_C(1) << 40,
		.headers = edits, .header_count = COUNT_OF(edits),
	};
	uint32_t route = TABLE_NONE, shared[3];
	struct path_key key = { 3, BYTES_LITERAL("h"), BYTES_LITERAL("/") };
	struct path_spec path = { -4, shared, 3 };
	struct path_match match;
	struct path_copy path_copy;
	struct route_copy copy;

	(void)state;
	table_writer_begin(writer);
	for (uint32_t i = 0; i < 3; i++)
		spec.targets[i] = (struct route_target){
			fixture_put_service(writer, "s"), i };
	assert_int_equal(table_writer_put_route(writer, &route, &spec), 0);
	for (uint32_t i = 0; i < 3; i++)
		shared[i] = fixture_put_route(writer, i, 0);
	assert_int_equal(table_writer_put_path(writer, &key, &path), 0);
	table_writer_commit(writer, 1);

	assert_int_equal(route_table_read_route(table, route, &arena, &copy),
	    TABLE_FOUND);
	assert_true(bytes_equal(copy.spec.label, spec.label));
	assert_int_equal(copy.spec.target_count, 3);
	assert_memory_equal(copy.spec.targets, spec.targets,
	    3 * sizeof(spec.targets[0]));
	assert_true(copy.spec.strip_prefix);
	assert_true(copy.spec.refuses_websocket);
	assert_true(copy.spec.rate_limit.is_told);
	assert_false(copy.spec.rate_limit.is_dry_run);
	assert_text(copy.spec.host_rewrite, "inner.example");
	assert_true(copy.spec.max_body_bytes == spec.max_body_bytes);
	assert_int_equal(copy.spec.header_count, 2);
	assert_text(copy.spec.headers[0].value, "1");
	assert_int_equal(copy.spec.headers[1].op, HEADER_REMOVE);

	assert_int_equal(route_table_lookup(table, 0, bytes_of("h"),
	    bytes_of("/"), &match), TABLE_ABSENT);
	assert_int_equal(route_table_lookup(table, 3, bytes_of("h"),
	    bytes_of("/x"), &match), TABLE_FOUND);
	assert_int_equal(match.priority, -4);
	assert_int_equal(match.prefix_len, 0);
	assert_int_equal(route_table_read_path(table, match.entry, &arena,
	    &path_copy), TABLE_FOUND);
	assert_int_equal(path_copy.space, 3);
	assert_text(path_copy.host, "h");
	assert_text(path_copy.prefix, "/");
	assert_int_equal(path_copy.spec.route_count, 3);
	assert_memory_equal(path_copy.spec.routes, shared, sizeof(shared));
}

static void
what_is_removed_is_gone_and_its_slots_serve_again(void **state)
{
	const struct path_key key = { 0, BYTES_LITERAL("h"),
		BYTES_LITERAL("/a") };
	struct table_extent before, after;
	struct route_copy copy;

	(void)state;
	for (uint64_t turn = 1; turn <= 100; turn++) {
		uint32_t service, route;

		table_writer_begin(writer);
		service = fixture_put_service(writer, "s");
		route = fixture_put_route(writer, turn, service);
		fixture_put_path(writer, "h", "/a", 0, route);
		table_writer_commit(writer, turn);
		if (turn == 1)
			route_table_extent(table, &before);
		assert_int_equal(fixture_route_id(table, "h", "/a"), turn);

		table_writer_begin(writer);
		assert_int_equal(table_writer_remove_path(writer, &key), 0);
		assert_int_equal(table_writer_remove_path(writer, &key), -1);
		assert_int_equal(errno, ENOENT);
		assert_int_equal(table_writer_remove_route(writer, route), 0);
		assert_int_equal(table_writer_remove_service(writer, service),
		    0);
		table_writer_commit(writer, turn);
		assert_int_equal(fixture_route_id(table, "h", "/a"), 0);
		assert_int_equal(route_table_read_route(table, route, &arena,
		    &copy), TABLE_ABSENT);
		assert_int_equal(route_table_route_version(table, route), 0);
	}
	route_table_extent(table, &after);
	assert_int_equal(after.used_bytes, before.used_bytes);
	assert_int_equal(after.entry_count, 0);
}

static void
an_aborted_batch_leaves_nothing(void **state)
{
	uint32_t service, route;
	uint64_t changes;

	(void)state;
	table_writer_begin(writer);
	service = fixture_put_service(writer, "s");
	route = fixture_put_route(writer, 1, service);
	fixture_put_path(writer, "h", "/a", 0, route);
	table_writer_commit(writer, 1);
	changes = route_table_change_count(table);

	table_writer_begin(writer);
	route = fixture_put_route(writer, 2, service);
	fixture_put_path(writer, "h", "/a", 0, route);
	fixture_put_path(writer, "h", "/b", 0, route);
	table_writer_abort(writer);
	assert_int_equal(fixture_route_id(table, "h", "/a"), 1);
	assert_int_equal(fixture_route_id(table, "h", "/b"), 0);
	assert_true(changes == route_table_change_count(table));

	table_writer_begin(writer);
	fixture_put_path(writer, "h", "/b", 0,
	    fixture_put_route(writer, 3, service));
	table_writer_commit(writer, 2);
	table_writer_begin(writer);
	table_writer_commit(writer, 3);
	assert_int_equal(fixture_route_id(table, "h", "/a"), 1);
	assert_int_equal(fixture_route_id(table, "h", "/b"), 3);
	assert_int_not_equal(changes, route_table_change_count(table));
}

static void
keys_that_are_not_normalised_are_refused(void **state)
{
	static const char *const hosts[] = { "UPPER", "*", "*.", "*..a", "a.*",
		"*x" };
	static const char *const prefixes[] = { "", "a", "/a/", "//", "/a//b" };
	uint32_t route;
	struct path_spec spec = { 0, &route, 1 };

	(void)state;
	table_writer_begin(writer);
	route = fixture_put_route(writer, 1, fixture_put_service(writer, "s"));
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		struct path_key key = { 0, bytes_of(hosts[i]), bytes_of("/") };

		assert_int_equal(table_writer_put_path(writer, &key, &spec),
		    -1);
		assert_int_equal(errno, EINVAL);
	}
	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		struct path_key key = { 0, bytes_of("h"),
			bytes_of(prefixes[i]) };

		assert_int_equal(table_writer_put_path(writer, &key, &spec),
		    -1);
		assert_int_equal(errno, EINVAL);
	}
	table_writer_abort(writer);
}

static void
slots_that_are_not_there_are_refused(void **state)
{
	uint32_t slot = 5, list[] = { 9 };
	const struct service_spec service = { .backends = list,
		.backend_count = 1 };
	const struct backend_spec backend = { .service = TABLE_NONE };
	const struct path_key key = { 0, { "", 0 }, BYTES_LITERAL("/") };
	const struct path_spec path = { 0, list, 1 };

	(void)state;
	table_writer_begin(writer);
	assert_int_equal(table_writer_put_backend(writer, &slot, &backend), -1);
	slot = TABLE_NONE;
	assert_int_equal(table_writer_put_service(writer, &slot, &service), -1);
	assert_int_equal(table_writer_put_path(writer, &key, &path), -1);
	assert_int_equal(table_writer_remove_route(writer, 0), -1);
	assert_int_equal(errno, EINVAL);
	table_writer_abort(writer);
}

static void
a_successor_goes_on_where_the_last_writer_stopped(void **state)
{
	uint32_t service, route;

	(void)state;
	table_writer_begin(writer);
	service = fixture_put_service(writer, "s");
	fixture_put_path(writer, "h", "/a", 0,
	    fixture_put_route(writer, 1, service));
	table_writer_commit(writer, 1);
	table_writer_close(&writer);
	writer = fixture_writer(&fixture);
	table_writer_begin(writer);
	route = fixture_put_route(writer, 2, service);
	fixture_put_path(writer, "h", "/b", 0, route);
	table_writer_commit(writer, 2);
	assert_int_equal(fixture_route_id(table, "h", "/a"), 1);
	assert_int_equal(fixture_route_id(table, "h", "/b"), 2);
}

static void
a_successor_waits_for_the_end_of_the_last_writer(void **state)
{
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	table_writer_close(&writer);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct table_writer *last = fixture_writer(&fixture);

		table_writer_begin(last);
		(void)!write(ready[1], "", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	writer = fixture_writer(&fixture);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

static void
a_service_of_many_backends_is_read_whole_or_not_at_all(void **state)
{
	enum { MANY = 4000 };
	static uint32_t slots[MANY];
	struct service_spec spec = { .name = BYTES_LITERAL("many"),
		.backends = slots, .backend_count = MANY };
	uint32_t service = TABLE_NONE;
	struct service_copy copy;
	struct arena small;

	(void)state;
	table_writer_begin(writer);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct backend_spec backend = { .id = i,
			.service = TABLE_NONE,
			.host = BYTES_LITERAL("10.0.0.1") };

		slots[i] = TABLE_NONE;
		assert_int_equal(table_writer_put_backend(writer, &slots[i],
		    &backend), 0);
	}
	assert_int_equal(table_writer_put_service(writer, &service, &spec), 0);
	table_writer_commit(writer, 1);
	assert_int_equal(route_table_read_service(table, service, &arena,
	    &copy), TABLE_FOUND);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(copy.backends[i].spec.id, i);

	arena_init(&small, 10000);
	assert_int_equal(route_table_read_service(table, service, &small,
	    &copy), TABLE_NO_MEMORY);
	arena_free(&small);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(requests_find_their_route),
		CASE(a_service_comes_back_with_its_backends),
		CASE(a_successor_waits_for_the_end_of_the_last_writer),
		CASE(a_service_of_many_backends_is_read_whole_or_not_at_all),
		CASE(a_route_comes_back_with_all_it_says),
		CASE(what_is_removed_is_gone_and_its_slots_serve_again),
		CASE(an_aborted_batch_leaves_nothing),
		CASE(keys_that_are_not_normalised_are_refused),
		CASE(slots_that_are_not_there_are_refused),
		CASE(a_successor_goes_on_where_the_last_writer_stopped),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
