/*
 * shm/table_store.h - every store that the publisher makes.
 *
 * Private to the writer of the table.  A batch changes one copy (the
 * target, the one that is not active) through store_put(), which keeps a
 * journal of the words changed.  Publishing makes the target active and
 * then copies those words into the other copy; an abort copies them
 * back.  So both copies are equal word for word between batches, slots
 * and places included, and no change is ever worked out twice.
 *
 * Memory is allocated in both copies before either touches it, so that
 * publishing cannot fail.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_TABLE_STORE_H
#define SHM_TABLE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "shm/route_layout.h"

/* The parts of a copy that grow by themselves. */
enum store_area {
	AREA_HEAP,
	AREA_BUCKETS,			/* one for each INDEX_* */
	AREA_RECORDS = AREA_BUCKETS + INDEX_KINDS, /* one for each RECORD_* */
	AREA_COUNT = AREA_RECORDS + RECORD_KINDS
};

/* Places changed in this batch: place << 16 | words that follow it. */
struct store_journal {
	uint64_t *ranges;
	size_t count, size;
	bool is_whole;			/* too long: copy all that is used */
};

struct table_store {
	struct region region;
	struct route_layout layout;
	struct route_control *control;
	word *copies[ROUTE_COPIES];
	unsigned int target;		/* the copy that a batch changes */
	uint64_t allocated[AREA_COUNT];	/* words, in both copies */
	struct store_journal journal;
};

/* Maps, and repairs the copy that is not active.  fd becomes the
 * store's.  0, or -1 with errno as table_writer_open(). */
MUST_CHECK int table_store_open(struct table_store *, int fd);
void store_close(struct table_store *);

/* Opens the target's seqlock. */
void store_begin(struct table_store *);
/* Makes the target active and the other copy equal to it. */
void store_publish(struct table_store *, uint64_t generation);
/* Makes the target equal to the active copy again. */
void store_revert(struct table_store *);

static inline uint64_t
store_get(const struct table_store *store, uint64_t place)
{
	return word_load(store->copies[store->target] + place);
}

/* Changes a word of the target. */
void store_put(struct table_store *, uint64_t place, uint64_t value);

/* The place of a field of the head of a copy. */
#define HEAD_PLACE(field) (offsetof(struct copy_head, field) / WORD_BYTES)

/* Makes sure that the first `words` words of an area may be touched.
 * 0, or -1 with errno ENOSPC. */
MUST_CHECK int store_reserve(struct table_store *, enum store_area,
    uint64_t words);

#endif
