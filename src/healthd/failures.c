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

struct failures {
	const char *dir;
	failures_fn *told;
	void *context;
	struct worker_stats *rings[SEGMENT_WORKERS_MAX];
	uint64_t cursors[SEGMENT_WORKERS_MAX];
	uint64_t lost_count;
	struct instant began;
};

struct failures *
failures_new(const char *dir, failures_fn *told, void *context)
{
	struct failures *failures = calloc(1, sizeof(*failures));

	if (failures == NULL)
		return NULL;
	failures->dir = dir;
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
		worker_stats_close(&failures->rings[k]);
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
		    failures->rings[k] != NULL)
			continue;
		/* One that is still being made fits the next second. */
		if (worker_stats_open(failures->dir, k,
		    &failures->rings[k]) == -1)
			log_debug("%s/%s: %m", failures->dir, entry->d_name);
	}
	closedir(dir);
}

uint32_t
failures_read(struct failures *failures)
{
	const struct instant oldest =
	    instant_after_ms(failures->began, -FAILURE_AGE_MAX_MS);
	uint32_t count = 0;

	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++) {
		struct failure failure;

		while (failures->rings[k] != NULL &&
		    worker_stats_next_failure(failures->rings[k],
			&failures->cursors[k], &failure,
			&failures->lost_count)) {
			if (failure.at_ns < oldest.ns)
				continue;
			failures->told(failures->context, &failure);
			count++;
		}
	}
	return count;
}

uint64_t
failures_lost_count(const struct failures *failures)
{
	return failures->lost_count;
}
