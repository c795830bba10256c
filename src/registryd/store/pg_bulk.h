/*
 * registryd/store/pg_bulk.h - rows that go to PostgreSQL many at once.
 *
 * A commit of very many changes sends new backends and routes, with their
 * targets, and history in statements of many rows each, a parameter a
 * column: an array.  Services, and what changes or removes, go one by one,
 * since each must be found as it was.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_BULK_H
#define REGISTRYD_STORE_PG_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "registryd/store/change.h"
#include "registryd/store/pg_job.h"

/* Fewer changes than this are not worth it. */
#define PG_BULK_CHANGES_MIN 16

/* In the order in which they are sent: who leans on others comes later. */
enum pg_bulk_kind {
	PG_BULK_BACKENDS,
	PG_BULK_ROUTES,
	PG_BULK_TARGETS,
	PG_BULK_HISTORY,
	PG_BULK_KINDS
};

struct pg_bulk_rows {
	uint32_t count, column_count;
	struct buf columns[CELLS_MAX];	/* arrays, not closed yet */
};

struct pg_bulk {
	struct pg_bulk_rows rows[PG_BULK_KINDS];
	uint32_t unanswered_count;	/* statements */
};

void pg_bulk_free(struct pg_bulk *);

/* Whether that statement may wait for others of its kind. */
bool pg_bulk_takes(enum store_query);

/* Adds a statement's row.  0, or -1 when out of memory. */
MUST_CHECK int pg_bulk_add(struct pg_bulk *, const struct statement *);

/* There is so much that it should be sent. */
bool pg_bulk_is_full(const struct pg_bulk *);

/* So much is on its way that no more should be added. */
bool pg_bulk_is_busy(const struct pg_bulk *);

/* Sends what waits of the kinds before end, under that tag.  0, or -1 when
 * out of memory. */
MUST_CHECK int pg_bulk_send(struct pg_bulk *, struct pg_job *, uint32_t tag,
    int end);

/* An answer came; whether it was to one of pg_bulk_send()'s. */
bool pg_bulk_answered(struct pg_bulk *, enum store_query);

#endif
