/*
 * shm/table_index.c - linear hashing over chains of records.
 *
 * Source: Litwin, "Linear hashing: a new tool for file and table
 * addressing", VLDB 1980.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/table_record.h"

#define BUCKETS_FIRST	 64
#define BUCKETS_A_RECORD 2
#define SPLITS_AN_INSERT 4		/* a batch never pays for a table */

static enum record_kind
record_of_index(enum index_kind kind)
{
	return kind == INDEX_HOST ? RECORD_HOST : RECORD_ENTRY;
}

static uint32_t
bucket_get(const struct table_store *store, enum index_kind kind,
    uint32_t bucket)
{
	uint64_t pair = store_get(store,
	    store->layout.buckets[kind] + bucket / 2);

	return (bucket & 1) != 0 ? word_high(pair) : word_low(pair);
}

static void
bucket_put(struct table_store *store, enum index_kind kind, uint32_t bucket,
    uint32_t first)
{
	uint64_t place = store->layout.buckets[kind] + bucket / 2;
	uint64_t pair = store_get(store, place);

	store_put(store, place, (bucket & 1) != 0
	    ? word_pair(first, word_low(pair))
	    : word_pair(word_high(pair), first));
}

static void
link_put(struct table_store *store, enum index_kind kind, uint32_t slot,
    uint32_t next)
{
	enum record_kind record = record_of_index(kind);
	uint64_t link = record_get(store, record, slot, RECORD_LINK);

	if (word_low(link) != next)
		record_put(store, record, slot, RECORD_LINK,
		    word_pair(word_high(link), next));
}

static uint32_t
buckets_in_use(const struct table_store *store, enum index_kind kind)
{
	return (uint32_t)store_get(store, HEAD_PLACE(buckets) + kind);
}

uint32_t
index_chain(const struct table_store *store, enum index_kind kind,
    uint32_t hash)
{
	uint32_t count = buckets_in_use(store, kind);

	return count == 0
		   ? 0
		   : bucket_get(store, kind, bucket_of_hash(hash, count));
}

static int
make_first_buckets(struct table_store *store, enum index_kind kind)
{
	if (store_reserve(store, (enum store_area)(AREA_BUCKETS + kind),
		BUCKETS_FIRST / 2) == -1)
		return -1;
	for (uint32_t i = 0; i < BUCKETS_FIRST / 2; i++)
		store_put(store, store->layout.buckets[kind] + i, 0);
	store_put(store, HEAD_PLACE(buckets) + kind, BUCKETS_FIRST);
	return 0;
}

/* Deals the chain of a bucket out over it and the new bucket `count`. */
static int
split_bucket(struct table_store *store, enum index_kind kind, uint32_t count)
{
	enum record_kind record = record_of_index(kind);
	uint32_t half = UINT32_C(1) << (31 - __builtin_clz(count));
	uint32_t ends[2] = { 0, 0 };	/* last of each chain, plus one */
	uint32_t buckets[2] = { count - half, count };
	uint32_t next = bucket_get(store, kind, buckets[0]);

	if (store_reserve(store, (enum store_area)(AREA_BUCKETS + kind),
		(uint64_t)count / 2 + 1) == -1)
		return -1;
	bucket_put(store, kind, buckets[1], 0);
	while (next != 0) {
		uint32_t slot = next - 1;
		uint64_t link = record_get(store, record, slot, RECORD_LINK);
		int side = (word_high(link) & half) != 0;

		if (ends[side] != 0)
			link_put(store, kind, ends[side] - 1, next);
		else if (bucket_get(store, kind, buckets[side]) != next)
			bucket_put(store, kind, buckets[side], next);
		ends[side] = next;
		next = word_low(link);
	}
	for (int side = 0; side < 2; side++)
		if (ends[side] != 0)
			link_put(store, kind, ends[side] - 1, 0);
	if (ends[0] == 0 && bucket_get(store, kind, buckets[0]) != 0)
		bucket_put(store, kind, buckets[0], 0);
	store_put(store, HEAD_PLACE(buckets) + kind, (uint64_t)count + 1);
	return 0;
}

static int
grow_index(struct table_store *store, enum index_kind kind)
{
	uint64_t records = store_get(store,
	    HEAD_PLACE(counts) + record_of_index(kind));

	if (buckets_in_use(store, kind) == 0)
		return make_first_buckets(store, kind);
	for (unsigned int i = 0; i < SPLITS_AN_INSERT; i++) {
		uint32_t count = buckets_in_use(store, kind);

		if (count >= records * BUCKETS_A_RECORD ||
		    count == store->layout.bucket_max[kind])
			return 0;
		if (split_bucket(store, kind, count) == -1)
			return -1;
	}
	return 0;
}

int
index_insert(struct table_store *store, enum index_kind kind, uint32_t slot,
    uint32_t hash)
{
	uint32_t bucket;

	if (grow_index(store, kind) == -1)
		return -1;
	bucket = bucket_of_hash(hash, buckets_in_use(store, kind));
	record_put(store, record_of_index(kind), slot, RECORD_LINK,
	    word_pair(hash, bucket_get(store, kind, bucket)));
	bucket_put(store, kind, bucket, slot + 1);
	return 0;
}

void
index_remove(struct table_store *store, enum index_kind kind, uint32_t slot)
{
	enum record_kind record = record_of_index(kind);
	uint64_t link = record_get(store, record, slot, RECORD_LINK);
	uint32_t bucket = bucket_of_hash(word_high(link),
	    buckets_in_use(store, kind));
	uint32_t at = bucket_get(store, kind, bucket);

	if (at == slot + 1) {
		bucket_put(store, kind, bucket, word_low(link));
		return;
	}
	while (at != 0) {
		uint32_t next = word_low(record_get(store, record, at - 1,
		    RECORD_LINK));

		if (next == slot + 1) {
			link_put(store, kind, at - 1, word_low(link));
			return;
		}
		at = next;
	}
}
