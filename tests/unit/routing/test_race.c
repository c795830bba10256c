/*
 * tests/unit/routing/test_race.c - choosing while slots change hands.
 *
 * A child process publishes batch after batch, in each of which "/a" and
 * "/b" exchange the slots of their routes, services and backends.  A
 * request must never see the one's path with the other's backend.
 */
/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/compat.h"

#define BATCHES 40000

/* What stands behind one of the two paths. */
struct side {
	struct bytes prefix, name;
	uint32_t route, service, backend;
};

static void
check(int result)
{
	if (result == -1)
		_exit(2);
}

static void
remove_side(struct table_writer *writer, const struct side *side)
{
	const struct path_key key = { .prefix = side->prefix };

	check(table_writer_remove_path(writer, &key));
	check(table_writer_remove_route(writer, side->route));
	check(table_writer_remove_service(writer, side->service));
	check(table_writer_remove_backend(writer, side->backend));
}

static void
put_side(struct table_writer *writer, struct side *side)
{
	const struct path_key key = { .prefix = side->prefix };
	const struct backend_spec backend = {
		.id = 1, .service = TABLE_NONE, .weight = 1, .port = 80,
		.host = side->name,
	};
	struct service_spec service = { .name = side->name,
		.backend_count = 1 };
	struct route_spec route = { .label = side->name, .target_count = 1 };
	struct path_spec path = { .route_count = 1 };

	side->backend = side->service = side->route = TABLE_NONE;
	check(table_writer_put_backend(writer, &side->backend, &backend));
	service.backends = &side->backend;
	check(table_writer_put_service(writer, &side->service, &service));
	route.targets[0].service = side->service;
	route.targets[0].weight = 1;
	check(table_writer_put_route(writer, &side->route, &route));
	path.routes = &side->route;
	check(table_writer_put_path(writer, &key, &path));
}

NORETURN static void
exchange_slots(struct table_writer *writer, struct side *sides)
{
	uint64_t generation = 1;

	for (int i = 0; i < BATCHES; i++) {
		table_writer_begin(writer);
		remove_side(writer, &sides[i % 2]);
		remove_side(writer, &sides[1 - i % 2]);
		put_side(writer, &sides[i % 2]);
		put_side(writer, &sides[1 - i % 2]);
		table_writer_commit(writer, ++generation);
	}
	_exit(0);
}

static bool
is_whole(struct world *w, const char *path)
{
	struct route_query query = world_query(path, 1);
	struct route_choice choice;
	struct bytes name = bytes_of(path + 1);
	bool is_good;

	router_choose(w->router, &query, w->now, &choice);
	is_good = choice.refusal == REFUSED_NOT &&
	    bytes_equal(choice.route->spec.label, name) &&
	    bytes_equal(choice.service->spec.name, name) &&
	    bytes_equal(choice.backend->spec.host, name);
	router_release(w->router, &choice);
	return is_good;
}

static void
no_request_goes_astray_while_slots_change_hands(void **state)
{
	struct world *w = *state;
	struct side sides[] = {
		{ .prefix = BYTES_LITERAL("/a"), .name = BYTES_LITERAL("a") },
		{ .prefix = BYTES_LITERAL("/b"), .name = BYTES_LITERAL("b") },
	};
	unsigned int astray = 0;
	int status;
	pid_t pid;

	table_writer_begin(w->writer);
	put_side(w->writer, &sides[0]);
	put_side(w->writer, &sides[1]);
	table_writer_commit(w->writer, 1);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0)
		exchange_slots(w->writer, sides);
	while (waitpid(pid, &status, WNOHANG) == 0)
		for (int i = 0; i < 256; i++)
			astray += !is_whole(w, "/a") + !is_whole(w, "/b");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(astray, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    no_request_goes_astray_while_slots_change_hands,
		    world_set_up, world_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
