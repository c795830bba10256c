/*
 * registryd/metrics_backends.c - what /metrics says of backends.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/metrics.h"
#include "registryd/metrics_parts.h"

#define READ_MAX (64u << 20)
#define CLASSES	 6

/* A backend's figures over all workers. */
struct backend_sum {
	uint64_t requests, failures, sent, received, sum_us;
	uint64_t in_flight, connections;
	uint64_t classes[CLASSES];
	uint64_t buckets[STATS_BUCKETS];
};

enum backend_line {
	LINE_REQUESTS,
	LINE_FAILURES,
	LINE_RESPONSES,
	LINE_SECONDS,
	LINE_RECEIVED,
	LINE_SENT,
	LINE_IN_FLIGHT,
	LINE_CONNECTIONS,
	LINE_UP,
	LINE_STATE,
	LINE_CIRCUIT,
	LINE_OPENED,
	LINE_PROBES,
	LINE_PROBES_FAILED,
	LINE_COUNT
};

static const enum metric_id line_metrics[LINE_COUNT] = {
	[LINE_REQUESTS] = METRIC_BACKEND_REQUESTS,
	[LINE_FAILURES] = METRIC_BACKEND_FAILURES,
	[LINE_RESPONSES] = METRIC_BACKEND_RESPONSES,
	[LINE_SECONDS] = METRIC_BACKEND_SECONDS,
	[LINE_RECEIVED] = METRIC_BACKEND_RECEIVED,
	[LINE_SENT] = METRIC_BACKEND_SENT,
	[LINE_IN_FLIGHT] = METRIC_BACKEND_IN_FLIGHT,
	[LINE_CONNECTIONS] = METRIC_BACKEND_CONNECTIONS,
	[LINE_UP] = METRIC_BACKEND_UP,
	[LINE_STATE] = METRIC_BACKEND_STATE,
	[LINE_CIRCUIT] = METRIC_CIRCUIT_STATE,
	[LINE_OPENED] = METRIC_CIRCUIT_OPENED,
	[LINE_PROBES] = METRIC_BACKEND_PROBES,
	[LINE_PROBES_FAILED] = METRIC_BACKEND_PROBES_FAILED,
};

/* One page's lines of backends, each metric's apart. */
struct backend_lines {
	struct metrics_page *page;
	const struct health_map *health;
	struct buf lines[LINE_COUNT];
	struct metric_label labels[3];	/* service, backend, and a third */
};

static bool
sum_backend(const struct metrics_page *page, uint32_t slot, uint64_t id,
    struct backend_sum *sum)
{
	bool is_known = false;

	*sum = (struct backend_sum){ 0 };
	for (uint32_t w = 0; w < page->worker_count; w++) {
		const struct backend_stats *stats = worker_stats_read_backend(
		    page->workers[w], slot, id);

		if (stats == NULL)
			continue;
		is_known = true;
		sum->requests += stats_read(&stats->requests);
		sum->failures += stats_read(&stats->failures);
		sum->sent += stats_read(&stats->bytes_sent);
		sum->received += stats_read(&stats->bytes_received);
		sum->sum_us += stats_read(&stats->latency.sum_us);
		sum->in_flight += atomic_load_explicit(&stats->in_flight,
		    memory_order_relaxed);
		sum->connections += atomic_load_explicit(&stats->connections,
		    memory_order_relaxed);
		for (uint32_t i = 0; i < CLASSES; i++)
			sum->classes[i] += stats_read(&stats->class_codes[i]);
		for (uint32_t i = 0; i < STATS_BUCKETS; i++)
			sum->buckets[i] +=
			    stats_read(&stats->latency.buckets[i]);
	}
	return is_known;
}

static void
write_line(struct backend_lines *all, enum backend_line line, uint64_t value)
{
	metric_integer(&all->lines[line], metric_row(line_metrics[line]), "",
	    all->labels, 2, value);
}

static void
write_labelled(struct backend_lines *all, enum backend_line line,
    const char *name, const char *value, uint64_t number)
{
	all->labels[2] = (struct metric_label){ name, bytes_of(value) };
	metric_integer(&all->lines[line], metric_row(line_metrics[line]), "",
	    all->labels, 3, number);
}

static void
write_counts(struct backend_lines *all, const struct backend_sum *sum)
{
	char class[4];

	write_line(all, LINE_REQUESTS, sum->requests);
	write_line(all, LINE_FAILURES, sum->failures);
	write_line(all, LINE_RECEIVED, sum->received);
	write_line(all, LINE_SENT, sum->sent);
	write_line(all, LINE_IN_FLIGHT, sum->in_flight);
	write_line(all, LINE_CONNECTIONS, sum->connections);
	for (unsigned int i = 1; i < CLASSES; i++) {
		snprintf(class, sizeof(class), "%uxx", i);
		if (sum->classes[i] != 0)
			write_labelled(all, LINE_RESPONSES, "class", class,
			    sum->classes[i]);
	}
	metric_histogram(&all->lines[LINE_SECONDS],
	    metric_row(METRIC_BACKEND_SECONDS), all->labels, 2, sum->buckets,
	    sum->sum_us);
}

/* What stands in the way first; else what probes say. */
static const char *
state_of(const struct backend_spec *spec, uint32_t flags)
{
	if (spec->condition.in_maintenance)
		return "maintenance";
	if (spec->condition.drain_start_ns != 0)
		return "draining";
	if (flags & HEALTH_BREAKER)
		return "breaker";
	if (flags & HEALTH_HALF_OPEN)
		return "half_open";
	if (flags & HEALTH_DOWN)
		return "down";
	return flags & HEALTH_UP ? "up" : "unproven";
}

static void
write_circuit(struct backend_lines *all, uint32_t flags)
{
	write_labelled(all, LINE_CIRCUIT, "state", "closed",
	    (flags & (HEALTH_BREAKER | HEALTH_HALF_OPEN)) == 0);
	write_labelled(all, LINE_CIRCUIT, "state", "open",
	    (flags & HEALTH_BREAKER) != 0);
	write_labelled(all, LINE_CIRCUIT, "state", "half_open",
	    (flags & HEALTH_HALF_OPEN) != 0);
}

static void
write_health(struct backend_lines *all, const struct backend_copy *copy)
{
	static const char *const states[] = { "up", "down", "unproven",
		"draining", "maintenance", "breaker", "half_open" };
	uint32_t flags = health_get(all->health, copy->slot,
	    copy->generation);
	const struct health_detail *detail = health_detail(all->health,
	    copy->slot);
	const char *state = state_of(&copy->spec, flags);

	write_line(all, LINE_UP, (flags & HEALTH_UP) != 0);
	for (size_t i = 0; i < COUNT_OF(states); i++)
		write_labelled(all, LINE_STATE, "state", states[i],
		    strcmp(states[i], state) == 0);
	write_circuit(all, flags);
	if (detail == NULL ||
	    stats_read(&detail->backend_id) != copy->spec.id)
		return;
	write_line(all, LINE_OPENED, stats_read(&detail->opened_count));
	write_line(all, LINE_PROBES, stats_read(&detail->probe_count));
	write_line(all, LINE_PROBES_FAILED,
	    stats_read(&detail->probe_failed_count));
}

static void
write_backend(struct backend_lines *all, struct bytes service,
    const struct backend_copy *copy)
{
	struct backend_sum sum;
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, copy->spec.id);
	all->labels[0] = (struct metric_label){ "service", service };
	all->labels[1] = (struct metric_label){ "backend", bytes_of(id) };
	if (sum_backend(all->page, copy->slot, copy->spec.id, &sum))
		write_counts(all, &sum);
	write_health(all, copy);
}

void
metrics_write_backends(struct metrics_page *page,
    const struct route_table *table, const struct health_map *health)
{
	struct backend_lines all = { .page = page, .health = health };
	struct table_extent extent;
	struct arena arena;

	arena_init(&arena, READ_MAX);
	route_table_extent(table, &extent);
	for (uint32_t slot = 0; slot < extent.services; slot++) {
		struct service_copy copy;

		arena_reset(&arena);
		if (route_table_read_service(table, slot, &arena, &copy) !=
		    TABLE_FOUND)
			continue;
		for (uint32_t i = 0; i < copy.spec.backend_count; i++)
			write_backend(&all, copy.spec.name, &copy.backends[i]);
	}
	arena_free(&arena);
	for (uint32_t i = 0; i < LINE_COUNT; i++) {
		metric_begin(&page->buf, metric_row(line_metrics[i]));
		buf_append(&page->buf, buf_bytes(&all.lines[i]));
		page->buf.is_failed = page->buf.is_failed ||
		    all.lines[i].is_failed;
		buf_free(&all.lines[i]);
	}
}
