/*
 * shm/route_layout.c - where things are in the routes region.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/route_layout.h"

#include "shm/route_spec.h"

/* Buckets are kept at twice the records, so that most chains are of one;
 * the array starts at this many. */
#define BUCKETS_MIN 64

/* The heap's address space: plenty for each record, no memory. */
#define HEAP_WORDS_A_ROUTE   64
#define HEAP_WORDS_A_SERVICE 256
#define HEAP_WORDS_A_BACKEND 128
#define HEAP_WORDS_MIN	     (UINT64_C(1) << 21)

#define PAGE_WORDS (SEGMENT_PAGE / WORD_BYTES)

static uint64_t
round_to_page(uint64_t words)
{
	return (words + PAGE_WORDS - 1) / PAGE_WORDS * PAGE_WORDS;
}

static uint64_t
heap_words(const struct segment_capacity *capacity)
{
	uint64_t words = HEAP_WORDS_MIN +
	    (uint64_t)capacity->routes * HEAP_WORDS_A_ROUTE +
	    (uint64_t)capacity->services * HEAP_WORDS_A_SERVICE +
	    (uint64_t)capacity->backends * HEAP_WORDS_A_BACKEND;

	/* Places are of 32 bits in records. */
	return words < UINT32_MAX / 2 ? words : UINT32_MAX / 2;
}

void
route_layout_make(const struct segment_capacity *capacity,
    struct route_layout *layout)
{
	uint64_t at = round_to_page(COPY_HEAD_WORDS);

	layout->record_max[RECORD_HOST] = capacity->routes;
	layout->record_max[RECORD_ENTRY] = capacity->routes;
	layout->record_max[RECORD_ROUTE] = capacity->routes;
	layout->record_max[RECORD_SERVICE] = capacity->services;
	layout->record_max[RECORD_BACKEND] = capacity->backends;
	layout->heap_max = heap_words(capacity);

	/* The heap comes first: its places fit 32 bits. */
	layout->heap = at;
	at += round_to_page(layout->heap_max);
	for (unsigned int i = 0; i < INDEX_KINDS; i++) {
		uint64_t buckets = (uint64_t)capacity->routes * 2 + BUCKETS_MIN;

		layout->bucket_max[i] =
		    (uint32_t)(buckets < INT32_MAX ? buckets : INT32_MAX);
		layout->buckets[i] = at;
		at += round_to_page((layout->bucket_max[i] + 1) / 2);
	}
	for (unsigned int i = 0; i < RECORD_KINDS; i++) {
		layout->records[i] = at;
		at += round_to_page((uint64_t)layout->record_max[i] *
		    record_words(i));
	}
	layout->copy_words = at;
}

uint64_t
route_layout_size(const struct segment_capacity *capacity)
{
	struct route_layout layout;

	route_layout_make(capacity, &layout);
	return route_copy_offset(&layout, ROUTE_COPIES);
}

int
route_layout_prepare(const struct region *region)
{
	struct route_layout layout;

	route_layout_make(&region_header(region)->capacity, &layout);
	if (region_allocate(region, 0, SEGMENT_PAGE) == -1)
		return -1;
	for (unsigned int i = 0; i < ROUTE_COPIES; i++)
		if (region_allocate(region, route_copy_offset(&layout, i),
			COPY_HEAD_WORDS * WORD_BYTES) == -1)
			return -1;
	return 0;
}
