/*
 * common/arena.h - memory that lives exactly as long as one piece of work.
 *
 * A chain of chunks, handed out from the front, given back all at once.
 * Bounded: past max_bytes an allocation fails, so that no request can
 * take more than its share.  Under AddressSanitizer each allocation is a
 * malloc of its own, so that an overrun is seen.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

#include "common/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;	/* newest first; the first is kept */
	size_t used_bytes;
	size_t max_bytes;
};

/* Takes no memory yet. */
void arena_init(struct arena *, size_t max_bytes);

/*
 * Zeroed memory, aligned for any type, good until arena_reset() or
 * arena_free().  NULL with ENOMEM when the bound or the system says no.
 */
void *arena_alloc(struct arena *, size_t size);

/* Gives everything back, but keeps one chunk for the next piece of work. */
void arena_reset(struct arena *);

/* Gives everything back. */
void arena_free(struct arena *);

#endif
