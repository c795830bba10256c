/*
 * registryd/store/pg_pool.c - the connections: made, lent, retired, lost.
 *
 *               connected          job ends             too old, too many
 * connecting --------------> busy ----------> idle ----------------------> dead
 *     |                       |  <----------   |                            ^
 *     |                       |   job starts   |                            |
 *     +-----------------------+----------------+----- failed, lost ---------+
 *
 * The first job on a connection sets it up.  The dead are freed when the
 * loop turns, since an event of theirs may be on its way.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/store/pg_job.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS   30000
#define SWEEP_S	       1.

static void dispatch(struct pg_pool *);

static uint32_t
standing_count(const struct pg_pool *pool)
{
	return pool->connection_counts[PG_ON_IDLE] +
	    pool->connection_counts[PG_ON_BUSY];
}

static bool
is_up(const struct pg_pool *pool)
{
	return pool->store->figures.is_up;
}

static void
turn_later(struct pg_pool *pool)
{
	ev_timer_start(pool->loop, &pool->next_turn);
}

/* The one place where a connection changes its list. */
static void
move(struct pg_pool *pool, struct pg_connection *connection,
    enum pg_place place)
{
	if (connection->place != PG_NOWHERE) {
		TAILQ_REMOVE(&pool->connections[connection->place], connection,
		    entry);
		pool->connection_counts[connection->place]--;
	}
	connection->place = place;
	/* The one used last is used first, so that the others may go. */
	TAILQ_INSERT_HEAD(&pool->connections[place], connection, entry);
	pool->connection_counts[place]++;
	if (place == PG_ON_DEAD)
		turn_later(pool);
}

static void
pause_then_retry(struct pg_pool *pool)
{
	uint32_t pause_ms = PAUSE_MAX_MS;

	if (ev_is_active(&pool->retry))
		return;
	if (pool->failure_count < 8)
		pause_ms = (uint32_t)PAUSE_FIRST_MS << pool->failure_count;
	pause_ms = pause_ms / 2 + random_below(&pool->random, pause_ms / 2 + 1);
	ev_timer_set(&pool->retry, pause_ms / 1000., 0.);
	ev_timer_start(pool->loop, &pool->retry);
}

static void
refuse(struct pg_pool *pool, struct pg_job *job)
{
	request_fail(job->request, STORE_UNAVAILABLE, "%s; trying again",
	    pool->error[0] != '\0' ? pool->error
				   : "postgres: too many requests wait");
	STAILQ_INSERT_TAIL(&pool->refused, job, entry);
	turn_later(pool);
}

static void
refuse_all(struct pg_pool *pool, struct pg_job_list *list)
{
	struct pg_job *job;

	while ((job = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		pool->waiting_count--;
		refuse(pool, job);
	}
}

static void
finish_opening(struct pg_pool *pool, enum store_result result)
{
	struct store_request *opening = pool->opening;

	pool->opening = NULL;
	if (opening == NULL)
		return;
	if (result != STORE_OK)
		request_fail(opening, result, "%s", pool->error);
	request_finish(&opening);
}

/* No connection stands: nothing can be done until one does again. */
static void
go_down(struct pg_pool *pool, enum store_result result, const char *why)
{
	bool was_up = is_up(pool);

	snprintf(pool->error, sizeof(pool->error), "%s", why);
	if (was_up || pool->failure_count <= 1)
		log_warn("store: %s", pool->error);
	refuse_all(pool, &pool->commits);
	refuse_all(pool, &pool->reads);
	pause_then_retry(pool);
	store_note_up(pool->store, false, pool->error);
	finish_opening(pool, result);
}

static void
go_up(struct pg_pool *pool)
{
	if (!is_up(pool))
		log_notice("store: postgres: connected");
	pool->failure_count = 0;
	pool->error[0] = '\0';
	store_note_up(pool->store, true, NULL);
	finish_opening(pool, STORE_OK);
}

/* Of the job that made a new connection ready. */
static void
on_set_up(void *context, const struct store_outcome *outcome)
{
	struct pg_pool *pool = context;
	struct pg_connection *connection;

	if (outcome->result == STORE_OK) {
		go_up(pool);
		return;
	}
	pool->failure_count++;
	/* It stands, but is no use: nothing else is idle while down. */
	while (!is_up(pool) && (connection =
		TAILQ_FIRST(&pool->connections[PG_ON_IDLE])) != NULL) {
		pg_connection_retire(connection);
		move(pool, connection, PG_ON_DEAD);
	}
	if (standing_count(pool) == 0)
		go_down(pool, outcome->result, outcome->message);
}

static void
on_connected(void *context, struct pg_connection *connection)
{
	struct pg_pool *pool = context;
	struct store_request *request = calloc(1, sizeof(*request));
	struct pg_job *job = NULL;

	pool->store->figures.connect_count++;
	if (request != NULL)
		job = pg_setup_new(request);
	if (job == NULL) {
		free(request);
		pg_connection_lose(connection, "out of memory");
		return;
	}
	request->type = REQUEST_PING;
	request->done = on_set_up;
	request->context = pool;
	job->pool = pool;
	move(pool, connection, PG_ON_BUSY);
	pg_job_start(job, connection);
}

/* The job is over; its connection, if any, is dealt with. */
static void
finish_job(struct pg_pool *pool, struct pg_job *job)
{
	struct store_request *request;

	pool->store->figures.query_us_sum +=
	    (uint64_t)(clock_now().ns - job->started.ns) / 1000;
	if (job->type->is_commit)
		pool->is_committing = false;
	request = pg_job_free(&job);
	request_finish(&request);
	dispatch(pool);
}

static void
on_lost(void *context, struct pg_connection *connection, const char *message)
{
	struct pg_pool *pool = context;
	struct pg_job *job = NULL;
	char why[200];

	snprintf(why, sizeof(why), "postgres: %s", message);
	if (connection->place == PG_ON_BUSY)
		job = connection->user_context;
	if (connection->place == PG_ON_CONNECTING)
		pool->failure_count++;
	move(pool, connection, PG_ON_DEAD);
	if (standing_count(pool) == 0)
		go_down(pool, STORE_UNAVAILABLE, why);
	else
		pause_then_retry(pool);
	if (job != NULL) {
		pg_job_fail(job, STORE_UNAVAILABLE, "%s", why);
		finish_job(pool, job);
	}
}

static const struct pg_owner pool_owner = {
	.connected = on_connected,
	.lost = on_lost,
};

static void
on_address(void *context, const char *hosts, const char *addresses,
    const char *error)
{
	struct pg_pool *pool = context;
	struct pg_connection *connection;
	const struct pg_server server = {
		pool->url, hosts, addresses, pool->query_timeout_ms, "sluice",
	};
	char why[200];

	if (error == NULL) {
		connection = pg_connection_new(pool->loop, &server,
		    &pool_owner, pool);
		if (connection != NULL)
			move(pool, connection, PG_ON_CONNECTING);
		else
			pause_then_retry(pool);
		return;
	}
	pool->failure_count++;
	snprintf(why, sizeof(why), "postgres: %s", error);
	if (standing_count(pool) == 0)
		go_down(pool, STORE_UNAVAILABLE, why);
	else
		pause_then_retry(pool);
}

static void
start_connecting(struct pg_pool *pool)
{
	if (pool->connection_counts[PG_ON_CONNECTING] > 0 ||
	    ev_is_active(&pool->retry) ||
	    (standing_count(pool) > 0 && !pool->is_migrated))
		return;
	pg_address_ask(pool->address);
}

static bool
is_too_old(const struct pg_pool *pool, const struct pg_connection *connection)
{
	return pool->lifetime_ms > 0 &&
	    instant_diff_ms(clock_now(), connection->opened) >=
		pool->lifetime_ms;
}

/* Too old, or one too many; but never the last. */
static bool
may_go(const struct pg_pool *pool, const struct pg_connection *connection)
{
	return standing_count(pool) > 1 && (is_too_old(pool, connection) ||
	    pool->connection_counts[PG_ON_IDLE] > pool->idle_max);
}

void
pg_job_end(struct pg_job *job)
{
	struct pg_connection *connection = job->connection;
	struct pg_pool *pool = job->pool;

	pg_connection_set_user(connection, NULL, NULL);
	move(pool, connection, PG_ON_IDLE);
	finish_job(pool, job);
	if (connection->place == PG_ON_IDLE && may_go(pool, connection)) {
		pg_connection_retire(connection);
		move(pool, connection, PG_ON_DEAD);
	}
}

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
		if (standing_count(pool) < pool->size)
			start_connecting(pool);
		return NULL;
	}
	STAILQ_REMOVE_HEAD(list, entry);
	pool->waiting_count--;
	pool->prefers_read = list == &pool->commits;
	return job;
}

static void
dispatch(struct pg_pool *pool)
{
	struct pg_connection *connection;
	struct pg_job *job;

	while (is_up(pool) && (job = next_job(pool)) != NULL) {
		connection = TAILQ_FIRST(&pool->connections[PG_ON_IDLE]);
		move(pool, connection, PG_ON_BUSY);
		pool->is_committing |= job->type->is_commit;
		pg_job_start(job, connection);
	}
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
	dispatch(pool);
}

void
pg_pool_open(struct pg_pool *pool, struct store_request *request)
{
	pool->opening = request;
	pool->error[0] = '\0';
	ev_timer_start(pool->loop, &pool->sweep);
	start_connecting(pool);
}

static void
on_retry(struct ev_loop *loop, ev_timer *retry, int events)
{
	struct pg_pool *pool = retry->data;

	(void)loop, (void)events;
	if (standing_count(pool) == 0 || pool->waiting_count > 0)
		start_connecting(pool);
}

static void
on_sweep(struct ev_loop *loop, ev_timer *sweep, int events)
{
	struct pg_pool *pool = sweep->data;
	struct pg_connection *connection, *next;

	(void)loop, (void)events;
	connection = TAILQ_FIRST(&pool->connections[PG_ON_IDLE]);
	for (; connection != NULL; connection = next) {
		next = TAILQ_NEXT(connection, entry);
		if (!is_too_old(pool, connection))
			continue;
		if (may_go(pool, connection)) {
			pg_connection_retire(connection);
			move(pool, connection, PG_ON_DEAD);
		} else {
			start_connecting(pool);	/* its successor */
		}
	}
}

static void
free_dead(struct pg_pool *pool)
{
	struct pg_connection_list *dead = &pool->connections[PG_ON_DEAD];
	struct pg_connection *connection;

	while ((connection = TAILQ_FIRST(dead)) != NULL) {
		TAILQ_REMOVE(dead, connection, entry);
		pool->connection_counts[PG_ON_DEAD]--;
		pg_connection_free(&connection);
	}
}

static void
on_next_turn(struct ev_loop *loop, ev_timer *next_turn, int events)
{
	struct pg_pool *pool = next_turn->data;
	struct pg_job_list taken = STAILQ_HEAD_INITIALIZER(taken);
	struct store_request *request;
	struct pg_job *job;

	(void)loop, (void)events;
	free_dead(pool);
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
	if ((pool->url = strdup(settings->store.url)) == NULL)
		return -1;
	pool->address = pg_address_new(loop, pool->url, on_address, pool);
	if (pool->address == NULL) {
		free(pool->url);
		return -1;
	}
	pool->store = store;
	pool->loop = loop;
	pool->size = settings->store.pool_size > 0
	    ? settings->store.pool_size : 1;
	pool->idle_max = settings->store.pool_idle;
	pool->lifetime_ms = settings->store.connection_lifetime_ms;
	pool->query_timeout_ms = settings->store.query_timeout_ms;
	for (int place = 0; place < PG_PLACES; place++)
		TAILQ_INIT(&pool->connections[place]);
	STAILQ_INIT(&pool->commits);
	STAILQ_INIT(&pool->reads);
	STAILQ_INIT(&pool->refused);
	snprintf(pool->error, sizeof(pool->error), "postgres: not opened yet");
	random_fill(&pool->random, sizeof(pool->random));
	ev_timer_init(&pool->retry, on_retry, 0., 0.);
	ev_timer_init(&pool->sweep, on_sweep, SWEEP_S, SWEEP_S);
	ev_timer_init(&pool->next_turn, on_next_turn, 0., 0.);
	pool->retry.data = pool;
	pool->sweep.data = pool;
	pool->next_turn.data = pool;
	return 0;
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
	struct pg_connection *connection;
	struct store_request *request;
	struct pg_job *job;

	ev_timer_stop(pool->loop, &pool->retry);
	ev_timer_stop(pool->loop, &pool->sweep);
	for (int place = 0; place < PG_ON_DEAD; place++) {
		while ((connection = TAILQ_FIRST(&pool->connections[place]))
		    != NULL) {
			if (place == PG_ON_BUSY) {
				job = connection->user_context;
				request = pg_job_free(&job);
				request_drop(&request);
			}
			move(pool, connection, PG_ON_DEAD);
		}
	}
	free_dead(pool);
	ev_timer_stop(pool->loop, &pool->next_turn);
	drop_jobs(&pool->commits);
	drop_jobs(&pool->reads);
	drop_jobs(&pool->refused);
	if (pool->opening != NULL)
		request_drop(&pool->opening);
	pg_address_free(&pool->address);
	free(pool->url);
}
