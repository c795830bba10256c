/*
 * registryd/offline/sql_postgres.c - a PostgreSQL database.
 *
 * Whole tables are read row by row in one query, and written with COPY.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/offline/sql.h"
#include "registryd/store/pg_array.h"

#define INT8_OID 20
#define INT2_OID 21
#define INT4_OID 23

/* Rows leave when there is so much of them. */
#define WRITE_BYTES 65536

struct postgres {
	struct sql sql;
	PGconn *handle;
	const struct sql_table *writing;
	struct buf rows;		/* in COPY's text format */
};

static struct postgres *
postgres_of(struct sql *sql)
{
	return CONTAINER_OF(sql, struct postgres, sql);
}

/* The first line of what the server, or libpq, says. */
static int
fail(const struct postgres *postgres, const PGresult *result)
{
	const char *text = result == NULL ? NULL
	    : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (text == NULL)
		text = PQerrorMessage(postgres->handle);
	return sql_complain(&postgres->sql, "%.*s",
	    (int)strcspn(text, "\n"), text);
}

static void
postgres_close(struct sql *sql)
{
	struct postgres *postgres = postgres_of(sql);

	PQfinish(postgres->handle);
	buf_free(&postgres->rows);
	free(postgres);
}

static void
ignore_notice(void *context, const PGresult *result)
{
	(void)context, (void)result;
}

static int
check_alone(struct sql *sql)
{
	int64_t count;

	if (sql_run_integer(sql, QUERY_COUNT_USERS, NULL, 0, &count) == -1)
		return -1;
	if (count == 0)
		return 0;
	return sql_complain(sql, "sluices have %" PRId64 " connections to the "
	    "database; stop them, or say --force", count);
}

static int
postgres_open(const char *place, unsigned int flags, struct sql **sql_r)
{
	const char *const keywords[] = { "dbname", "fallback_application_name",
		"client_encoding", NULL };
	const char *const values[] = { place, "sluicectl", "UTF8", NULL };
	struct postgres *postgres = calloc(1, sizeof(*postgres));

	if (postgres == NULL)
		return -1;
	postgres->sql = (struct sql){ .dialect = &sql_postgres,
		.place = place };
	*sql_r = &postgres->sql;
	postgres->handle = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(postgres->handle) != CONNECTION_OK) {
		(void)fail(postgres, NULL);
		sql_close(sql_r);
		return -1;
	}
	PQsetNoticeReceiver(postgres->handle, ignore_notice, NULL);
	if ((flags & SQL_ALONE) != 0 && check_alone(*sql_r) == -1) {
		sql_close(sql_r);
		return -1;
	}
	return 0;
}

static bool
is_good(const PGresult *result)
{
	return PQresultStatus(result) == PGRES_COMMAND_OK ||
	    PQresultStatus(result) == PGRES_TUPLES_OK ||
	    PQresultStatus(result) == PGRES_SINGLE_TUPLE;
}

static int
postgres_script(struct sql *sql, const char *text)
{
	struct postgres *postgres = postgres_of(sql);
	PGresult *answer = PQexec(postgres->handle, text);
	int result = is_good(answer) ? 0 : fail(postgres, answer);

	PQclear(answer);
	return result;
}

static struct cell
read_column(const PGresult *answer, int row, int column)
{
	Oid type = PQftype(answer, column);
	struct cell cell = { .type = CELL_NULL };

	if (PQgetisnull(answer, row, column))
		return cell;
	if (type == INT8_OID || type == INT4_OID || type == INT2_OID)
		return cell_integer(strtoll(PQgetvalue(answer, row, column),
		    NULL, 10));
	cell.type = CELL_TEXT;
	cell.text = bytes_slice(PQgetvalue(answer, row, column),
	    (size_t)PQgetlength(answer, row, column));
	return cell;
}

static int
take_rows(const PGresult *answer, sql_row_fn *row, void *context)
{
	struct cell cells[SQL_COLUMNS_MAX];
	int count = PQnfields(answer);

	for (int i = 0; row != NULL && i < PQntuples(answer); i++) {
		for (int j = 0; j < count && j < SQL_COLUMNS_MAX; j++)
			cells[j] = read_column(answer, i, j);
		if (row(context, cells, (uint32_t)count) == -1)
			return -1;
	}
	return 0;
}

/* Each cell's text; integers are written into digits. */
static void
cells_to_values(const struct cell *cells, uint32_t count,
    const char *values_r[CELLS_MAX], char digits[CELLS_MAX][24])
{
	for (uint32_t i = 0; i < count; i++) {
		values_r[i] = cells[i].type == CELL_TEXT ? cells[i].text.data
							 : NULL;
		if (cells[i].type != CELL_INTEGER)
			continue;
		snprintf(digits[i], sizeof(digits[i]), "%" PRId64,
		    cells[i].integer);
		values_r[i] = digits[i];
	}
}

static int
postgres_query(struct sql *sql, const char *text, const struct cell *cells,
    uint32_t count, sql_row_fn *row, void *context)
{
	struct postgres *postgres = postgres_of(sql);
	const char *values[CELLS_MAX];
	char digits[CELLS_MAX][24];
	PGresult *answer;
	int result = 0;

	cells_to_values(cells, count, values, digits);
	if (PQsendQueryParams(postgres->handle, text, (int)count, NULL,
		values, NULL, NULL, 0) == 0 ||
	    PQsetSingleRowMode(postgres->handle) == 0)
		return fail(postgres, NULL);
	while ((answer = PQgetResult(postgres->handle)) != NULL) {
		if (result == 0)
			result = is_good(answer)
				     ? take_rows(answer, row, context)
				     : fail(postgres, answer);
		PQclear(answer);
	}
	return result;
}

/* Whole tables ----------------------------------------------------------- */

static const char *const read_formats[] = {
	[SQL_INTEGER] = "%s",
	[SQL_TEXT] = "%s",
	[SQL_BOOLEAN] = "%s::integer",
	[SQL_TIME] = "(extract(epoch FROM %s) * 1000)::bigint",
	[SQL_TEXTS] = "to_json(%s)::text",
	[SQL_JSON] = "%s::text",
};

static int
postgres_read(struct sql *sql, const struct sql_table *table, sql_row_fn *row,
    void *context)
{
	struct buf text = { 0 };
	int result = -1;

	buf_append_text(&text, "SELECT ");
	for (uint32_t i = 0; i < table->count; i++) {
		const char *format = read_formats[table->types[i]];
		const char *mark = strstr(format, "%s");

		buf_printf(&text, "%s%.*s%s%s", i == 0 ? "" : ", ",
		    (int)(mark - format), format, table->names[i], mark + 2);
	}
	buf_printf(&text, " FROM %s", table->name);
	if (!text.is_failed)
		result = postgres_query(sql, text.data, NULL, 0, row, context);
	buf_free(&text);
	return result;
}

static int
postgres_write_begin(struct sql *sql, const struct sql_table *table)
{
	struct postgres *postgres = postgres_of(sql);
	struct buf text = { 0 };
	PGresult *answer;
	int result = -1;

	postgres->writing = table;
	buf_printf(&text, "COPY %s (", table->name);
	for (uint32_t i = 0; i < table->count; i++)
		buf_printf(&text, "%s%s", i == 0 ? "" : ", ",
		    table->names[i]);
	buf_append_text(&text, ") FROM STDIN");
	if (!text.is_failed) {
		answer = PQexec(postgres->handle, text.data);
		result = PQresultStatus(answer) == PGRES_COPY_IN
			     ? 0 : fail(postgres, answer);
		PQclear(answer);
	}
	buf_free(&text);
	return result;
}

/* Source: PostgreSQL, COPY, text format. */
static void
append_escaped(struct buf *rows, struct bytes text)
{
	static const char special[] = "\b\f\n\r\t\v\\", letters[] = "bfnrtv\\";
	size_t start = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *at = (unsigned char)text.data[i] > '\\'
		    ? NULL : strchr(special, text.data[i]);

		if (at == NULL)
			continue;
		buf_append(rows, bytes_slice(text.data + start, i - start));
		buf_append_char(rows, '\\');
		buf_append_char(rows, letters[at - special]);
		start = i + 1;
	}
	buf_append(rows, bytes_slice(text.data + start, text.len - start));
}

static void
append_time(struct buf *rows, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(wall_ms, text);
	buf_append_text(rows, text);
}

/* 0, or -1: no list of texts. */
static int
append_texts(struct buf *rows, struct bytes json)
{
	struct buf array = { 0 };
	int result = pg_array_append_json(&array, json);

	append_escaped(rows, buf_bytes(&array));
	rows->is_failed |= array.is_failed;
	buf_free(&array);
	return result;
}

static int
append_cell(struct buf *rows, enum sql_type type, const struct cell *cell)
{
	if (cell->type == CELL_NULL)
		buf_append_text(rows, "\\N");
	else if (type == SQL_TIME)
		append_time(rows, cell->integer);
	else if (cell->type == CELL_INTEGER)
		buf_append_integer(rows, cell->integer);
	else if (type == SQL_TEXTS)
		return append_texts(rows, cell->text);
	else
		append_escaped(rows, cell->text);
	return 0;
}

static int
send_rows(struct postgres *postgres)
{
	int result = PQputCopyData(postgres->handle, postgres->rows.data,
	    (int)postgres->rows.len);

	buf_clear(&postgres->rows);
	return result == 1 ? 0 : fail(postgres, NULL);
}

static int
postgres_write_row(struct sql *sql, const struct cell *cells, uint32_t count)
{
	struct postgres *postgres = postgres_of(sql);
	struct buf *rows = &postgres->rows;

	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(rows, '\t');
		if (append_cell(rows, postgres->writing->types[i],
			&cells[i]) == -1)
			return sql_complain(sql, "%s.%s: no list of texts",
			    postgres->writing->name,
			    postgres->writing->names[i]);
	}
	buf_append_char(rows, '\n');
	if (rows->is_failed)
		return sql_complain(sql, "out of memory");
	return rows->len < WRITE_BYTES ? 0 : send_rows(postgres);
}

static int
postgres_write_end(struct sql *sql)
{
	struct postgres *postgres = postgres_of(sql);
	PGresult *answer;
	int result = 0;

	if (postgres->rows.len > 0 && send_rows(postgres) == -1)
		return -1;
	if (PQputCopyEnd(postgres->handle, NULL) != 1)
		return fail(postgres, NULL);
	while ((answer = PQgetResult(postgres->handle)) != NULL) {
		if (result == 0 && !is_good(answer))
			result = fail(postgres, answer);
		PQclear(answer);
	}
	return result;
}

const struct sql_dialect sql_postgres = {
	.name = "postgres",
	.queries = postgres_queries,
	.migrations = postgres_migrations,
	.migration_count = &postgres_migration_count,
	.open = postgres_open,
	.close = postgres_close,
	.script = postgres_script,
	.query = postgres_query,
	.read = postgres_read,
	.write_begin = postgres_write_begin,
	.write_row = postgres_write_row,
	.write_end = postgres_write_end,
};
