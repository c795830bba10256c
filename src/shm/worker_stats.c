/*
 * shm/worker_stats.c - a worker's region: opening it, and its records.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/worker_stats.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "shm/worker_layout.h"

static uint64_t
presence_bytes(uint32_t slots, uint32_t chunk_shift)
{
	uint64_t chunks = ((uint64_t)slots >> chunk_shift) + 1;

	return region_round_up((chunks + 63) / 64 * WORD_BYTES);
}

static void
size_array(struct stats_array *array, uint32_t slots, uint32_t chunk_shift,
    uint32_t record_bytes)
{
	array->slots = slots;
	array->chunk_shift = chunk_shift;
	array->record_bytes = record_bytes;
}

uint64_t
worker_layout(const struct segment_capacity *capacity, char *base,
    struct worker_stats *stats)
{
	uint64_t at = SEGMENT_PAGE;

	size_array(&stats->arrays[STATS_ROUTE], capacity->routes,
	    ROUTE_CHUNK_SHIFT, sizeof(struct route_stats));
	size_array(&stats->arrays[STATS_ROUTE_REST], capacity->routes,
	    ROUTE_REST_CHUNK_SHIFT, sizeof(struct route_stats_rest));
	size_array(&stats->arrays[STATS_BACKEND], capacity->backends,
	    BACKEND_CHUNK_SHIFT, sizeof(struct backend_stats));
	for (unsigned int i = 0; i < STATS_KINDS; i++) {
		struct stats_array *array = &stats->arrays[i];

		if (base != NULL)
			array->present = (word *)(void *)(base + at);
		at += presence_bytes(array->slots, array->chunk_shift);
	}
	if (base != NULL)
		stats->ring = (struct ring_cell *)(void *)(base + at);
	at += region_round_up(FAILURE_RING_SIZE * sizeof(struct ring_cell));
	for (unsigned int i = 0; i < STATS_KINDS; i++) {
		struct stats_array *array = &stats->arrays[i];
		uint64_t chunks = ((uint64_t)array->slots >>
					array->chunk_shift) + 1;

		if (base != NULL)
			array->records = base + at;
		at += region_round_up((chunks << array->chunk_shift) *
		    array->record_bytes);
	}
	return at;
}

uint64_t
worker_region_size(const struct segment_capacity *capacity)
{
	struct worker_stats stats;

	return worker_layout(capacity, NULL, &stats);
}

int
worker_region_prepare(const struct region *region)
{
	const struct segment_capacity *capacity =
	    &region_header(region)->capacity;

	return region_allocate(region, 0, SEGMENT_PAGE +
		presence_bytes(capacity->routes, ROUTE_CHUNK_SHIFT) +
		presence_bytes(capacity->routes, ROUTE_REST_CHUNK_SHIFT) +
		presence_bytes(capacity->backends, BACKEND_CHUNK_SHIFT));
}

/* Finishes opening; takes the region over, also on failure. */
static int
make_stats(struct region *region, struct worker_stats **stats_r)
{
	const struct segment_capacity *capacity =
	    &region_header(region)->capacity;
	struct worker_stats *stats = NULL;
	int saved_errno;

	if (worker_region_size(capacity) != region->size_bytes)
		errno = EINVAL;
	else
		stats = calloc(1, sizeof(*stats));
	if (stats == NULL) {
		saved_errno = errno;
		region_unmap(region);
		errno = saved_errno;
		return -1;
	}
	stats->region = *region;
	stats->page = (struct worker_page *)(void *)region->base;
	(void)worker_layout(capacity, region->base, stats);
	*stats_r = stats;
	return 0;
}

int
worker_stats_open(const char *dir, uint32_t k, struct worker_stats **stats_r)
{
	struct region region;

	if (region_map_path(dir, SEGMENT_WORKER, k, &region) == -1)
		return -1;
	return make_stats(&region, stats_r);
}

static void
zero(_Atomic uint64_t *value)
{
	atomic_store_explicit(value, 0, memory_order_relaxed);
}

/* What told of the present of a worker that is gone. */
static void
zero_gauges(struct worker_stats *stats)
{
	const struct stats_array *array = &stats->arrays[STATS_BACKEND];
	struct worker_counters *counters = &stats->page->counters;

#define X(field, metric, help) zero(&counters->field);
	WORKER_GAUGES(X)
#undef X
	for (uint32_t slot = 0; slot < array->slots; slot++) {
		struct backend_stats *record;

		if (!stats_is_present(array, slot)) {
			slot |= (UINT32_C(1) << array->chunk_shift) - 1;
			continue;
		}
		record = (struct backend_stats *)(void *)array->records + slot;
		atomic_store_explicit(&record->in_flight, 0,
		    memory_order_relaxed);
		atomic_store_explicit(&record->connections, 0,
		    memory_order_relaxed);
		atomic_store_explicit(&record->tunnels, 0,
		    memory_order_relaxed);
		atomic_store_explicit(&record->oldest_ns, 0,
		    memory_order_relaxed);
	}
}

int
worker_stats_open_writable(int fd, struct worker_stats **stats_r)
{
	struct region region;
	struct worker_stats *stats;

	if (region_map_fd(fd, SEGMENT_WORKER, &region) == -1 ||
	    make_stats(&region, &stats) == -1)
		return -1;
	stats->lost_backend = calloc(1, sizeof(*stats->lost_backend));
	if (stats->lost_backend == NULL) {
		worker_stats_close(&stats);
		errno = ENOMEM;
		return -1;
	}
	zero_gauges(stats);
	atomic_store_explicit(&stats->page->started_wall_ms, clock_wall_ms(),
	    memory_order_relaxed);
	atomic_store_explicit(&stats->page->pid, (uint32_t)getpid(),
	    memory_order_release);
	*stats_r = stats;
	return 0;
}

void
worker_stats_close(struct worker_stats **p)
{
	struct worker_stats *stats = *p;

	*p = NULL;
	if (stats == NULL)
		return;
	if (stats->region.fd != -1)
		atomic_store_explicit(&stats->page->pid, 0,
		    memory_order_release);
	region_unmap(&stats->region);
	free(stats->lost_backend);
	free(stats);
}

struct worker_counters *
worker_stats_counters(struct worker_stats *stats)
{
	return &stats->page->counters;
}

const struct worker_counters *
worker_stats_read_counters(const struct worker_stats *stats)
{
	return &stats->page->counters;
}

/* Backs the chunk of a slot with memory, or not: -1. */
static int
back_chunk(struct worker_stats *stats, const struct stats_array *array,
    uint32_t slot)
{
	uint32_t chunk = slot >> array->chunk_shift;
	uint64_t chunk_bytes = (uint64_t)array->record_bytes
	    << array->chunk_shift;
	char *first = array->records + chunk * chunk_bytes;

	if (region_allocate(&stats->region,
		(uint64_t)(first - stats->region.base), chunk_bytes) == -1)
		return -1;
	atomic_store_explicit(&array->present[chunk / 64],
	    word_load(&array->present[chunk / 64]) |
		UINT64_C(1) << chunk % 64,
	    memory_order_release);
	return 0;
}

void *
stats_back_record(struct worker_stats *stats, enum stats_kind kind,
    uint32_t slot)
{
	const struct stats_array *array = &stats->arrays[kind];

	if (slot >= array->slots || back_chunk(stats, array, slot) == -1)
		return NULL;
	return array->records + (uint64_t)slot * array->record_bytes;
}

void
stats_retag(void *record, size_t bytes, uint64_t tag)
{
	word *words = record;

	for (size_t i = 0; i < bytes / WORD_BYTES; i++)
		atomic_store_explicit(&words[i], 0, memory_order_relaxed);
	atomic_store_explicit(words, tag, memory_order_release);
}

struct backend_stats *
worker_stats_backend(struct worker_stats *stats, uint32_t slot,
    uint64_t backend_id)
{
	struct backend_stats *record = stats_backed_record(stats,
	    STATS_BACKEND, slot);

	if (UNLIKELY(record == NULL)) {
		stats_add(&stats->page->counters.stats_lost, 1);
		return stats->lost_backend;
	}
	if (UNLIKELY(stats_read(&record->tag) != backend_id))
		stats_retag(record, sizeof(*record), backend_id);
	return record;
}

struct backend_stats *
worker_stats_kept_backend(struct worker_stats *stats, uint32_t slot,
    uint64_t backend_id)
{
	struct backend_stats *record = stats_backed_record(stats,
	    STATS_BACKEND, slot);

	return record == NULL || stats_read(&record->tag) != backend_id
		   ? stats->lost_backend
		   : record;
}

struct backend_stats *
worker_stats_keep_backend(struct worker_stats *stats,
    struct backend_stats *record, uint64_t backend_id)
{
	return stats_read(&record->tag) == backend_id ? record
						      : stats->lost_backend;
}

const void *
stats_read_record(const struct worker_stats *stats, enum stats_kind kind,
    uint32_t slot)
{
	const struct stats_array *array = &stats->arrays[kind];

	if (slot >= array->slots || !stats_is_present(array, slot))
		return NULL;
	return array->records + (uint64_t)slot * array->record_bytes;
}

const struct backend_stats *
worker_stats_read_backend(const struct worker_stats *stats, uint32_t slot,
    uint64_t backend_id)
{
	const struct backend_stats *record = stats_read_record(stats,
	    STATS_BACKEND, slot);

	return record != NULL && word_load(&record->tag) == backend_id ? record
								       : NULL;
}

void
worker_stats_beat(struct worker_stats *stats, uint64_t table_generation,
    int64_t now_ns)
{
	atomic_store_explicit(&stats->page->table_generation, table_generation,
	    memory_order_relaxed);
	atomic_store_explicit(&stats->page->beat_ns, (uint64_t)now_ns,
	    memory_order_relaxed);
}

void
worker_stats_info(const struct worker_stats *stats, struct worker_info *info)
{
	const struct worker_page *page = stats->page;

	info->pid = atomic_load_explicit(&page->pid, memory_order_acquire);
	info->started_wall_ms = atomic_load_explicit(&page->started_wall_ms,
	    memory_order_relaxed);
	info->table_generation = word_load(&page->table_generation);
	info->beat_ns = word_load(&page->beat_ns);
}
