/*
 * registryd/retention.c - history ends: by age and by size.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/retention.h"

#include "common/log.h"
#include "registryd/registry.h"

#define LOOK_S	    600.0
#define AGAIN_S	    1.0		/* there is no model yet */
#define BLOCKED_S   5.0		/* somebody needs what should go */
#define STEP_S	    0.01		/* from one step to the next */
#define STEP_ROWS   1000
#define GENERATIONS 10000		/* after so many it looks early */
#define MEMORY_ROWS 200000		/* that is enough of it in memory */

static void measure(struct registry *);

/* 0: without bound. */
static uint64_t
rows_max(const struct registry *registry)
{
	const struct settings *settings = registry->daemon->settings;
	uint32_t rows = settings->store.history_rows;

	if (settings->store.driver == STORE_MEMORY &&
	    (rows == 0 || rows > MEMORY_ROWS))
		return MEMORY_ROWS;
	return rows;
}

static uint64_t
excess(const struct registry *registry)
{
	uint64_t rows = registry->retention.extent.row_count;
	uint64_t max = rows_max(registry);

	return max == 0 || rows <= max ? 0 : rows - max;
}

static bool
is_too_much(const struct registry *registry)
{
	const struct store_extent *extent = &registry->retention.extent;

	return excess(registry) > 0 ||
	    (extent->row_count > 0 &&
		extent->oldest_wall_ms <
		    registry->retention.cutoff_wall_ms);
}

static void
look_after(struct registry *registry, double seconds)
{
	struct retention *retention = &registry->retention;

	ev_timer_stop(registry->loop, &retention->look);
	ev_timer_set(&retention->look, seconds, LOOK_S);
	ev_timer_start(registry->loop, &retention->look);
}

static void
end_look(struct registry *registry)
{
	struct retention *retention = &registry->retention;

	retention->is_looking = false;
	look_after(registry, retention->is_pruned && is_too_much(registry) ?
		BLOCKED_S :
		LOOK_S);
}

/* Steps ------------------------------------------------------------------ */

static void
on_pruned(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct retention *retention = &registry->retention;
	uint64_t count = outcome->row_count;

	if (outcome->result != STORE_OK) {
		log_info("store: history: not shortened: %s",
		    outcome->message);
		end_look(registry);
		return;
	}
	retention->pruned_count += count;
	retention->extent.row_count -= count;
	if (count == STEP_ROWS) {
		ev_timer_again(registry->loop, &retention->step);
		return;
	}
	retention->is_pruned = true;
	measure(registry);		/* how old is what is left? */
}

static void
on_step(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;
	const struct store_prune_order order = {
		.older_than_wall_ms = registry->retention.cutoff_wall_ms,
		.excess = excess(registry),
		.floor = registry->model->generation,
		.limit = STEP_ROWS,
		.done = on_pruned,
		.context = registry,
	};

	(void)events;
	ev_timer_stop(loop, timer);
	if (store_prune(registry->store, &order) == -1)
		end_look(registry);
}

/* Looks ------------------------------------------------------------------ */

static void
on_measured(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct retention *retention = &registry->retention;

	if (outcome->result != STORE_OK) {
		log_info("store: history: not measured: %s",
		    outcome->message);
		end_look(registry);
		return;
	}
	retention->was_measured = true;
	retention->measured_generation = registry->model->generation;
	if (!retention->is_pruned && is_too_much(registry)) {
		ev_timer_again(registry->loop, &retention->step);
		return;
	}
	if (retention->is_pruned && !is_too_much(registry))
		log_info("store: history: shortened to %llu rows",
		    (unsigned long long)retention->extent.row_count);
	end_look(registry);
}

static void
measure(struct registry *registry)
{
	struct retention *retention = &registry->retention;

	if (store_measure_history(registry->store, &retention->extent,
		on_measured, registry) == -1)
		end_look(registry);
}

static void
on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;
	struct retention *retention = &registry->retention;
	int64_t age_ms = registry->daemon->settings->store.history_age_ms;
	struct store_figures figures;

	(void)loop;
	(void)events;
	store_figures(registry->store, &figures);
	if (retention->is_looking || registry->is_leaving)
		return;
	if (registry->model == NULL || !figures.is_up) {
		look_after(registry, AGAIN_S);
		return;
	}
	retention->is_looking = true;
	retention->is_pruned = false;
	retention->cutoff_wall_ms = age_ms == 0 ? 0 : clock_wall_ms() - age_ms;
	measure(registry);
}

void
retention_note(struct registry *registry)
{
	struct retention *retention = &registry->retention;

	if (retention->was_measured && !retention->is_looking &&
	    registry->model->generation >
		retention->measured_generation + GENERATIONS)
		look_after(registry, 0.0);
}

void
retention_reload(struct registry *registry)
{
	if (!registry->retention.is_looking)
		look_after(registry, 0.0);
}

void
retention_start(struct registry *registry)
{
	struct retention *retention = &registry->retention;

	ev_timer_init(&retention->look, on_look, AGAIN_S, LOOK_S);
	retention->look.data = registry;
	ev_timer_init(&retention->step, on_step, 0.0, STEP_S);
	retention->step.data = registry;
	ev_timer_start(registry->loop, &retention->look);
}

void
retention_stop(struct registry *registry)
{
	ev_timer_stop(registry->loop, &registry->retention.look);
	ev_timer_stop(registry->loop, &registry->retention.step);
}
