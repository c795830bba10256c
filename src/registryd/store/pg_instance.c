/*
 * registryd/store/pg_instance.c - the rows of those that share the database.
 *
 * Each job is one round trip: what is sent before a sync is a transaction.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "registryd/store/pg_job.h"

#define PUT_CELLS    8
#define SELECT_CELLS 9

/* The others are told when the transaction is committed. */
static void
send_notification(struct pg_job *job, enum store_query query,
    uint64_t generation)
{
	char text[24];
	struct cell cell;

	snprintf(text, sizeof(text), "%" PRIu64, generation);
	cell = cell_text(text);
	pg_job_send(job, query, &cell, 1, 0);
}

/* Putting ---------------------------------------------------------------- */

static void
put_start(struct pg_job *job)
{
	const struct store_instance_put *put = &job->request->ask.put_instance;
	const struct store_instance *instance = &put->instance;
	const struct cell cells[PUT_CELLS] = {
		cell_text(instance->name),
		cell_text(instance->run),
		cell_text(instance->host),
		cell_text(instance->version),
		cell_integer(instance->started_wall_ms),
		cell_integer((int64_t)instance->generation),
		cell_integer(put->good_ms),
		cell_integer(put->takes_over),
	};

	pg_job_send(job, QUERY_COMMIT_LAZILY, NULL, 0, 0);
	pg_job_send(job, QUERY_PUT_INSTANCE, cells, COUNT_OF(cells), 0);
	if (put->is_news)
		send_notification(job, QUERY_NOTIFY_INSTANCES,
		    instance->generation);
	else
		pg_job_send(job, QUERY_FORGET_INSTANCES, NULL, 0, 0);
	pg_job_sync(job);
}

static void
put_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	(void)tag;
	if (query == QUERY_PUT_INSTANCE && pg_result_touched(result) == 0)
		pg_job_fail(job, STORE_CONFLICT, "postgres: another run has "
		    "the instance \"%s\"",
		    job->request->ask.put_instance.instance.name);
}

static const struct pg_job_type put_type = {
	.start = put_start,
	.answered = put_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_put_instance_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &put_type, request);
}

/* Removing --------------------------------------------------------------- */

static void
remove_start(struct pg_job *job)
{
	const struct store_instance *instance =
	    &job->request->ask.put_instance.instance;
	const struct cell cells[] = {
		cell_text(instance->name),
		cell_text(instance->run),
	};

	pg_job_send(job, QUERY_DELETE_INSTANCE, cells, COUNT_OF(cells), 0);
	send_notification(job, QUERY_NOTIFY_INSTANCES, instance->generation);
	pg_job_sync(job);
}

static void
nothing_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	(void)job, (void)query, (void)tag, (void)result;
}

static const struct pg_job_type remove_type = {
	.start = remove_start,
	.answered = nothing_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_remove_instance_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &remove_type, request);
}

/* Listing ---------------------------------------------------------------- */

static void
list_start(struct pg_job *job)
{
	pg_job_send(job, QUERY_SELECT_INSTANCES, NULL, 0, 0);
	pg_job_sync(job);
}

static void
list_answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	const struct store_instance_query *asked =
	    &job->request->ask.list_instances;
	struct cell cells[SELECT_CELLS];

	(void)query, (void)tag;
	for (int row = 0; row < PQntuples(result); row++) {
		struct store_instance instance = { 0 };

		pg_result_cells(result, row, cells, SELECT_CELLS);
		instance.name = cells[0].text.data;
		instance.run = cells[1].text.data;
		instance.host = cells[2].text.data;
		instance.version = cells[3].text.data;
		instance.started_wall_ms = cells[4].integer;
		instance.generation = (uint64_t)cells[5].integer;
		instance.behind = (uint64_t)cells[6].integer;
		instance.seen_wall_ms = cells[7].integer;
		instance.is_stale = cells[8].integer != 0;
		asked->row(asked->context, &instance);
	}
}

static const struct pg_job_type list_type = {
	.start = list_start,
	.answered = list_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_list_instances_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &list_type, request);
}

/* Asking ----------------------------------------------------------------- */

static void
want_start(struct pg_job *job)
{
	send_notification(job, QUERY_NOTIFY_WANTED, job->request->ask.wanted);
	pg_job_sync(job);
}

static const struct pg_job_type want_type = {
	.start = want_start,
	.answered = nothing_answered,
	.synced = pg_job_end,
};

struct pg_job *
pg_want_instances_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct pg_job), &want_type, request);
}
