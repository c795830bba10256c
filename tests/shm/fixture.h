/*
 * tests/shm/fixture.h - a segment of its own for a test.
 *
 * Made in a fresh directory under /dev/shm (or $SLUICE_SHM_DIR) and
 * removed at the end.  Whatever fails here ends the test program.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_SHM_FIXTURE_H
#define TESTS_SHM_FIXTURE_H

#include "shm/route_table.h"
#include "shm/segment.h"
#include "shm/table_writer.h"

struct fixture {
	char dir[SEGMENT_DIR_SIZE];
	struct segment_capacity capacity;
};

void fixture_make(struct fixture *, uint32_t routes);
void fixture_remove(struct fixture *);

/* A region's writable descriptor. */
int fixture_region_fd(const struct fixture *, enum segment_region, uint32_t k);

struct table_writer *fixture_writer(const struct fixture *);
struct route_table *fixture_table(const struct fixture *);

/* The least that each kind of record needs.  Slots are returned. */
uint32_t fixture_put_service(struct table_writer *, const char *name);
uint32_t fixture_put_route(struct table_writer *, uint64_t id,
    uint32_t service);
void fixture_put_path(struct table_writer *, const char *host,
    const char *prefix, int32_t priority, uint32_t route);

/* The id of the route that a request finds, 0 when none. */
uint64_t fixture_route_id(const struct route_table *, const char *host,
    const char *path);

#endif
