/*
 * registryd/control_load.c - what is in flight at a service, backend, route.
 *
 * Sums over the regions of all workers that run.
 */
/* SPDX-License-Identifier: ISC */
#include "common/clock.h"
#include "registryd/control.h"
#include "registryd/registry.h"

static void
measure_backend(const struct worker_stats *stats,
    const struct model_backend *backend, int64_t now_ns,
    struct control_load *load)
{
	const struct backend_stats *record;
	int64_t oldest_ns, age_ms;

	if (backend->slot == TABLE_NONE)
		return;
	record = worker_stats_read_backend(stats, backend->slot,
	    backend->object.id);
	if (record == NULL)
		return;
	load->in_flight += atomic_load_explicit(&record->in_flight,
	    memory_order_relaxed);
	load->tunnels += atomic_load_explicit(&record->tunnels,
	    memory_order_relaxed);
	oldest_ns = atomic_load_explicit(&record->oldest_ns,
	    memory_order_relaxed);
	age_ms = oldest_ns == 0 ? 0 : (now_ns - oldest_ns) / NS_PER_MS;
	if (age_ms > load->oldest_ms)
		load->oldest_ms = age_ms;
}

static void
measure_service(const struct worker_stats *stats,
    const struct model_service *service, int64_t now_ns,
    struct control_load *load)
{
	const struct model_backend *backend;

	TAILQ_FOREACH(backend, &service->backends, of_service)
		measure_backend(stats, backend, now_ns, load);
}

static void
measure_in(const struct worker_stats *stats, const struct model *model,
    const struct control_target *target, struct control_load *load)
{
	int64_t now_ns = clock_now().ns;
	const struct model_service *service;
	const struct model_backend *backend;
	const struct model_route *route;

	switch (target->kind) {
	case OBJECT_SERVICE:
		service = model_find_service(model, target->name);
		if (service != NULL)
			measure_service(stats, service, now_ns, load);
		break;
	case OBJECT_BACKEND:
		backend = model_find_backend(model, target->id);
		if (backend != NULL)
			measure_backend(stats, backend, now_ns, load);
		break;
	case OBJECT_ROUTE:
		route = model_find_route(model, target->id);
		for (uint32_t i = 0; route != NULL &&
		    i < route->object.target_count; i++)
			measure_service(stats, route->targets[i].service,
			    now_ns, load);
		break;
	}
}

void
control_measure(const struct registry *registry,
    const struct control_target *target, struct control_load *load_r)
{
	*load_r = (struct control_load){ 0 };
	if (registry->model == NULL)
		return;
	for (uint32_t k = 0; k < SEGMENT_WORKERS_MAX; k++) {
		struct worker_stats *stats;
		struct worker_info info;

		if (worker_stats_open(registry->daemon->segment_dir, k,
			&stats) == -1)
			continue;
		worker_stats_info(stats, &info);
		if (info.pid != 0)
			measure_in(stats, registry->model, target, load_r);
		worker_stats_close(&stats);
	}
}
