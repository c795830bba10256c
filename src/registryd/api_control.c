/*
 * registryd/api_control.c - maintenance and drain on /v1.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/api_parts.h"
#include "registryd/condition_json.h"
#include "registryd/control.h"
#include "registryd/object_json.h"

#define KIND_SEGMENT 1			/* of /v1/KIND/ID/VERB */
#define ID_SEGMENT   2
#define VERB_SEGMENT 3

static struct control_target
target_of(const struct admin_request *request)
{
	struct bytes kind = request->segments[KIND_SEGMENT];
	struct control_target target = { .kind = OBJECT_ROUTE };

	if (bytes_is(kind, "services")) {
		target.kind = OBJECT_SERVICE;
		target.name = request->segments[ID_SEGMENT].data;
		return target;
	}
	if (bytes_is(kind, "backends"))
		target.kind = OBJECT_BACKEND;
	target.id = api_id(request, ID_SEGMENT);
	return target;
}

static bool
is_drain(const struct admin_request *request)
{
	return bytes_is(request->segments[VERB_SEGMENT], "drain");
}

/* Showing ---------------------------------------------------------------- */

static void
write_integer(struct json_writer *writer, const char *key, int64_t value)
{
	json_write_key(writer, key);
	json_write_integer(writer, value);
}

static int64_t
percent_left(const struct condition *condition, int64_t now_ms)
{
	int64_t left_ms = condition->drain_at_wall_ms +
	    condition->drain_span_ms - now_ms;

	if (left_ms <= 0)
		return 0;
	if (left_ms > condition->drain_span_ms)
		left_ms = condition->drain_span_ms;
	return (left_ms * 100 + condition->drain_span_ms / 2) /
	    condition->drain_span_ms;
}

static void
write_progress(struct json_writer *writer, const struct registry *registry,
    const struct control_target *target, const struct condition *condition)
{
	int64_t now_ms = clock_wall_ms(), left_ms;
	struct control_load load;

	control_measure(registry, target, &load);
	left_ms = condition->drain_at_wall_ms + condition->drain_span_ms -
	    now_ms;
	write_integer(writer, "remaining_ms", left_ms > 0 ? left_ms : 0);
	write_integer(writer, "traffic_percent",
	    percent_left(condition, now_ms));
	write_integer(writer, "in_flight", (int64_t)load.in_flight);
	write_integer(writer, "tunnels", (int64_t)load.tunnels);
	write_integer(writer, "oldest_ms", load.oldest_ms);
}

/* {"active", "maintenance" or "drain", progress} */
static char *
state_text(const struct registry *registry,
    const struct admin_request *request, const struct control_target *target)
{
	const struct condition *condition = control_condition(registry->model,
	    target);
	bool of_drain = is_drain(request);
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);
	bool is_active;

	if (condition == NULL)
		return NULL;
	is_active = of_drain ? condition->drain_at_wall_ms != 0
			     : condition->in_maintenance;
	json_write_begin(&writer, '{');
	json_write_key(&writer, "active");
	json_write_bool(&writer, is_active);
	json_write_key(&writer, of_drain ? "drain" : "maintenance");
	if (of_drain)
		drain_write(&writer, condition);
	else
		maintenance_write(&writer, condition);
	if (of_drain && is_active)
		write_progress(&writer, registry, target, condition);
	json_write_end(&writer, '}');
	if (!buf.is_failed)
		return buf.data;
	buf_free(&buf);
	return NULL;
}

static void
reply_absent(struct admin_request *request,
    const struct control_target *target)
{
	if (target->kind == OBJECT_SERVICE)
		api_reply_problem(request, 404, "no_service",
		    "there is no service \"%s\"", target->name);
	else
		api_reply_problem(request, 404,
		    target->kind == OBJECT_ROUTE ? "no_route" : "no_backend",
		    "there is no such %s", object_kind_name(target->kind));
}

void
api_control_get(struct registry *registry, struct admin_request *request)
{
	const struct control_target target = target_of(request);

	if (!api_has_model(registry, request))
		return;
	if (control_condition(registry->model, &target) == NULL) {
		reply_absent(request, &target);
		return;
	}
	admin_add_field(request, "Sluice-Generation", "%" PRIu64,
	    registry->model->generation);
	api_reply_text(request, 200, state_text(registry, request, &target));
}

/* Ordering --------------------------------------------------------------- */

static int
plan_put(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	struct admin_request *request = api->request;
	const struct control_target target = target_of(request);
	struct control_order order = { .who = request->who };
	int result;

	result = is_drain(request) ?
	    drain_read(request->body, &request->arena, &order,
		&write->problem) :
	    maintenance_read(request->body, &request->arena, &order,
		&write->problem);
	if (result == -1)
		return -1;
	return control_plan(write, model, &target, &order);
}

static int
plan_delete(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct control_target target = target_of(api->request);
	const struct control_order order = {
		.verb = is_drain(api->request) ? CONTROL_DRAIN_CANCEL
					       : CONTROL_MAINTENANCE_EXIT,
		.who = api->request->who,
	};

	return control_plan(write, model, &target, &order);
}

static void
on_put_done(struct write *write, void *context)
{
	struct api_write *api = context;
	const struct control_target target = target_of(api->request);
	char *text = NULL;

	if (write->problem.status == 0)
		text = state_text(api->registry, api->request, &target);
	api_write_finish(write, api, 0, text);
}

void
api_control_put(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_put, on_put_done);
}

void
api_control_delete(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_delete, api_write_done);
}
