/*
 * registryd/store/pg_job.c - what all jobs on a connection have in common.
 */
/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/store/pg_job.h"

static void
on_answered(void *context, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	struct pg_job *job = context;

	if (query != QUERY_SET_UP_LOCALLY)
		job->type->answered(job, query, tag, result);
}

/* Source: PostgreSQL documentation, appendix A, error codes. */
static enum store_result
result_of(const char *sqlstate)
{
	static const struct {
		const char *prefix;
		enum store_result result;
	} rows[] = {
		{ "23505", STORE_CONFLICT },	/* unique_violation */
		{ "23", STORE_REFUSED },	/* other constraints */
		{ "22", STORE_REFUSED },	/* data */
		{ "42", STORE_REFUSED },	/* names, rights */
		{ "53100", STORE_FULL },	/* disk_full */
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strncmp(sqlstate, rows[i].prefix,
			strlen(rows[i].prefix)) == 0)
			return rows[i].result;
	return STORE_UNAVAILABLE;
}

/* What an error tells of the server, rather than of the job. */
static void
note_server(struct pg_connection *connection, const char *sqlstate)
{
	if (strcmp(sqlstate, "25006") == 0)	/* read_only_sql_transaction */
		connection->was_refused = true;
	if (strcmp(sqlstate, "26000") == 0 ||	/* no such prepared one */
	    strcmp(sqlstate, "42P05") == 0)	/* there is one already */
		connection->is_confused = true;
}

static void
on_failed(void *context, uint32_t tag, const struct pg_error *error)
{
	struct pg_job *job = context;

	note_server(job->connection, error->sqlstate);
	if (job->type->failed != NULL)
		job->type->failed(job, tag, error);
	pg_job_fail(job, result_of(error->sqlstate), "postgres: %s (%s)",
	    error->message, error->sqlstate);
}

static void
on_synced(void *context)
{
	struct pg_job *job = context;

	job->type->synced(job);
}

static void
on_drained(void *context)
{
	struct pg_job *job = context;

	if (job->type->drained != NULL)
		job->type->drained(job);
}

static const struct pg_user job_user = {
	.answered = on_answered,
	.failed = on_failed,
	.synced = on_synced,
	.drained = on_drained,
};

void
pg_job_start(struct pg_job *job, struct pg_connection *connection)
{
	job->connection = connection;
	job->started = clock_now();
	/* What came before may have taken long, and answers are due from now
	 * on. */
	ev_now_update(connection->loop);
	pg_connection_set_user(connection, &job_user, job);
	job->type->start(job);
}

/* Behind a pooler a transaction brings its own settings along, as the
 * first thing in it. */
static void
set_up_locally(struct pg_job *job)
{
	const struct cell timeout = cell_integer(job->pool->query_timeout_ms);

	if (!job->connection->is_pooled || job->is_set_up)
		return;
	job->is_set_up = true;
	pg_connection_send(job->connection, QUERY_SET_UP_LOCALLY, &timeout, 1,
	    0);
}

void
pg_job_send(struct pg_job *job, enum store_query query,
    const struct cell *cells, uint32_t count, uint32_t tag)
{
	bool begins = query == QUERY_BEGIN || query == QUERY_BEGIN_SNAPSHOT;

	job->pool->store->figures.query_count++;
	if (!begins)
		set_up_locally(job);
	pg_connection_send(job->connection, query, cells, count, tag);
	if (begins)
		set_up_locally(job);
}

void
pg_job_sync(struct pg_job *job)
{
	pg_connection_sync(job->connection);
}

void
pg_job_fail(struct pg_job *job, enum store_result result,
    const char *format, ...)
{
	char message[REQUEST_MESSAGE_SIZE];
	va_list args;

	job->is_failed = true;
	if (job->request->outcome.result != STORE_OK)
		return;
	job->pool->store->figures.query_failed_count++;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	request_fail(job->request, result, "%s", message);
}

void
pg_job_fail_hold(struct pg_job *job)
{
	pg_job_fail(job, STORE_CONFLICT, "postgres: the session is another "
	    "instance's by now, or gone");
}

struct pg_job *
pg_job_new(size_t size, const struct pg_job_type *type,
    struct store_request *request)
{
	struct pg_job *job = calloc(1, size);

	if (job == NULL)
		return NULL;
	job->type = type;
	job->request = request;
	return job;
}

struct store_request *
pg_job_free(struct pg_job **p)
{
	struct pg_job *job = *p;
	struct store_request *request = job->request;

	*p = NULL;
	if (job->type->ended != NULL)
		job->type->ended(job);
	free(job);
	return request;
}
