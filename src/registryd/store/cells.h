/*
 * registryd/store/cells.h - objects as rows of cells, for both SQL dialects.
 *
 * One order of columns serves SQLite and PostgreSQL, parameters and
 * results; sql/DIALECT/queries.sql follows it.  Lists travel as JSON
 * text.  No I/O here.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_CELLS_H
#define REGISTRYD_STORE_CELLS_H

#include <stdint.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "registryd/store/queries.h"
#include "registryd/store/store.h"

enum cell_type {
	CELL_NULL,
	CELL_INTEGER,
	CELL_TEXT,
};

struct cell {
	enum cell_type type;
	int64_t integer;
	struct bytes text;		/* borrowed; NUL-terminated */
};

struct cell cell_integer(int64_t);
struct cell cell_text(const char *);	/* NULL: a null cell */

#define SERVICE_CELLS 25
#define BACKEND_CELLS 10
#define ROUTE_CELLS   20		/* targets apart */
#define ROUTE_COLUMNS 21		/* as read: the targets come last */
#define CHANGE_CELLS  13
#define EVENT_CELLS	 (CHANGE_CELLS - 2) /* the store gives the place */
#define CELLS_MAX     26		/* a service and an expected version */

/* The JSON texts of an object's lists; kept and used again. */
struct object_texts {
	struct buf domains, prefixes, headers, targets, condition;
};

void object_texts_free(struct object_texts *);

/* Cells borrow from the object and texts.  0, or -1 when out of memory. */
MUST_CHECK int service_to_cells(const struct service *, struct object_texts *,
    struct cell *cells_r);
MUST_CHECK int backend_to_cells(const struct backend *, struct object_texts *,
    struct cell *cells_r);
MUST_CHECK int route_to_cells(const struct route *, struct object_texts *,
    struct cell *cells_r);

/* Makes an owned object.  0, or -1: out of memory, or a row that only a
 * hand could have written; the object is cleared. */
MUST_CHECK int service_from_cells(const struct cell *,
    struct service *service_r);
MUST_CHECK int backend_from_cells(const struct cell *,
    struct backend *backend_r);
MUST_CHECK int route_from_cells(const struct cell *, struct route *route_r);

/* A history row that borrows from the cells; 0, or -1 as above. */
MUST_CHECK int history_from_cells(const struct cell *,
    struct store_history *history_r);

#define PRUNE_CELLS 4
/* The cells of QUERY_MOVE_HORIZON. */
void prune_to_cells(const struct store_prune_order *,
    struct cell cells_r[PRUNE_CELLS]);

/* What an event says; borrows from it. */
void event_to_cells(const struct store_history *, struct cell *cells_r);

#define NOTE_CELLS 4
MUST_CHECK int note_from_cells(const struct cell *, struct store_note *note_r);

/* The query that answers a question about history, and its cells, which
 * borrow from the question. */
#define HISTORY_CELLS 7
enum store_query history_to_cells(const struct store_history_query *,
    struct cell cells_r[HISTORY_CELLS], uint32_t *count_r);

#endif
