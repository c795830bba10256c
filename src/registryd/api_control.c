/*
 * registryd/api_control.c - maintenance, drain and breakers on /v1.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
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

/* Breakers --------------------------------------------------------------- */

static const char *const state_words[] = {
	[BREAKER_CLOSED] = "closed",
	[BREAKER_OPEN] = "open",
	[BREAKER_HALF_OPEN] = "half-open",
};

#define GET(field) atomic_load_explicit(&(field), memory_order_relaxed)

static void
write_wall(struct json_writer *writer, const char *key, int64_t wall_ms)
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

void
breaker_write(struct json_writer *writer, const struct health_map *health,
    const struct model_backend *backend)
{
	static const struct health_detail none;
	const struct health_detail *detail = backend->slot == TABLE_NONE ?
	    NULL : health_detail(health, backend->slot);
	uint32_t state;

	if (detail == NULL || GET(detail->backend_id) != backend->object.id)
		detail = &none;
	state = GET(detail->breaker_state);
	if (state > BREAKER_HALF_OPEN)
		state = BREAKER_CLOSED;
	json_write_begin(writer, '{');
	json_write_key(writer, "state");
	json_write_text(writer, state_words[state]);
	write_integer(writer, "failures", GET(detail->failures));
	write_integer(writer, "successes", GET(detail->successes));
	write_integer(writer, "opened_count",
	    (int64_t)GET(detail->opened_count));
	write_wall(writer, "last_failure", GET(detail->failed_wall_ms));
	write_wall(writer, "next_attempt", GET(detail->next_attempt_wall_ms));
	json_write_end(writer, '}');
}

static const struct model_backend *
backend_of(struct registry *registry, struct admin_request *request)
{
	const struct control_target target = target_of(request);
	const struct model_backend *backend;

	if (!api_has_model(registry, request))
		return NULL;
	backend = model_find_backend(registry->model, target.id);
	if (backend == NULL)
		reply_absent(request, &target);
	return backend;
}

static void
reply_breaker(struct registry *registry, struct admin_request *request,
    const struct model_backend *backend)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);

	breaker_write(&writer, registry->health, backend);
	admin_reply_json(request, 200, &buf);
}

void
api_breaker_get(struct registry *registry, struct admin_request *request)
{
	const struct model_backend *backend = backend_of(registry, request);

	if (backend != NULL)
		reply_breaker(registry, request, backend);
}

struct breaker_wait {
	struct registry *registry;
	struct admin_request *request;
};

static void
on_obeyed(void *context, bool is_done)
{
	struct breaker_wait *wait = context;
	const struct control_target target = target_of(wait->request);
	const struct model_backend *backend = wait->registry->model == NULL ?
	    NULL : model_find_backend(wait->registry->model, target.id);

	if (is_done && backend != NULL)
		reply_breaker(wait->registry, wait->request, backend);
	else
		api_reply_problem(wait->request, 503, "healthd_unavailable",
		    "healthd did not obey; try again");
	free(wait);
}

/* 0 or -1: answered. */
static int
read_action(struct admin_request *request, enum breaker_action *action_r)
{
	struct json_doc *doc;
	size_t offset;
	char *word = NULL;
	int result = 0;

	if (json_parse(request->body, &doc, &offset) == 0) {
		int value = json_member(doc, json_root(doc), "action");

		word = value == JSON_NONE ? NULL : json_string(doc, value);
		json_doc_free(&doc);
	}
	if (word != NULL && strcmp(word, "trip") == 0)
		*action_r = BREAKER_TRIP;
	else if (word != NULL && strcmp(word, "reset") == 0)
		*action_r = BREAKER_RESET;
	else
		result = -1;
	free(word);
	if (result == -1)
		api_reply_problem(request, 422, "invalid",
		    "the body must be {\"action\":\"trip\"} or "
		    "{\"action\":\"reset\"}");
	return result;
}

void
api_breaker_post(struct registry *registry, struct admin_request *request)
{
	const struct model_backend *backend = backend_of(registry, request);
	enum breaker_action action;
	struct breaker_wait *wait;

	if (backend == NULL || read_action(request, &action) == -1)
		return;
	if ((wait = calloc(1, sizeof(*wait))) == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return;
	}
	wait->registry = registry;
	wait->request = request;
	if (control_order_breaker(registry, backend->object.id, action,
		on_obeyed, wait) == 0)
		return;
	free(wait);
	api_reply_problem(request, 503, "healthd_unavailable",
	    "healthd is not there: %s; try again", strerror(errno));
}
