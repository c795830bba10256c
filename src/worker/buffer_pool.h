/*
 * worker/buffer_pool.h - buffers of one size, lent while there are bytes.
 *
 * The latest given back is lent first, since it is still in the cache.
 * A connection that waits holds none.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_BUFFER_POOL_H
#define WORKER_BUFFER_POOL_H

#include <stdint.h>
#include <sys/queue.h>

#include "common/bytes.h"
#include "common/compat.h"

#define BUFFER_BYTES	65536
/* Unused ones that are kept. */
#define BUFFER_KEPT_MAX (HAS_ADDRESS_SANITIZER ? 0 : 512)

struct buffer {
	SLIST_ENTRY(buffer) entry;
	uint32_t start, end;		/* data[start .. end) is waiting */
	char data[BUFFER_BYTES];
};

struct buffer_pool {
	SLIST_HEAD(, buffer) unused;
	uint32_t unused_count, lent_count;
};

void buffer_pool_init(struct buffer_pool *);
void buffer_pool_free(struct buffer_pool *);

/* An empty buffer, or NULL when out of memory. */
MUST_CHECK struct buffer *buffer_pool_take(struct buffer_pool *);

/* Gives *p back; it becomes NULL.  A NULL *p is allowed. */
void buffer_pool_give(struct buffer_pool *, struct buffer **p);

/* Frees what nobody used lately, all but keep. */
void buffer_pool_trim(struct buffer_pool *, uint32_t keep);

static inline uint32_t
buffer_len(const struct buffer *buffer)
{
	return buffer == NULL ? 0 : buffer->end - buffer->start;
}

static inline struct bytes
buffer_bytes(const struct buffer *buffer)
{
	return bytes_slice(buffer->data + buffer->start,
	    buffer->end - buffer->start);
}

#endif
