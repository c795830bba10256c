/*
 * tests/unit/routing/world.h - a real route table and health words in a
 * directory of the test's own, and a router that reads them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef UNIT_ROUTING_WORLD_H
#define UNIT_ROUTING_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "routing/router.h"
#include "shm/table_writer.h"

#define WORLD_BACKENDS_MAX 4096

struct world {
	char dir[SEGMENT_DIR_SIZE];
	struct table_writer *writer;
	struct route_table *table;
	struct health_map *words, *health;
	struct router *router;
	struct instant now;
	uint64_t generation;		/* of the store */
	uint32_t in_flight[WORLD_BACKENDS_MAX]; /* by slot */
	uint32_t proven_meanwhile;	/* a service, when one of its backends
					 * is asked about; or TABLE_NONE */
	uint32_t trials;		/* left to take */
	unsigned int dropped_users;
};

/* cmocka's set-up and tear-down; *state is the struct world. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Replaces the router by one that keeps so many records. */
void world_use_router(struct world *, uint32_t cache_max);

/* Each is a commit of its own.  Ids are the slot and 1000; a service is
 * probed. */
uint32_t world_add_backend(struct world *, uint32_t weight);
uint32_t world_put_service(struct world *, uint32_t slot,
    enum balance_policy, const uint32_t *backends, uint32_t count);
uint32_t world_put_route(struct world *, uint32_t slot,
    const struct route_target *targets, uint32_t count);
void world_put_path(struct world *, const char *prefix, const uint32_t *routes,
    uint32_t count);

/* A service with a backend for each weight, at a prefix; its slot. */
uint32_t world_add_plain(struct world *, const char *prefix,
    enum balance_policy, const uint32_t *weights, uint32_t count);

/* Sets the health word of a backend of the service by its index. */
void world_set_flags(struct world *, uint32_t service, uint32_t index,
    uint32_t flags);
/* All are up. */
void world_prove(struct world *, uint32_t service);
/* Puts the backend again, with a condition. */
void world_order_backend(struct world *, uint32_t service, uint32_t index,
    const struct condition_spec *);
/* Drains from now on, over so long. */
void world_drain(struct world *, uint32_t service, uint32_t index,
    int64_t span_ms);

struct route_query world_query(const char *path, uint32_t client);

/* Chooses, releases, and returns the backend's slot or TABLE_NONE. */
uint32_t world_choose(struct world *, const struct route_query *,
    enum route_refusal *refusal_r);

#endif
