/*
 * tests/shm/fixture.c - a segment of its own for a test.
 */
/* SPDX-License-Identifier: ISC */
#include "fixture.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/random.h"

void
fixture_make(struct fixture *fixture, uint32_t routes)
{
	char name[2 * 8 + 1], instance[SEGMENT_NAME_MAX];
	bool adopted;

	random_hex(name, 8);
	(void)snprintf(instance, sizeof(instance), "test-%s", name);
	fixture->capacity = (struct segment_capacity){ .routes = routes,
		.services = 1024, .backends = 4096, .limit_cells = 16 };
	if (segment_dir(instance, fixture->dir) == -1)
		err(1, "segment_dir");
	if (segment_create(fixture->dir, &fixture->capacity, (uid_t)-1,
		(gid_t)-1, &adopted) == -1)
		err(1, "segment_create");
	if (adopted)
		errx(1, "%s stood there before", fixture->dir);
}

void
fixture_remove(struct fixture *fixture)
{
	segment_remove(fixture->dir);
}

int
fixture_region_fd(const struct fixture *fixture, enum segment_region region,
    uint32_t k)
{
	int fd = segment_open_writable(fixture->dir, region, k);

	if (fd == -1)
		err(1, "segment_open_writable");
	return fd;
}

struct table_writer *
fixture_writer(const struct fixture *fixture)
{
	struct table_writer *writer;

	if (table_writer_open(fixture_region_fd(fixture, SEGMENT_ROUTES, 0),
		&writer) == -1)
		err(1, "table_writer_open");
	return writer;
}

struct route_table *
fixture_table(const struct fixture *fixture)
{
	struct route_table *table;

	if (route_table_open(fixture->dir, &table) == -1)
		err(1, "route_table_open");
	return table;
}

uint32_t
fixture_put_service(struct table_writer *writer, const char *name)
{
	const struct service_spec spec = { .name = bytes_of(name) };
	uint32_t slot = TABLE_NONE;

	if (table_writer_put_service(writer, &slot, &spec) == -1)
		err(1, "table_writer_put_service");
	return slot;
}

uint32_t
fixture_put_route(struct table_writer *writer, uint64_t id, uint32_t service)
{
	struct route_spec spec = { .id = id, .target_count = 1 };
	uint32_t slot = TABLE_NONE;

	spec.targets[0] = (struct route_target){ service, 1 };
	if (table_writer_put_route(writer, &slot, &spec) == -1)
		err(1, "table_writer_put_route");
	return slot;
}

void
fixture_put_path(struct table_writer *writer, const char *host,
    const char *prefix, int32_t priority, uint32_t route)
{
	const struct path_key key = { 0, bytes_of(host), bytes_of(prefix) };
	const struct path_spec spec = { priority, &route, 1 };

	if (table_writer_put_path(writer, &key, &spec) == -1)
		err(1, "table_writer_put_path %s%s", host, prefix);
}

uint64_t
fixture_route_id(const struct route_table *table, const char *host,
    const char *path)
{
	struct path_match match;
	struct path_copy path_copy;
	struct route_copy route;
	struct arena arena;
	enum table_result result;

	result = route_table_lookup(table, 0, bytes_of(host), bytes_of(path),
	    &match);
	if (result == TABLE_ABSENT)
		return 0;
	arena_init(&arena, 1 << 20);
	if (result != TABLE_FOUND ||
	    route_table_read_path(table, match.entry, &arena, &path_copy) !=
		TABLE_FOUND ||
	    route_table_read_route(table, path_copy.spec.routes[0], &arena,
		&route) != TABLE_FOUND)
		errx(1, "cannot read what stands at %s%s", host, path);
	arena_free(&arena);
	return route.spec.id;
}
