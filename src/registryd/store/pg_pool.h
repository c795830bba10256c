/*
 * registryd/store/pg_pool.h - jobs, and the connections that carry them.
 *
 * Commits run one at a time, in their order; reads run beside them.  While
 * no connection stands, jobs are refused and the pool tries again, after
 * pauses that grow and are jittered (pg_pause.h).
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_POOL_H
#define REGISTRYD_STORE_PG_POOL_H

#include <sys/queue.h>

#include "common/random.h"
#include "registryd/store/driver.h"
#include "registryd/store/pg_address.h"
#include "registryd/store/pg_connection.h"

#define PG_ERROR_SIZE 256

/* Jobs that may wait for a connection; more are refused. */
#define PG_WAITING_MAX 10000

struct pg_job;

STAILQ_HEAD(pg_job_list, pg_job);

struct pg_pool {
	struct store *store;		/* whose figures it keeps */
	struct ev_loop *loop;
	char *url;
	struct pg_address *address;
	uint32_t turn;			/* which server is tried first */
	uint32_t size, idle_max;
	int64_t lifetime_ms, query_timeout_ms;

	/* A connection is what the list says that it is on. */
	struct pg_connection_list connections[PG_PLACES];
	uint32_t connection_counts[PG_PLACES];

	struct pg_job_list commits, reads;	/* wait for a connection */
	struct pg_job_list refused;		/* wait for the loop to turn */
	uint32_t waiting_count;
	bool is_committing, prefers_read;
	bool is_pooled;			/* see pg_server; found out, maybe */

	struct store_request *opening;	/* until it is known how that went */
	bool is_migrated, was_up;
	char error[PG_ERROR_SIZE];	/* why it is down; "" when up */
	uint32_t failure_count;		/* of connecting, in a row */
	struct random_stream random;
	ev_timer retry;			/* the pause before the next try */
	ev_timer sweep;			/* retires and pings connections */
	ev_timer next_turn;		/* refused jobs, dead connections */

	/* It may be another server now; set before pg_pool_open(). */
	void (*on_server)(void *context);
	void *on_server_context;
};

/* 0, or -1 when out of memory. */
MUST_CHECK int pg_pool_init(struct pg_pool *, struct store *,
    struct ev_loop *, const struct settings *);
void pg_pool_clear(struct pg_pool *);

/* Starts to connect; takes the request of store_open(). */
void pg_pool_open(struct pg_pool *, struct store_request *);

/* Takes a job, and its request. */
void pg_pool_submit(struct pg_pool *, struct pg_job *);

#endif
