/*
 * worker/upstream_pool.c - the connections that are kept for a backend.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/upstream_pool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/log.h"

/* A pool without connections and requests is kept for so long. */
#define POOL_UNUSED_MS 60000

struct upstream_pools {
	struct worker *worker;
	struct upstream_pool **by_slot;
	uint32_t size;
};

struct upstream_pools *
upstream_pools_new(struct worker *worker)
{
	struct upstream_pools *pools = calloc(1, sizeof(*pools));

	if (pools != NULL)
		pools->worker = worker;
	return pools;
}

static void
free_pool(struct worker *worker, struct upstream_pool *pool)
{
	if (pool->name != NULL)
		resolver_release(worker->resolver, &pool->name);
	free(pool->host);
	free(pool);
}

void
upstream_pools_free(struct upstream_pools **p)
{
	struct upstream_pools *pools = *p;

	*p = NULL;
	if (pools == NULL)
		return;
	for (uint32_t i = 0; i < pools->size; i++)
		if (pools->by_slot[i] != NULL)
			free_pool(pools->worker, pools->by_slot[i]);
	free(pools->by_slot);
	free(pools);
}

static int
make_room(struct upstream_pools *pools, uint32_t slot)
{
	struct upstream_pool **grown;
	uint32_t size = pools->size == 0 ? 64 : pools->size;

	while (size <= slot)
		size *= 2;
	if (size == pools->size)
		return 0;
	grown = realloc(pools->by_slot, size * sizeof(grown[0]));
	if (grown == NULL)
		return -1;
	memset(grown + pools->size, 0,
	    (size - pools->size) * sizeof(grown[0]));
	pools->by_slot = grown;
	pools->size = size;
	return 0;
}

static int
set_unix_address(struct upstream_pool *pool)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(pool->host);

	if (len >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, pool->host, len);
	memcpy(&pool->literal, &address, sizeof(address));
	pool->literal_len = (socklen_t)(offsetof(struct sockaddr_un,
	    sun_path) + len + 1);
	return 0;
}

/* Sets the literal when host is an address. */
static bool
set_ip_address(struct upstream_pool *pool)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, pool->host, &v4.sin_addr) == 1) {
		v4.sin_port = htons(pool->port);
		memcpy(&pool->literal, &v4, sizeof(v4));
		pool->literal_len = sizeof(v4);
		return true;
	}
	if (inet_pton(AF_INET6, pool->host, &v6.sin6_addr) == 1) {
		v6.sin6_port = htons(pool->port);
		memcpy(&pool->literal, &v6, sizeof(v6));
		pool->literal_len = sizeof(v6);
		return true;
	}
	return false;
}

static int
set_address(struct worker *worker, struct upstream_pool *pool)
{
	if (pool->kind == BACKEND_UNIX)
		return set_unix_address(pool);
	if (set_ip_address(pool))
		return 0;
	pool->name = resolver_hold(worker->resolver, bytes_of(pool->host));
	return pool->name == NULL ? -1 : 0;
}

static struct upstream_pool *
new_pool(struct worker *worker, const struct routed_backend *backend)
{
	struct upstream_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->slot = backend->slot;
	pool->generation = backend->generation;
	pool->backend_id = backend->spec.id;
	pool->kind = backend->spec.kind;
	pool->port = backend->spec.port;
	TAILQ_INIT(&pool->idle);
	if ((pool->host = bytes_duplicate(backend->spec.host)) == NULL ||
	    set_address(worker, pool) == -1) {
		free_pool(worker, pool);
		return NULL;
	}
	return pool;
}

static void
close_idle(struct worker *worker, struct upstream_pool *pool)
{
	struct upstream *upstream;

	while ((upstream = TAILQ_FIRST(&pool->idle)) != NULL) {
		upstream_pool_forget(worker, upstream);
		upstream_close(upstream);
	}
}

/* The slot has another tenant: the pool goes with its last connection. */
static void
retire(struct worker *worker, struct upstream_pool *pool)
{
	/* Counted once for the table that lets go of it. */
	pool->open_count++;
	pool->is_retired = true;
	close_idle(worker, pool);
	upstream_pool_count(worker, pool, -1);
}

struct upstream_pool *
upstream_pools_get(struct upstream_pools *pools,
    const struct routed_backend *backend)
{
	struct upstream_pool *pool;

	if (make_room(pools, backend->slot) == -1)
		return NULL;
	pool = pools->by_slot[backend->slot];
	if (pool != NULL && pool->generation != backend->generation) {
		pools->by_slot[backend->slot] = NULL;
		retire(pools->worker, pool);
		pool = NULL;
	}
	if (pool == NULL)
		pool = pools->by_slot[backend->slot] =
		    new_pool(pools->worker, backend);
	if (pool != NULL)
		pool->used = pools->worker->now;
	return pool;
}

void
upstream_pools_sweep(struct upstream_pools *pools, struct instant now)
{
	for (uint32_t i = 0; i < pools->size; i++) {
		struct upstream_pool *pool = pools->by_slot[i];

		if (pool == NULL || pool->open_count > 0 ||
		    instant_diff_ms(now, pool->used) < POOL_UNUSED_MS)
			continue;
		pools->by_slot[i] = NULL;
		free_pool(pools->worker, pool);
	}
}

void
upstream_pools_close_idle(struct upstream_pools *pools)
{
	for (uint32_t i = 0; i < pools->size; i++)
		if (pools->by_slot[i] != NULL)
			close_idle(pools->worker, pools->by_slot[i]);
}

struct upstream *
upstream_pool_take(struct worker *worker, struct upstream_pool *pool)
{
	struct upstream *upstream = TAILQ_FIRST(&pool->idle);

	if (upstream != NULL) {
		upstream_pool_forget(worker, upstream);
		cache_prefetch(TAILQ_FIRST(&pool->idle), sizeof(*upstream));
	}
	return upstream;
}

void
upstream_pool_forget(struct worker *worker, struct upstream *upstream)
{
	struct upstream_pool *pool = upstream->pool;

	TAILQ_REMOVE(&pool->idle, upstream, entry);
	pool->idle_count--;
	stats_sub(&worker->counters->upstream_idle, 1);
}

void
upstream_pool_keep(struct worker *worker, struct upstream *upstream)
{
	struct upstream_pool *pool = upstream->pool;

	if (pool->is_retired || worker_is_draining(worker) ||
	    worker->settings->http.upstream_keepalive_ms == 0 ||
	    pool->idle_count >= worker->settings->http.upstream_idle_max) {
		upstream_close(upstream);
		return;
	}
	upstream->state = UPSTREAM_IDLE;
	TAILQ_INSERT_HEAD(&pool->idle, upstream, entry);
	pool->idle_count++;
	stats_add(&worker->counters->upstream_idle, 1);
	worker_set_timer(worker, &upstream->timer,
	    worker->settings->http.upstream_keepalive_ms);
}

void
upstream_pool_count(struct worker *worker, struct upstream_pool *pool,
    int32_t change)
{
	pool->open_count += (uint32_t)change;
	if (pool->is_retired) {
		if (pool->open_count == 0)
			free_pool(worker, pool);
		return;
	}
	worker_count_connections(worker, pool->slot, pool->backend_id, change);
}
