/*
 * registryd/metrics_routes.c - what /metrics says of routes.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "registryd/metrics.h"
#include "registryd/metrics_parts.h"

#define READ_MAX (1u << 20)

/* Each metric's lines stand together, so each grows by itself. */
struct route_lines {
	struct buf requests, seconds, received, sent, limited;
};

/* false: no worker knows the route. */
static bool
sum_route(const struct metrics_page *page, uint32_t slot, uint64_t id,
    struct route_figures *sum)
{
	bool is_known = false;

	*sum = (struct route_figures){ 0 };
	for (uint32_t w = 0; w < page->worker_count; w++)
		if (worker_stats_add_route(page->workers[w], slot, id, sum))
			is_known = true;
	return is_known;
}

static void
write_codes(struct buf *buf, struct bytes label,
    const struct route_figures *sum)
{
	char code[8];
	const struct metric_label labels[] = {
		{ "route", label },
		{ "code", { code, 3 } },
	};

	for (uint32_t i = 0; i < STATS_CODES_MAX; i++) {
		unsigned int status = stats_code_status(i);

		if (sum->codes[i] == 0 || status == 0)
			continue;
		if (status % 100 == 99)	/* all others of the class */
			snprintf(code, sizeof(code), "%uxx", status / 100 % 10);
		else
			snprintf(code, sizeof(code), "%u", status % 1000);
		metric_integer(buf, metric_row(METRIC_HTTP_REQUESTS), "",
		    labels, 2, sum->codes[i]);
	}
}

static void
write_route(struct route_lines *lines, struct bytes label,
    const struct route_figures *sum)
{
	const struct metric_label route = { "route", label };

	write_codes(&lines->requests, label, sum);
	metric_histogram(&lines->seconds, metric_row(METRIC_HTTP_SECONDS),
	    &route, 1, sum->buckets, sum->sum_us);
	metric_integer(&lines->received, metric_row(METRIC_ROUTE_RECEIVED), "",
	    &route, 1, sum->bytes_received);
	metric_integer(&lines->sent, metric_row(METRIC_ROUTE_SENT), "",
	    &route, 1, sum->bytes_sent);
	metric_integer(&lines->limited, metric_row(METRIC_RATE_LIMITED), "",
	    &route, 1, sum->rate_limited);
}

static void
add(struct metrics_page *page, enum metric_id id, struct buf *lines)
{
	metric_begin(&page->buf, metric_row(id));
	buf_append(&page->buf, buf_bytes(lines));
	page->buf.is_failed = page->buf.is_failed || lines->is_failed;
	buf_free(lines);
}

static void
collect(struct metrics_page *page, const struct route_table *table,
    struct route_lines *lines)
{
	struct route_figures *sum = calloc(1, sizeof(*sum));
	struct table_extent extent;
	struct arena arena;

	if (sum == NULL) {
		page->buf.is_failed = true;
		return;
	}
	arena_init(&arena, READ_MAX);
	route_table_extent(table, &extent);
	for (uint32_t slot = 0; slot < extent.routes; slot++) {
		struct route_copy copy;

		arena_reset(&arena);
		if (route_table_read_route(table, slot, &arena, &copy) ==
			TABLE_FOUND &&
		    sum_route(page, slot, copy.spec.id, sum))
			write_route(lines, copy.spec.label, sum);
	}
	arena_free(&arena);
	free(sum);
}

void
metrics_write_routes(struct metrics_page *page,
    const struct route_table *table)
{
	struct route_lines lines = { 0 };

	collect(page, table, &lines);
	add(page, METRIC_HTTP_REQUESTS, &lines.requests);
	add(page, METRIC_HTTP_SECONDS, &lines.seconds);
	add(page, METRIC_ROUTE_RECEIVED, &lines.received);
	add(page, METRIC_ROUTE_SENT, &lines.sent);
	add(page, METRIC_RATE_LIMITED, &lines.limited);
}
