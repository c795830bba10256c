/*
 * shm/health.c - health words and what is behind them.
 *
 * The region: a page with the header, the beat and the number of slots
 * that are backed by memory; the words; the details.  healthd raises
 * that number as higher slots come; nobody touches what is behind it.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/health.h"

#include <errno.h>
#include <stdlib.h>

#include "shm/region_kinds.h"
#include "shm/words.h"

/* Slots are backed in steps of a page of words. */
#define SLOTS_STEP (SEGMENT_PAGE / WORD_BYTES)

struct health_page {
	struct region_header header;
	struct health_beat beat;
	_Atomic uint32_t slots_backed;
	word ring_cursors[SEGMENT_WORKERS_MAX];
};
_Static_assert(sizeof(struct health_page) <= SEGMENT_PAGE,
    "layout of the segment");

struct health_map {
	struct region region;
	uint32_t slots;			/* capacity */
	struct health_page *page;
	word *words;
	struct health_detail *details;
};

static const struct health_detail nothing_known;

static uint64_t
words_size(const struct segment_capacity *capacity)
{
	return region_round_up((uint64_t)capacity->backends * WORD_BYTES);
}

uint64_t
health_region_size(const struct segment_capacity *capacity)
{
	return SEGMENT_PAGE + words_size(capacity) +
	    region_round_up((uint64_t)capacity->backends *
		sizeof(struct health_detail));
}

int
health_region_prepare(const struct region *region)
{
	return region_allocate(region, 0, SEGMENT_PAGE);
}

/* Finishes opening; takes the region over, also on failure. */
static int
make_map(struct region *region, struct health_map **map_r)
{
	const struct segment_capacity *capacity =
	    &region_header(region)->capacity;
	struct health_map *map = NULL;

	if (region->size_bytes != health_region_size(capacity))
		errno = EINVAL;
	else
		map = calloc(1, sizeof(*map));
	if (map == NULL) {
		int saved_errno = errno;

		region_unmap(region);
		errno = saved_errno;
		return -1;
	}
	map->region = *region;
	map->slots = capacity->backends;
	map->page = (struct health_page *)(void *)region->base;
	map->words = (word *)(void *)(region->base + SEGMENT_PAGE);
	map->details = (struct health_detail *)(void *)(region->base +
	    SEGMENT_PAGE + words_size(capacity));
	*map_r = map;
	return 0;
}

int
health_open(const char *dir, struct health_map **map_r)
{
	struct region region;

	if (region_map_path(dir, SEGMENT_HEALTH, 0, &region) == -1)
		return -1;
	return make_map(&region, map_r);
}

int
health_open_writable(int fd, struct health_map **map_r)
{
	struct region region;

	if (region_map_fd(fd, SEGMENT_HEALTH, &region) == -1)
		return -1;
	return make_map(&region, map_r);
}

void
health_close(struct health_map **p)
{
	struct health_map *map = *p;

	*p = NULL;
	if (map == NULL)
		return;
	region_unmap(&map->region);
	free(map);
}

static bool
is_backed(const struct health_map *map, uint32_t slot)
{
	return slot < atomic_load_explicit(&map->page->slots_backed,
			  memory_order_acquire) &&
	    slot < map->slots;
}

/* What the word says of this tenant. */
static uint32_t
word_of(const struct health_map *map, uint32_t slot, uint32_t generation)
{
	uint64_t value;

	if (!is_backed(map, slot))
		return 0;
	value = word_load(&map->words[slot]);
	return word_high(value) == generation ? word_low(value) : 0;
}

uint32_t
health_get(const struct health_map *map, uint32_t slot, uint32_t generation)
{
	return word_of(map, slot, generation) & HEALTH_FLAGS;
}

uint32_t
health_round(const struct health_map *map, uint32_t slot, uint32_t generation)
{
	return word_of(map, slot, generation) >> HEALTH_ROUND_SHIFT;
}

/* Backs the slot with memory. */
static int
back_slot(struct health_map *map, uint32_t slot)
{
	uint64_t want, have;

	if (slot >= map->slots) {
		errno = EINVAL;
		return -1;
	}
	if (is_backed(map, slot))
		return 0;
	have = atomic_load_explicit(&map->page->slots_backed,
	    memory_order_relaxed);
	want = ((uint64_t)slot / SLOTS_STEP + 1) * SLOTS_STEP;
	if (want > map->slots)
		want = map->slots;
	if (region_allocate(&map->region, SEGMENT_PAGE + have * WORD_BYTES,
		(want - have) * WORD_BYTES) == -1)
		return -1;
	if (region_allocate(&map->region,
		(uint64_t)((char *)&map->details[have] - map->region.base),
		(want - have) * sizeof(struct health_detail)) == -1)
		return -1;
	atomic_store_explicit(&map->page->slots_backed, (uint32_t)want,
	    memory_order_release);
	return 0;
}

int
health_put_round(struct health_map *map, uint32_t slot, uint32_t generation,
    uint32_t flags, uint32_t round)
{
	if (back_slot(map, slot) == -1)
		return -1;
	atomic_store_explicit(&map->words[slot], word_pair(generation,
	    (flags & HEALTH_FLAGS) | round << HEALTH_ROUND_SHIFT),
	    memory_order_release);
	return 0;
}

int
health_put(struct health_map *map, uint32_t slot, uint32_t generation,
    uint32_t flags)
{
	return health_put_round(map, slot, generation, flags,
	    health_round(map, slot, generation));
}

const struct health_detail *
health_detail(const struct health_map *map, uint32_t slot)
{
	if (slot >= map->slots)
		return NULL;
	return is_backed(map, slot) ? &map->details[slot] : &nothing_known;
}

struct health_detail *
health_detail_writable(struct health_map *map, uint32_t slot)
{
	return back_slot(map, slot) == -1 ? NULL : &map->details[slot];
}

uint64_t
health_ring_cursor(const struct health_map *map, uint32_t k)
{
	return k < SEGMENT_WORKERS_MAX ?
	    word_load(&map->page->ring_cursors[k]) : 0;
}

void
health_ring_cursor_put(struct health_map *map, uint32_t k, uint64_t cursor)
{
	if (k < SEGMENT_WORKERS_MAX)
		atomic_store_explicit(&map->page->ring_cursors[k], cursor,
		    memory_order_release);
}

const struct health_beat *
health_beat(const struct health_map *map)
{
	return &map->page->beat;
}

struct health_beat *
health_beat_writable(struct health_map *map)
{
	return &map->page->beat;
}
