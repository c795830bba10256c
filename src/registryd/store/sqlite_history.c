/*
 * registryd/store/sqlite_history.c - events, and the end of old history.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/change.h"
#include "registryd/store/sqlite_db.h"

/* Ends the transaction as code says. */
static void
finish(struct sqlite_db *db, struct store_request *request, int code)
{
	if (code == SQLITE_OK)
		code = sqlite_db_run(db, QUERY_COMMIT, NULL, 0, NULL, NULL);
	if (code == SQLITE_OK)
		return;
	sqlite_db_fail(db, request, code);
	sqlite_db_roll_back(db);
}

void
sqlite_db_tell(struct sqlite_db *db, struct store_request *request)
{
	const struct store_events *events = &request->ask.events;
	struct statement statement;
	int code = sqlite_db_run(db, QUERY_BEGIN, NULL, 0, NULL, NULL);

	for (uint32_t i = 0; code == SQLITE_OK && i < events->count; i++) {
		event_statement(&events->list[i], &statement);
		code = sqlite_db_run(db, statement.query, statement.cells,
		    statement.cell_count, NULL, NULL);
	}
	finish(db, request, code);
}

static int
take_extent(void *context, const struct cell *cells)
{
	struct store_extent *extent = context;

	extent->row_count = (uint64_t)cells[0].integer;
	extent->oldest_wall_ms = cells[1].integer;
	return 0;
}

void
sqlite_db_measure(struct sqlite_db *db, struct store_request *request)
{
	int code = sqlite_db_run(db, QUERY_MEASURE_HISTORY, NULL, 0,
	    take_extent, request->ask.extent);

	if (code != SQLITE_OK)
		sqlite_db_fail(db, request, code);
}

void
sqlite_db_prune(struct sqlite_db *db, struct store_request *request)
{
	struct cell cells[PRUNE_CELLS];
	int code = sqlite_db_run(db, QUERY_BEGIN, NULL, 0, NULL, NULL);

	prune_to_cells(&request->ask.prune, cells);
	if (code == SQLITE_OK)
		code = sqlite_db_run(db, QUERY_MOVE_HORIZON, cells,
		    PRUNE_CELLS, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite_db_run(db, QUERY_DELETE_CHANGES, NULL, 0, NULL,
		    NULL);
	if (code == SQLITE_OK)
		request->outcome.row_count =
		    (uint64_t)sqlite3_changes(db->handle);
	finish(db, request, code);
}
