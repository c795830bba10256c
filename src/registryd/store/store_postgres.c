/*
 * registryd/store/store_postgres.c - the driver of a PostgreSQL server.
 *
 * All on the loop, by libpq's non-blocking calls; see pg_pool.h.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "registryd/store/driver.h"
#include "registryd/store/pg_job.h"
#include "registryd/store/pg_listen.h"

struct store_postgres {
	struct store store;
	struct pg_pool pool;
	struct pg_listen *listen;
};

static struct store_postgres *
postgres_of(struct store *store)
{
	return CONTAINER_OF(store, struct store_postgres, store);
}

static void
on_server(void *context)
{
	struct store_postgres *postgres = context;
	struct store *store = &postgres->store;

	/* It may not have what the other had, and is read first. */
	if (store->on_news != NULL)
		store->on_news(store->on_news_context, 0);
	if (postgres->pool.is_pooled)
		pg_listen_give_up(postgres->listen);
	else
		pg_listen_again(postgres->listen);
}

static int
postgres_new(struct ev_loop *loop, const struct settings *settings,
    struct store **store_r, const char **error_r)
{
	struct store_postgres *postgres = calloc(1, sizeof(*postgres));

	if (postgres == NULL || pg_pool_init(&postgres->pool,
		&postgres->store, loop, settings) == -1) {
		free(postgres);
		*error_r = "postgres: out of memory";
		return -1;
	}
	postgres->listen = pg_listen_new(&postgres->store, loop, settings);
	if (postgres->listen == NULL) {
		pg_pool_clear(&postgres->pool);
		free(postgres);
		*error_r = "postgres: out of memory";
		return -1;
	}
	postgres->pool.on_server = on_server;
	postgres->pool.on_server_context = postgres;
	*store_r = &postgres->store;
	return 0;
}

static void
postgres_free(struct store *store)
{
	struct store_postgres *postgres = postgres_of(store);

	pg_listen_free(&postgres->listen);
	pg_pool_clear(&postgres->pool);
	free(postgres);
}

static struct pg_job *
job_for(struct store_request *request)
{
	switch (request->type) {
	case REQUEST_LOAD:
		return pg_load_new(request);
	case REQUEST_COMMIT:
		return pg_commit_new(request);
	case REQUEST_NOTES:
	case REQUEST_EVENTS:
		return pg_notes_new(request);
	case REQUEST_MEASURE:
		return pg_measure_new(request);
	case REQUEST_PRUNE:
		return pg_prune_new(request);
	case REQUEST_HISTORY:
		return pg_history_new(request);
	case REQUEST_READ_NOTES:
		return pg_read_notes_new(request);
	case REQUEST_FOLLOW:
		return pg_follow_new(request);
	case REQUEST_PUT_INSTANCE:
		return pg_put_instance_new(request);
	case REQUEST_REMOVE_INSTANCE:
		return pg_remove_instance_new(request);
	case REQUEST_LIST_INSTANCES:
		return pg_list_instances_new(request);
	case REQUEST_WANT_INSTANCES:
		return pg_want_instances_new(request);
	case REQUEST_OPEN:
	case REQUEST_PING:
	case REQUEST_REPLICATE:		/* never: no replica */
		break;
	}
	return pg_ping_new(request);
}

static int
postgres_submit(struct store *store, struct store_request *request)
{
	struct store_postgres *postgres = postgres_of(store);
	struct pg_job *job;

	if (request->type == REQUEST_OPEN) {
		pg_pool_open(&postgres->pool, request);
		pg_listen_start(postgres->listen);
		return 0;
	}
	if ((job = job_for(request)) == NULL)
		return -1;
	pg_pool_submit(&postgres->pool, job);
	return 0;
}

static void
postgres_figures(const struct store *store, struct store_figures *figures_r)
{
	/* The store is its first member. */
	const struct store_postgres *postgres = (const void *)store;
	const struct pg_pool *pool = &postgres->pool;

	figures_r->pool_size = pool->size;
	figures_r->idle = pool->connection_counts[PG_ON_IDLE];
	figures_r->in_use = pool->connection_counts[PG_ON_BUSY];
	figures_r->open = figures_r->idle + figures_r->in_use;
	figures_r->waiting = pool->waiting_count;
}

const struct store_driver_row store_postgres_driver = {
	.new = postgres_new,
	.free = postgres_free,
	.submit = postgres_submit,
	.figures = postgres_figures,
	.can_follow = true,
};
