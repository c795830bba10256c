/*
 * registryd/model.h - all services, backends and routes, in memory.
 *
 * registryd's own picture of the store plus the static sections of the
 * settings, indexed for every question that is asked of it: by key, the
 * backends of a service, the routes that lead to a service, the routes
 * at a (domain, prefix).
 *
 * Every change marks what the route table must be told of: objects and
 * paths become dirty (a list each), slots of what is gone are kept until
 * they are removed.  The publisher (publisher.h) empties these lists, so
 * that a publication costs what changed and no more.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_MODEL_H
#define REGISTRYD_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/compat.h"
#include "registryd/order_tree.h"
#include "registryd/path_index.h"
#include "registryd/store/object.h"

struct model_service {
	struct service object;
	struct order_node by_name;
	TAILQ_HEAD(model_backends, model_backend) backends;
	uint32_t backend_count;
	LIST_HEAD(, model_target) targets; /* of routes that lead here */
	uint32_t target_count;
	uint32_t slot;			/* TABLE_NONE: not published yet */
	bool is_placed;			/* the slot is in the published table */
	bool is_dirty;
	TAILQ_ENTRY(model_service) dirty;
	bool is_ordered;		/* has a condition */
	LIST_ENTRY(model_service) ordered;
};

struct model_backend {
	struct backend object;
	struct order_node by_id;
	struct model_service *service;
	TAILQ_ENTRY(model_backend) of_service;
	uint32_t slot;
	bool is_placed;
	bool is_dirty;
	TAILQ_ENTRY(model_backend) dirty;
	bool is_ordered;
	LIST_ENTRY(model_backend) ordered;
};

struct model_target {
	struct model_service *service;
	struct model_route *route;
	LIST_ENTRY(model_target) of_service;
};

struct model_route {
	struct route object;
	struct order_node by_id;
	struct model_target *targets;	/* object.target_count of them */
	uint32_t slot;
	bool is_placed;
	bool is_dirty;
	TAILQ_ENTRY(model_route) dirty;
	bool is_ordered;
	LIST_ENTRY(model_route) ordered;
};

/* What a route hangs at. */
struct model_path {
	uint64_t hash;			/* see path_index.h */
	char *domain, *prefix;
	struct model_route **routes;	/* by id; all priorities */
	uint32_t route_count;		/* 0: to be removed, then freed */
	bool is_published;
	bool is_dirty;
	TAILQ_ENTRY(model_path) dirty;
};

TAILQ_HEAD(model_service_list, model_service);
TAILQ_HEAD(model_backend_list, model_backend);
TAILQ_HEAD(model_route_list, model_route);
TAILQ_HEAD(model_path_list, model_path);

/* Slots of what is gone, still in the table. */
struct slot_list {
	uint32_t *slots;
	uint32_t count, size;
};

struct model {
	struct order_tree services, backends, routes;
	struct path_index paths;
	uint64_t generation;		/* of the store */
	int64_t generation_wall_ms;	/* committed then; 0: not known */

	/* what is in maintenance or drains */
	LIST_HEAD(, model_service) ordered_services;
	LIST_HEAD(, model_backend) ordered_backends;
	LIST_HEAD(, model_route) ordered_routes;

	/* what the table must be told */
	struct model_service_list dirty_services;
	struct model_backend_list dirty_backends;
	struct model_route_list dirty_routes;
	struct model_path_list dirty_paths;
	struct slot_list gone_services, gone_backends, gone_routes;
};

struct model *model_new(void);
void model_free(struct model **);

/* NULL when there is none. */
struct model_service *model_find_service(const struct model *,
    const char *name);
struct model_backend *model_find_backend(const struct model *, uint64_t id);
struct model_route *model_find_route(const struct model *, uint64_t id);
struct model_path *model_find_path(const struct model *, struct bytes domain,
    struct bytes prefix);

/* The next behind a key in the order of keys; NULL name or id 0: the
 * first.  NULL at the end. */
struct model_service *model_next_service(const struct model *,
    const char *name);
struct model_backend *model_next_backend(const struct model *, uint64_t id);
struct model_route *model_next_route(const struct model *, uint64_t id);

/*
 * Puts an object of which a deep copy is made, in place of the one of its
 * key.  Returns 0, or -1 with errno: ENOMEM, or ENOENT when a service
 * that it names is not in the model; nothing is changed then.
 */
MUST_CHECK int model_put_service(struct model *, const struct service *);
MUST_CHECK int model_put_backend(struct model *, const struct backend *);
MUST_CHECK int model_put_route(struct model *, const struct route *);

/* The same without a copy: on success the object is the model's, and what
 * it was taken from is empty. */
MUST_CHECK int model_take_route(struct model *, struct route *);

/* Takes an object out; a service must have no backends and no routes.
 * Nothing happens when there is none of that key. */
void model_remove_service(struct model *, const char *name);
void model_remove_backend(struct model *, uint64_t id);
void model_remove_route(struct model *, uint64_t id);

void model_touch_service(struct model *, struct model_service *);
void model_touch_backend(struct model *, struct model_backend *);
void model_touch_route(struct model *, struct model_route *);
void model_touch_path(struct model *, struct model_path *);

/* For the publisher: objects are clean; a path without routes is freed. */
void model_clean_service(struct model *, struct model_service *);
void model_clean_backend(struct model *, struct model_backend *);
void model_clean_route(struct model *, struct model_route *);
void model_clean_path(struct model *, struct model_path *);

/* A path that only the table has: to be removed.  0, or -1 with ENOMEM. */
MUST_CHECK int model_add_gone_path(struct model *, struct bytes domain,
    struct bytes prefix);

/* Adds a slot to be removed; when out of memory the slot is lost until
 * the next start, and that is logged. */
void slot_list_add(struct slot_list *, uint32_t slot);

/* Whether both lead to the same one service: such routes never conflict,
 * and are one in the table. */
bool route_is_same_service(const struct route *, const struct route *);

#endif
