/*
 * registryd/store/sqlite_cells.h - cells into a SQLite statement, and out.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_SQLITE_CELLS_H
#define REGISTRYD_STORE_SQLITE_CELLS_H

#include <sqlite3.h>

#include "registryd/store/cells.h"

/* Binds cells to the parameters 1 .. count; their texts are borrowed until
 * the statement is bound anew or done with.  SQLITE_OK, or an error code. */
MUST_CHECK int sqlite_cells_bind(sqlite3_stmt *, const struct cell *cells,
    uint32_t count);

/* A column (from 0) of the row that the statement stands on; good until its
 * next step.  What is neither integer nor null is read as text. */
struct cell sqlite_cell_read(sqlite3_stmt *, int column);

#endif
