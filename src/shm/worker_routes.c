/*
 * shm/worker_routes.c - what a worker counts of routes.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/worker_layout.h"

#define NEAR_NONE NEAR_CODES

/* Those counted beside a route's other figures. */
static const unsigned int near_statuses[NEAR_CODES] = { 200, 304, 404, 204 };

/* Where a status is; NEAR_NONE: with the rest. */
static uint32_t
near_code(unsigned int status)
{
	uint32_t code = 0;

	while (code < NEAR_CODES && near_statuses[code] != status)
		code++;
	return code;
}

void
worker_stats_claim_route(struct worker_stats *stats, uint32_t slot,
    uint64_t route_id)
{
	struct route_stats *record = stats_backed_record(stats, STATS_ROUTE,
	    slot);

	if (UNLIKELY(record == NULL))
		stats_add(&stats->page->counters.stats_lost, 1);
	else if (UNLIKELY(stats_read(&record->tag) != route_id))
		stats_retag(record, sizeof(*record), route_id);
}

/* The record if it is this route's; NULL when the slot has another tenant
 * by now. */
static struct route_stats *
claimed_record(struct worker_stats *stats, uint32_t slot, uint64_t route_id)
{
	struct route_stats *record = stats_backed_record(stats, STATS_ROUTE,
	    slot);

	return record == NULL || stats_read(&record->tag) != route_id ? NULL
								      : record;
}

/* The rest of a claimed route's; NULL when no memory can be had. */
static struct route_stats_rest *
rest_record(struct worker_stats *stats, uint32_t slot, uint64_t route_id)
{
	struct route_stats_rest *rest = stats_backed_record(stats,
	    STATS_ROUTE_REST, slot);

	if (rest == NULL)
		stats_add(&stats->page->counters.stats_lost, 1);
	else if (stats_read(&rest->tag) != route_id)
		stats_retag(rest, sizeof(*rest), route_id);
	return rest;
}

/* Counts what has no place in the record itself. */
static void
count_rest(struct worker_stats *stats, uint32_t slot, uint64_t route_id,
    const struct route_sample *sample)
{
	struct route_stats_rest *rest = rest_record(stats, slot, route_id);
	uint32_t bucket = stats_bucket_of(sample->us);

	if (rest == NULL)
		return;
	if (bucket >= NEAR_BUCKETS)
		stats_add(&rest->buckets[bucket], 1);
	if (near_code(sample->status) == NEAR_NONE)
		stats_add(&rest->codes[stats_code_index(sample->status)], 1);
}

void
worker_stats_count_route(struct worker_stats *stats, uint32_t slot,
    uint64_t route_id, const struct route_sample *sample)
{
	struct route_stats *record = claimed_record(stats, slot, route_id);
	uint32_t bucket = stats_bucket_of(sample->us);
	uint32_t code = near_code(sample->status);

	if (record == NULL)
		return;
	stats_add(&record->bytes_received, sample->bytes_received);
	stats_add(&record->bytes_sent, sample->bytes_sent);
	stats_add(&record->sum_us, sample->us);
	if (LIKELY(bucket < NEAR_BUCKETS))
		stats_add(&record->buckets[bucket], 1);
	if (LIKELY(code != NEAR_NONE))
		stats_add(&record->codes[code], 1);
	if (UNLIKELY(bucket >= NEAR_BUCKETS || code == NEAR_NONE))
		count_rest(stats, slot, route_id, sample);
}

void
worker_stats_count_limited(struct worker_stats *stats, uint32_t slot,
    uint64_t route_id)
{
	struct route_stats_rest *rest;

	if (claimed_record(stats, slot, route_id) != NULL &&
	    (rest = rest_record(stats, slot, route_id)) != NULL)
		stats_add(&rest->rate_limited, 1);
}

static void
add_rest(const struct route_stats_rest *rest, struct route_figures *sum)
{
	sum->rate_limited += stats_read(&rest->rate_limited);
	for (uint32_t i = 0; i < STATS_BUCKETS; i++)
		sum->buckets[i] += stats_read(&rest->buckets[i]);
	for (uint32_t i = 0; i < STATS_CODES_MAX; i++)
		sum->codes[i] += stats_read(&rest->codes[i]);
}

bool
worker_stats_add_route(const struct worker_stats *stats, uint32_t slot,
    uint64_t route_id, struct route_figures *sum)
{
	const struct route_stats *record = stats_read_record(stats,
	    STATS_ROUTE, slot);
	const struct route_stats_rest *rest = stats_read_record(stats,
	    STATS_ROUTE_REST, slot);

	if (record == NULL || word_load(&record->tag) != route_id)
		return false;
	sum->bytes_received += stats_read(&record->bytes_received);
	sum->bytes_sent += stats_read(&record->bytes_sent);
	sum->sum_us += stats_read(&record->sum_us);
	for (uint32_t i = 0; i < NEAR_BUCKETS; i++)
		sum->buckets[i] += stats_read(&record->buckets[i]);
	for (uint32_t i = 0; i < NEAR_CODES; i++)
		sum->codes[stats_code_index(near_statuses[i])] +=
		    stats_read(&record->codes[i]);
	if (rest != NULL && word_load(&rest->tag) == route_id)
		add_rest(rest, sum);
	return true;
}
