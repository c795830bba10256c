/*
 * registryd/protocol/figures.c - what workers counted for a session.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/figures.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/model.h"
#include "registryd/protocol/apply.h"
#include "registryd/protocol/condition.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"
#include "shm/worker_stats.h"

/* The workers' regions, open. */
struct regions {
	struct worker_stats *list[SEGMENT_WORKERS_MAX];
	uint32_t count;
};

/* A route over all workers, and over its domains. */
struct sum {
	struct route_figures figures;
	uint64_t requests;
};

static void
open_regions(struct regions *regions, const struct session *session)
{
	const struct registry *registry = session->protocol->registry;

	regions->count = 0;
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++)
		if (atomic_load_explicit(&registry->master->roles[2 + k].state,
			memory_order_relaxed) != ROLE_EMPTY &&
		    worker_stats_open(registry->daemon->segment_dir, k,
			&regions->list[regions->count]) == 0)
			regions->count++;
}

static void
close_regions(struct regions *regions)
{
	for (uint32_t i = 0; i < regions->count; i++)
		worker_stats_close(&regions->list[i]);
}

int64_t
figures_in_flight(const struct session *session)
{
	const struct model_backend *backend;
	struct backend_walk walk = { 0 };
	struct regions regions;
	int64_t in_flight = 0;

	open_regions(&regions, session);
	while ((backend = backend_walk_next(&walk,
		    session->protocol->registry->model, session,
		    bytes_of("ALL"))) != NULL) {
		for (uint32_t i = 0; i < regions.count; i++) {
			const struct backend_stats *stats =
			    worker_stats_read_backend(regions.list[i],
				backend->slot, backend->object.id);

			if (stats != NULL)
				in_flight += atomic_load_explicit(
				    &stats->in_flight, memory_order_relaxed);
		}
	}
	close_regions(&regions);
	return in_flight;
}

/* Routes ----------------------------------------------------------------- */

static void
sum_route(const struct regions *regions, const struct session *session,
    const struct session_route *route, struct sum *sum)
{
	const struct model *model = session->protocol->registry->model;

	*sum = (struct sum){ 0 };
	for (uint32_t d = 0; d < route->domain_count; d++) {
		const struct model_route *there = place_route(model,
		    session->service, route->hosts[d], route);

		for (uint32_t i = 0; there != NULL && i < regions->count; i++)
			(void)worker_stats_add_route(regions->list[i],
			    there->slot, there->object.id, &sum->figures);
	}
	for (uint32_t i = 0; i < STATS_BUCKETS; i++)
		sum->requests += sum->figures.buckets[i];
}

/* The latency below which the share lies, on a line within its bucket. */
static double
percentile_ms(const struct sum *sum, double share)
{
	double wanted = share * (double)sum->requests, seen = 0.0;
	uint64_t low = 0;

	for (uint32_t i = 0; i < STATS_BUCKETS; i++) {
		uint64_t high = stats_bucket_bound_us(i);
		double here = (double)sum->figures.buckets[i];

		if (here > 0.0 && seen + here >= wanted) {
			if (high == UINT64_MAX)
				return (double)low / 1000.0;
			return ((double)low + (double)(high - low) *
				(wanted - seen) / here) / 1000.0;
		}
		seen += here;
		low = high;
	}
	return 0.0;
}

static uint64_t
count_errors(const struct sum *sum)
{
	uint64_t errors = 0;

	for (uint32_t i = 0; i < STATS_CODES_MAX; i++)
		if (stats_code_status(i) >= 500)
			errors += sum->figures.codes[i];
	return errors;
}

static void
write_codes(struct json_writer *writer, const struct sum *sum)
{
	char code[16];

	json_write_key(writer, "status_codes");
	json_write_begin(writer, '{');
	for (uint32_t i = 0; i < STATS_CODES_MAX; i++) {
		unsigned int status = stats_code_status(i);

		if (sum->figures.codes[i] == 0 || status == 0)
			continue;
		if (status % 100 == 99)
			snprintf(code, sizeof(code), "%uxx", status / 100);
		else
			snprintf(code, sizeof(code), "%u", status);
		json_write_key(writer, code);
		json_write_integer(writer, (int64_t)sum->figures.codes[i]);
	}
	json_write_end(writer, '}');
}

static void
write_sum(struct json_writer *writer, const struct session_route *route,
    const struct sum *sum)
{
	char id[16];

	snprintf(id, sizeof(id), "r%" PRIu32, route->number);
	json_write_begin(writer, '{');
	json_write_key(writer, "route_id");
	json_write_text(writer, id);
	json_write_key(writer, "requests");
	json_write_integer(writer, (int64_t)sum->requests);
	json_write_key(writer, "errors");
	json_write_integer(writer, (int64_t)count_errors(sum));
	json_write_key(writer, "avg_latency_ms");
	json_write_number(writer, sum->requests == 0 ?
		0.0 :
		(double)sum->figures.sum_us / (double)sum->requests / 1000.0);
	json_write_key(writer, "p95_latency_ms");
	json_write_number(writer, percentile_ms(sum, 0.95));
	json_write_key(writer, "p99_latency_ms");
	json_write_number(writer, percentile_ms(sum, 0.99));
	json_write_key(writer, "bytes_sent");
	json_write_integer(writer, (int64_t)sum->figures.bytes_sent);
	json_write_key(writer, "bytes_received");
	json_write_integer(writer, (int64_t)sum->figures.bytes_received);
	write_codes(writer, sum);
	json_write_end(writer, '}');
}

void
figures_write_route(struct json_writer *writer, const struct session *session,
    const struct session_route *route)
{
	struct regions regions;
	struct sum sum;

	open_regions(&regions, session);
	sum_route(&regions, session, route, &sum);
	write_sum(writer, route, &sum);
	close_regions(&regions);
}

void
figures_write_all(struct json_writer *writer, const struct session *session)
{
	struct regions regions;
	struct sum sum;

	open_regions(&regions, session);
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < session->active.count; i++) {
		sum_route(&regions, session, session->active.routes[i], &sum);
		write_sum(writer, session->active.routes[i], &sum);
	}
	json_write_end(writer, ']');
	close_regions(&regions);
}
