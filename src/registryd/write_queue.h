/*
 * registryd/write_queue.h - changes, one after the other.
 *
 * Every change to services, backends and routes goes through here, from
 * whichever front end.  A write waits its turn, is then planned against
 * the model (which nothing else changes until it is done), checked,
 * committed to the store, applied to the model, published into the route
 * table, and only then answered: who has the answer finds the route.
 *
 *	queued -> plan -> check -> commit -> apply -> publish -> done
 *	             \-----\---------\-> done, with a problem
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_WRITE_QUEUE_H
#define REGISTRYD_WRITE_QUEUE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/compat.h"
#include "registryd/model.h"
#include "registryd/problem.h"
#include "registryd/store/store.h"

struct write;

/*
 * Says what is to change, with write_put_*() and write_remove_*(), by the
 * model as it is now.  Returns 0, or -1 with write->problem set; or
 * WRITE_WAITS, having said nothing: it is called again, with the model of
 * then, after write_queue_go_on().  Nothing else is begun meanwhile.
 */
#define WRITE_WAITS 1
typedef int write_plan_fn(struct write *, const struct model *,
    void *context);

/* The write is over: write->problem.status is 0 when it was carried out
 * (or was a dry run that would be).  *write is freed on return. */
typedef void write_done_fn(struct write *, void *context);

struct write {
	TAILQ_ENTRY(write) queued;
	write_plan_fn *plan;
	write_done_fn *done;
	void *context;
	char who[64], from[80], request_id[64];
	const char *channel;		/* static: "api", "register", ... */
	char cause[128];		/* for history; "": as it was asked */
	bool is_dry_run;
	bool is_bulk;			/* checked as a whole; bulk_check.h */
	bool is_restored;		/* of a state that was good once */
	bool is_forced;			/* may remove more than the guard
					 * lets */
	bool is_order;			/* see write_put_*() */
	const char *sluice;		/* whose static objects they are */

	struct store_change *changes;	/* objects owned by the write */
	uint32_t change_count, change_size;
	struct note_changes notes;	/* go with the commit, or alone */

	/* of one that is played from the spool; borrowed */
	const char *spool_id;		/* NULL: it is none */
	const bool *skips;		/* for each change: a later one is in
					 * the model already */

	struct problem problem;
	uint64_t generation;		/* of the table, after it */
	uint64_t spooled_seq;		/* it was kept: see spool.h; 0: no */
};

/* A zeroed write with its functions; NULL when out of memory. */
struct write *write_new(write_plan_fn *, write_done_fn *, void *context);

/*
 * Adds a change; deep copies are made.  before is the object that is
 * there, NULL for a new one; when_version: commit only if the object has
 * it still.  0, or -1 with write->problem.
 *
 * Conditions stay what they were, whatever the object says, unless
 * is_order is set: an edit never ends a maintenance or a drain
 * (registryd/control.h does).  An order to a static object becomes a note
 * (registryd/static_orders.h).
 */
MUST_CHECK int write_put_service(struct write *, const struct service *,
    const struct service *before);
MUST_CHECK int write_put_backend(struct write *, const struct backend *,
    const struct backend *before);
MUST_CHECK int write_put_route(struct write *, const struct route *,
    const struct route *before);
MUST_CHECK int write_remove_service(struct write *, const struct service *);
MUST_CHECK int write_remove_backend(struct write *, const struct backend *);
MUST_CHECK int write_remove_route(struct write *, const struct route *);

/*
 * Removes a service with all its backends, and the routes that lead to
 * no other; of others it takes the target out.
 */
MUST_CHECK int write_remove_service_whole(struct write *,
    const struct model_service *);

/* What a queue works with and on. */
struct write_backing {
	const char *sluice;		/* static_order_sluice(); not copied */
	/* As store_commit(); without changes as store_write_notes(). */
	int (*commit)(void *context, const struct store_commit *);
	/* the model of now; NULL while there is none: no_model says why */
	struct model *(*model)(void *context);
	void (*no_model)(void *context, struct problem *);
	/* Checks that the table has room.  0 or -1 with *problem. */
	int (*check_room)(void *context, const struct write *,
	    struct problem *);
	/* The model has the changes: publish.  0 or -1 with *problem. */
	int (*publish)(void *context, uint64_t generation,
	    struct problem *);
	/* It is in the store and in the model. */
	void (*applied)(void *context, const struct write *);
	/* The model is behind the store: load it again. */
	void (*is_stale)(void *context);
	/* A commit came behind others', of after generation since. */
	void (*skipped)(void *context, uint64_t since);
	void *context;
};

struct write_queue;

struct write_queue *write_queue_new(struct ev_loop *,
    const struct write_backing *);
/* No write may be under way. */
void write_queue_free(struct write_queue **);

/* Takes the write over.  done comes from the loop, not from within. */
void write_queue_submit(struct write_queue *, struct write *);

/* The same, before all that wait. */
void write_queue_submit_first(struct write_queue *, struct write *);

/* What the plan of the write under way waited for is there. */
void write_queue_go_on(struct write_queue *);

/* One is under way. */
bool write_queue_is_busy(const struct write_queue *);

/* No write is waiting or under way. */
bool write_queue_is_idle(const struct write_queue *);

/* While held nothing new is begun: the model is being loaded. */
void write_queue_hold(struct write_queue *, bool is_held);

/* Called whenever the queue becomes idle; NULL: nobody. */
void write_queue_on_idle(struct write_queue *, void (*)(void *context),
    void *context);

#endif
