/*
 * shm/table_heap.h - blocks for texts, lists and bodies in a copy.
 *
 * Private to the writer of the table.  Blocks of one size class are kept
 * on one free list, whose links stand in the blocks; classes are exact
 * up to 16 words and then grow by a quarter of a power of two, so that
 * what a longer list leaves behind serves the next one of that size.
 * Blocks are neither split nor joined.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_TABLE_HEAP_H
#define SHM_TABLE_HEAP_H

#include "common/bytes.h"
#include "shm/table_store.h"

/* A block of so many words (at least 1).  0, or -1 with errno ENOSPC. */
MUST_CHECK int heap_alloc(struct table_store *, uint32_t words,
    uint32_t *place_r);
/* Gives back what was allocated with the same number of words. */
void heap_free(struct table_store *, uint32_t place, uint32_t words);

/* A block that holds a copy of data.  0, or -1 with errno ENOSPC. */
MUST_CHECK int heap_alloc_copy(struct table_store *, const char *data,
    size_t len, uint32_t *place_r);
/* A block that holds slots, two a word. */
MUST_CHECK int heap_alloc_slots(struct table_store *, const uint32_t *slots,
    uint32_t count, uint32_t *place_r);
/* The slot at an index of such a block. */
uint32_t heap_get_slot(const struct table_store *, uint32_t place,
    uint32_t index);

/* Puts a short text at a place of a record, or its block's place there. */
MUST_CHECK int heap_put_text(struct table_store *, uint64_t at,
    struct bytes text);
void heap_free_text(struct table_store *, uint64_t at, size_t len);
bool heap_text_is(const struct table_store *, uint64_t at, size_t len,
    struct bytes text);

#endif
