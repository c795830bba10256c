/*
 * shm/worker_layout.h - how a worker's region is laid out.
 *
 * Private to src/shm.
 *
 *	page 0		header, what the worker says of itself, counters
 *	presence	a bit for each chunk of records that is backed by
 *			memory: of routes, then of backends
 *	ring		failures
 *	records		of routes, then of backends; sparse
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

/* The two kinds of record. */
enum stats_kind {
	STATS_ROUTE,
	STATS_BACKEND,
	STATS_KINDS
};

/* Chunks of whole pages: 16 routes, 64 backends. */
#define ROUTE_CHUNK_SHIFT   4
#define BACKEND_CHUNK_SHIFT 6

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
	/* The writer's: records that nobody reads. */
	struct route_stats *lost_route;
	struct backend_stats *lost_backend;
};

/* The size of the region's file; fills in where things are, from its
 * start (base may be NULL). */
uint64_t worker_layout(const struct segment_capacity *, char *base,
    struct worker_stats *);

static inline bool
stats_is_present(const struct stats_array *array, uint32_t slot)
{
	uint32_t chunk = slot >> array->chunk_shift;

	return (word_load(&array->present[chunk / 64]) >> chunk % 64 & 1) != 0;
}

#endif
