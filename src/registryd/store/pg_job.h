/*
 * registryd/store/pg_job.h - a request on its way through PostgreSQL.
 *
 * A job has a connection to itself from start() to pg_job_end(): sends
 * queries and syncs, and is told of the answers.  It may end in synced()
 * alone.  A connection that is lost ends it with STORE_UNAVAILABLE.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_JOB_H
#define REGISTRYD_STORE_PG_JOB_H

#include <sys/queue.h>

#include "registryd/store/pg_pool.h"

struct pg_job_type {
	bool is_commit;
	void (*start)(struct pg_job *);
	void (*answered)(struct pg_job *, enum store_query, uint32_t tag,
	    const PGresult *);
	/* Before the job is failed with what the error means; or NULL. */
	void (*failed)(struct pg_job *, uint32_t tag, const struct pg_error *);
	void (*synced)(struct pg_job *);
	void (*drained)(struct pg_job *);	/* or NULL */
	/* The outcome stands; the job is freed right after.  Or NULL. */
	void (*ended)(struct pg_job *);
};

/* The head of every job. */
struct pg_job {
	STAILQ_ENTRY(pg_job) entry;
	const struct pg_job_type *type;
	struct store_request *request;
	struct pg_pool *pool;
	struct pg_connection *connection;	/* NULL: waits for one */
	struct instant started;
	bool is_failed;
	bool is_set_up;			/* where each transaction needs that */
};

/* For jobs ------------------------------------------------------------- */

/* A zeroed job of that size; NULL when out of memory. */
struct pg_job *pg_job_new(size_t size, const struct pg_job_type *,
    struct store_request *);

void pg_job_send(struct pg_job *, enum store_query, const struct cell *cells,
    uint32_t count, uint32_t tag);
void pg_job_sync(struct pg_job *);

/* Fails the job; the first reason stays. */
void pg_job_fail(struct pg_job *, enum store_result, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* For QUERY_HOLD_SESSION that held none. */
void pg_job_fail_hold(struct pg_job *);

/* Gives the connection back, calls back, frees the job; pg_pool.c. */
void pg_job_end(struct pg_job *);

/* The jobs there are; NULL when out of memory. */
struct pg_job *pg_commit_new(struct store_request *);
struct pg_job *pg_notes_new(struct store_request *);
struct pg_job *pg_read_notes_new(struct store_request *); /* and events */
struct pg_job *pg_load_new(struct store_request *);
struct pg_job *pg_history_new(struct store_request *);
struct pg_job *pg_measure_new(struct store_request *);
struct pg_job *pg_prune_new(struct store_request *);
struct pg_job *pg_ping_new(struct store_request *);
struct pg_job *pg_follow_new(struct store_request *);
/* pg_instance.c */
struct pg_job *pg_put_instance_new(struct store_request *);
struct pg_job *pg_remove_instance_new(struct store_request *);
struct pg_job *pg_list_instances_new(struct store_request *);
struct pg_job *pg_want_instances_new(struct store_request *);
/* Makes a new connection ready, and migrates if that is due. */
struct pg_job *pg_setup_new(struct store_request *);

/* For the pool --------------------------------------------------------- */

void pg_job_start(struct pg_job *, struct pg_connection *);

/* Tells ended(), frees; the request is the caller's again. */
struct store_request *pg_job_free(struct pg_job **);

#endif
