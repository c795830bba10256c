/*
 * registryd/store/sqlite_replica.c - the local file that follows a database.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/store/change.h"
#include "registryd/store/sqlite_db.h"

static int
run(struct sqlite_db *db, enum store_query query, const struct cell *cells,
    uint32_t count)
{
	return sqlite_db_run(db, query, cells, count, NULL, NULL);
}

/* Opening ---------------------------------------------------------------- */

struct description {
	bool is_ours, is_new, is_elsewhere;
	int64_t confirmed_wall_ms;
	const char *target;		/* what it should be */
};

static int
take_description(void *context, const struct cell *cells)
{
	struct description *description = context;

	description->is_new = cells[2].integer != 0;
	description->is_ours = cells[0].type == CELL_TEXT;
	if (!description->is_ours)
		return 0;
	description->is_elsewhere =
	    strcmp(cells[0].text.data, description->target) != 0;
	description->confirmed_wall_ms = cells[1].integer;
	return 0;
}

static int
describe(struct sqlite_db *db, struct description *description_r)
{
	*description_r = (struct description){ .target = db->target };
	return sqlite_db_run(db, QUERY_SELECT_REPLICA, NULL, 0,
	    take_description, description_r);
}

int
sqlite_replica_open(struct sqlite_db *db, struct store_request *request)
{
	const struct cell cells[] = { cell_text(db->target), cell_integer(0) };
	struct description description;
	int code = sqlite3_exec(db->handle,
	    sqlite_queries[QUERY_SET_UP_REPLICA].sql, NULL, NULL, NULL);

	if (code == SQLITE_OK)
		code = describe(db, &description);
	if (code == SQLITE_OK && !description.is_ours && !description.is_new) {
		request_fail(request, STORE_UNAVAILABLE, "sqlite: %s: is a "
		    "store of its own and no replica of a database; set "
		    "store.path to another file", db->path);
		return -1;
	}
	if (code == SQLITE_OK && !description.is_ours)
		code = run(db, QUERY_PUT_REPLICA, cells, COUNT_OF(cells));
	if (code == SQLITE_OK)
		return 0;
	sqlite_db_fail(db, request, code);
	return -1;
}

void
sqlite_replica_describe(struct sqlite_db *db, struct store_request *request)
{
	struct description description;
	int code = describe(db, &description);

	if (code != SQLITE_OK) {
		sqlite_db_fail(db, request, code);
		return;
	}
	request->outcome.at_wall_ms = description.confirmed_wall_ms;
	request->outcome.is_elsewhere = description.is_elsewhere;
}

/* Damage ----------------------------------------------------------------- */

static void
set_aside(struct sqlite_db *db)
{
	static const char *const tails[] = { "-wal", "-shm", "" };
	char from[PATH_MAX], to[PATH_MAX];

	sqlite_db_close(db);
	for (size_t i = 0; i < COUNT_OF(tails); i++) {
		snprintf(from, sizeof(from), "%s%s", db->path, tails[i]);
		snprintf(to, sizeof(to), "%s.broken%s", db->path, tails[i]);
		if (rename(from, to) == -1 && errno != ENOENT)
			log_error("%s: not set aside: %m", from);
	}
	db->set_aside_count++;
}

void
sqlite_replica_judge(struct sqlite_db *db, const struct store_request *request)
{
	/* What no other request can be refused for is an unreadable row, or
	 * a schema of a newer program. */
	if (db->is_damaged || (request->outcome.result == STORE_REFUSED &&
		request->type == REQUEST_LOAD)) {
		log_error("store: replica: %s: set aside as %s.broken, and "
			  "begun anew", request->message, db->path);
		set_aside(db);
	}
	db->is_damaged = false;
}

/* Writing ---------------------------------------------------------------- */

static int
remove_object(struct sqlite_db *db, const struct store_change *change)
{
	static const enum store_query queries[] = {
		[OBJECT_SERVICE] = QUERY_DELETE_SERVICE,
		[OBJECT_BACKEND] = QUERY_DELETE_BACKEND,
		[OBJECT_ROUTE] = QUERY_DELETE_ROUTE,
	};
	const struct cell cells[] = {
		change->kind == OBJECT_SERVICE
		    ? cell_text(change->object.service->name)
		    : cell_integer((int64_t)change_id(change)),
		cell_integer(0),
	};
	int code = run(db, queries[change->kind], cells, COUNT_OF(cells));

	if (code == SQLITE_OK && change->kind == OBJECT_ROUTE)
		code = run(db, QUERY_DELETE_ROUTE_TARGETS, cells, 1);
	return code;
}

static int
insert_object(struct sqlite_db *db, const struct store_change *change,
    struct object_texts *texts)
{
	struct cell cells[CELLS_MAX];
	int code = SQLITE_NOMEM;

	switch (change->kind) {
	case OBJECT_SERVICE:
		if (service_to_cells(change->object.service, texts, cells) == 0)
			code = run(db, QUERY_INSERT_SERVICE, cells,
			    SERVICE_CELLS);
		break;
	case OBJECT_BACKEND:
		if (backend_to_cells(change->object.backend, texts, cells) == 0)
			code = run(db, QUERY_INSERT_BACKEND, cells,
			    BACKEND_CELLS);
		break;
	case OBJECT_ROUTE:
		if (route_to_cells(change->object.route, texts, cells) == 0)
			code = run(db, QUERY_INSERT_ROUTE, cells, ROUTE_CELLS);
		if (code != SQLITE_OK)
			break;
		cells[1] = cell_text(texts->targets.data);
		code = run(db, QUERY_INSERT_ROUTE_TARGETS, cells, 2);
		break;
	}
	return code;
}

static int
put_changes(struct sqlite_db *db, const struct replica_batch *batch)
{
	struct object_texts texts = { 0 };
	int code = SQLITE_OK;

	for (uint32_t i = 0; batch->changes != NULL && code == SQLITE_OK &&
	    i < batch->changes->count; i++) {
		const struct store_change *change = &batch->changes->list[i];

		if (batch->range == NULL)
			code = remove_object(db, change);
		if (code == SQLITE_OK && !change->is_removal)
			code = insert_object(db, change, &texts);
	}
	object_texts_free(&texts);
	return code;
}

static int
clear_range(struct sqlite_db *db, const struct replica_range *range)
{
	static const enum store_query queries[] = {
		[OBJECT_SERVICE] = QUERY_DELETE_SERVICES_BETWEEN,
		[OBJECT_BACKEND] = QUERY_DELETE_BACKENDS_BETWEEN,
		[OBJECT_ROUTE] = QUERY_DELETE_ROUTES_BETWEEN,
	};
	struct cell cells[] = {
		cell_integer((int64_t)range->after_id),
		cell_integer((int64_t)range->upto_id),
	};
	int code;

	if (range->kind == OBJECT_SERVICE) {
		cells[0] = cell_text(range->after_name);
		cells[1] = cell_text(range->upto_name);
	} else if (range->upto_id == 0) {
		cells[1] = cell_text(NULL);
	}
	code = run(db, queries[range->kind], cells, COUNT_OF(cells));
	if (code == SQLITE_OK && range->kind == OBJECT_ROUTE)
		code = run(db, QUERY_DELETE_ROUTE_TARGETS_BETWEEN, cells,
		    COUNT_OF(cells));
	return code;
}

static int
put_notes(struct sqlite_db *db, const struct replica_batch *batch)
{
	struct statement statement;
	int code = SQLITE_OK;

	if (batch->replaces_notes)
		code = run(db, QUERY_DELETE_ALL_NOTES, NULL, 0);
	for (uint32_t i = 0; batch->notes != NULL && code == SQLITE_OK &&
	    i < batch->notes->count; i++) {
		note_change_statement(&batch->notes->list[i], &statement);
		code = run(db, statement.query, statement.cells,
		    statement.cell_count);
	}
	return code;
}

static int
put_moment(struct sqlite_db *db, const struct replica_batch *batch)
{
	const struct cell generation = cell_integer((int64_t)batch->generation);
	const struct cell identity = cell_text(batch->identity);
	const struct cell confirmed[] = { cell_text(db->target),
		cell_integer(batch->confirmed_wall_ms) };
	int code = SQLITE_OK;

	if (batch->identity != NULL)
		code = run(db, QUERY_PUT_IDENTITY, &identity, 1);
	if (code == SQLITE_OK && batch->has_generation)
		code = run(db, QUERY_PUT_GENERATION, &generation, 1);
	if (code == SQLITE_OK && batch->confirmed_wall_ms != 0)
		code = run(db, QUERY_PUT_REPLICA, confirmed,
		    COUNT_OF(confirmed));
	return code;
}

const char *
spool_state_name(enum spool_state state)
{
	static const char *const names[] = {
		[SPOOL_WAITING] = "waiting",
		[SPOOL_PLAYED] = "played",
		[SPOOL_DROPPED] = "dropped",
	};

	return names[state];
}

static int
put_spooled(struct sqlite_db *db, const struct replica_batch *batch)
{
	const struct cell forget[] = {
		cell_integer((int64_t)batch->forget_played),
		cell_integer((int64_t)batch->forget_dropped),
	};
	int code = SQLITE_OK;

	for (uint32_t i = 0; code == SQLITE_OK && i < batch->spooled_count;
	    i++) {
		const struct store_spooled *row = &batch->spooled[i];
		const struct cell cells[] = {
			cell_integer((int64_t)row->seq), cell_text(row->id),
			cell_text(spool_state_name(row->state)),
			cell_integer((int64_t)row->generation),
			cell_text(row->reason), cell_integer(row->at_wall_ms),
			cell_text(row->who), cell_text(row->from),
			cell_text(row->channel), cell_text(row->request_id),
			cell_text(row->body),
		};

		code = run(db, QUERY_PUT_SPOOLED, cells, COUNT_OF(cells));
	}
	if (code == SQLITE_OK &&
	    (batch->forget_played != 0 || batch->forget_dropped != 0))
		code = run(db, QUERY_FORGET_SPOOLED, forget, COUNT_OF(forget));
	return code;
}

static int
be_durable(struct sqlite_db *db, bool is_durable)
{
	return sqlite3_exec(db->handle, sqlite_queries[is_durable
		? QUERY_BE_DURABLE : QUERY_BE_QUICK].sql, NULL, NULL, NULL);
}

static int
put_batch(struct sqlite_db *db, const struct replica_batch *batch)
{
	int code = run(db, QUERY_BEGIN, NULL, 0);

	if (code == SQLITE_OK && batch->range != NULL)
		code = clear_range(db, batch->range);
	if (code == SQLITE_OK)
		code = put_changes(db, batch);
	if (code == SQLITE_OK)
		code = put_notes(db, batch);
	if (code == SQLITE_OK)
		code = put_spooled(db, batch);
	if (code == SQLITE_OK)
		code = put_moment(db, batch);
	if (code == SQLITE_OK)
		code = run(db, QUERY_COMMIT, NULL, 0);
	return code;
}

void
sqlite_replica_put(struct sqlite_db *db, struct store_request *request)
{
	const struct replica_batch *batch = &request->ask.replicate;
	int code = SQLITE_OK;

	if (batch->spooled_count > 0)
		code = be_durable(db, true);
	if (code == SQLITE_OK)
		code = put_batch(db, batch);
	if (code != SQLITE_OK) {
		sqlite_db_fail(db, request, code);
		sqlite_db_roll_back(db);
	}
	if (batch->spooled_count > 0 && db->handle != NULL)
		(void)be_durable(db, false);	/* or is too careful */
}

/* Reading ---------------------------------------------------------------- */

static int
take_spooled(void *context, const struct cell *cells)
{
	const struct sqlite_sink *sink = context;
	struct store_spooled row = {
		.seq = (uint64_t)cells[0].integer,
		.generation = (uint64_t)cells[3].integer,
		.at_wall_ms = cells[5].integer,
	};

	for (int i = 1; i <= 10; i++)
		if (i != 3 && i != 5 && cells[i].type != CELL_TEXT)
			return -1;
	row.id = cells[1].text.data;
	row.state = bytes_is(cells[2].text, "waiting") ? SPOOL_WAITING :
	    bytes_is(cells[2].text, "played")	       ? SPOOL_PLAYED :
							 SPOOL_DROPPED;
	row.reason = cells[4].text.data;
	row.who = cells[6].text.data;
	row.from = cells[7].text.data;
	row.channel = cells[8].text.data;
	row.request_id = cells[9].text.data;
	row.body = cells[10].text.data;
	return sink->spooled(sink->context, &row);
}

int
sqlite_replica_read_spool(struct sqlite_db *db, const struct sqlite_sink *sink)
{
	return sqlite_db_run(db, QUERY_SELECT_SPOOLED, NULL, 0, take_spooled,
	    (void *)(uintptr_t)sink);
}
