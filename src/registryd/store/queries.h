/*
 * registryd/store/queries.h - the named queries and migrations of a dialect.
 *
 * sql/DIALECT/queries.sql holds the text, under the names below in lower
 * case and without QUERY_; sql/embed.awk makes it part of the program.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_QUERIES_H
#define REGISTRYD_STORE_QUERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_query {
	QUERY_SET_UP,			/* of a new connection */
	QUERY_BEGIN,			/* to write */
	QUERY_BEGIN_SNAPSHOT,		/* to read */
	QUERY_COMMIT,
	QUERY_ROLLBACK,
	QUERY_PING,
	QUERY_LOCK_MIGRATIONS,
	QUERY_HAS_SCHEMA_VERSION,
	QUERY_CREATE_SCHEMA_VERSION,
	QUERY_SELECT_SCHEMA_VERSION,
	QUERY_INSERT_SCHEMA_VERSION,	/* version, name, applied_at */
	QUERY_SELECT_MIGRATIONS,	/* that were applied */
	QUERY_DROP_SCHEMA_VERSION,
	QUERY_NEXT_GENERATION,
	QUERY_SELECT_GENERATION,
	QUERY_ALLOCATE_BACKEND_IDS,	/* how many, at least; the last one */
	QUERY_ALLOCATE_ROUTE_IDS,	/* how many, at least; the last one */
	QUERY_INSERT_SERVICE,		/* SERVICE_CELLS */
	QUERY_UPDATE_SERVICE,		/* SERVICE_CELLS, expected version */
	QUERY_DELETE_SERVICE,		/* key, expected version */
	QUERY_INSERT_BACKEND,
	QUERY_UPDATE_BACKEND,
	QUERY_DELETE_BACKEND,
	QUERY_INSERT_ROUTE,
	QUERY_UPDATE_ROUTE,
	QUERY_DELETE_ROUTE,
	QUERY_INSERT_ROUTE_TARGETS,	/* route, targets */
	QUERY_DELETE_ROUTE_TARGETS,	/* route */
	QUERY_INSERT_CHANGE,		/* CHANGE_CELLS */
	QUERY_LOCK_GENERATION,
	QUERY_INSERT_EVENT,		/* CHANGE_CELLS without the first two */
	QUERY_SELECT_SERVICES,		/* behind this key, at most so many */
	QUERY_SELECT_BACKENDS,
	QUERY_SELECT_ROUTES,
	QUERY_SELECT_CHANGES,		/* from, to, kind or null, limit */
	QUERY_SELECT_CHANGES_NEWEST,
	QUERY_SELECT_CHANGES_OF,	/* from, to, kind or null, limit, key */
	QUERY_SELECT_CHANGES_OF_NEWEST,
	QUERY_SELECT_HORIZON,
	QUERY_MEASURE_HISTORY,
	QUERY_LOCK_PRUNING,		/* 1, or 0: another instance has it */
	QUERY_MOVE_HORIZON,		/* floor, limit, older than, excess */
	QUERY_DELETE_CHANGES,		/* up to the horizon */
	QUERY_PUT_NOTE,			/* kind, key, seq, body */
	QUERY_DELETE_NOTE,		/* kind, key, seq */
	QUERY_DELETE_NOTES,		/* kind, key */
	QUERY_SELECT_NOTES,
	/* Of the programs that work beside sluice; registryd/offline/. */
	QUERY_IS_EMPTY,			/* nothing was ever written */
	QUERY_EMPTY,			/* a script: no row is left */
	QUERY_SELECT_COLUMNS,		/* of a table: names and types */
	QUERY_SELECT_LAST_ID,		/* that a table gave */
	QUERY_FORGET_LAST_ID,		/* table */
	QUERY_PUT_LAST_ID,		/* table, id */
	QUERY_SHARED_COUNT,		/* up to POSTGRES_END: it alone */
	QUERY_NOTIFY = QUERY_SHARED_COUNT, /* generation, as text */
	QUERY_INSERT_BACKENDS,		/* as the one, an array a cell */
	QUERY_INSERT_ROUTES,
	QUERY_INSERT_TARGETS_OF,
	QUERY_INSERT_CHANGES,
	QUERY_SET_UP_LOCALLY,		/* of a transaction */
	QUERY_LISTEN,
	QUERY_SELECT_CHANGE_TIME,	/* generation */
	QUERY_COUNT_NEWS,		/* since, at most so many */
	QUERY_SELECT_SERVICES_SINCE,	/* generation */
	QUERY_SELECT_BACKENDS_SINCE,
	QUERY_SELECT_ROUTES_SINCE,
	QUERY_SELECT_GONE_SINCE,
	QUERY_RAISE_NOTE_VERSION,
	QUERY_HOLD_SESSION,		/* key, owner */
	QUERY_SELECT_NOTE_VERSION,
	QUERY_SELECT_NOTES_SINCE,	/* version */
	QUERY_SELECT_NOTES_OF,		/* key */
	QUERY_COMMIT_LAZILY,
	QUERY_PUT_INSTANCE,		/* PUT_INSTANCE_CELLS */
	QUERY_DELETE_INSTANCE,		/* name, run */
	QUERY_FORGET_INSTANCES,
	QUERY_SELECT_INSTANCES,
	QUERY_NOTIFY_INSTANCES,		/* generation, as text */
	QUERY_LISTEN_INSTANCES,
	QUERY_NOTIFY_WANTED,		/* generation, as text */
	QUERY_LISTEN_WANTED,
	QUERY_COUNT_USERS,		/* connections of sluices */
	QUERY_SELECT_PLAYED,		/* id */
	QUERY_INSERT_PLAYED,		/* id, generation, when */
	QUERY_POSTGRES_END,
	/* those behind: SQLite alone, of a replica */
	QUERY_SET_UP_REPLICA = QUERY_POSTGRES_END,
	QUERY_BE_DURABLE,
	QUERY_BE_QUICK,
	QUERY_SELECT_REPLICA,		/* target, when, whether it is new */
	QUERY_PUT_REPLICA,		/* target, when */
	QUERY_PUT_GENERATION,
	QUERY_PUT_IDENTITY,
	QUERY_DELETE_SERVICES_BETWEEN,	/* behind this key, up to that one */
	QUERY_DELETE_BACKENDS_BETWEEN,
	QUERY_DELETE_ROUTES_BETWEEN,
	QUERY_DELETE_ROUTE_TARGETS_BETWEEN,
	QUERY_DELETE_ALL_NOTES,
	QUERY_PUT_SPOOLED,		/* SPOOLED_CELLS */
	QUERY_FORGET_SPOOLED,		/* played, dropped: up to this seq */
	QUERY_SELECT_SPOOLED,
	QUERY_COUNT
};

/* Whether the query puts or removes one object: no row touched then means
 * that the object is not as it was expected. */
static inline bool
query_touches_one(enum store_query query)
{
	return query >= QUERY_INSERT_SERVICE && query <= QUERY_DELETE_ROUTE;
}

struct store_query_text {
	const char *name;		/* "insert_change" */
	const char *sql;
};

struct store_migration {
	uint32_t version;
	const char *name;		/* "0001_initial" */
	const char *up, *down;		/* one or more statements each */
};

extern const struct store_query_text sqlite_queries[QUERY_COUNT];
extern const struct store_migration sqlite_migrations[];
extern const uint32_t sqlite_migration_count;

extern const struct store_query_text postgres_queries[QUERY_COUNT];
extern const struct store_migration postgres_migrations[];
extern const uint32_t postgres_migration_count;

#endif
