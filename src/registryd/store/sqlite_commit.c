/*
 * registryd/store/sqlite_commit.c - a commit as one SQLite transaction.
 */
/* SPDX-License-Identifier: ISC */
#include "common/clock.h"
#include "registryd/store/change.h"
#include "registryd/store/sqlite_db.h"

/* SQLITE_OK with *next_r the first of as many new ids as kind needs. */
static int
allocate_ids(struct sqlite_db *db, const struct store_commit *commit,
    enum object_kind kind, uint64_t *next_r)
{
	struct change_ids ids = change_ids_needed(commit, kind);
	const struct cell cells[] = {
		cell_integer(ids.count),
		cell_integer((int64_t)ids.highest),
	};
	int64_t last;
	int code;

	code = sqlite_db_run_integer(db, kind == OBJECT_BACKEND
		? QUERY_ALLOCATE_BACKEND_IDS : QUERY_ALLOCATE_ROUTE_IDS,
	    cells, COUNT_OF(cells), &last);
	*next_r = (uint64_t)last - ids.count + 1;
	return code;
}

static int
begin(struct sqlite_db *db, const struct store_commit *commit,
    struct commit_stamp *stamp_r)
{
	int64_t generation;
	int code;

	code = sqlite_db_run(db, QUERY_BEGIN, NULL, 0, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite_db_run_integer(db, QUERY_NEXT_GENERATION, NULL,
		    0, &generation);
	if (code != SQLITE_OK)
		return code;
	stamp_r->generation = (uint64_t)generation;
	stamp_r->at_wall_ms = clock_wall_ms();
	code = allocate_ids(db, commit, OBJECT_BACKEND,
	    &stamp_r->next_backend_id);
	if (code == SQLITE_OK)
		code = allocate_ids(db, commit, OBJECT_ROUTE,
		    &stamp_r->next_route_id);
	return code;
}

/* 0, or -1 with the request failed. */
static int
run_statement(struct sqlite_db *db, struct store_request *request,
    const struct store_change *change, const struct statement *statement)
{
	int code = sqlite_db_run(db, statement->query, statement->cells,
	    statement->cell_count, NULL, NULL);

	if (code == SQLITE_CONSTRAINT_PRIMARYKEY ||
	    code == SQLITE_CONSTRAINT_ROWID ||
	    (code == SQLITE_OK && query_touches_one(statement->query) &&
		sqlite3_changes(db->handle) == 0)) {
		change_fail_conflict(request, change);
		return -1;
	}
	if (code == SQLITE_OK)
		return 0;
	sqlite_db_fail(db, request, code);
	return -1;
}

static int
run_change(struct sqlite_db *db, struct store_request *request,
    struct change_plan *plan, uint32_t seq, struct commit_stamp *stamp)
{
	struct store_change *change = &request->ask.commit.changes[seq - 1];

	if (change_is_creation(change) && change->expected_version != 0) {
		change_fail_conflict(request, change);
		return -1;
	}
	change_stamp(change, stamp);
	if (change_plan_make(plan, &request->ask.commit, seq, stamp) == -1) {
		request_fail(request, STORE_UNAVAILABLE, "out of memory");
		return -1;
	}
	for (uint32_t i = 0; i < plan->count; i++)
		if (run_statement(db, request, change,
			&plan->statements[i]) == -1)
			return -1;
	return 0;
}

static int
run_notes(struct sqlite_db *db, const struct note_changes *notes)
{
	struct statement statement;
	int code = SQLITE_OK;

	for (uint32_t i = 0;
	    notes != NULL && code == SQLITE_OK && i < notes->count; i++) {
		note_change_statement(&notes->list[i], &statement);
		code = sqlite_db_run(db, statement.query, statement.cells,
		    statement.cell_count, NULL, NULL);
	}
	return code;
}

void
sqlite_db_write_notes(struct sqlite_db *db, struct store_request *request)
{
	int code = sqlite_db_run(db, QUERY_BEGIN, NULL, 0, NULL, NULL);

	if (code == SQLITE_OK)
		code = run_notes(db, request->ask.notes);
	if (code == SQLITE_OK)
		code = sqlite_db_run(db, QUERY_COMMIT, NULL, 0, NULL, NULL);
	if (code == SQLITE_OK)
		return;
	sqlite_db_fail(db, request, code);
	sqlite_db_roll_back(db);
}

static int
run_changes(struct sqlite_db *db, struct store_request *request,
    struct change_plan *plan)
{
	struct commit_stamp stamp;
	int code = begin(db, &request->ask.commit, &stamp);

	if (code == SQLITE_OK &&
	    !change_is_expected(&request->ask.commit, &stamp)) {
		change_fail_generation(request);
		return -1;
	}
	for (uint32_t i = 1;
	    code == SQLITE_OK && i <= request->ask.commit.change_count; i++)
		if (run_change(db, request, plan, i, &stamp) == -1)
			return -1;
	if (code == SQLITE_OK)
		code = run_notes(db, request->ask.commit.notes);
	if (code == SQLITE_OK)
		code = sqlite_db_run(db, QUERY_COMMIT, NULL, 0, NULL, NULL);
	if (code != SQLITE_OK) {
		sqlite_db_fail(db, request, code);
		return -1;
	}
	request->outcome.generation = stamp.generation;
	request->outcome.at_wall_ms = stamp.at_wall_ms;
	return 0;
}

void
sqlite_db_commit(struct sqlite_db *db, struct store_request *request)
{
	struct change_backup *backup;
	struct change_plan plan = { 0 };

	if (change_backup_new(&request->ask.commit, &backup) == -1) {
		request_fail(request, STORE_UNAVAILABLE, "out of memory");
		return;
	}
	if (run_changes(db, request, &plan) == -1) {
		sqlite_db_roll_back(db);
		change_backup_restore(backup, &request->ask.commit);
	}
	change_plan_free(&plan);
	change_backup_free(&backup);
}
