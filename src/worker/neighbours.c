/*
 * worker/neighbours.c - how much the other workers have in flight.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/neighbours.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "shm/segment.h"

struct neighbours {
	char dir[SEGMENT_DIR_SIZE];
	struct worker_stats *own;
	struct worker_stats *mapped[SEGMENT_WORKERS_MAX];
	const struct worker_stats *list[SEGMENT_WORKERS_MAX]; /* own first */
	uint32_t count, own_region;
};

struct neighbours *
neighbours_new(const char *segment_dir, uint32_t own_region,
    struct worker_stats *own)
{
	struct neighbours *neighbours = calloc(1, sizeof(*neighbours));

	if (neighbours == NULL)
		return NULL;
	strncpy(neighbours->dir, segment_dir, sizeof(neighbours->dir) - 1);
	neighbours->own = own;
	neighbours->own_region = own_region;
	neighbours->list[neighbours->count++] = own;
	return neighbours;
}

void
neighbours_free(struct neighbours **p)
{
	struct neighbours *neighbours = *p;

	*p = NULL;
	if (neighbours == NULL)
		return;
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++)
		if (neighbours->mapped[k] != NULL)
			worker_stats_close(&neighbours->mapped[k]);
	free(neighbours);
}

/* Reads K of "worker.K". */
static bool
region_of(const char *name, uint32_t *k_r)
{
	static const struct bytes prefix = BYTES_LITERAL("worker.");
	struct bytes text = bytes_of(name);
	unsigned long long k;

	if (!bytes_start_with(text, prefix))
		return false;
	text.data += prefix.len;
	text.len -= prefix.len;
	if (bytes_to_number(text, SEGMENT_WORKERS_MAX - 1, &k) == -1)
		return false;
	*k_r = (uint32_t)k;
	return true;
}

void
neighbours_look(struct neighbours *neighbours)
{
	DIR *dir = opendir(neighbours->dir);
	struct dirent *entry;
	uint32_t k;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (!region_of(entry->d_name, &k) ||
		    k == neighbours->own_region ||
		    neighbours->mapped[k] != NULL)
			continue;
		if (worker_stats_open(neighbours->dir, k,
		    &neighbours->mapped[k]) == -1) {
			neighbours->mapped[k] = NULL;
			continue;
		}
		neighbours->list[neighbours->count++] = neighbours->mapped[k];
	}
	closedir(dir);
}

uint32_t
neighbours_in_flight(const struct neighbours *neighbours,
    uint32_t backend_slot, uint64_t backend_id)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < neighbours->count; i++) {
		const struct backend_stats *stats;

		stats = worker_stats_read_backend(neighbours->list[i],
		    backend_slot, backend_id);
		if (stats != NULL)
			sum += atomic_load_explicit(&stats->in_flight,
			    memory_order_relaxed);
	}
	return sum;
}

uint64_t
neighbours_success_count(const struct neighbours *neighbours,
    uint32_t backend_slot, uint64_t backend_id)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < neighbours->count; i++) {
		const struct backend_stats *stats;

		stats = worker_stats_read_backend(neighbours->list[i],
		    backend_slot, backend_id);
		for (int class = 1; stats != NULL && class <= 4; class++)
			sum += stats_read(&stats->class_codes[class]);
	}
	return sum;
}
