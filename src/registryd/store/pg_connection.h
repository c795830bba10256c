/*
 * registryd/store/pg_connection.h - one connection to PostgreSQL, on the loop.
 *
 * Non-blocking from the first packet on, in libpq's pipeline mode: queries
 * are sent one behind the other, and answers come in that order.  Whoever
 * uses the connection is told of each answer, and of each sync point; what
 * comes between an error and the next sync point was not carried out.
 *
 * Queries are prepared when first used on this connection.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_CONNECTION_H
#define REGISTRYD_STORE_PG_CONNECTION_H

#include <ev.h>
#include <libpq-fe.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "registryd/store/cells.h"
#include "registryd/store/pg_address.h"
#include "registryd/store/queries.h"
#include "registryd/store/store.h"

struct pg_connection;

/* An answer that was an error. */
struct pg_error {
	const char *sqlstate;		/* five characters; "" unknown */
	char *message;			/* one line */
};

/* Who uses a connection.  A user may send from within any of these, and
 * from connected() and synced() it may give the connection back. */
struct pg_user {
	/* The answer to a query; tag is that of pg_connection_send(). */
	void (*answered)(void *context, enum store_query, uint32_t tag,
	    const PGresult *);
	void (*failed)(void *context, uint32_t tag, const struct pg_error *);
	/* All that was sent before a sync has been answered. */
	void (*synced)(void *context);
	/* Fewer than half of PG_SENT_MAX answers are outstanding again. */
	void (*drained)(void *context);
};

/* What became of a connection, for its owner. */
struct pg_owner {
	void (*connected)(void *context, struct pg_connection *);
	/* Never was, or is no more; the owner must free it.  Its user, if
	 * any, gets no more answers. */
	void (*lost)(void *context, struct pg_connection *,
	    const char *message);
	/* LISTEN was told; or NULL. */
	void (*notified)(void *context, const char *channel,
	    const char *payload);
};

/* More answers than this should not be outstanding. */
#define PG_SENT_MAX 2048

enum pg_sent_type {
	PG_SENT_PREPARE,
	PG_SENT_QUERY,
	PG_SENT_SYNC,
};

struct pg_sent {
	enum pg_sent_type type;
	enum store_query query;
	uint32_t tag;
};

/* The owner's list that it is on. */
enum pg_place {
	PG_NOWHERE,
	PG_ON_CONNECTING,
	PG_ON_BUSY,
	PG_ON_IDLE,
	PG_ON_DEAD,
	PG_PLACES
};

enum pg_state {
	PG_CONNECTING,
	PG_READY,			/* in pipeline mode */
	PG_SCRIPT,			/* runs statements outside of it */
	PG_LOST,
};

struct pg_connection {
	TAILQ_ENTRY(pg_connection) entry;	/* of the owner */
	enum pg_place place;
	struct ev_loop *loop;
	PGconn *handle;
	enum pg_state state;
	ev_io readable, writable;
	ev_timer timeout;		/* runs while an answer is due */
	double timeout_s;		/* of answers */
	struct instant opened, used;

	struct pg_sent *sent;		/* a ring; answers are due in order */
	uint32_t sent_first, sent_count, sent_size;
	bool is_answered;		/* the first that is due, in part */
	bool has_drained;
	bool is_broken;			/* something could not be sent */
	bool is_prepared[QUERY_COUNT];
	bool is_pooled;			/* nothing is kept in the session */
	bool must_write;		/* no use when the server does not */
	bool was_refused;		/* a write, since it does not */
	bool is_confused;		/* a prepared statement got lost */

	const struct pg_owner *owner;
	void *owner_context;
	const struct pg_user *user;
	void *user_context;
};

TAILQ_HEAD(pg_connection_list, pg_connection);

/*
 * Starts to connect; tells the owner how it went, never from within.
 * NULL when out of memory.
 */
struct pg_server {
	const char *url;
	const struct pg_places *places;
	int64_t timeout_ms;		/* to connect, and for each answer */
	const char *name;		/* to the server's administrator */
	bool is_pooled;			/* behind a pooler of transactions:
					 * statements have no names */
};
struct pg_connection *pg_connection_new(struct ev_loop *,
    const struct pg_server *, const struct pg_owner *, void *context);
void pg_connection_free(struct pg_connection **);

void pg_connection_set_user(struct pg_connection *, const struct pg_user *,
    void *context);

/* Whether the server takes no writes any more, or behaves like several. */
bool pg_connection_is_no_use(const struct pg_connection *);

/* No more events, no more answers; to be freed later. */
void pg_connection_retire(struct pg_connection *);

/* pg_query.c: */

/* Queues a query, to leave with the next of the two calls below, or when
 * libpq holds many.  A failure to send shows as a lost connection. */
void pg_connection_send(struct pg_connection *, enum store_query,
    const struct cell *cells, uint32_t count, uint32_t tag);
/* Ends what was sent: errors reach no further; synced() follows. */
void pg_connection_sync(struct pg_connection *);
/* Asks the server for the answers so far. */
void pg_connection_ask_answers(struct pg_connection *);
static inline bool
pg_connection_is_full(const struct pg_connection *connection)
{
	return connection->sent_count >= PG_SENT_MAX;
}

/* Runs one or more statements while nothing is outstanding; synced()
 * follows. */
void pg_connection_run_script(struct pg_connection *, const char *sql);

/* Reads what has come; may end in pg_connection_lose(). */
void pg_connection_take_answers(struct pg_connection *);

/* pg_connection.c, for pg_query.c: */
void pg_connection_lose(struct pg_connection *, const char *message);
/* Sends what libpq holds; waits for room if need be. */
void pg_connection_flush(struct pg_connection *);
/* An answer is due, or none is any more. */
void pg_connection_set_due(struct pg_connection *, bool is_due);

/* The row of a result as cells that borrow from it. */
void pg_result_cells(const PGresult *, int row, struct cell *cells_r,
    int count);
/* The integer at row 0; 0 when there is none. */
int64_t pg_result_integer(const PGresult *, int column);
/* The answer to QUERY_SELECT_GENERATION. */
void pg_result_moment(const PGresult *, struct store_outcome *outcome);
/* The rows touched. */
uint64_t pg_result_touched(const PGresult *);

#endif
