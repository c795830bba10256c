/*
 * routing/records.h - what the router keeps of the table, decoded.
 *
 * Path entries, routes and services, each under its slot, with the
 * version that it had.  Getting one compares versions, a load or two,
 * and reads the table only when they differ.  What round robin and
 * drains remember is carried from version to version.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_RECORDS_H
#define ROUTING_RECORDS_H

#include <stdint.h>

#include "common/arena.h"
#include "common/compat.h"
#include "routing/router.h"
#include "routing/slot_cache.h"
#include "routing/turns.h"

struct cached_path {
	struct cache_item item;
	uint32_t route_count;
	struct turn turns[];		/* of the routes that share it */
};

/*
 * Whether a drain lets a request through is drawn once, however often
 * it comes by while it looks for a backend.
 */
struct drain_draw {
	uint32_t phase;			/* of the low-discrepancy sequence */
	bool is_admitted;
	uint64_t serial;		/* of the attempt it was drawn for */
};

struct cached_route {
	struct cache_item item;
	struct routed_route route;
	struct drain_draw draw;
	struct turn turns[];		/* of the targets, if several */
};

struct cached_service {
	struct cache_item item;
	struct routed_service service;
	struct cached_service *newer;	/* a reference; owns users handed on */
	int64_t weight_sum;		/* of its backends */
	uint32_t weight_max;
	struct drain_draw draw;		/* of the service's own drain */
	uint32_t drain_phase;		/* where all its backends drain */
};

/* One that may be taken, of the tier looked at. */
struct candidate {
	struct routed_backend *backend;
	int64_t weight;			/* as it is now; see standing.h */
};

struct records {
	const struct route_table *table;
	struct slot_cache paths, routes, services;
	struct arena scratch;
	uint64_t read_count;		/* of records read from the table */
	bool has_failed;		/* one could not be read */
	router_drop_user_fn *drop_user;
	void *drop_context;
	uint32_t seed;			/* of drain phases */
	struct candidate *candidates;	/* room for any kept service's */
	uint32_t candidate_max;
};

/* cache_max: records of a kind; 0: as many as do well. */
void records_init(struct records *, const struct route_table *,
    uint32_t cache_max, uint32_t seed);
void records_free(struct records *);

/*
 * Each returns the record as the table has it now, NULL when it has none.
 * Borrowed: good until the next one of its kind is asked for, unless
 * records_hold_*() adds a reference.  When the table cannot be read,
 * has_failed is set, and an older version is better than none.
 */
struct cached_path *records_path(struct records *, uint32_t slot,
    uint32_t version);
struct cached_route *records_route(struct records *, uint32_t slot);
struct cached_service *records_service(struct records *, uint32_t slot);

/* The kept version of a service, current or not; NULL when none is. */
struct cached_service *records_kept_service(const struct records *,
    uint32_t slot);

static inline struct cached_route *
cached_route_of(struct routed_route *route)
{
	return CONTAINER_OF(route, struct cached_route, route);
}

static inline struct cached_service *
cached_service_of(struct routed_service *service)
{
	return CONTAINER_OF(service, struct cached_service, service);
}

#endif
