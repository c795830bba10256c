/*
 * registryd/store/pg_history.c - how much history there is, and its end.
 *
 * Pruning takes two round trips: whether no other instance is at it, then
 * the horizon and what lies behind it.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_job.h"

/* Measuring -------------------------------------------------------------- */

static void
measure_start(struct pg_job *job)
{
	pg_job_send(job, QUERY_MEASURE_HISTORY, NULL, 0, 0);
	pg_job_sync(job);
}

static void
measure_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	struct store_extent *extent = job->request->ask.extent;

	(void)query, (void)tag;
	extent->row_count = (uint64_t)pg_result_integer(result, 0);
	extent->oldest_wall_ms = pg_result_integer(result, 1);
}

static const struct pg_job_type measure_type = {
	.start = measure_start,
	.answered = measure_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_measure_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &measure_type, request);
}

/* Pruning ---------------------------------------------------------------- */

struct pruning {
	struct pg_job job;
	bool is_alone;			/* the lock is ours */
	bool is_ending;
};

static struct pruning *
pruning_of(struct pg_job *job)
{
	return CONTAINER_OF(job, struct pruning, job);
}

static void
prune_start(struct pg_job *job)
{
	pg_job_send(job, QUERY_BEGIN, NULL, 0, 0);
	pg_job_send(job, QUERY_LOCK_PRUNING, NULL, 0, 0);
	pg_job_sync(job);
}

static void
prune_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	(void)tag;
	if (query == QUERY_LOCK_PRUNING)
		pruning_of(job)->is_alone = pg_result_integer(result, 0) != 0;
	if (query == QUERY_DELETE_CHANGES)
		job->request->outcome.row_count = pg_result_touched(result);
}

static void
remove_rows(struct pg_job *job)
{
	struct cell cells[PRUNE_CELLS];

	prune_to_cells(&job->request->ask.prune, cells);
	pg_job_send(job, QUERY_MOVE_HORIZON, cells, PRUNE_CELLS, 0);
	pg_job_send(job, QUERY_DELETE_CHANGES, NULL, 0, 0);
}

static void
prune_synced(struct pg_job *job)
{
	struct pruning *pruning = pruning_of(job);

	if (pruning->is_ending) {
		pg_job_end(job);
		return;
	}
	if (pruning->is_alone && !job->is_failed) {
		pruning->is_alone = false;
		remove_rows(job);
		pg_job_sync(job);
		return;
	}
	pruning->is_ending = true;
	pg_job_send(job, job->is_failed ? QUERY_ROLLBACK : QUERY_COMMIT, NULL,
	    0, 0);
	pg_job_sync(job);
}

static const struct pg_job_type prune_type = {
	.start = prune_start,
	.answered = prune_answered,
	.synced = prune_synced,
};

struct pg_job *
pg_prune_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pruning), &prune_type, request);
}
