/*
 * registryd/control.c - ends of orders, what is in flight, breakers.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/registry.h"
#include "registryd/registry_news.h"
#include "registryd/write_queue.h"

#define AGAIN_MS	1000		/* after a write that failed */
#define OBEY_TIMEOUT_S	2.0
/* Requests that were begun before the end of a drain may end by
 * themselves, before it counts as forced. */
#define DRAIN_GRACE_MS	1000
#define DRAIN_LOOK_MS	50

struct order {
	LIST_ENTRY(order) pending;
	struct registry *registry;
	uint64_t id;
	ev_timer timer;
	control_obeyed_fn *obeyed;
	void *context;
};

#define TOLD_MAX 256			/* drains told of in one go */

struct drain_end {
	uint64_t backend_id;
	bool is_clean;
};

struct control {
	struct registry *registry;
	struct drain_end ended[TOLD_MAX]; /* by the write that is under way */
	uint32_t ended_count;
	ev_timer next_end;
	bool is_ending;			/* a write of ours is under way */
	LIST_HEAD(, order) orders;
	uint64_t order_id;
};

/* What is in flight ------------------------------------------------------ */

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

/* Ends ------------------------------------------------------------------- */

static int64_t
drain_end_ms(const struct condition *condition)
{
	return condition->drain_at_wall_ms + condition->drain_span_ms;
}

/* The next end of a condition, if it is before *next_ms. */
static void
note_end(const struct condition *condition, int64_t now_ms, int64_t *next_ms)
{
	int64_t end_ms = condition->maintenance_until_wall_ms;

	if (condition->in_maintenance && end_ms != 0 && end_ms < *next_ms)
		*next_ms = end_ms;
	if (condition->drain_at_wall_ms == 0 ||
	    condition->drain_outcome != DRAIN_PENDING)
		return;
	end_ms = drain_end_ms(condition);
	if (end_ms <= now_ms)
		end_ms = now_ms + DRAIN_LOOK_MS;
	if (end_ms < *next_ms)
		*next_ms = end_ms;
}

void
control_schedule(struct registry *registry)
{
	struct control *control = registry->control;
	const struct model *model = registry->model;
	const struct model_service *service;
	const struct model_backend *backend;
	const struct model_route *route;
	int64_t now_ms = clock_wall_ms(), next_ms = INT64_MAX;

	if (control == NULL || model == NULL || control->is_ending)
		return;
	ev_timer_stop(registry->loop, &control->next_end);
	LIST_FOREACH(service, &model->ordered_services, ordered)
		note_end(&service->object.condition, now_ms, &next_ms);
	LIST_FOREACH(backend, &model->ordered_backends, ordered)
		note_end(&backend->object.condition, now_ms, &next_ms);
	LIST_FOREACH(route, &model->ordered_routes, ordered)
		note_end(&route->object.condition, now_ms, &next_ms);
	if (next_ms == INT64_MAX)
		return;
	ev_now_update(registry->loop);
	ev_timer_set(&control->next_end,
	    next_ms <= now_ms ? 0.0 : (double)(next_ms - now_ms) / 1000.0,
	    0.0);
	ev_timer_start(registry->loop, &control->next_end);
}

/* How a drain that is complete has ended; PENDING: it is not told yet. */
static enum drain_outcome
outcome_of(const struct registry *registry,
    const struct control_target *target, const struct condition *condition,
    int64_t now_ms)
{
	struct control_load load;

	if (condition->drain_at_wall_ms == 0 ||
	    condition->drain_outcome != DRAIN_PENDING ||
	    now_ms < drain_end_ms(condition))
		return DRAIN_PENDING;
	control_measure(registry, target, &load);
	if (load.in_flight == 0)
		return DRAIN_CLEAN;
	if (load.tunnels > 0 ||
	    now_ms - drain_end_ms(condition) >= DRAIN_GRACE_MS)
		return DRAIN_FORCED;
	return DRAIN_PENDING;
}

/* Ends what is over; true: something was. */
static bool
end_orders(const struct registry *registry,
    const struct control_target *target, struct condition *condition)
{
	int64_t now_ms = clock_wall_ms();
	enum drain_outcome outcome = outcome_of(registry, target, condition,
	    now_ms);
	bool is_over = condition->in_maintenance &&
	    condition->maintenance_until_wall_ms != 0 &&
	    condition->maintenance_until_wall_ms <= now_ms;

	if (is_over)
		condition_end_maintenance(condition);
	if (outcome != DRAIN_PENDING)
		condition->drain_outcome = outcome;
	return is_over || outcome != DRAIN_PENDING;
}

static int
out_of_memory(struct write *write)
{
	return problem_set(&write->problem, 503, "out_of_memory", NULL,
	    "out of memory");
}

static int
end_services(struct write *write, const struct registry *registry)
{
	const struct model_service *there;
	struct service service;
	int result = 0;

	LIST_FOREACH(there, &registry->model->ordered_services, ordered) {
		const struct control_target target = {
			OBJECT_SERVICE, there->object.name, 0 };

		if (service_copy_object(&there->object, &service) == -1)
			return out_of_memory(write);
		if (end_orders(registry, &target, &service.condition))
			result = write_put_service(write, &service,
			    &there->object);
		service_clear(&service);
		if (result == -1)
			return -1;
	}
	return 0;
}

/* To be told when it is committed. */
static void
note_drain_end(struct control *control, const struct backend *before,
    enum drain_outcome outcome)
{
	if (outcome == before->condition.drain_outcome ||
	    control->ended_count == TOLD_MAX)
		return;
	control->ended[control->ended_count++] = (struct drain_end){
		before->id, outcome == DRAIN_CLEAN };
}

static void
tell_drain_ends(struct registry *registry)
{
	struct control *control = registry->control;

	for (uint32_t i = 0; i < control->ended_count; i++)
		registry_tell_drain(registry, control->ended[i].backend_id,
		    control->ended[i].is_clean);
	control->ended_count = 0;
}

static int
end_backends(struct write *write, const struct registry *registry)
{
	const struct model_backend *there;
	struct backend backend;
	int result = 0;

	LIST_FOREACH(there, &registry->model->ordered_backends, ordered) {
		const struct control_target target = {
			OBJECT_BACKEND, NULL, there->object.id };

		if (backend_copy_object(&there->object, &backend) == -1)
			return out_of_memory(write);
		if (end_orders(registry, &target, &backend.condition))
			result = write_put_backend(write, &backend,
			    &there->object);
		note_drain_end(registry->control, &there->object,
		    backend.condition.drain_outcome);
		backend_clear(&backend);
		if (result == -1)
			return -1;
	}
	return 0;
}

static int
end_routes(struct write *write, const struct registry *registry)
{
	const struct model_route *there;
	struct route route;
	int result = 0;

	LIST_FOREACH(there, &registry->model->ordered_routes, ordered) {
		const struct control_target target = {
			OBJECT_ROUTE, NULL, there->object.id };

		if (route_copy_object(&there->object, &route) == -1)
			return out_of_memory(write);
		if (end_orders(registry, &target, &route.condition))
			result = write_put_route(write, &route,
			    &there->object);
		route_clear(&route);
		if (result == -1)
			return -1;
	}
	return 0;
}

static int
plan_ends(struct write *write, const struct model *model, void *context)
{
	const struct registry *registry = context;

	(void)model;			/* is the registry's */
	registry->control->ended_count = 0;
	write->is_order = true;
	if (end_services(write, registry) == -1 ||
	    end_backends(write, registry) == -1)
		return -1;
	return end_routes(write, registry);
}

static void
on_ends_done(struct write *write, void *context)
{
	struct registry *registry = context;
	struct control *control = registry->control;

	if (control == NULL)
		return;
	control->is_ending = false;
	if (write->problem.status == 0) {
		tell_drain_ends(registry);
		control_schedule(registry);
		return;
	}
	log_warn("orders that are over: not noted in the store: %s",
	    write->problem.detail);
	ev_timer_set(&control->next_end, AGAIN_MS / 1000.0, 0.0);
	ev_timer_start(registry->loop, &control->next_end);
}

static void
on_next_end(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;
	struct write *write;

	(void)loop;
	(void)events;
	if (registry->model == NULL || registry->is_leaving)
		return;
	write = write_new(plan_ends, on_ends_done, registry);
	if (write == NULL) {
		control_schedule(registry);
		return;
	}
	strcpy(write->who, "sluice");
	write->channel = "clock";
	registry->control->is_ending = true;
	write_queue_submit(registry->writes, write);
}

/* Breakers --------------------------------------------------------------- */

static void
end_order(struct order *order, bool is_done)
{
	control_obeyed_fn *obeyed = order->obeyed;
	void *context = order->context;

	ev_timer_stop(order->registry->loop, &order->timer);
	LIST_REMOVE(order, pending);
	free(order);
	obeyed(context, is_done);
}

static void
on_order_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	end_order(timer->data, false);
}

static struct order *
find_order(struct control *control, uint64_t id)
{
	struct order *order;

	LIST_FOREACH(order, &control->orders, pending)
		if (order->id == id)
			return order;
	return NULL;
}

/* What healthd is to be told.  0, or -1 with ENOENT. */
static int
fill_order(const struct registry *registry, uint64_t backend_id,
    struct health_breaker_order *message)
{
	const struct model_backend *backend;
	struct backend_copy copy;
	struct arena arena;
	enum table_result result = TABLE_ABSENT;

	backend = registry->model == NULL ? NULL :
	    model_find_backend(registry->model, backend_id);
	if (backend != NULL && backend->slot != TABLE_NONE) {
		arena_init(&arena, 65536);
		result = route_table_read_backend(registry->table,
		    backend->slot, &arena, &copy);
		message->slot = backend->slot;
		message->generation = copy.generation;
		arena_free(&arena);
	}
	if (result == TABLE_FOUND)
		return 0;
	errno = ENOENT;
	return -1;
}

int
control_order_breaker(struct registry *registry, uint64_t backend_id,
    enum breaker_action action, control_obeyed_fn *obeyed, void *context)
{
	struct control *control = registry->control;
	struct health_breaker_order message = { .action = action };
	struct order *order;

	if (fill_order(registry, backend_id, &message) == -1)
		return -1;
	if (registry->healthd == NULL) {
		errno = ENOTCONN;
		return -1;
	}
	if ((order = calloc(1, sizeof(*order))) == NULL)
		return -1;
	message.id = order->id = ++control->order_id;
	if (channel_send(registry->healthd, TO_HEALTHD_BREAKER, &message,
		sizeof(message), NULL, 0) == -1) {
		free(order);
		return -1;
	}
	order->registry = registry;
	order->obeyed = obeyed;
	order->context = context;
	ev_timer_init(&order->timer, on_order_timeout, OBEY_TIMEOUT_S, 0.0);
	order->timer.data = order;
	ev_timer_start(registry->loop, &order->timer);
	LIST_INSERT_HEAD(&control->orders, order, pending);
	return 0;
}

void
control_obeyed(struct registry *registry, const struct health_obeyed *obeyed)
{
	struct order *order = find_order(registry->control, obeyed->id);

	if (order != NULL)
		end_order(order, obeyed->is_done != 0);
}

void
control_lost_healthd(struct registry *registry)
{
	struct order *order;

	if (registry->control == NULL)
		return;
	while ((order = LIST_FIRST(&registry->control->orders)) != NULL)
		end_order(order, false);
}

/* Beginning and end ------------------------------------------------------ */

int
control_start(struct registry *registry)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return -1;
	control->registry = registry;
	LIST_INIT(&control->orders);
	ev_init(&control->next_end, on_next_end);
	control->next_end.data = registry;
	registry->control = control;
	return 0;
}

void
control_stop(struct registry *registry)
{
	if (registry->control == NULL)
		return;
	control_lost_healthd(registry);
	ev_timer_stop(registry->loop, &registry->control->next_end);
	free(registry->control);
	registry->control = NULL;
}
