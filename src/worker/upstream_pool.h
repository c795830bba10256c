/*
 * worker/upstream_pool.h - the connections that are kept for a backend.
 *
 * A pool belongs to a slot and its generation: when a backend's address
 * changes it gets a new generation, and what was kept for the old one is
 * closed.  The latest connection given back is taken first, so that the
 * surplus grows old and goes.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_UPSTREAM_POOL_H
#define WORKER_UPSTREAM_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/compat.h"
#include "daemon/resolver.h"
#include "routing/router.h"
#include "worker/upstream.h"
#include "worker/worker.h"

struct upstream_pool {
	uint32_t slot, generation;
	uint64_t backend_id;
	enum backend_kind kind;
	uint16_t port;
	char *host;			/* name, address or path; owned */
	struct resolver_name *name;	/* NULL: host is an address or path */
	struct sockaddr_storage literal; /* when it is */
	socklen_t literal_len;
	uint32_t next_address;		/* of a name's: taken in turn */

	TAILQ_HEAD(, upstream) idle;	/* latest first */
	uint32_t idle_count;
	uint32_t open_count;		/* idle and busy; keeps the pool */
	struct instant used;		/* latest request */
	bool is_retired;		/* another generation took its slot */
};

/* NULL with errno. */
struct upstream_pools *upstream_pools_new(struct worker *);
/* All connections must be closed. */
void upstream_pools_free(struct upstream_pools **);

/* The pool of a backend, made when needed; NULL when out of memory. */
struct upstream_pool *upstream_pools_get(struct upstream_pools *,
    const struct routed_backend *);

/* Frees pools that have no connection and had no request lately. */
void upstream_pools_sweep(struct upstream_pools *, struct instant now);

/* Closes all idle connections. */
void upstream_pools_close_idle(struct upstream_pools *);

/* A kept-alive connection, taken out; NULL when there is none. */
struct upstream *upstream_pool_take(struct worker *, struct upstream_pool *);

/* Keeps a connection for later, or closes it where there is no use. */
void upstream_pool_keep(struct worker *, struct upstream *);

/* An idle connection leaves by itself: it was closed, or spoke. */
void upstream_pool_forget(struct worker *, struct upstream *);

/* A connection to the pool's backend was made, or is gone. */
void upstream_pool_count(struct worker *, struct upstream_pool *,
    int32_t change);

#endif
