/*
 * registryd/registry.h - the registry daemon's state, and its main paths.
 *
 * Loading: the store is opened, then read whole into a model; static
 * sections of the settings join it; it is reconciled with what the table
 * shows and the difference is published.  Until then the table stands as
 * the last registryd left it and writes are refused (degraded).  Where
 * there is a replica, that is what is read first (bring_up.h).
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_REGISTRY_H
#define REGISTRYD_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/daemon.h"
#include "registryd/admin_server.h"
#include "registryd/audit.h"
#include "registryd/breaker_order.h"
#include "registryd/bring_up.h"
#include "registryd/follow.h"
#include "registryd/guard.h"
#include "registryd/instances.h"
#include "registryd/model.h"
#include "registryd/news.h"
#include "registryd/publisher.h"
#include "registryd/replica.h"
#include "registryd/retention.h"
#include "registryd/spool.h"
#include "registryd/store/store.h"
#include "registryd/write_queue.h"
#include "routing/router.h"
#include "shm/health.h"
#include "shm/limits.h"
#include "shm/master_status.h"
#include "shm/worker_stats.h"

/* A request that waits for what master says of a reload. */
struct reload_wait {
	LIST_ENTRY(reload_wait) waiting;
	uint64_t id;
	struct admin_request *request;
	ev_timer timer;
	struct registry *registry;
};

struct control;
struct protocol;

struct registry {
	struct daemon *daemon;
	struct ev_loop *loop;

	struct store *store;
	bool is_store_open;
	struct model *model;		/* NULL: not loaded yet */
	struct model *loading;		/* being filled from the store */
	bool is_stale;			/* load again when no write is on */
	bool is_load_alone;		/* no commit may overtake the load */
	bool hears_notes;		/* the load is of sessions, too */
	struct write *recovery;		/* of a memory store, under way */
	bool was_recovered;
	ev_timer load_again;
	struct guard guard;
	struct follow follow;
	struct replica *replica;	/* NULL: none */
	struct spool *spool;		/* NULL: none */
	char identity[STORE_IDENTITY_SIZE]; /* of the model's database */
	struct bring_up bring_up;
	struct instances instances;
	struct retention retention;
	struct audit audit;

	struct publisher *publisher;
	ev_timer publish_again;		/* a publication failed */
	struct write_queue *writes;

	struct route_table *table;	/* what we wrote, as others see it */
	struct health_map *health;
	struct limits *limits;		/* for explain; NULL: cannot be read */
	const struct master_status *master;
	struct router *router;		/* for explain */

	struct channel *healthd;
	struct admin_server *server;
	struct protocol *protocol;
	struct news_bus news;
	struct control *control;
	struct breaker_orders breaker_orders;
	LIST_HEAD(, reload_wait) reloads;
	uint64_t reload_id;
	LIST_HEAD(, api_wait) waits;	/* for other instances */
	bool is_leaving;
	ev_timer leave;			/* gives all back, from the loop */
	int64_t started_wall_ms;
	bool has_found_table;		/* a registryd was here before us */
};

/* What main() runs. */
const struct daemon_role *registry_role(void);

/* Whether a table is there to be served: loaded, or left by the last. */
bool registry_has_table(const struct registry *);
/* Readiness says 503: we, or all of sluice, are leaving. */
bool registry_is_stopping(const struct registry *);

/* registry_load.c: opens the store and loads, and goes on trying. */
MUST_CHECK int registry_load_start(struct registry *);
/* Loads all of the store. */
void registry_load(struct registry *);
/* Where what is loaded goes; context is the registry. */
extern const struct store_loader registry_loader;
/* An empty model with the static objects, to be loaded into; 0 or -1. */
MUST_CHECK int registry_load_begin(struct registry *);
/* Nothing to serve yet and no store in reach: static sections need none. */
void registry_serve_static(struct registry *);
/* Takes a model over, if the guard lets it through, and publishes it.
 * false: it was not taken, and is freed. */
MUST_CHECK bool registry_take_model(struct registry *, struct model *);
/* Loads again as soon as no write is under way. */
void registry_load_again(struct registry *);
/* The static sections changed: takes them over, and publishes. */
void registry_load_static(struct registry *);

/* registry_publish.c: what the write queue asks for. */
struct model *registry_model(void *registry);
void registry_no_model(void *registry, struct problem *);
int registry_check_room(void *registry, const struct write *,
    struct problem *);
int registry_publish(void *registry, uint64_t generation, struct problem *);
void registry_is_stale(void *registry);

#endif
