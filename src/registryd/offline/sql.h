/*
 * registryd/offline/sql.h - one connection to a store's database, blocking.
 *
 * For the program of an operator who waits, on the terminal or in a
 * pipeline: no loop, no time-outs but the server's own, and whatever goes
 * wrong is a line on standard error, written where it is found.
 *
 * A row is the same cells from both dialects: times are integers
 * (milliseconds), booleans 0 and 1, lists and documents JSON text.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_OFFLINE_SQL_H
#define REGISTRYD_OFFLINE_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "conf/settings.h"
#include "registryd/store/cells.h"
#include "registryd/store/queries.h"

/* Where a store is. */
struct sql_place {
	enum store_driver driver;	/* STORE_SQLITE or STORE_POSTGRES */
	const char *text;		/* its file, or its URL */
};

enum sql_open_flag {
	SQL_MAKE = 1u << 0,		/* a file that is not there */
	SQL_ALONE = 1u << 1,		/* not while a sluice uses it */
};

/* Called for each row; the cells are good until it returns.  -1: stop. */
typedef int sql_row_fn(void *context, const struct cell *cells,
    uint32_t count);

/* What the columns of a table hold, as PostgreSQL names it. */
enum sql_type {
	SQL_INTEGER,
	SQL_TEXT,
	SQL_BOOLEAN,
	SQL_TIME,			/* timestamptz */
	SQL_TEXTS,			/* text[] */
	SQL_JSON,			/* jsonb */
};

#define SQL_COLUMNS_MAX 48

struct sql_table {
	const char *name;
	uint32_t count;
	char *names[SQL_COLUMNS_MAX];
	enum sql_type types[SQL_COLUMNS_MAX];
};

struct sql;

/* A dialect. */
struct sql_dialect {
	const char *name;		/* "sqlite" */
	const struct store_query_text *queries;
	const struct store_migration *migrations;
	const uint32_t *migration_count;
	int (*open)(const char *place, unsigned int flags, struct sql **sql_r);
	void (*close)(struct sql *);
	int (*script)(struct sql *, const char *text);
	int (*query)(struct sql *, const char *text, const struct cell *,
	    uint32_t count, sql_row_fn *, void *context);
	/* All rows of a table, as cells of its columns in their order. */
	int (*read)(struct sql *, const struct sql_table *, sql_row_fn *,
	    void *context);
	int (*write_begin)(struct sql *, const struct sql_table *);
	int (*write_row)(struct sql *, const struct cell *, uint32_t count);
	int (*write_end)(struct sql *);
};

/* The head of every connection. */
struct sql {
	const struct sql_dialect *dialect;
	const char *place;		/* borrowed */
};

extern const struct sql_dialect sql_sqlite;
#ifdef HAVE_POSTGRESQL
extern const struct sql_dialect sql_postgres;
#endif

/* 0, or -1, having said why. */
MUST_CHECK int sql_open(const struct sql_place *, unsigned int flags,
    struct sql **sql_r);
void sql_close(struct sql **);

/* Each 0, or -1, having said why; row may be NULL. */
MUST_CHECK int sql_run(struct sql *, enum store_query, const struct cell *,
    uint32_t count, sql_row_fn *row, void *context);
/* 0 where there is no row, or the integer is null. */
MUST_CHECK int sql_run_integer(struct sql *, enum store_query,
    const struct cell *, uint32_t count, int64_t *integer_r);
MUST_CHECK int sql_script(struct sql *, const char *text);

/* The columns of a table.  They are to be cleared in any case. */
MUST_CHECK int sql_table_read(struct sql *, const char *name,
    struct sql_table *table_r);
void sql_table_clear(struct sql_table *);

/* A line on standard error: "sluicectl: postgres: " and the text; -1. */
int sql_complain(const struct sql *, const char *format, ...)
    PRINTF_LIKE(2, 3);

#endif
