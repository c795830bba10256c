/*
 * registryd/control.c - orders of maintenance and drain end.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/control.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/registry.h"
#include "registryd/registry_news.h"
#include "registryd/write_queue.h"

#define AGAIN_MS	1000		/* after a write that failed */
/* Requests that were begun before the end of a drain may end by
 * themselves, before it counts as forced. */
#define DRAIN_GRACE_MS	1000
#define DRAIN_LOOK_MS	50

#define TOLD_MAX 256			/* drains told of in one go */

struct drain_end {
	uint64_t backend_id;
	bool is_clean;
};

struct control {
	struct registry *registry;
	struct drain_end ended[TOLD_MAX]; /* by the write that is under way */
	uint32_t ended_count;
	bool has_ended_maintenance, has_ended_drain; /* likewise */
	ev_timer next_end;
	bool is_ending;			/* a write of ours is under way */
};

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

	if (is_over) {
		condition_end_maintenance(condition);
		registry->control->has_ended_maintenance = true;
	}
	if (outcome != DRAIN_PENDING) {
		condition->drain_outcome = outcome;
		registry->control->has_ended_drain = true;
	}
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
	struct control *control = registry->control;

	(void)model;			/* is the registry's */
	control->ended_count = 0;
	control->has_ended_maintenance = control->has_ended_drain = false;
	write->is_order = true;
	if (end_services(write, registry) == -1 ||
	    end_backends(write, registry) == -1 ||
	    end_routes(write, registry) == -1)
		return -1;
	strcpy(write->cause, !control->has_ended_drain ?
		"maintenance is over" :
	    control->has_ended_maintenance ? "maintenance and drain are over" :
					     "drain is over");
	return 0;
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
	audit_by_itself(registry, write);
	registry->control->is_ending = true;
	write_queue_submit(registry->writes, write);
}

/* Beginning and end ------------------------------------------------------ */

int
control_start(struct registry *registry)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return -1;
	control->registry = registry;
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
	ev_timer_stop(registry->loop, &registry->control->next_end);
	free(registry->control);
	registry->control = NULL;
}
