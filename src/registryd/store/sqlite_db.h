/*
 * registryd/store/sqlite_db.h - one SQLite file, opened and migrated.
 *
 * Used by one thread alone, and blocks it: never the loop's.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_SQLITE_DB_H
#define REGISTRYD_STORE_SQLITE_DB_H

#include <sqlite3.h>

#include "registryd/store/cells.h"
#include "registryd/store/queries.h"
#include "registryd/store/request.h"

struct sqlite_db {
	const char *path;		/* borrowed */
	sqlite3 *handle;		/* NULL: not open */
	sqlite3_stmt *statements[QUERY_COUNT]; /* prepared when first used */
	uint64_t query_count, query_failed_count, query_us_sum;
	uint32_t schema_version;

	/* of a replica; see replica.h */
	const char *target;		/* borrowed; NULL: it is none */
	bool is_damaged;		/* SQLite said so */
	uint64_t set_aside_count;
};

/*
 * Opens the file, makes it if it is not there, and brings its schema up to
 * date.  0, or -1 with the request failed: STORE_REFUSED when the file is
 * no database or of a newer program.
 */
MUST_CHECK int sqlite_db_open(struct sqlite_db *, struct store_request *);
void sqlite_db_close(struct sqlite_db *);

/* Called for each row; the cells are good until it returns.  Returns 0, or
 * -1 to stop. */
typedef int sqlite_row_fn(void *context, const struct cell *cells);

/* Runs a named query.  row may be NULL.  Returns SQLITE_OK, SQLITE_ABORT
 * when row said stop, or SQLite's extended error code. */
MUST_CHECK int sqlite_db_run(struct sqlite_db *, enum store_query,
    const struct cell *cells, uint32_t count, sqlite_row_fn *row,
    void *context);

/* Runs a query whose answer is one integer. */
MUST_CHECK int sqlite_db_run_integer(struct sqlite_db *, enum store_query,
    const struct cell *cells, uint32_t count, int64_t *integer_r);

/* Ends the transaction, if one is open, without its changes. */
void sqlite_db_roll_back(struct sqlite_db *);

/* Fails the request with what code means. */
void sqlite_db_fail(struct sqlite_db *, struct store_request *, int code);

/* sqlite_commit.c, sqlite_read.c, sqlite_history.c: the requests.  The
 * outcome is set. */
void sqlite_db_commit(struct sqlite_db *, struct store_request *);
void sqlite_db_write_notes(struct sqlite_db *, struct store_request *);

/* Where rows go; each takes what it is given.  -1: stop. */
struct sqlite_sink {
	int (*service)(void *context, struct service *);
	int (*backend)(void *context, struct backend *);
	int (*route)(void *context, struct route *);
	int (*note)(void *context, const struct store_note *);
	int (*spooled)(void *context, const struct store_spooled *);
	int (*history)(void *context, const struct store_history *);
	void *context;
};

void sqlite_db_load(struct sqlite_db *, struct store_request *,
    const struct sqlite_sink *);
void sqlite_db_history(struct sqlite_db *, struct store_request *,
    const struct sqlite_sink *);
void sqlite_db_tell(struct sqlite_db *, struct store_request *);
void sqlite_db_measure(struct sqlite_db *, struct store_request *);
void sqlite_db_prune(struct sqlite_db *, struct store_request *);

/* sqlite_replica.c: */
/* Of a file that was just opened: ours to write?  0, or -1 with the request
 * failed. */
MUST_CHECK int sqlite_replica_open(struct sqlite_db *,
    struct store_request *);
/* Says in the outcome of a load how old it is, and whose. */
void sqlite_replica_describe(struct sqlite_db *, struct store_request *);
/* All of the spool, to sink->spooled; as sqlite_db_run(). */
MUST_CHECK int sqlite_replica_read_spool(struct sqlite_db *,
    const struct sqlite_sink *);
void sqlite_replica_put(struct sqlite_db *, struct store_request *);
/* After each request: a file that cannot be read is moved out of the way,
 * and the next request makes a new one. */
void sqlite_replica_judge(struct sqlite_db *, const struct store_request *);

#endif
