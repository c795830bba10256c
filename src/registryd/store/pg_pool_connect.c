/*
 * registryd/store/pg_pool_connect.c - connections: made, retired, lost.
 *
 *               connected          job ends             too old, too many
 * connecting --------------> busy ----------> idle ----------------------> dead
 *     |                       |  <----------   |                            ^
 *     |                       |   job starts   |                            |
 *     +-----------------------+----------------+----- failed, lost ---------+
 *
 * The first job on a connection sets it up.  The dead are freed when the
 * loop turns, since an event of theirs may be on its way.
 *
 * One that was not used for a while is asked whether it is still good, so
 * that a silent death is noticed by nobody's request.  One whose server
 * takes no writes any more is dropped with all its idle siblings: another
 * server does, or the same one again.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/store/pg_pause.h"
#include "registryd/store/pg_pool_parts.h"

#define SWEEP_S	      1.
#define PING_AFTER_MS 10000

static bool
is_up(const struct pg_pool *pool)
{
	return pool->store->figures.is_up;
}

uint32_t
pg_pool_standing_count(const struct pg_pool *pool)
{
	return pool->connection_counts[PG_ON_IDLE] +
	    pool->connection_counts[PG_ON_BUSY];
}

void
pg_pool_move(struct pg_pool *pool, struct pg_connection *connection,
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
		pg_pool_turn_later(pool);
}

static void
retire(struct pg_pool *pool, struct pg_connection *connection)
{
	pg_connection_retire(connection);
	pg_pool_move(pool, connection, PG_ON_DEAD);
}

static void
retire_idle(struct pg_pool *pool)
{
	struct pg_connection *connection;

	while ((connection = TAILQ_FIRST(&pool->connections[PG_ON_IDLE]))
	    != NULL)
		retire(pool, connection);
}

void
pg_pool_free_dead(struct pg_pool *pool)
{
	struct pg_connection_list *dead = &pool->connections[PG_ON_DEAD];
	struct pg_connection *connection;

	while ((connection = TAILQ_FIRST(dead)) != NULL) {
		TAILQ_REMOVE(dead, connection, entry);
		pool->connection_counts[PG_ON_DEAD]--;
		pg_connection_free(&connection);
	}
}

/* Up and down ------------------------------------------------------------ */

static void
pause_then_retry(struct pg_pool *pool)
{
	if (ev_is_active(&pool->retry))
		return;
	ev_timer_set(&pool->retry,
	    pg_pause_ms(pool->failure_count, &pool->random) / 1000., 0.);
	ev_timer_start(pool->loop, &pool->retry);
}

/* No connection stands: nothing can be done until one does again. */
static void
go_down(struct pg_pool *pool, enum store_result result, const char *why)
{
	bool was_up = is_up(pool);

	snprintf(pool->error, sizeof(pool->error), "%s", why);
	if (was_up || pool->failure_count <= 1)
		log_warn("store: %s", pool->error);
	pg_pool_refuse_all(pool);
	pause_then_retry(pool);
	store_note_up(pool->store, false, pool->error);
	pg_pool_finish_opening(pool, result);
}

static void
go_up(struct pg_pool *pool)
{
	bool was_up = is_up(pool);

	pool->failure_count = 0;
	pool->error[0] = '\0';
	if (!was_up)
		log_notice("store: postgres: connected");
	store_note_up(pool->store, true, NULL);
	if (!was_up && pool->was_up)
		pool->on_server(pool->on_server_context);
	pool->was_up = true;
	pg_pool_finish_opening(pool, STORE_OK);
}

static void
note_failure(struct pg_pool *pool, enum store_result result, const char *why)
{
	pool->failure_count++;
	pool->turn++;
	if (pg_pool_standing_count(pool) == 0)
		go_down(pool, result, why);
	else
		pause_then_retry(pool);
}

/* Connecting ------------------------------------------------------------- */

/* Of the job that made a new connection ready. */
static void
on_set_up(void *context, const struct store_outcome *outcome)
{
	struct pg_pool *pool = context;

	if (outcome->result == STORE_OK) {
		go_up(pool);
		return;
	}
	pool->failure_count++;
	/* It stands, but is no use: nothing else is idle while down. */
	if (!is_up(pool))
		retire_idle(pool);
	if (pg_pool_standing_count(pool) == 0)
		go_down(pool, outcome->result, outcome->message);
}

/* Starts a job that nobody asked for. */
static int
start_own(struct pg_pool *pool, struct pg_connection *connection,
    struct pg_job *(*new)(struct store_request *), store_done_fn *done)
{
	struct store_request *request = calloc(1, sizeof(*request));
	struct pg_job *job = request == NULL ? NULL : new(request);

	if (job == NULL) {
		free(request);
		return -1;
	}
	request->type = REQUEST_PING;
	request->done = done;
	request->context = pool;
	job->pool = pool;
	pg_pool_move(pool, connection, PG_ON_BUSY);
	pg_job_start(job, connection);
	return 0;
}

static void
on_connected(void *context, struct pg_connection *connection)
{
	struct pg_pool *pool = context;

	pool->store->figures.connect_count++;
	if (start_own(pool, connection, pg_setup_new, on_set_up) == -1)
		pg_connection_lose(connection, "out of memory");
}

static void
on_lost(void *context, struct pg_connection *connection, const char *message)
{
	struct pg_pool *pool = context;
	struct pg_job *job = NULL;
	char why[PG_ERROR_SIZE];

	snprintf(why, sizeof(why), "postgres: %s", message);
	if (connection->place == PG_ON_BUSY)
		job = connection->user_context;
	if (connection->place == PG_ON_CONNECTING) {
		pool->failure_count++;
		pool->turn++;
	}
	pg_pool_move(pool, connection, PG_ON_DEAD);
	if (pg_pool_standing_count(pool) == 0)
		go_down(pool, STORE_UNAVAILABLE, why);
	else
		pause_then_retry(pool);
	if (job != NULL) {
		pg_job_fail(job, STORE_UNAVAILABLE, "%s", why);
		pg_pool_finish_job(pool, job);
	}
}

static const struct pg_owner pool_owner = {
	.connected = on_connected,
	.lost = on_lost,
};

static void
on_address(void *context, const struct pg_places *places, const char *error)
{
	struct pg_pool *pool = context;
	struct pg_connection *connection;
	const struct pg_server server = {
		.url = pool->url,
		.places = places,
		.timeout_ms = pool->query_timeout_ms,
		.name = "sluice",
		.is_pooled = pool->is_pooled,
	};
	char why[PG_ERROR_SIZE];

	if (error != NULL) {
		snprintf(why, sizeof(why), "postgres: %s", error);
		note_failure(pool, STORE_UNAVAILABLE, why);
		return;
	}
	connection = pg_connection_new(pool->loop, &server, &pool_owner, pool);
	if (connection != NULL)
		pg_pool_move(pool, connection, PG_ON_CONNECTING);
	else
		pause_then_retry(pool);
}

void
pg_pool_connect(struct pg_pool *pool)
{
	if (pool->connection_counts[PG_ON_CONNECTING] > 0 ||
	    ev_is_active(&pool->retry) ||
	    (pg_pool_standing_count(pool) > 0 && !pool->is_migrated))
		return;
	pg_address_ask(pool->address, pool->turn);
}

static void
on_retry(struct ev_loop *loop, ev_timer *retry, int events)
{
	struct pg_pool *pool = retry->data;

	(void)loop, (void)events;
	if (pg_pool_standing_count(pool) == 0 || pool->waiting_count > 0)
		pg_pool_connect(pool);
}

/* Going ------------------------------------------------------------------ */

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
	return pg_pool_standing_count(pool) > 1 &&
	    (is_too_old(pool, connection) ||
		pool->connection_counts[PG_ON_IDLE] > pool->idle_max);
}

/* It is there, but not what it was: another is made, maybe elsewhere. */
static void
leave_server(struct pg_pool *pool, struct pg_connection *connection)
{
	if (connection->is_confused && !pool->is_pooled) {
		log_warn("store: postgres: prepared statements get lost: is "
			 "there a pooler of transactions?  Going on without; "
			 "set store.pooler");
		pool->is_pooled = true;
	} else if (!connection->is_confused) {
		log_notice("store: postgres: the server takes no writes any "
			   "more: connecting again");
		pool->turn++;
	}
	retire_idle(pool);
	pause_then_retry(pool);
	pool->on_server(pool->on_server_context);
}

void
pg_pool_give_back(struct pg_pool *pool, struct pg_connection *connection)
{
	connection->used = clock_now();
	pg_pool_move(pool, connection, PG_ON_IDLE);
	if (pg_connection_is_no_use(connection))
		leave_server(pool, connection);
	else if (may_go(pool, connection))
		retire(pool, connection);
}

static void
on_pinged(void *context, const struct store_outcome *outcome)
{
	(void)context, (void)outcome;	/* the loss was told to on_lost() */
}

static void
sweep_one(struct pg_pool *pool, struct pg_connection *connection)
{
	if (is_too_old(pool, connection) && may_go(pool, connection))
		retire(pool, connection);
	else if (is_too_old(pool, connection))
		pg_pool_connect(pool);	/* its successor */
	else if (is_up(pool) && instant_diff_ms(clock_now(),
		connection->used) >= PING_AFTER_MS)
		(void)start_own(pool, connection, pg_ping_new, on_pinged);
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
		sweep_one(pool, connection);
	}
}

/* Life ------------------------------------------------------------------- */

int
pg_pool_connect_init(struct pg_pool *pool, const struct settings *settings)
{
	if ((pool->url = strdup(settings->store.url)) == NULL)
		return -1;
	pool->address = pg_address_new(pool->loop, pool->url, on_address,
	    pool);
	if (pool->address == NULL) {
		free(pool->url);
		return -1;
	}
	pool->size = settings->store.pool_size > 0
	    ? settings->store.pool_size : 1;
	pool->idle_max = settings->store.pool_idle;
	pool->lifetime_ms = settings->store.connection_lifetime_ms;
	pool->query_timeout_ms = settings->store.query_timeout_ms;
	pool->is_pooled = settings->store.pooler;
	for (int place = 0; place < PG_PLACES; place++)
		TAILQ_INIT(&pool->connections[place]);
	random_fill(&pool->random, sizeof(pool->random));
	ev_timer_init(&pool->retry, on_retry, 0., 0.);
	ev_timer_init(&pool->sweep, on_sweep, SWEEP_S, SWEEP_S);
	pool->retry.data = pool;
	pool->sweep.data = pool;
	return 0;
}

void
pg_pool_connect_start(struct pg_pool *pool)
{
	ev_timer_start(pool->loop, &pool->sweep);
	pg_pool_connect(pool);
}

void
pg_pool_connect_clear(struct pg_pool *pool)
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
			pg_pool_move(pool, connection, PG_ON_DEAD);
		}
	}
	pg_pool_free_dead(pool);
	pg_address_free(&pool->address);
	free(pool->url);
}
