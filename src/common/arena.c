/*
 * common/arena.c - memory that lives exactly as long as one piece of work.
 */
/* SPDX-License-Identifier: ISC */
#include "common/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/compat.h"

/* The smallest chunk; under ASan each allocation is a chunk. */
static const size_t chunk_bytes = HAS_ADDRESS_SANITIZER ? 0 : 4000;

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	alignas(max_align_t) char data[];
};

void
arena_init(struct arena *arena, size_t max_bytes)
{
	*arena = (struct arena){ .max_bytes = max_bytes };
}

static struct arena_chunk *
add_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk;

	if (size < chunk_bytes)
		size = chunk_bytes;
	if ((chunk = malloc(sizeof(*chunk) + size)) == NULL)
		return NULL;
	chunk->next = arena->chunks;
	chunk->size = size;
	chunk->used = 0;
	arena->chunks = chunk;
	return chunk;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t rounded = (size + alignof(max_align_t) - 1) &
	    ~(alignof(max_align_t) - 1);
	struct arena_chunk *chunk = arena->chunks;
	void *memory;

	if (rounded < size || rounded > arena->max_bytes - arena->used_bytes) {
		errno = ENOMEM;
		return NULL;
	}
	if (chunk == NULL || chunk->size - chunk->used < rounded)
		if ((chunk = add_chunk(arena, rounded)) == NULL)
			return NULL;
	memory = chunk->data + chunk->used;
	chunk->used += rounded;
	arena->used_bytes += rounded;
	memset(memory, 0, size);
	return memory;
}

/* Frees all chunks but the one to keep, which may be NULL. */
static void
drop_chunks(struct arena *arena, struct arena_chunk *keep)
{
	struct arena_chunk *chunk, *next;

	for (chunk = arena->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		if (chunk != keep)
			free(chunk);
	}
	arena->chunks = keep;
	arena->used_bytes = 0;
	if (keep != NULL) {
		keep->next = NULL;
		keep->used = 0;
	}
}

void
arena_reset(struct arena *arena)
{
	struct arena_chunk *keep = NULL;

	/* Only a chunk of the common size is worth keeping. */
	if (chunk_bytes > 0)
		for (keep = arena->chunks; keep != NULL; keep = keep->next)
			if (keep->size == chunk_bytes)
				break;
	drop_chunks(arena, keep);
}

void
arena_free(struct arena *arena)
{
	drop_chunks(arena, NULL);
}
