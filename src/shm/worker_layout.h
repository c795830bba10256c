/*
 * shm/worker_layout.h - how a worker's region is laid out.
 *
 * Private to src/shm.
 *
 *	page 0		header, what the worker says of itself, counters
 *	presence	a bit for each chunk of records that is backed by
 *			memory, for each kind in turn
 *	ring		failures
 *	records		of each kind in turn; sparse
 *
 * Presence is allocated with the region; chunks and the ring when first
 * used.  A reader never touches what is not marked present.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_WORKER_LAYOUT_H
#define SHM_WORKER_LAYOUT_H

#include "shm/region_kinds.h"
#include "shm/words.h"
#include "shm/worker_stats.h"

struct worker_page {
	struct region_header header;
	_Atomic uint32_t pid;
	_Atomic uint32_t is_ring_backed;
	_Atomic int64_t started_wall_ms;
	word table_generation;
	word beat_ns;
	word ring_head;			/* failures ever pushed */
	uint64_t reserved[3];
	struct worker_counters counters;
};
_Static_assert(sizeof(struct worker_page) <= SEGMENT_PAGE,
    "layout of the segment");
_Static_assert(offsetof(struct worker_page, counters) == 128,
    "counters start a cache line");

/* A failure in the ring.  `turn` is its number from 1, 0 while written. */
struct ring_cell {
	word turn;
	word backend;			/* slot << 32 | generation */
	word kind;			/* round << 32 | is trial << 8 | kind */
	word success_count;
	word at_ns;
};

/*
 * What is counted of a route.  Nearly every request touches the first
 * record and no other: two cache lines that are fetched as one, and 32
 * routes a page, so that a request for any of a million routes costs
 * little more than one for the same again.
 */
#define NEAR_CODES   4
#define NEAR_BUCKETS 8

struct route_stats {
	word tag;			/* the route's id */
	word bytes_received, bytes_sent; /* bodies and heads */
	word sum_us;
	word codes[NEAR_CODES];		/* see near_code() */
	word buckets[NEAR_BUCKETS];	/* the first ones */
};
_Static_assert(sizeof(struct route_stats) == 2 * CACHE_LINE,
    "layout of the segment");

/* All others; those that are above stay zero here. */
struct route_stats_rest {
	word tag;
	word rate_limited;
	word codes[STATS_CODES_MAX];
	word buckets[STATS_BUCKETS];
	uint64_t reserved[10];
};
_Static_assert(sizeof(struct route_stats_rest) == 96 * WORD_BYTES,
    "layout of the segment");

/* The kinds of record. */
enum stats_kind {
	STATS_ROUTE,
	STATS_ROUTE_REST,
	STATS_BACKEND,
	STATS_KINDS
};

/* Chunks of whole pages: 256 routes, the rest of 16, 64 backends. */
#define ROUTE_CHUNK_SHIFT      8
#define ROUTE_REST_CHUNK_SHIFT 4
#define BACKEND_CHUNK_SHIFT    6

struct stats_array {
	uint32_t slots;
	uint32_t chunk_shift;
	uint32_t record_bytes;
	word *present;
	char *records;
};

struct worker_stats {
	struct region region;
	struct worker_page *page;
	struct ring_cell *ring;
	struct stats_array arrays[STATS_KINDS];
	/* The writer's: a record that nobody reads. */
	struct backend_stats *lost_backend;
};

/* The size of the region's file; fills in where things are, from its
 * start (base may be NULL). */
uint64_t worker_layout(const struct segment_capacity *, char *base,
    struct worker_stats *);

/* Backs the record of a slot with memory; NULL when that cannot be. */
void *stats_back_record(struct worker_stats *, enum stats_kind,
    uint32_t slot);

/* The record of a slot, NULL when it was never used. */
const void *stats_read_record(const struct worker_stats *, enum stats_kind,
    uint32_t slot);

/* Makes the record the new tenant's.  The tag is its first word. */
void stats_retag(void *record, size_t bytes, uint64_t tag);

static inline bool
stats_is_present(const struct stats_array *array, uint32_t slot)
{
	uint32_t chunk = slot >> array->chunk_shift;

	return (word_load(&array->present[chunk / 64]) >> chunk % 64 & 1) != 0;
}

/* The record of a slot, backed by memory now if it was not; NULL when
 * that cannot be. */
static inline void *
stats_backed_record(struct worker_stats *stats, enum stats_kind kind,
    uint32_t slot)
{
	const struct stats_array *array = &stats->arrays[kind];

	if (UNLIKELY(slot >= array->slots || !stats_is_present(array, slot)))
		return stats_back_record(stats, kind, slot);
	return array->records + (uint64_t)slot * array->record_bytes;
}

#endif
