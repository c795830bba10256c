/*
 * registryd/store/pg_follow.c - what others changed, read by generation.
 *
 * Two round trips in one snapshot: the generation and how much there is,
 * then all of it.  Objects are found by the keys that history names, so
 * the cost is that of the changes, whatever the size of the tables.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <string.h>

#include "registryd/store/pg_job.h"

/* More than this is loaded whole sooner. */
#define NEWS_MAX 10000
/* What is gone is told for so many versions of the notes; delete_notes. */
#define NOTES_MAX 100000

struct follow {
	struct pg_job job;
	bool is_ending;			/* COMMIT or ROLLBACK was sent */
	int64_t count, age_ms;
	int64_t since_wall_ms;		/* as it is there; 0: gone */
	uint64_t horizon;
};

static struct follow *
follow_of(struct pg_job *job)
{
	return CONTAINER_OF(job, struct follow, job);
}

static const struct store_follow_query *
asked(const struct follow *follow)
{
	return &follow->job.request->ask.follow;
}

static void
start(struct pg_job *job)
{
	const struct cell cells[] = {
		cell_integer((int64_t)asked(follow_of(job))->since),
		cell_integer(NEWS_MAX + 1),
	};

	pg_job_send(job, QUERY_BEGIN_SNAPSHOT, NULL, 0, 0);
	pg_job_send(job, QUERY_SELECT_GENERATION, NULL, 0, 0);
	pg_job_send(job, QUERY_SELECT_HORIZON, NULL, 0, 0);
	pg_job_send(job, QUERY_SELECT_CHANGE_TIME, cells, 1, 0);
	pg_job_send(job, QUERY_COUNT_NEWS, cells, COUNT_OF(cells), 0);
	pg_job_send(job, QUERY_SELECT_NOTE_VERSION, NULL, 0, 0);
	pg_job_sync(job);
}

static int
take_row(struct follow *follow, enum store_query query, const PGresult *result,
    int row)
{
	const struct store_loader *loader = &asked(follow)->loader;
	struct cell cells[SERVICE_CELLS];
	struct service service;
	struct backend backend;
	struct store_note note;
	struct route route;

	switch (query) {
	case QUERY_SELECT_SERVICES_SINCE:
		pg_result_cells(result, row, cells, SERVICE_CELLS);
		if (service_from_cells(cells, &service) == -1)
			return -1;
		loader->service(loader->context, &service);
		return 0;
	case QUERY_SELECT_BACKENDS_SINCE:
		pg_result_cells(result, row, cells, BACKEND_CELLS);
		if (backend_from_cells(cells, &backend) == -1)
			return -1;
		loader->backend(loader->context, &backend);
		return 0;
	case QUERY_SELECT_ROUTES_SINCE:
		pg_result_cells(result, row, cells, ROUTE_COLUMNS);
		if (route_from_cells(cells, &route) == -1)
			return -1;
		loader->route(loader->context, &route);
		return 0;
	case QUERY_SELECT_NOTES_SINCE:
		pg_result_cells(result, row, cells, NOTE_CELLS);
		if (note_from_cells(cells, &note) == -1)
			return -1;
		asked(follow)->note_news(loader->context, &note);
		return 0;
	case QUERY_SELECT_NOTES:
		pg_result_cells(result, row, cells, NOTE_CELLS);
		if (note_from_cells(cells, &note) == -1)
			return -1;
		loader->note(loader->context, &note);
		return 0;
	default:
		return 0;
	}
}

static int
take_gone(struct follow *follow, const PGresult *result, int row)
{
	enum object_kind kind;

	if (object_kind_parse(PQgetvalue(result, row, 1), &kind) == -1)
		return -1;
	asked(follow)->gone(asked(follow)->loader.context, kind,
	    PQgetvalue(result, row, 2));
	return 0;
}

static void
answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	struct follow *follow = follow_of(job);
	int status = 0;

	(void)tag;
	if (query == QUERY_SELECT_GENERATION) {
		pg_result_moment(result, &job->request->outcome);
		return;
	}
	if (query == QUERY_SELECT_HORIZON) {
		follow->horizon = (uint64_t)pg_result_integer(result, 0);
		return;
	}
	if (query == QUERY_SELECT_CHANGE_TIME) {
		follow->since_wall_ms = pg_result_integer(result, 0);
		return;
	}
	if (query == QUERY_SELECT_NOTE_VERSION) {
		job->request->outcome.note_version =
		    (uint64_t)pg_result_integer(result, 0);
		return;
	}
	if (query == QUERY_COUNT_NEWS) {
		follow->count = pg_result_integer(result, 0);
		follow->age_ms = pg_result_integer(result, 1);
		return;
	}
	for (int row = 0; row < PQntuples(result) && status == 0; row++)
		status = query == QUERY_SELECT_GONE_SINCE
		    ? take_gone(follow, result, row)
		    : take_row(follow, query, result, row);
	if (status == -1)
		pg_job_fail(job, STORE_REFUSED, "postgres: %s: a row holds "
		    "what sluice cannot read; mend or remove it",
		    postgres_queries[query].name);
}

static void
end_transaction(struct follow *follow)
{
	follow->is_ending = true;
	pg_job_send(&follow->job, follow->job.is_failed ? QUERY_ROLLBACK
							: QUERY_COMMIT,
	    NULL, 0, 0);
	pg_job_sync(&follow->job);
}

/* Whether what was seen last is there, and no other in its place. */
static bool
has_seen_it(const struct follow *follow)
{
	int64_t seen_wall_ms = asked(follow)->since_wall_ms;

	return seen_wall_ms == 0 || follow->since_wall_ms == 0 ||
	    seen_wall_ms == follow->since_wall_ms;
}

/* Whether what is there can be followed step by step. */
static bool
is_ours(struct follow *follow)
{
	const struct store_outcome *outcome = &follow->job.request->outcome;
	const char *known = asked(follow)->identity;
	uint64_t generation = outcome->generation;

	if (known[0] != '\0' &&
	    !store_is_same_database(known, outcome->identity))
		pg_job_fail(&follow->job, STORE_CONFLICT, "postgres: it is "
		    "database %s, where %s was before", outcome->identity,
		    known);
	else if (known[0] != '\0' && strcmp(known, outcome->identity) != 0)
		pg_job_fail(&follow->job, STORE_CONFLICT, "postgres: rows "
		    "were changed by hand");
	else if (generation < asked(follow)->since)
		pg_job_fail(&follow->job, STORE_CONFLICT, "postgres: "
		    "generation %" PRIu64 " is there, where %" PRIu64
		    " was before", generation, asked(follow)->since);
	else if (!has_seen_it(follow))
		pg_job_fail(&follow->job, STORE_CONFLICT, "postgres: "
		    "generation %" PRIu64 " is another than it was",
		    asked(follow)->since);
	else if (asked(follow)->since < follow->horizon)
		pg_job_fail(&follow->job, STORE_CONFLICT, "postgres: the "
		    "changes since generation %" PRIu64 " are gone: history "
		    "reaches back to %" PRIu64, asked(follow)->since,
		    follow->horizon);
	else if (follow->count > NEWS_MAX ||
	    (follow->count == 0 && generation > asked(follow)->since))
		pg_job_fail(&follow->job, STORE_CONFLICT, "postgres: the "
		    "changes since generation %" PRIu64 " are too many, or "
		    "are gone", asked(follow)->since);
	else if (asked(follow)->note_since != 0 &&
	    (outcome->note_version < asked(follow)->note_since ||
		outcome->note_version - asked(follow)->note_since >
		    NOTES_MAX))
		pg_job_fail(&follow->job, STORE_CONFLICT, "postgres: the "
		    "changes of sessions are too many, or are gone");
	return !follow->job.is_failed;
}

static void
synced(struct pg_job *job)
{
	static const enum store_query queries[] = {
		QUERY_SELECT_SERVICES_SINCE, QUERY_SELECT_BACKENDS_SINCE,
		QUERY_SELECT_ROUTES_SINCE, QUERY_SELECT_GONE_SINCE,
	};
	struct follow *follow = follow_of(job);
	const struct cell since = cell_integer((int64_t)asked(follow)->since);
	const struct cell note_since =
	    cell_integer((int64_t)asked(follow)->note_since);

	if (follow->is_ending) {
		pg_job_end(job);
		return;
	}
	if (job->is_failed || !is_ours(follow)) {
		end_transaction(follow);
		return;
	}
	asked(follow)->age(asked(follow)->loader.context, follow->age_ms);
	for (size_t i = 0; follow->count > 0 && i < COUNT_OF(queries); i++)
		pg_job_send(job, queries[i], &since, 1, 0);
	if (asked(follow)->note_news != NULL &&
	    asked(follow)->note_since != job->request->outcome.note_version)
		pg_job_send(job, QUERY_SELECT_NOTES_SINCE, &note_since, 1, 0);
	if (asked(follow)->loader.note != NULL)
		pg_job_send(job, QUERY_SELECT_NOTES, NULL, 0, 0);
	end_transaction(follow);
}

static const struct pg_job_type follow_type = {
	.start = start,
	.answered = answered,
	.synced = synced,
};

struct pg_job *
pg_follow_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct follow), &follow_type, request);
}
