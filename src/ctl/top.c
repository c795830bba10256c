/*
 * ctl/top.c - `sluicectl top`: rates, from two looks at the segment.
 */
/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/table.h"
#include "shm/route_table.h"
#include "shm/worker_stats.h"

#define TOP_ROUTES 15

/* Sums over all workers at one moment. */
struct top_sample {
	uint64_t requests, received, sent, connections, in_flight;
	uint64_t *route_requests;	/* by route slot */
	uint32_t route_count;
};

struct top {
	const struct ctl *ctl;
	struct route_table *table;
	struct worker_stats *workers[SEGMENT_WORKERS_MAX];
	struct top_sample now, before;
};

static void
add_worker(struct top_sample *sample, const struct worker_stats *stats)
{
	const struct worker_counters *counters =
	    worker_stats_read_counters(stats);

	sample->requests += stats_read(&counters->requests);
	sample->received += stats_read(&counters->bytes_received);
	sample->sent += stats_read(&counters->bytes_sent);
	sample->connections += stats_read(&counters->connections_open);
	sample->in_flight += stats_read(&counters->requests_in_flight);
}

/* Reads a route and what all workers counted for it. */
static uint64_t
sum_route(struct top *top, uint32_t slot, uint64_t id)
{
	struct route_figures figures = { 0 };
	uint64_t sum = 0;

	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++)
		if (top->workers[k] != NULL)
			(void)worker_stats_add_route(top->workers[k], slot, id,
			    &figures);
	for (uint32_t i = 0; i < STATS_CODES_MAX; i++)
		sum += figures.codes[i];
	return sum;
}

static void
take_sample(struct top *top)
{
	struct top_sample *sample = &top->now;
	struct table_extent extent;
	struct arena arena;

	free(top->before.route_requests);
	top->before = top->now;
	*sample = (struct top_sample){ 0 };
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++) {
		if (top->workers[k] == NULL &&
		    worker_stats_open(top->ctl->segment_dir, k,
			&top->workers[k]) == -1)
			top->workers[k] = NULL;
		if (top->workers[k] != NULL)
			add_worker(sample, top->workers[k]);
	}
	route_table_extent(top->table, &extent);
	sample->route_requests = calloc(extent.routes + 1, sizeof(uint64_t));
	if (sample->route_requests == NULL)
		return;
	sample->route_count = extent.routes;
	arena_init(&arena, 1 << 20);
	for (uint32_t slot = 0; slot < extent.routes; slot++) {
		struct route_copy route;

		if (route_table_read_route(top->table, slot, &arena, &route) ==
		    TABLE_FOUND)
			sample->route_requests[slot] =
			    sum_route(top, slot, route.spec.id);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

static uint64_t
rate_of(const struct top *top, uint32_t slot)
{
	uint64_t before = slot < top->before.route_count
			      ? top->before.route_requests[slot]
			      : 0;
	uint64_t now = top->now.route_requests[slot];

	return now > before ? now - before : 0;
}

/* The busiest slot that is not in chosen yet; TABLE_NONE when all idle. */
static uint32_t
next_busiest(const struct top *top, const uint32_t *chosen, uint32_t count)
{
	uint32_t best = TABLE_NONE;
	uint64_t best_rate = 0;

	for (uint32_t slot = 0; slot < top->now.route_count; slot++) {
		bool is_chosen = false;

		for (uint32_t i = 0; i < count && !is_chosen; i++)
			is_chosen = chosen[i] == slot;
		if (!is_chosen && rate_of(top, slot) > best_rate) {
			best = slot;
			best_rate = rate_of(top, slot);
		}
	}
	return best;
}

static void
print_routes(const struct top *top)
{
	static const struct table_column columns[] = {
		{ "ROUTE", NULL, false },
		{ "REQUESTS/S", NULL, true },
		{ "REQUESTS", NULL, true },
	};
	struct table *table = table_new(columns, COUNT_OF(columns));
	uint32_t chosen[TOP_ROUTES];
	struct arena arena;

	if (table == NULL)
		return;
	arena_init(&arena, 1 << 20);
	for (uint32_t i = 0; i < TOP_ROUTES; i++) {
		struct route_copy route;
		char label[TABLE_NAME_MAX + 1];

		chosen[i] = next_busiest(top, chosen, i);
		if (chosen[i] == TABLE_NONE)
			break;
		arena_reset(&arena);
		if (route_table_read_route(top->table, chosen[i], &arena,
			&route) != TABLE_FOUND)
			continue;
		snprintf(label, sizeof(label), "%.*s",
		    BYTES_ARGS(route.spec.label));
		table_cell(table, label);
		table_cell_number(table, rate_of(top, chosen[i]));
		table_cell_number(table, top->now.route_requests[chosen[i]]);
	}
	arena_free(&arena);
	table_print(table);
	table_free(&table);
}

static void
print_sample(const struct top *top)
{
	const struct top_sample *now = &top->now, *before = &top->before;

	printf("requests/s %" PRIu64 "  received B/s %" PRIu64
	       "  sent B/s %" PRIu64 "  connections %" PRIu64
	       "  in flight %" PRIu64 "  generation %" PRIu64 "\n",
	    now->requests - before->requests, now->received - before->received,
	    now->sent - before->sent, now->connections, now->in_flight,
	    route_table_generation(top->table));
	if (now->route_requests != NULL)
		print_routes(top);
	putchar('\n');
	fflush(stdout);
}

/* Reads -n TIMES; 0: for ever. -1 on a usage error. */
static long
read_times(int argc, char **argv)
{
	unsigned long long times = 0;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1)
		if (option != 'n' ||
		    bytes_to_number(bytes_of(optarg), 1000000, &times) == -1)
			return -1;
	return optind == argc ? (long)times : -1;
}

enum ctl_exit
ctl_top(const struct ctl *ctl, int argc, char **argv)
{
	const struct timespec second = { .tv_sec = 1 };
	struct top top = { .ctl = ctl };
	long times = read_times(argc, argv);

	if (times == -1)
		return ctl_usage("top [-n TIMES]");
	if (route_table_open(ctl->segment_dir, &top.table) == -1)
		return ctl_cannot_read(ctl);
	take_sample(&top);
	for (long i = 0; times == 0 || i < times; i++) {
		nanosleep(&second, NULL);
		take_sample(&top);
		print_sample(&top);
	}
	free(top.now.route_requests);
	free(top.before.route_requests);
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++)
		worker_stats_close(&top.workers[k]);
	route_table_close(&top.table);
	return CTL_OK;
}
