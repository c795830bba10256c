/*
 * registryd/offline/sql.c - what both dialects have in common.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/offline/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sql_dialect *
dialect_of(enum store_driver driver)
{
	switch (driver) {
	case STORE_SQLITE:
		return &sql_sqlite;
	case STORE_POSTGRES:
#ifdef HAVE_POSTGRESQL
		return &sql_postgres;
#else
		fprintf(stderr, "sluicectl: postgres: not built in; "
				"configure --with-postgresql\n");
		return NULL;
#endif
	case STORE_MEMORY:
		break;
	}
	fprintf(stderr, "sluicectl: store.driver is memory, which nothing "
			"outlives; set another, or give -c\n");
	return NULL;
}

int
sql_open(const struct sql_place *place, unsigned int flags,
    struct sql **sql_r)
{
	const struct sql_dialect *dialect = dialect_of(place->driver);

	*sql_r = NULL;
	return dialect == NULL ? -1
			       : dialect->open(place->text, flags, sql_r);
}

void
sql_close(struct sql **p)
{
	struct sql *sql = *p;

	*p = NULL;
	if (sql != NULL)
		sql->dialect->close(sql);
}

int
sql_run(struct sql *sql, enum store_query query, const struct cell *cells,
    uint32_t count, sql_row_fn *row, void *context)
{
	return sql->dialect->query(sql, sql->dialect->queries[query].sql,
	    cells, count, row, context);
}

static int
take_integer(void *context, const struct cell *cells, uint32_t count)
{
	int64_t *integer = context;

	if (count > 0 && cells[0].type == CELL_INTEGER)
		*integer = cells[0].integer;
	return 0;
}

int
sql_run_integer(struct sql *sql, enum store_query query,
    const struct cell *cells, uint32_t count, int64_t *integer_r)
{
	*integer_r = 0;
	return sql_run(sql, query, cells, count, take_integer, integer_r);
}

int
sql_script(struct sql *sql, const char *text)
{
	return sql->dialect->script(sql, text);
}

/* By PostgreSQL's names; what SQLite says is one of the last two. */
static const struct {
	const char *name;
	enum sql_type type;
} type_names[] = {
	{ "bigint", SQL_INTEGER }, { "integer", SQL_INTEGER },
	{ "boolean", SQL_BOOLEAN }, { "jsonb", SQL_JSON },
	{ "text", SQL_TEXT }, { "text[]", SQL_TEXTS },
	{ "timestamp with time zone", SQL_TIME },
	{ "INTEGER", SQL_INTEGER }, { "TEXT", SQL_TEXT },
};

static int
take_column(void *context, const struct cell *cells, uint32_t count)
{
	struct sql_table *table = context;

	if (count != 2 || table->count == SQL_COLUMNS_MAX)
		return -1;
	for (size_t i = 0; i < COUNT_OF(type_names); i++) {
		if (!bytes_is(cells[1].text, type_names[i].name))
			continue;
		table->types[table->count] = type_names[i].type;
		table->names[table->count] = bytes_duplicate(cells[0].text);
		return table->names[table->count++] == NULL ? -1 : 0;
	}
	return -1;
}

int
sql_table_read(struct sql *sql, const char *name, struct sql_table *table_r)
{
	struct cell cell = cell_text(name);

	*table_r = (struct sql_table){ .name = name };
	if (sql_run(sql, QUERY_SELECT_COLUMNS, &cell, 1, take_column,
		table_r) == -1)
		return sql_complain(sql, "table %s has columns that are not "
		    "sluice's", name);
	if (table_r->count == 0)
		return sql_complain(sql, "there is no table %s", name);
	return 0;
}

void
sql_table_clear(struct sql_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		free(table->names[i]);
	table->count = 0;
}

int
sql_complain(const struct sql *sql, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "sluicectl: %s: ", sql->dialect->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}
