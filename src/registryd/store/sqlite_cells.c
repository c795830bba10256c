/*
 * registryd/store/sqlite_cells.c - cells into a SQLite statement, and out.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/sqlite_cells.h"

static int
bind_cell(sqlite3_stmt *statement, int column, const struct cell *cell)
{
	switch (cell->type) {
	case CELL_NULL:
		return sqlite3_bind_null(statement, column);
	case CELL_INTEGER:
		return sqlite3_bind_int64(statement, column, cell->integer);
	case CELL_TEXT:
		return sqlite3_bind_text(statement, column, cell->text.data,
		    (int)cell->text.len, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

int
sqlite_cells_bind(sqlite3_stmt *statement, const struct cell *cells,
    uint32_t count)
{
	int code = SQLITE_OK;

	for (uint32_t i = 0; i < count && code == SQLITE_OK; i++)
		code = bind_cell(statement, (int)i + 1, &cells[i]);
	return code;
}

struct cell
sqlite_cell_read(sqlite3_stmt *statement, int column)
{
	struct cell cell = { .type = CELL_NULL };

	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		cell.type = CELL_INTEGER;
		cell.integer = sqlite3_column_int64(statement, column);
		break;
	case SQLITE_NULL:
		break;
	default:
		cell.text.data =
		    (const char *)sqlite3_column_text(statement, column);
		cell.text.len = (size_t)sqlite3_column_bytes(statement, column);
		if (cell.text.data != NULL)	/* else: out of memory */
			cell.type = CELL_TEXT;
		break;
	}
	return cell;
}
