/*
 * registryd/store/pg_bulk.c - rows that go to PostgreSQL many at once.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_bulk.h"

#include "registryd/store/pg_array.h"

#define ROWS_MAX      500		/* of a statement */
#define UNANSWERED_MAX 8		/* statements */

static const struct {
	enum store_query one, many;
	uint32_t lists;			/* by bit: columns that are JSON, and
					 * arrays in the database */
} kinds[] = {
	[PG_BULK_BACKENDS] = { QUERY_INSERT_BACKEND, QUERY_INSERT_BACKENDS,
	    0 },
	[PG_BULK_ROUTES] = { QUERY_INSERT_ROUTE, QUERY_INSERT_ROUTES,
	    1u << 3 | 1u << 4 },
	[PG_BULK_TARGETS] = { QUERY_INSERT_ROUTE_TARGETS,
	    QUERY_INSERT_TARGETS_OF, 0 },
	[PG_BULK_HISTORY] = { QUERY_INSERT_CHANGE, QUERY_INSERT_CHANGES, 0 },
};

void
pg_bulk_free(struct pg_bulk *bulk)
{
	for (int kind = 0; kind < PG_BULK_KINDS; kind++)
		for (uint32_t i = 0; i < CELLS_MAX; i++)
			buf_free(&bulk->rows[kind].columns[i]);
}

/* PG_BULK_KINDS: none. */
static int
find_kind(enum store_query one)
{
	int kind = 0;

	while (kind < PG_BULK_KINDS && kinds[kind].one != one)
		kind++;
	return kind;
}

bool
pg_bulk_takes(enum store_query query)
{
	return find_kind(query) != PG_BULK_KINDS;
}

static int
append_list(struct buf *column, struct bytes json)
{
	struct buf array = { 0 };
	int result = pg_array_append_json(&array, json);

	pg_array_append_text(column, buf_bytes(&array));
	if (array.is_failed)
		result = -1;
	buf_free(&array);
	return result;
}

static int
append_cell(struct buf *column, const struct cell *cell, bool is_list)
{
	buf_append_char(column, column->len == 0 ? '{' : ',');
	switch (cell->type) {
	case CELL_NULL:
		buf_append_text(column, "NULL");
		break;
	case CELL_INTEGER:
		buf_append_integer(column, cell->integer);
		break;
	case CELL_TEXT:
		if (is_list)
			return append_list(column, cell->text);
		pg_array_append_text(column, cell->text);
		break;
	}
	return column->is_failed ? -1 : 0;
}

int
pg_bulk_add(struct pg_bulk *bulk, const struct statement *statement)
{
	int kind = find_kind(statement->query);
	struct pg_bulk_rows *rows = &bulk->rows[kind];

	rows->count++;
	rows->column_count = statement->cell_count;
	for (uint32_t i = 0; i < statement->cell_count; i++)
		if (append_cell(&rows->columns[i], &statement->cells[i],
			(kinds[kind].lists >> i & 1) != 0) == -1)
			return -1;
	return 0;
}

bool
pg_bulk_is_full(const struct pg_bulk *bulk)
{
	return bulk->rows[PG_BULK_HISTORY].count >= ROWS_MAX;
}

bool
pg_bulk_is_busy(const struct pg_bulk *bulk)
{
	return bulk->unanswered_count >= UNANSWERED_MAX;
}

static int
send_rows(struct pg_bulk_rows *rows, struct pg_job *job,
    enum store_query query, uint32_t tag)
{
	struct cell cells[CELLS_MAX];

	for (uint32_t i = 0; i < rows->column_count; i++) {
		buf_append_char(&rows->columns[i], '}');
		if (rows->columns[i].is_failed)
			return -1;
		cells[i] = (struct cell){ .type = CELL_TEXT,
			.text = buf_bytes(&rows->columns[i]) };
	}
	pg_job_send(job, query, cells, rows->column_count, tag);
	for (uint32_t i = 0; i < rows->column_count; i++)
		buf_clear(&rows->columns[i]);
	rows->count = 0;
	return 0;
}

int
pg_bulk_send(struct pg_bulk *bulk, struct pg_job *job, uint32_t tag, int end)
{
	for (int kind = 0; kind < end; kind++) {
		if (bulk->rows[kind].count == 0)
			continue;
		if (send_rows(&bulk->rows[kind], job, kinds[kind].many,
			tag) == -1)
			return -1;
		bulk->unanswered_count++;
	}
	return 0;
}

bool
pg_bulk_answered(struct pg_bulk *bulk, enum store_query query)
{
	for (int kind = 0; kind < PG_BULK_KINDS; kind++) {
		if (kinds[kind].many != query)
			continue;
		bulk->unanswered_count--;
		return true;
	}
	return false;
}
