/*
 * registryd/store/pg_read.c - loading, notes, history and ping from
 * PostgreSQL.
 *
 * A load reads page by page behind the last key, all inside one REPEATABLE
 * READ transaction, which is a snapshot.  A page is asked for before the
 * rows of the one before are taken: the server reads on meanwhile.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_job.h"

#define PAGE_ROWS 1000

struct load {
	struct pg_job job;
	enum store_query reading;	/* the table; QUERY_COMMIT: the end */
	bool is_ahead;			/* the next page was asked for */
};

static struct load *
load_of(struct pg_job *job)
{
	return CONTAINER_OF(job, struct load, job);
}

/* What is behind a key. */
static void
ask_page(struct load *load, const char *key)
{
	const struct cell cells[] = {
		cell_text(key),
		cell_integer(PAGE_ROWS),
	};

	pg_job_send(&load->job, load->reading, cells,
	    load->reading == QUERY_SELECT_NOTES ? 0 : COUNT_OF(cells), 0);
	pg_job_sync(&load->job);
}

static void
ask_first_page(struct load *load)
{
	ask_page(load, load->reading == QUERY_SELECT_SERVICES ? "" : "0");
}

static void
load_start(struct pg_job *job)
{
	pg_job_send(job, QUERY_BEGIN_SNAPSHOT, NULL, 0, 0);
	pg_job_send(job, QUERY_SELECT_GENERATION, NULL, 0, 0);
	pg_job_send(job, QUERY_SELECT_NOTE_VERSION, NULL, 0, 0);
	load_of(job)->reading = QUERY_SELECT_SERVICES;
	ask_first_page(load_of(job));
}

static int
take_service(struct load *load, const struct cell *cells)
{
	const struct store_loader *loader = &load->job.request->ask.load;
	struct service service;

	if (service_from_cells(cells, &service) == -1)
		return -1;
	loader->service(loader->context, &service);
	return 0;
}

static int
take_backend(struct load *load, const struct cell *cells)
{
	const struct store_loader *loader = &load->job.request->ask.load;
	struct backend backend;

	if (backend_from_cells(cells, &backend) == -1)
		return -1;
	loader->backend(loader->context, &backend);
	return 0;
}

static int
take_route(struct load *load, const struct cell *cells)
{
	const struct store_loader *loader = &load->job.request->ask.load;
	struct route route;

	if (route_from_cells(cells, &route) == -1)
		return -1;
	loader->route(loader->context, &route);
	return 0;
}

static int
take_note(struct load *load, const struct cell *cells)
{
	const struct store_loader *loader = &load->job.request->ask.load;
	struct store_note note;

	if (note_from_cells(cells, &note) == -1)
		return -1;
	loader->note(loader->context, &note);
	return 0;
}

static int
take_row(struct load *load, enum store_query query, const PGresult *result,
    int row)
{
	struct cell cells[SERVICE_CELLS];

	switch (query) {
	case QUERY_SELECT_SERVICES:
		pg_result_cells(result, row, cells, SERVICE_CELLS);
		return take_service(load, cells);
	case QUERY_SELECT_BACKENDS:
		pg_result_cells(result, row, cells, BACKEND_CELLS);
		return take_backend(load, cells);
	case QUERY_SELECT_ROUTES:
		pg_result_cells(result, row, cells, ROUTE_COLUMNS);
		return take_route(load, cells);
	case QUERY_SELECT_NOTES:
		pg_result_cells(result, row, cells, NOTE_CELLS);
		return take_note(load, cells);
	default:
		return 0;
	}
}

/* Only a hand can have written such a row. */
static void
refuse_row(struct pg_job *job, const char *table, const char *key)
{
	pg_job_fail(job, STORE_REFUSED, "postgres: %s '%s': a column holds "
	    "what sluice cannot read; mend or remove the row", table, key);
}

static void
load_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	struct load *load = load_of(job);
	int count = PQntuples(result);

	(void)tag;
	if (query == QUERY_SELECT_GENERATION)
		pg_result_moment(result, &job->request->outcome);
	if (query == QUERY_SELECT_NOTE_VERSION)
		job->request->outcome.note_version =
		    (uint64_t)pg_result_integer(result, 0);
	if (query != load->reading || query == QUERY_COMMIT || job->is_failed)
		return;
	load->is_ahead = count == PAGE_ROWS && query != QUERY_SELECT_NOTES;
	if (load->is_ahead)
		ask_page(load, PQgetvalue(result, count - 1, 0));
	for (int row = 0; row < count && !job->is_failed; row++)
		if (take_row(load, query, result, row) == -1)
			refuse_row(job, postgres_queries[query].name +
			    sizeof("select_") - 1, PQgetvalue(result, row, 0));
}

static enum store_query
table_after(const struct load *load)
{
	switch (load->reading) {
	case QUERY_SELECT_SERVICES:
		return QUERY_SELECT_BACKENDS;
	case QUERY_SELECT_BACKENDS:
		return QUERY_SELECT_ROUTES;
	case QUERY_SELECT_ROUTES:
		return load->job.request->ask.load.note == NULL
		    ? QUERY_COMMIT : QUERY_SELECT_NOTES;
	default:
		return QUERY_COMMIT;
	}
}

static void
load_synced(struct pg_job *job)
{
	struct load *load = load_of(job);

	if (load->reading == QUERY_COMMIT) {
		pg_job_end(job);
		return;
	}
	if (load->is_ahead) {
		load->is_ahead = false;
		return;
	}
	load->reading = job->is_failed ? QUERY_COMMIT
				       : table_after(load);
	if (load->reading != QUERY_COMMIT) {
		ask_first_page(load);
		return;
	}
	pg_job_send(job, job->is_failed ? QUERY_ROLLBACK : QUERY_COMMIT, NULL,
	    0, 0);
	pg_job_sync(job);
}

static const struct pg_job_type load_type = {
	.start = load_start,
	.answered = load_answered,
	.synced = load_synced,
};

struct pg_job *
pg_load_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct load), &load_type, request);
}

static void
history_start(struct pg_job *job)
{
	struct cell cells[HISTORY_CELLS];
	enum store_query query;
	uint32_t count;

	query = history_to_cells(&job->request->ask.history, cells, &count);
	pg_job_send(job, query, cells, count, 0);
	/* After the rows: what is gone meanwhile must not seem to be there. */
	pg_job_send(job, QUERY_SELECT_HORIZON, NULL, 0, 0);
	pg_job_sync(job);
}

static void
history_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	const struct store_history_query *asked = &job->request->ask.history;
	struct cell cells[CHANGE_CELLS];
	struct store_history history;

	(void)tag;
	if (query == QUERY_SELECT_HORIZON) {
		job->request->outcome.generation =
		    (uint64_t)pg_result_integer(result, 0);
		return;
	}
	for (int row = 0; row < PQntuples(result); row++) {
		pg_result_cells(result, row, cells, CHANGE_CELLS);
		if (history_from_cells(cells, &history) == -1) {
			refuse_row(job, "change", PQgetvalue(result, row, 0));
			return;
		}
		asked->row(asked->context, &history);
	}
}

static const struct pg_job_type history_type = {
	.start = history_start,
	.answered = history_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_history_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &history_type, request);
}

static void
read_notes_start(struct pg_job *job)
{
	const struct cell key =
	    cell_text(job->request->ask.read_notes.key);

	pg_job_send(job, QUERY_SELECT_NOTES_OF, &key, 1, 0);
	pg_job_sync(job);
}

static void
read_notes_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	const struct store_note_query *asked = &job->request->ask.read_notes;
	struct cell cells[NOTE_CELLS];
	struct store_note note;

	(void)query, (void)tag;
	for (int row = 0; row < PQntuples(result); row++) {
		pg_result_cells(result, row, cells, NOTE_CELLS);
		if (note_from_cells(cells, &note) == -1) {
			refuse_row(job, "note", PQgetvalue(result, row, 1));
			return;
		}
		asked->note(asked->context, &note);
	}
}

static const struct pg_job_type read_notes_type = {
	.start = read_notes_start,
	.answered = read_notes_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_read_notes_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &read_notes_type, request);
}

static void
ping_start(struct pg_job *job)
{
	pg_job_send(job, QUERY_PING, NULL, 0, 0);
	pg_job_sync(job);
}

static void
ping_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	(void)job, (void)query, (void)tag, (void)result;
}

static const struct pg_job_type ping_type = {
	.start = ping_start,
	.answered = ping_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_ping_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &ping_type, request);
}
