/*
 * healthd/failures.c - what workers saw fail, read from their rings.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/failures.h"

#include <dirent.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"

/* Failures from before we began matter when a healthd that died had no
 * time to read them. */
#define FAILURE_AGE_MAX_MS 2000

/* A worker's ring, and the failure that is next in it. */
struct ring {
	struct worker_stats *stats;	/* NULL: not mapped */
	uint64_t cursor;		/* behind next */
	bool is_new;			/* it was never read by any healthd */
	bool has_next;
	struct failure next;
};

struct failures {
	const char *dir;
	struct health_map *health;
	failures_fn *told;
	void *context;
	struct ring rings[SEGMENT_WORKERS_MAX];
	uint64_t lost_count;
	struct instant began;
};

struct failures *
failures_new(const char *dir, struct health_map *health, failures_fn *told,
    void *context)
{
	struct failures *failures = calloc(1, sizeof(*failures));

	if (failures == NULL)
		return NULL;
	failures->dir = dir;
	failures->health = health;
	failures->told = told;
	failures->context = context;
	failures->began = clock_now();
	return failures;
}

void
failures_free(struct failures **p)
{
	struct failures *failures = *p;

	*p = NULL;
	if (failures == NULL)
		return;
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++)
		worker_stats_close(&failures->rings[k].stats);
	free(failures);
}

/* The K of "worker.K".  0 or -1. */
static int
parse_region_name(const char *name, uint32_t *k_r)
{
	static const char prefix[] = "worker.";
	unsigned long long k;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
	    bytes_to_number(bytes_of(name + sizeof(prefix) - 1),
		SEGMENT_WORKERS_MAX - 1, &k) == -1)
		return -1;
	*k_r = (uint32_t)k;
	return 0;
}

static void
open_ring(struct failures *failures, uint32_t k)
{
	struct ring *ring = &failures->rings[k];

	/* One that is still being made fits the next second. */
	if (worker_stats_open(failures->dir, k, &ring->stats) == -1) {
		log_debug("%s/worker.%u: %m", failures->dir, k);
		ring->stats = NULL;
		return;
	}
	ring->cursor = health_ring_cursor(failures->health, k);
	ring->is_new = ring->cursor == 0;
}

void
failures_scan(struct failures *failures)
{
	DIR *dir = opendir(failures->dir);
	const struct dirent *entry;
	uint32_t k;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (parse_region_name(entry->d_name, &k) == -1 ||
		    failures->rings[k].stats != NULL)
			continue;
		open_ring(failures, k);
	}
	closedir(dir);
}

static bool
look_ahead(struct failures *failures, struct ring *ring)
{
	if (ring->stats != NULL && !ring->has_next)
		ring->has_next = worker_stats_next_failure(ring->stats,
		    &ring->cursor, &ring->next, &failures->lost_count);
	return ring->has_next;
}

/* The ring whose next failure is the oldest; NULL when all are read. */
static struct ring *
oldest_ring(struct failures *failures)
{
	struct ring *oldest = NULL;

	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++) {
		struct ring *ring = &failures->rings[k];

		if (look_ahead(failures, ring) && (oldest == NULL ||
		    ring->next.at_ns < oldest->next.at_ns))
			oldest = ring;
	}
	return oldest;
}

uint32_t
failures_read(struct failures *failures)
{
	const struct instant oldest =
	    instant_after_ms(failures->began, -FAILURE_AGE_MAX_MS);
	struct ring *ring;
	uint32_t count = 0;

	while ((ring = oldest_ring(failures)) != NULL) {
		ring->has_next = false;
		if (!ring->is_new || ring->next.at_ns >= oldest.ns) {
			failures->told(failures->context, &ring->next);
			count++;
		}
		health_ring_cursor_put(failures->health,
		    (uint32_t)(ring - failures->rings), ring->cursor);
	}
	return count;
}

uint64_t
failures_lost_count(const struct failures *failures)
{
	return failures->lost_count;
}
