/*
 * ctl/workers.c - `sluicectl workers`: the processes and their counters.
 *
 * Read from the segment, so that it answers while registryd is down.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "shm/master_status.h"
#include "shm/worker_stats.h"

static const char *
kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[ROLE_WORKER] = "worker",
		[ROLE_REGISTRYD] = "registryd",
		[ROLE_HEALTHD] = "healthd",
	};

	return kind < COUNT_OF(names) ? names[kind] : "?";
}

static const char *
state_name(uint32_t state)
{
	static const char *const names[] = {
		[ROLE_EMPTY] = "empty",	      [ROLE_STARTING] = "starting",
		[ROLE_READY] = "ready",	      [ROLE_DRAINING] = "draining",
		[ROLE_DEAD] = "dead",	      [ROLE_RETIRED] = "retired",
	};

	return state < COUNT_OF(names) ? names[state] : "?";
}

/* What one line of `workers` tells. */
struct process_line {
	const char *kind, *state;
	uint32_t pid, restarts;
	char started[CLOCK_RFC3339_SIZE];
	uint64_t connections, in_flight, requests, generation;
};

/* The counters of worker.K; zeroes when the region is not there. */
static void
read_worker(const struct ctl *ctl, uint32_t k, struct process_line *line_r)
{
	const struct worker_counters *counters;
	struct worker_stats *stats;
	struct worker_info info;

	if (worker_stats_open(ctl->segment_dir, k, &stats) == -1)
		return;
	counters = worker_stats_read_counters(stats);
	worker_stats_info(stats, &info);
	line_r->connections = stats_read(&counters->connections_open);
	line_r->in_flight = stats_read(&counters->requests_in_flight);
	line_r->requests = stats_read(&counters->requests);
	line_r->generation = info.table_generation;
	worker_stats_close(&stats);
}

static bool
read_process(const struct ctl *ctl, const struct role_status *role,
    struct process_line *line_r)
{
	uint32_t state = atomic_load(&role->state);
	uint32_t kind = atomic_load(&role->kind);

	if (state == ROLE_EMPTY || state == ROLE_RETIRED)
		return false;
	*line_r = (struct process_line){
		.kind = kind_name(kind),
		.state = state_name(state),
		.pid = atomic_load(&role->pid),
		.restarts = atomic_load(&role->restarts),
	};
	clock_format_rfc3339(atomic_load(&role->started_wall_ms),
	    line_r->started);
	if (kind == ROLE_WORKER)
		read_worker(ctl, atomic_load(&role->region), line_r);
	return true;
}

static void
add_process_row(struct table *table, const struct process_line *line)
{
	table_cell(table, line->kind);
	table_cell_number(table, line->pid);
	table_cell(table, line->state);
	table_cell(table, line->started);
	table_cell_number(table, line->restarts);
	table_cell_number(table, line->connections);
	table_cell_number(table, line->in_flight);
	table_cell_number(table, line->requests);
	table_cell_number(table, line->generation);
}

static void
write_process_json(struct json_writer *writer, const struct process_line *line)
{
	const struct {
		const char *name;
		uint64_t number;
	} numbers[] = {
		{ "pid", line->pid },
		{ "restarts", line->restarts },
		{ "connections", line->connections },
		{ "in_flight", line->in_flight },
		{ "requests", line->requests },
		{ "generation", line->generation },
	};

	json_write_begin(writer, '{');
	json_write_key(writer, "kind");
	json_write_text(writer, line->kind);
	json_write_key(writer, "state");
	json_write_text(writer, line->state);
	json_write_key(writer, "started_at");
	json_write_text(writer, line->started);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		json_write_key(writer, numbers[i].name);
		json_write_integer(writer, (int64_t)numbers[i].number);
	}
	json_write_end(writer, '}');
}

enum ctl_exit
ctl_workers(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "PROCESS", NULL, false },	{ "PID", NULL, true },
		{ "STATE", NULL, false },	{ "STARTED", NULL, false },
		{ "RESTARTS", NULL, true },	{ "CONNECTIONS", NULL, true },
		{ "IN-FLIGHT", NULL, true },	{ "REQUESTS", NULL, true },
		{ "GENERATION", NULL, true },
	};
	struct table *table = table_new(columns, COUNT_OF(columns));
	const struct master_status *status;
	struct process_line line;
	struct buf text = { 0 };
	struct json_writer writer = json_writer(&text);

	(void)argv;
	if (argc != 1) {
		table_free(&table);
		return ctl_usage("workers takes no arguments");
	}
	if (table == NULL ||
	    master_status_open(ctl->segment_dir, &status) == -1) {
		table_free(&table);
		return ctl_cannot_read(ctl);
	}
	json_write_begin(&writer, '[');
	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++) {
		if (!read_process(ctl, &status->roles[i], &line))
			continue;
		add_process_row(table, &line);
		write_process_json(&writer, &line);
	}
	json_write_end(&writer, ']');
	if (ctl->wants_json)
		puts(text.data);
	else
		table_print(table);
	buf_free(&text);
	table_free(&table);
	master_status_close(&status);
	return CTL_OK;
}
