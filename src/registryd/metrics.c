/*
 * registryd/metrics.c - /metrics: the page.
 *
 * Sums over all worker.K regions that exist, of dead workers too, whose
 * counters stand.  Routes and backends that no worker has counted for
 * yet have no lines.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/api_parts.h"
#include "registryd/metrics.h"
#include "registryd/metrics_parts.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define STALE_MS     5000

static uint32_t
load(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void
one(struct buf *buf, enum metric_id id, uint64_t value)
{
	metric_begin(buf, metric_row(id));
	metric_integer(buf, metric_row(id), "", NULL, 0, value);
}

static void
one_number(struct buf *buf, enum metric_id id, double value)
{
	metric_begin(buf, metric_row(id));
	metric_number(buf, metric_row(id), "", NULL, 0, value);
}

/* Workers ---------------------------------------------------------------- */

static void
open_workers(struct metrics_page *page, const struct registry *registry)
{
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++) {
		struct worker_stats *stats;

		if (load(&registry->master->roles[2 + k].state) == ROLE_EMPTY)
			continue;
		if (worker_stats_open(registry->daemon->segment_dir, k,
			&stats) == 0)
			page->workers[page->worker_count++] = stats;
	}
}

static void
close_workers(struct metrics_page *page)
{
	for (uint32_t i = 0; i < page->worker_count; i++)
		worker_stats_close(&page->workers[i]);
}

static void
write_workers(struct metrics_page *page)
{
	struct buf *buf = &page->buf;

#define X_OF_TYPE(type_, field, metric, help_)                                 \
	{                                                                      \
		static const struct metric_row row = { metric, type_, help_ }; \
		uint64_t sum = 0;                                              \
                                                                               \
		for (uint32_t i = 0; i < page->worker_count; i++)              \
			sum += stats_read(&worker_stats_read_counters(         \
			    page->workers[i])->field);                         \
		metric_begin(buf, &row);                                       \
		metric_integer(buf, &row, "", NULL, 0, sum);                   \
	}
#define X(field, metric, help) X_OF_TYPE("counter", field, metric, help)
	WORKER_COUNTERS(X)
#undef X
#define X(field, metric, help) X_OF_TYPE("gauge", field, metric, help)
	WORKER_GAUGES(X)
#undef X
#undef X_OF_TYPE
}

/* The rest --------------------------------------------------------------- */

static void
write_table(struct buf *buf, const struct registry *registry)
{
	struct table_extent extent;
	int64_t published_ns = route_table_published_ns(registry->table);

	route_table_extent(registry->table, &extent);
	one(buf, METRIC_TABLE_GENERATION,
	    route_table_generation(registry->table));
	if (published_ns != 0)
		one_number(buf, METRIC_TABLE_AGE,
		    (double)(clock_now().ns - published_ns) / 1e9);
	one(buf, METRIC_TABLE_ROUTES, extent.route_count);
	one(buf, METRIC_TABLE_SERVICES, extent.service_count);
	one(buf, METRIC_TABLE_BACKENDS, extent.backend_count);
	one(buf, METRIC_TABLE_BYTES, extent.used_bytes);
}

static void
write_history(struct buf *buf, const struct retention *retention)
{
	int64_t oldest_ms = retention->extent.oldest_wall_ms;

	if (retention->was_measured) {
		one(buf, METRIC_HISTORY_ROWS, retention->extent.row_count);
		one_number(buf, METRIC_HISTORY_AGE, oldest_ms == 0 ?
			0.0 :
			(double)(clock_wall_ms() - oldest_ms) / 1e3);
	}
	one(buf, METRIC_HISTORY_PRUNED, retention->pruned_count);
}

static void
write_store(struct buf *buf, const struct registry *registry)
{
	struct store_figures figures;

	store_figures(registry->store, &figures);
	one(buf, METRIC_STORE_UP, figures.is_up);
	one(buf, METRIC_STORE_SIZE, figures.pool_size);
	one(buf, METRIC_STORE_OPEN, figures.open);
	one(buf, METRIC_STORE_IDLE, figures.idle);
	one(buf, METRIC_STORE_IN_USE, figures.in_use);
	one(buf, METRIC_STORE_WAITING, figures.waiting);
	one(buf, METRIC_STORE_QUERIES, figures.query_count);
	one(buf, METRIC_STORE_QUERIES_FAILED, figures.query_failed_count);
	one_number(buf, METRIC_STORE_QUERY_SECONDS,
	    (double)figures.query_us_sum / 1e6);
	one(buf, METRIC_STORE_CONNECTS, figures.connect_count);
	one(buf, METRIC_STORE_HELD, registry->guard.is_held);
	one(buf, METRIC_STORE_HELD_ROUTES,
	    registry->guard.is_held ? registry->guard.loss.removed : 0);
	write_history(buf, &registry->retention);
	if (!store_can_follow(registry->store))
		return;
	one(buf, METRIC_STORE_LISTENING, figures.is_listening);
	metric_begin(buf, metric_row(METRIC_PROPAGATION));
	metric_histogram(buf, metric_row(METRIC_PROPAGATION), NULL, 0,
	    registry->follow.buckets, registry->follow.sum_us);
	metrics_write_instances(buf, &registry->instances);
}

static void
write_health(struct buf *buf, const struct registry *registry)
{
	int64_t beat = atomic_load_explicit(
	    &health_beat(registry->health)->wall_ms, memory_order_relaxed);
	int64_t age_ms = clock_wall_ms() - beat;

	if (beat != 0)
		one_number(buf, METRIC_HEALTH_AGE, (double)age_ms / 1e3);
	one(buf, METRIC_HEALTH_STALE, beat == 0 || age_ms > STALE_MS);
}

static void
write_restarts(struct buf *buf, const struct master_status *master)
{
	static const char *const names[] = {
		[ROLE_WORKER] = "worker",
		[ROLE_REGISTRYD] = "registryd",
		[ROLE_HEALTHD] = "healthd",
	};
	const struct metric_row *row = metric_row(METRIC_RESTARTS);
	uint64_t restarts[COUNT_OF(names)] = { 0 };

	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++) {
		uint32_t kind = load(&master->roles[i].kind);

		if (kind < COUNT_OF(names))
			restarts[kind] += load(&master->roles[i].restarts);
	}
	metric_begin(buf, row);
	for (uint32_t kind = 0; kind < COUNT_OF(names); kind++) {
		const struct metric_label label = { "role",
			bytes_of(names[kind]) };

		metric_integer(buf, row, "", &label, 1, restarts[kind]);
	}
}

static void
write_master(struct buf *buf, const struct master_status *master)
{
	int64_t reloaded_ms = atomic_load_explicit(&master->reloaded_wall_ms,
	    memory_order_relaxed);
	uint64_t failed = stats_read(&master->reload_failed_count);

	if (reloaded_ms == 0)
		reloaded_ms = atomic_load_explicit(&master->started_wall_ms,
		    memory_order_relaxed);
	one_number(buf, METRIC_RELOAD_TIME, (double)reloaded_ms / 1e3);
	one(buf, METRIC_RELOAD_GOOD,
	    failed == 0 || load(&master->is_reload_good) != 0);
	one(buf, METRIC_RELOADS, stats_read(&master->reload_count));
	one(buf, METRIC_RELOADS_FAILED, failed);
	write_restarts(buf, master);
	one(buf, METRIC_WORKERS, load(&master->worker_count));
}

static void
write_build(struct buf *buf)
{
	const struct metric_label labels[] = {
		{ "version", bytes_of(PACKAGE_VERSION) },
		{ "options", bytes_of(CONFIGURE_OPTIONS) },
	};

	metric_begin(buf, metric_row(METRIC_BUILD));
	metric_integer(buf, metric_row(METRIC_BUILD), "", labels,
	    COUNT_OF(labels), 1);
}

void
api_metrics(struct registry *registry, struct admin_request *request)
{
	struct metrics_page *page = calloc(1, sizeof(*page));
	struct problem problem;

	if (page == NULL) {
		problem_set(&problem, 503, "out_of_memory", NULL,
		    "out of memory; try again");
		admin_reply_problem(request, &problem);
		return;
	}
	open_workers(page, registry);
	write_workers(page);
	metrics_write_routes(page, registry->table);
	metrics_write_backends(page, registry->table, registry->health);
	metrics_write_drains(page, registry->model);
	write_health(&page->buf, registry);
	write_table(&page->buf, registry);
	write_store(&page->buf, registry);
	metrics_write_certificates(&page->buf, registry->protocol);
	metrics_write_replica(&page->buf, registry);
	write_master(&page->buf, registry->master);
	one(&page->buf, METRIC_LOG_DROPPED, log_dropped_count());
	write_build(&page->buf);
	metrics_write_process(&page->buf, registry->started_wall_ms);
	close_workers(page);
	if (page->buf.is_failed)
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
	else
		admin_reply(request, 200, METRICS_TYPE,
		    buf_bytes(&page->buf));
	buf_free(&page->buf);
	free(page);
}
