/*
 * shm/table_record.h - slots for records, and the index that finds them.
 *
 * Private to the writer of the table.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_TABLE_RECORD_H
#define SHM_TABLE_RECORD_H

#include "shm/table_store.h"

/* A free slot: one that was given back, or the next never used.  Its
 * words hold anything.  0, or -1 with errno ENOSPC. */
MUST_CHECK int record_alloc(struct table_store *, enum record_kind,
    uint32_t *slot_r);
/* Marks the record as empty (its first word) and gives the slot back. */
void record_free(struct table_store *, enum record_kind, uint32_t slot);

/* Whether the slot was ever used; it may be empty. */
bool record_is_known(const struct table_store *, enum record_kind,
    uint32_t slot);

/* The next version, never 0. */
uint32_t record_new_version(struct table_store *);

static inline uint64_t
record_get(const struct table_store *store, enum record_kind kind,
    uint32_t slot, unsigned int word_index)
{
	return store_get(store,
	    record_place(&store->layout, kind, slot) + word_index);
}

static inline void
record_put(struct table_store *store, enum record_kind kind, uint32_t slot,
    unsigned int word_index, uint64_t value)
{
	store_put(store, record_place(&store->layout, kind, slot) + word_index,
	    value);
}

/*
 * Linear hashing over chains: hosts and entries.  Buckets are split one
 * or two at a time as records come, and never joined.
 */

/* Prepares room in the index for one more record, and puts it in.
 * 0, or -1 with errno ENOSPC. */
MUST_CHECK int index_insert(struct table_store *, enum index_kind,
    uint32_t slot, uint32_t hash);
void index_remove(struct table_store *, enum index_kind, uint32_t slot);

/* The first slot plus one of the chain for a hash; 0: none. */
uint32_t index_chain(const struct table_store *, enum index_kind,
    uint32_t hash);

#endif
