/*
 * registryd/offline/sql_sqlite.c - a SQLite file.
 *
 * Who has a file in WAL mode open holds a shared lock on it for as long:
 * the exclusive locking mode is refused then, and keeps others out for as
 * long as we have it.  That is how a sluice that uses the file is known.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registryd/offline/sql.h"
#include "registryd/store/sqlite_cells.h"
#include "registryd/store/sqlite_functions.h"

struct sqlite {
	struct sql sql;
	sqlite3 *handle;
	sqlite3_stmt *writing;		/* of write_begin() */
};

static struct sqlite *
sqlite_of(struct sql *sql)
{
	return CONTAINER_OF(sql, struct sqlite, sql);
}

static int
fail(const struct sqlite *sqlite)
{
	return sql_complain(&sqlite->sql, "%s: %s", sqlite->sql.place,
	    sqlite3_errmsg(sqlite->handle));
}

static void
sqlite_close(struct sql *sql)
{
	struct sqlite *sqlite = sqlite_of(sql);

	(void)sqlite3_finalize(sqlite->writing);
	(void)sqlite3_close(sqlite->handle);
	free(sqlite);
}

static int
set_up(struct sqlite *sqlite, unsigned int flags)
{
	int code = sqlite_functions_add(sqlite->handle);

	if (code == SQLITE_OK && (flags & SQL_ALONE) != 0)
		code = sqlite3_exec(sqlite->handle,
		    "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite->handle,
		    sqlite_queries[QUERY_SET_UP].sql, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return 0;
	if (code == SQLITE_BUSY && (flags & SQL_ALONE) != 0)
		return sql_complain(&sqlite->sql, "%s: a sluice, or another "
		    "program, has it open; stop it, or say --force",
		    sqlite->sql.place);
	return fail(sqlite);
}

/* Makes the file if need be, for us and our group. */
static int
make_file(const struct sqlite *sqlite, unsigned int flags)
{
	int fd = open(sqlite->sql.place, O_RDWR | O_CLOEXEC |
		((flags & SQL_MAKE) != 0 ? O_CREAT : 0), 0640);

	if (fd == -1)
		return sql_complain(&sqlite->sql, "%s: %s", sqlite->sql.place,
		    strerror(errno));
	close(fd);
	return 0;
}

static int
sqlite_open(const char *place, unsigned int flags, struct sql **sql_r)
{
	struct sqlite *sqlite = calloc(1, sizeof(*sqlite));

	if (sqlite == NULL)
		return -1;
	sqlite->sql = (struct sql){ .dialect = &sql_sqlite, .place = place };
	if (make_file(sqlite, flags) == -1) {
		free(sqlite);
		return -1;
	}
	*sql_r = &sqlite->sql;
	if (sqlite3_open_v2(place, &sqlite->handle, SQLITE_OPEN_READWRITE,
		NULL) != SQLITE_OK)
		(void)fail(sqlite);
	else if (set_up(sqlite, flags) == 0)
		return 0;
	sql_close(sql_r);
	return -1;
}

static int
sqlite_script(struct sql *sql, const char *text)
{
	struct sqlite *sqlite = sqlite_of(sql);

	return sqlite3_exec(sqlite->handle, text, NULL, NULL, NULL) ==
		SQLITE_OK ? 0 : fail(sqlite);
}

/* 0, or -1, having said why unless row did. */
static int
step(struct sqlite *sqlite, sqlite3_stmt *statement, sql_row_fn *row,
    void *context)
{
	struct cell cells[SQL_COLUMNS_MAX];
	int code, count;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		count = sqlite3_column_count(statement);
		for (int i = 0; i < count && i < SQL_COLUMNS_MAX; i++)
			cells[i] = sqlite_cell_read(statement, i);
		if (row != NULL && row(context, cells, (uint32_t)count) == -1)
			return -1;
	}
	return code == SQLITE_DONE ? 0 : fail(sqlite);
}

static int
sqlite_query(struct sql *sql, const char *text, const struct cell *cells,
    uint32_t count, sql_row_fn *row, void *context)
{
	struct sqlite *sqlite = sqlite_of(sql);
	sqlite3_stmt *statement;
	int result;

	if (sqlite3_prepare_v2(sqlite->handle, text, -1, &statement, NULL) !=
	    SQLITE_OK)
		return fail(sqlite);
	if (sqlite_cells_bind(statement, cells, count) != SQLITE_OK)
		result = fail(sqlite);
	else
		result = step(sqlite, statement, row, context);
	(void)sqlite3_finalize(statement);
	return result;
}

/* The columns by commas, each in format. */
static void
append_columns(struct buf *text, const struct sql_table *table,
    const char *mark)
{
	for (uint32_t i = 0; i < table->count; i++)
		buf_printf(text, "%s%s", i == 0 ? "" : ", ",
		    mark == NULL ? table->names[i] : mark);
}

static int
sqlite_read(struct sql *sql, const struct sql_table *table, sql_row_fn *row,
    void *context)
{
	struct buf text = { 0 };
	int result = -1;

	buf_append_text(&text, "SELECT ");
	append_columns(&text, table, NULL);
	buf_printf(&text, " FROM %s", table->name);
	if (!text.is_failed)
		result = sqlite_query(sql, text.data, NULL, 0, row, context);
	buf_free(&text);
	return result;
}

static int
sqlite_write_begin(struct sql *sql, const struct sql_table *table)
{
	struct sqlite *sqlite = sqlite_of(sql);
	struct buf text = { 0 };
	int code = SQLITE_NOMEM;

	buf_printf(&text, "INSERT INTO %s (", table->name);
	append_columns(&text, table, NULL);
	buf_append_text(&text, ") VALUES (");
	append_columns(&text, table, "?");
	buf_append_text(&text, ")");
	if (!text.is_failed)
		code = sqlite3_prepare_v2(sqlite->handle, text.data, -1,
		    &sqlite->writing, NULL);
	buf_free(&text);
	return code == SQLITE_OK ? 0 : fail(sqlite);
}

static int
sqlite_write_row(struct sql *sql, const struct cell *cells, uint32_t count)
{
	struct sqlite *sqlite = sqlite_of(sql);
	int code = sqlite_cells_bind(sqlite->writing, cells, count);

	if (code == SQLITE_OK && sqlite3_step(sqlite->writing) != SQLITE_DONE)
		return fail(sqlite);
	(void)sqlite3_reset(sqlite->writing);
	return code == SQLITE_OK ? 0 : fail(sqlite);
}

static int
sqlite_write_end(struct sql *sql)
{
	struct sqlite *sqlite = sqlite_of(sql);

	(void)sqlite3_finalize(sqlite->writing);
	sqlite->writing = NULL;
	return 0;
}

const struct sql_dialect sql_sqlite = {
	.name = "sqlite",
	.queries = sqlite_queries,
	.migrations = sqlite_migrations,
	.migration_count = &sqlite_migration_count,
	.open = sqlite_open,
	.close = sqlite_close,
	.script = sqlite_script,
	.query = sqlite_query,
	.read = sqlite_read,
	.write_begin = sqlite_write_begin,
	.write_row = sqlite_write_row,
	.write_end = sqlite_write_end,
};
