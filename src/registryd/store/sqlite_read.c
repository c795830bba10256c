/*
 * registryd/store/sqlite_read.c - loading and history from SQLite.
 *
 * A load reads page by page behind the last key, all inside one read
 * transaction, which in WAL mode is a snapshot.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/sqlite_db.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 1000

struct reading {
	struct sqlite_db *db;
	struct store_request *request;
	const struct sqlite_sink *sink;
	uint32_t row_count;		/* of this page */
	int64_t last_id;
	char *last_name;
};

/* Only a hand can have written such a row. */
static int
refuse_row(struct reading *reading, const char *table, const struct cell *key)
{
	if (key->type == CELL_TEXT)
		request_fail(reading->request, STORE_REFUSED, "sqlite: %s: %s "
		    "'%s': a column holds what sluice cannot read; mend or "
		    "remove the row", reading->db->path, table, key->text.data);
	else
		request_fail(reading->request, STORE_REFUSED, "sqlite: %s: %s "
		    "%lld: a column holds what sluice cannot read; mend or "
		    "remove the row", reading->db->path, table,
		    (long long)key->integer);
	return -1;
}

static int
take_service(void *context, const struct cell *cells)
{
	struct reading *reading = context;
	struct service service;

	if (service_from_cells(cells, &service) == -1)
		return refuse_row(reading, "service", &cells[0]);
	free(reading->last_name);
	if ((reading->last_name = bytes_duplicate(cells[0].text)) == NULL) {
		service_clear(&service);
		return -1;
	}
	reading->row_count++;
	return reading->sink->service(reading->sink->context, &service);
}

static int
take_backend(void *context, const struct cell *cells)
{
	struct reading *reading = context;
	struct backend backend;

	if (backend_from_cells(cells, &backend) == -1)
		return refuse_row(reading, "backend", &cells[0]);
	reading->last_id = cells[0].integer;
	reading->row_count++;
	return reading->sink->backend(reading->sink->context, &backend);
}

static int
take_route(void *context, const struct cell *cells)
{
	struct reading *reading = context;
	struct route route;

	if (route_from_cells(cells, &route) == -1)
		return refuse_row(reading, "route", &cells[0]);
	reading->last_id = cells[0].integer;
	reading->row_count++;
	return reading->sink->route(reading->sink->context, &route);
}

static int
take_note(void *context, const struct cell *cells)
{
	struct reading *reading = context;
	struct store_note note;

	if (note_from_cells(cells, &note) == -1)
		return refuse_row(reading, "note", &cells[1]);
	return reading->sink->note(reading->sink->context, &note);
}

static int
read_pages(struct reading *reading, enum store_query query, bool by_name,
    sqlite_row_fn *take)
{
	int code;

	reading->last_id = 0;
	do {
		const struct cell cells[] = {
			by_name ? cell_text(reading->last_name != NULL
					? reading->last_name : "")
				: cell_integer(reading->last_id),
			cell_integer(PAGE_ROWS),
		};
		char *name = reading->last_name;

		/* The cell borrows the name while take_service() moves on. */
		reading->last_name = NULL;
		reading->row_count = 0;
		code = sqlite_db_run(reading->db, query, cells,
		    COUNT_OF(cells), take, reading);
		free(name);
	} while (code == SQLITE_OK && reading->row_count == PAGE_ROWS);
	return code;
}

static int
take_moment(void *context, const struct cell *cells)
{
	struct store_outcome *outcome = context;

	outcome->generation = (uint64_t)cells[0].integer;
	outcome->identity[0] = '\0';
	if (cells[1].type == CELL_TEXT)
		strncat(outcome->identity, cells[1].text.data,
		    sizeof(outcome->identity) - 1);
	return 0;
}

static int
read_objects(struct reading *reading)
{
	int code;

	code = sqlite_db_run(reading->db, QUERY_BEGIN_SNAPSHOT, NULL, 0, NULL,
	    NULL);
	if (code == SQLITE_OK)
		code = sqlite_db_run(reading->db, QUERY_SELECT_GENERATION,
		    NULL, 0, take_moment, &reading->request->outcome);
	if (code == SQLITE_OK)
		code = read_pages(reading, QUERY_SELECT_SERVICES, true,
		    take_service);
	if (code == SQLITE_OK)
		code = read_pages(reading, QUERY_SELECT_BACKENDS, false,
		    take_backend);
	if (code == SQLITE_OK)
		code = read_pages(reading, QUERY_SELECT_ROUTES, false,
		    take_route);
	if (code == SQLITE_OK && reading->request->ask.load.note != NULL)
		code = sqlite_db_run(reading->db, QUERY_SELECT_NOTES, NULL, 0,
		    take_note, reading);
	if (code == SQLITE_OK && reading->db->target != NULL &&
	    reading->request->ask.load.spooled != NULL)
		code = sqlite_replica_read_spool(reading->db, reading->sink);
	if (code == SQLITE_OK)
		code = sqlite_db_run(reading->db, QUERY_COMMIT, NULL, 0, NULL,
		    NULL);
	return code;
}

/* A row that said stop has failed the request, or the store is going. */
static void
finish(struct reading *reading, int code)
{
	if (code == SQLITE_OK)
		return;
	if (code != SQLITE_ABORT)
		sqlite_db_fail(reading->db, reading->request, code);
	else if (reading->request->outcome.result == STORE_OK)
		request_fail(reading->request, STORE_UNAVAILABLE,
		    "sqlite: %s: the read was stopped", reading->db->path);
	sqlite_db_roll_back(reading->db);
}

void
sqlite_db_load(struct sqlite_db *db, struct store_request *request,
    const struct sqlite_sink *sink)
{
	struct reading reading = { .db = db, .request = request, .sink = sink };

	finish(&reading, read_objects(&reading));
	free(reading.last_name);
	if (db->target != NULL && request->outcome.result == STORE_OK)
		sqlite_replica_describe(db, request);
}

static int
take_history(void *context, const struct cell *cells)
{
	struct reading *reading = context;
	struct store_history history;

	if (history_from_cells(cells, &history) == -1)
		return refuse_row(reading, "change", &cells[0]);
	return reading->sink->history(reading->sink->context, &history);
}

void
sqlite_db_history(struct sqlite_db *db, struct store_request *request,
    const struct sqlite_sink *sink)
{
	struct reading reading = { .db = db, .request = request, .sink = sink };
	struct cell cells[HISTORY_CELLS];
	enum store_query query;
	int64_t horizon = 0;
	uint32_t count;
	int code;

	query = history_to_cells(&request->ask.history, cells, &count);
	code = sqlite_db_run(db, query, cells, count, take_history, &reading);
	if (code == SQLITE_OK)
		code = sqlite_db_run_integer(db, QUERY_SELECT_HORIZON, NULL, 0,
		    &horizon);
	finish(&reading, code);
	request->outcome.generation = (uint64_t)horizon;
}
