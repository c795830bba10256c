/*
 * ctl/backends.c - `sluicectl backends`: who serves, and in what state.
 *
 * Read from the segment: the table, healthd's words and the workers'
 * counters, so that it shows what the workers themselves go by.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "shm/health.h"
#include "shm/route_table.h"
#include "shm/worker_stats.h"

/* The regions that the verb reads. */
struct view {
	struct route_table *table;
	struct health_map *health;
	struct worker_stats *workers[SEGMENT_WORKERS_MAX];
	struct bytes only_service;	/* empty: all */
	struct table *rows;
	struct json_writer *json;
};

/* What one line tells. */
struct backend_line {
	char service[TABLE_NAME_MAX + 1];
	char address[TABLE_NAME_MAX + TABLE_PATH_MAX];
	char since[CLOCK_RFC3339_SIZE];
	char probe[64];
	const char *state;
	uint64_t id, weight, in_flight, requests, failures;
};

static const char *
state_name(const struct condition_spec *condition, uint32_t flags)
{
	if (condition->in_maintenance)
		return "maintenance";
	if (flags & HEALTH_BREAKER)
		return "breaker-open";
	if (flags & HEALTH_HALF_OPEN)
		return "half-open";
	if (condition->drain_start_ns != 0)
		return "draining";
	if (flags & HEALTH_DOWN)
		return "down";
	return flags & HEALTH_UP ? "up" : "unproven";
}

static void
describe_health(const struct view *view, uint32_t slot,
    struct backend_line *line)
{
	const struct health_detail *detail = health_detail(view->health, slot);
	int64_t changed_ms;

	snprintf(line->since, sizeof(line->since), "-");
	snprintf(line->probe, sizeof(line->probe), "-");
	if (detail == NULL || atomic_load(&detail->backend_id) != line->id)
		return;
	if ((changed_ms = atomic_load(&detail->changed_wall_ms)) != 0)
		clock_format_rfc3339(changed_ms, line->since);
	if (atomic_load(&detail->probe_count) == 0)
		return;
	if (atomic_load(&detail->probe_errno) != 0)
		snprintf(line->probe, sizeof(line->probe), "%s",
		    strerror((int)atomic_load(&detail->probe_errno)));
	else
		snprintf(line->probe, sizeof(line->probe), "%u in %u ms",
		    atomic_load(&detail->probe_status),
		    atomic_load(&detail->probe_ms));
}

static void
sum_workers(const struct view *view, uint32_t slot, struct backend_line *line)
{
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++) {
		const struct backend_stats *stats;

		if (view->workers[k] == NULL)
			continue;
		stats = worker_stats_read_backend(view->workers[k], slot,
		    line->id);
		if (stats == NULL)
			continue;
		line->in_flight += atomic_load(&stats->in_flight);
		line->requests += stats_read(&stats->requests);
		line->failures += stats_read(&stats->failures);
	}
}

static void
describe_address(const struct backend_spec *spec, struct backend_line *line)
{
	bool is_v6 = memchr(spec->host.data, ':', spec->host.len) != NULL;

	if (spec->kind == BACKEND_UNIX)
		snprintf(line->address, sizeof(line->address), "unix:%.*s",
		    BYTES_ARGS(spec->host));
	else
		snprintf(line->address, sizeof(line->address),
		    is_v6 ? "http://[%.*s]:%u%.*s" : "http://%.*s:%u%.*s",
		    BYTES_ARGS(spec->host), spec->port,
		    BYTES_ARGS(spec->base_path));
}

static void
add_line(struct view *view, const struct backend_line *line)
{
	table_cell_number(view->rows, line->id);
	table_cell(view->rows, line->service);
	table_cell(view->rows, line->address);
	table_cell_number(view->rows, line->weight);
	table_cell(view->rows, line->state);
	table_cell(view->rows, line->since);
	table_cell_number(view->rows, line->in_flight);
	table_cell_number(view->rows, line->requests);
	table_cell_number(view->rows, line->failures);
	table_cell(view->rows, line->probe);
}

static void
write_line(struct json_writer *json, const struct backend_line *line)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "service", line->service }, { "address", line->address },
		{ "state", line->state },     { "since", line->since },
		{ "probe", line->probe },
	};
	const struct {
		const char *name;
		uint64_t number;
	} numbers[] = {
		{ "id", line->id },
		{ "weight", line->weight },
		{ "in_flight", line->in_flight },
		{ "requests", line->requests },
		{ "failures", line->failures },
	};

	json_write_begin(json, '{');
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		json_write_key(json, numbers[i].name);
		json_write_integer(json, (int64_t)numbers[i].number);
	}
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		json_write_key(json, texts[i].name);
		json_write_text(json, texts[i].text);
	}
	json_write_end(json, '}');
}

/* One service's backends, of one moment. */
static void
add_service(struct view *view, uint32_t slot, struct arena *arena)
{
	struct service_copy service;

	if (route_table_read_service(view->table, slot, arena, &service) !=
	    TABLE_FOUND)
		return;
	if (view->only_service.len > 0 &&
	    !bytes_equal(view->only_service, service.spec.name))
		return;
	for (uint32_t i = 0; i < service.spec.backend_count; i++) {
		const struct backend_copy *backend = &service.backends[i];
		struct backend_line line = {
			.id = backend->spec.id,
			.weight = backend->spec.weight,
			.state = state_name(&backend->spec.condition,
			    health_get(view->health, backend->slot,
			    backend->generation)),
		};

		snprintf(line.service, sizeof(line.service), "%.*s",
		    BYTES_ARGS(service.spec.name));
		describe_address(&backend->spec, &line);
		describe_health(view, backend->slot, &line);
		sum_workers(view, backend->slot, &line);
		add_line(view, &line);
		write_line(view->json, &line);
	}
}

static void
add_all(struct view *view)
{
	struct table_extent extent;
	struct arena arena;

	arena_init(&arena, 64 << 20);
	route_table_extent(view->table, &extent);
	json_write_begin(view->json, '[');
	for (uint32_t slot = 0; slot < extent.services; slot++) {
		add_service(view, slot, &arena);
		arena_reset(&arena);
	}
	json_write_end(view->json, ']');
	arena_free(&arena);
}

/* Opens all regions.  Returns 0, or -1 with errno. */
static int
open_view(const char *dir, struct view *view)
{
	if (route_table_open(dir, &view->table) == -1)
		return -1;
	if (health_open(dir, &view->health) == -1)
		return -1;
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++)
		if (worker_stats_open(dir, k, &view->workers[k]) == -1)
			view->workers[k] = NULL;
	return 0;
}

static void
close_view(struct view *view)
{
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++)
		worker_stats_close(&view->workers[k]);
	health_close(&view->health);
	route_table_close(&view->table);
	table_free(&view->rows);
}

enum ctl_exit
ctl_backends(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "ID", NULL, true },	     { "SERVICE", NULL, false },
		{ "ADDRESS", NULL, false },  { "WEIGHT", NULL, true },
		{ "STATE", NULL, false },    { "SINCE", NULL, false },
		{ "IN-FLIGHT", NULL, true }, { "REQUESTS", NULL, true },
		{ "FAILURES", NULL, true },  { "PROBE", NULL, false },
	};
	struct buf text = { 0 };
	struct json_writer json = json_writer(&text);
	struct view view = { .json = &json };

	if (argc > 2)
		return ctl_usage("backends [SERVICE]");
	if (argc == 2)
		view.only_service = bytes_of(argv[1]);
	view.rows = table_new(columns, COUNT_OF(columns));
	if (view.rows == NULL || open_view(ctl->segment_dir, &view) == -1) {
		ctl_cannot_read(ctl);
		close_view(&view);
		return CTL_UNREACHABLE;
	}
	add_all(&view);
	if (ctl->wants_json)
		puts(text.data);
	else
		table_print(view.rows);
	buf_free(&text);
	close_view(&view);
	return CTL_OK;
}
