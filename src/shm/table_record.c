/*
 * shm/table_record.c - slots for records.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/table_record.h"

int
record_alloc(struct table_store *store, enum record_kind kind,
    uint32_t *slot_r)
{
	uint64_t free_place = HEAD_PLACE(free_slots) + kind;
	uint64_t extent_place = HEAD_PLACE(extents) + kind;
	uint64_t count_place = HEAD_PLACE(counts) + kind;
	uint64_t first = store_get(store, free_place);
	uint64_t extent = store_get(store, extent_place);

	if (first != 0) {
		*slot_r = (uint32_t)first - 1;
		store_put(store, free_place,
		    word_low(record_get(store, kind, *slot_r, RECORD_LINK)));
	} else {
		if (store_reserve(store, (enum store_area)(AREA_RECORDS + kind),
			(extent + 1) * record_words(kind)) == -1)
			return -1;
		*slot_r = (uint32_t)extent;
		store_put(store, extent_place, extent + 1);
	}
	store_put(store, count_place, store_get(store, count_place) + 1);
	return 0;
}

void
record_free(struct table_store *store, enum record_kind kind, uint32_t slot)
{
	uint64_t free_place = HEAD_PLACE(free_slots) + kind;
	uint64_t count_place = HEAD_PLACE(counts) + kind;

	record_put(store, kind, slot, 0, 0);
	record_put(store, kind, slot, RECORD_LINK,
	    store_get(store, free_place));
	store_put(store, free_place, (uint64_t)slot + 1);
	store_put(store, count_place, store_get(store, count_place) - 1);
}

bool
record_is_known(const struct table_store *store, enum record_kind kind,
    uint32_t slot)
{
	return slot < store_get(store, HEAD_PLACE(extents) + kind);
}

uint32_t
record_new_version(struct table_store *store)
{
	uint32_t version =
	    (uint32_t)store_get(store, HEAD_PLACE(version_count)) + 1;

	if (version == 0)
		version = 1;
	store_put(store, HEAD_PLACE(version_count), version);
	return version;
}
