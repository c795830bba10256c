/*
 * registryd/store/pg_pool.c - jobs: taken, put to work, refused.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "registryd/store/pg_pool_parts.h"

static bool
is_up(const struct pg_pool *pool)
{
	return pool->store->figures.is_up;
}

void
pg_pool_turn_later(struct pg_pool *pool)
{
	ev_timer_start(pool->loop, &pool->next_turn);
}

/* Refusing --------------------------------------------------------------- */

static void
refuse(struct pg_pool *pool, struct pg_job *job)
{
	request_fail(job->request, STORE_UNAVAILABLE, "%s; trying again",
	    pool->error[0] != '\0' ? pool->error
				   : "postgres: too many requests wait");
	STAILQ_INSERT_TAIL(&pool->refused, job, entry);
	pg_pool_turn_later(pool);
}

static void
refuse_list(struct pg_pool *pool, struct pg_job_list *list)
{
	struct pg_job *job;

	while ((job = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		pool->waiting_count--;
		refuse(pool, job);
	}
}

void
pg_pool_refuse_all(struct pg_pool *pool)
{
	refuse_list(pool, &pool->commits);
	refuse_list(pool, &pool->reads);
}

void
pg_pool_finish_opening(struct pg_pool *pool, enum store_result result)
{
	struct store_request *opening = pool->opening;

	pool->opening = NULL;
	if (opening == NULL)
		return;
	if (result != STORE_OK)
		request_fail(opening, result, "%s", pool->error);
	request_finish(&opening);
}

/* At work ---------------------------------------------------------------- */

/* The next job that may start, or NULL; commits and reads take turns. */
static struct pg_job *
next_job(struct pg_pool *pool)
{
	struct pg_job_list *list = &pool->commits;
	struct pg_job *job;

	if (pool->is_committing || STAILQ_EMPTY(list) ||
	    (pool->prefers_read && !STAILQ_EMPTY(&pool->reads)))
		list = &pool->reads;
	if ((job = STAILQ_FIRST(list)) == NULL)
		return NULL;
	if (TAILQ_EMPTY(&pool->connections[PG_ON_IDLE])) {
		if (pg_pool_standing_count(pool) < pool->size)
			pg_pool_connect(pool);
		return NULL;
	}
	STAILQ_REMOVE_HEAD(list, entry);
	pool->waiting_count--;
	pool->prefers_read = list == &pool->commits;
	return job;
}

void
pg_pool_dispatch(struct pg_pool *pool)
{
	struct pg_connection *connection;
	struct pg_job *job;

	while (is_up(pool) && (job = next_job(pool)) != NULL) {
		connection = TAILQ_FIRST(&pool->connections[PG_ON_IDLE]);
		pg_pool_move(pool, connection, PG_ON_BUSY);
		pool->is_committing |= job->type->is_commit;
		pg_job_start(job, connection);
	}
}

void
pg_pool_finish_job(struct pg_pool *pool, struct pg_job *job)
{
	struct store_request *request;

	pool->store->figures.query_us_sum +=
	    (uint64_t)(clock_now().ns - job->started.ns) / 1000;
	if (job->type->is_commit)
		pool->is_committing = false;
	request = pg_job_free(&job);
	request_finish(&request);
	pg_pool_dispatch(pool);
}

void
pg_job_end(struct pg_job *job)
{
	struct pg_connection *connection = job->connection;
	struct pg_pool *pool = job->pool;

	pg_connection_set_user(connection, NULL, NULL);
	pg_pool_give_back(pool, connection);
	pg_pool_finish_job(pool, job);
}

void
pg_pool_submit(struct pg_pool *pool, struct pg_job *job)
{
	job->pool = pool;
	job->started = clock_now();
	if (pool->error[0] != '\0' || pool->waiting_count >= PG_WAITING_MAX) {
		refuse(pool, job);
		return;
	}
	if (job->type->is_commit)
		STAILQ_INSERT_TAIL(&pool->commits, job, entry);
	else
		STAILQ_INSERT_TAIL(&pool->reads, job, entry);
	pool->waiting_count++;
	pg_pool_dispatch(pool);
}

/* Life ------------------------------------------------------------------- */

void
pg_pool_open(struct pg_pool *pool, struct store_request *request)
{
	pool->opening = request;
	pool->error[0] = '\0';
	pg_pool_connect_start(pool);
}

static void
on_next_turn(struct ev_loop *loop, ev_timer *next_turn, int events)
{
	struct pg_pool *pool = next_turn->data;
	struct pg_job_list taken = STAILQ_HEAD_INITIALIZER(taken);
	struct store_request *request;
	struct pg_job *job;

	(void)loop, (void)events;
	pg_pool_free_dead(pool);
	STAILQ_CONCAT(&taken, &pool->refused);
	while ((job = STAILQ_FIRST(&taken)) != NULL) {
		STAILQ_REMOVE_HEAD(&taken, entry);
		request = pg_job_free(&job);
		request_finish(&request);
	}
}

int
pg_pool_init(struct pg_pool *pool, struct store *store, struct ev_loop *loop,
    const struct settings *settings)
{
	pool->store = store;
	pool->loop = loop;
	STAILQ_INIT(&pool->commits);
	STAILQ_INIT(&pool->reads);
	STAILQ_INIT(&pool->refused);
	snprintf(pool->error, sizeof(pool->error), "postgres: not opened yet");
	ev_timer_init(&pool->next_turn, on_next_turn, 0., 0.);
	pool->next_turn.data = pool;
	return pg_pool_connect_init(pool, settings);
}

static void
drop_jobs(struct pg_job_list *list)
{
	struct store_request *request;
	struct pg_job *job;

	while ((job = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		request = pg_job_free(&job);
		request_drop(&request);
	}
}

void
pg_pool_clear(struct pg_pool *pool)
{
	pg_pool_connect_clear(pool);
	ev_timer_stop(pool->loop, &pool->next_turn);
	drop_jobs(&pool->commits);
	drop_jobs(&pool->reads);
	drop_jobs(&pool->refused);
	if (pool->opening != NULL)
		request_drop(&pool->opening);
}
