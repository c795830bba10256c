/*
 * worker/buffer_pool.c - buffers of one size, lent while there are bytes.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/buffer_pool.h"

#include <stdlib.h>

void
buffer_pool_init(struct buffer_pool *pool)
{
	*pool = (struct buffer_pool){ .unused = SLIST_HEAD_INITIALIZER(0) };
}

void
buffer_pool_free(struct buffer_pool *pool)
{
	buffer_pool_trim(pool, 0);
}

void
buffer_pool_trim(struct buffer_pool *pool, uint32_t keep)
{
	struct buffer *buffer;

	while (pool->unused_count > keep) {
		buffer = SLIST_FIRST(&pool->unused);
		SLIST_REMOVE_HEAD(&pool->unused, entry);
		pool->unused_count--;
		free(buffer);
	}
}

struct buffer *
buffer_pool_take(struct buffer_pool *pool)
{
	struct buffer *buffer = SLIST_FIRST(&pool->unused);

	if (buffer != NULL) {
		SLIST_REMOVE_HEAD(&pool->unused, entry);
		cache_prefetch(SLIST_FIRST(&pool->unused), CACHE_LINE);
		pool->unused_count--;
	} else if ((buffer = malloc(sizeof(*buffer))) == NULL) {
		return NULL;
	}
	buffer->start = buffer->end = 0;
	pool->lent_count++;
	return buffer;
}

void
buffer_pool_give(struct buffer_pool *pool, struct buffer **p)
{
	struct buffer *buffer = *p;

	*p = NULL;
	if (buffer == NULL)
		return;
	pool->lent_count--;
	if (pool->unused_count >= BUFFER_KEPT_MAX) {
		free(buffer);
		return;
	}
	SLIST_INSERT_HEAD(&pool->unused, buffer, entry);
	pool->unused_count++;
}
