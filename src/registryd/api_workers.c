/*
 * registryd/api_workers.c - /v1/workers: the processes, as master says,
 * and what each worker counts.
 */
/* SPDX-License-Identifier: ISC */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "registryd/api_parts.h"

static const char *const kind_names[] = {
	[ROLE_WORKER] = "worker",
	[ROLE_REGISTRYD] = "registryd",
	[ROLE_HEALTHD] = "healthd",
};

static const char *const state_names[] = {
	[ROLE_EMPTY] = "empty",
	[ROLE_STARTING] = "starting",
	[ROLE_READY] = "ready",
	[ROLE_DRAINING] = "draining",
	[ROLE_DEAD] = "dead",
	[ROLE_RETIRED] = "retired",
};

static uint32_t
load(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void
write_time(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	json_write_key(writer, key);
	if (wall_ms == 0) {
		json_write_null(writer);
		return;
	}
	clock_format_rfc3339(wall_ms, text);
	json_write_text(writer, text);
}

static void
write_counters(struct json_writer *writer, const struct worker_stats *stats)
{
	const struct worker_counters *counters =
	    worker_stats_read_counters(stats);
	struct worker_info info;

	worker_stats_info(stats, &info);
	json_write_key(writer, "table_generation");
	json_write_integer(writer, (int64_t)info.table_generation);
#define X(field, metric, help)                                                 \
	json_write_key(writer, #field);                                        \
	json_write_integer(writer, (int64_t)stats_read(&counters->field));
	WORKER_COUNTERS(X)
	WORKER_GAUGES(X)
#undef X
}

static void
write_exit(struct json_writer *writer, uint32_t status)
{
	char text[48] = "";

	if (WIFSIGNALED((int)status))
		snprintf(text, sizeof(text), "signal %d",
		    WTERMSIG((int)status));
	else if (status != 0)
		snprintf(text, sizeof(text), "exit %d",
		    WEXITSTATUS((int)status));
	json_write_key(writer, "last_exit");
	json_write_text(writer, text[0] == '\0' ? NULL : text);
}

static void
write_role(struct registry *registry, struct json_writer *writer,
    const struct role_status *role)
{
	uint32_t kind = load(&role->kind), state = load(&role->state);
	struct worker_stats *stats;

	json_write_begin(writer, '{');
	json_write_key(writer, "role");
	json_write_text(writer,
	    kind < COUNT_OF(kind_names) ? kind_names[kind] : "?");
	json_write_key(writer, "region");
	json_write_integer(writer, load(&role->region));
	json_write_key(writer, "pid");
	json_write_integer(writer, load(&role->pid));
	json_write_key(writer, "state");
	json_write_text(writer,
	    state < COUNT_OF(state_names) ? state_names[state] : "?");
	json_write_key(writer, "restarts");
	json_write_integer(writer, load(&role->restarts));
	write_exit(writer, load(&role->last_exit));
	write_time(writer, "started_at",
	    atomic_load_explicit(&role->started_wall_ms,
		memory_order_relaxed));
	if (kind == ROLE_WORKER &&
	    worker_stats_open(registry->daemon->segment_dir,
		load(&role->region), &stats) == 0) {
		write_counters(writer, stats);
		worker_stats_close(&stats);
	}
	json_write_end(writer, '}');
}

void
api_workers(struct registry *registry, struct admin_request *request)
{
	const struct master_status *master = registry->master;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "master");
	json_write_begin(&writer, '{');
	json_write_key(&writer, "pid");
	json_write_integer(&writer, load(&master->pid));
	json_write_key(&writer, "workers");
	json_write_integer(&writer, load(&master->worker_count));
	write_time(&writer, "started_at",
	    atomic_load_explicit(&master->started_wall_ms,
		memory_order_relaxed));
	write_time(&writer, "reloaded_at",
	    atomic_load_explicit(&master->reloaded_wall_ms,
		memory_order_relaxed));
	json_write_end(&writer, '}');
	json_write_key(&writer, "items");
	json_write_begin(&writer, '[');
	for (uint32_t i = 0; i < MASTER_ROLES_MAX; i++)
		if (load(&master->roles[i].state) != ROLE_EMPTY)
			write_role(registry, &writer, &master->roles[i]);
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	admin_reply_json(request, 200, &json);
}
