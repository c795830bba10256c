/*
 * registryd/control_plan.c - an order as a change of its object.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "http/url.h"
#include "registryd/control.h"
#include "registryd/member.h"
#include "routing/condition.h"

const struct condition *
control_condition(const struct model *model,
    const struct control_target *target)
{
	const struct model_service *service;
	const struct model_backend *backend;
	const struct model_route *route;

	switch (target->kind) {
	case OBJECT_SERVICE:
		service = model_find_service(model, target->name);
		return service == NULL ? NULL : &service->object.condition;
	case OBJECT_BACKEND:
		backend = model_find_backend(model, target->id);
		return backend == NULL ? NULL : &backend->object.condition;
	case OBJECT_ROUTE:
		route = model_find_route(model, target->id);
		return route == NULL ? NULL : &route->object.condition;
	}
	return NULL;
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static bool
is_text(const char *text, const char *wanted)
{
	return strcmp(or_empty(text), or_empty(wanted)) == 0;
}

/* Whether the order says what is so already. */
static bool
is_obeyed(const struct condition *condition,
    const struct control_order *order)
{
	switch (order->verb) {
	case CONTROL_MAINTENANCE_ENTER:
		return condition->in_maintenance &&
		    condition->maintenance_until_wall_ms ==
			order->until_wall_ms &&
		    is_text(condition->maintenance_reason, order->reason) &&
		    is_text(condition->page_url, order->page_url) &&
		    is_text(condition->allow, order->allow);
	case CONTROL_MAINTENANCE_EXIT:
		return !condition->in_maintenance;
	case CONTROL_DRAIN_START:
		return condition->drain_at_wall_ms != 0 &&
		    condition->drain_span_ms == order->span_ms &&
		    is_text(condition->drain_reason, order->reason);
	case CONTROL_DRAIN_CANCEL:
		return condition->drain_at_wall_ms == 0;
	}
	return false;
}

/* 0, or -1 when out of memory. */
static int
obey(struct condition *condition, const struct control_order *order)
{
	int64_t now_ms = clock_wall_ms();

	switch (order->verb) {
	case CONTROL_MAINTENANCE_ENTER:
		if (!condition->in_maintenance)
			condition->maintenance_at_wall_ms = now_ms;
		condition->in_maintenance = true;
		condition->maintenance_until_wall_ms = order->until_wall_ms;
		if (text_set(&condition->maintenance_who,
			bytes_of(or_empty(order->who))) == -1 ||
		    text_set(&condition->maintenance_reason,
			bytes_of(or_empty(order->reason))) == -1 ||
		    text_set(&condition->page_url,
			bytes_of(or_empty(order->page_url))) == -1)
			return -1;
		return text_set(&condition->allow,
		    bytes_of(or_empty(order->allow)));
	case CONTROL_MAINTENANCE_EXIT:
		condition_end_maintenance(condition);
		return 0;
	case CONTROL_DRAIN_START:
		condition->drain_at_wall_ms = now_ms;
		condition->drain_span_ms = order->span_ms;
		condition->drain_outcome = DRAIN_PENDING;
		if (text_set(&condition->drain_who,
			bytes_of(or_empty(order->who))) == -1)
			return -1;
		return text_set(&condition->drain_reason,
		    bytes_of(or_empty(order->reason)));
	case CONTROL_DRAIN_CANCEL:
		condition_end_drain(condition);
		return 0;
	}
	return 0;
}

static const char *
page_fault(const char *url)
{
	static const struct bytes scheme = BYTES_LITERAL("http://");
	struct bytes text = bytes_of(url);
	struct backend_url parsed;
	const char *slash;

	if (!bytes_start_with(text, scheme))
		return "a page is fetched from an http:// URL";
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] == 0x7f)
			return "a URL has no blanks";
	slash = memchr(text.data + scheme.len, '/', text.len - scheme.len);
	if (slash != NULL)
		text.len = (size_t)(slash - text.data);
	return url_parse_backend(text, &parsed);
}

static int
check_order(struct write *write, const struct control_order *order)
{
	struct bytes fault;
	const char *why;

	if (order->verb != CONTROL_MAINTENANCE_ENTER)
		return 0;
	if (*or_empty(order->page_url) != '\0' &&
	    (why = page_fault(order->page_url)) != NULL)
		return problem_invalid(&write->problem, "/page_url",
		    "page_url: %s", why);
	fault = address_list_fault(bytes_of(or_empty(order->allow)));
	if (fault.len > 0)
		return problem_invalid(&write->problem, "/allow",
		    "\"%.*s\" is no address and no block such as 10.0.0.0/8",
		    BYTES_ARGS(fault));
	if (order->until_wall_ms != 0 &&
	    order->until_wall_ms <= clock_wall_ms())
		return problem_invalid(&write->problem, "/until",
		    "until is past");
	return 0;
}

static int
out_of_memory(struct write *write)
{
	return problem_set(&write->problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

static int
plan_service(struct write *write, const struct service *there,
    const struct control_order *order)
{
	struct service service;
	int result;

	if (service_copy_object(there, &service) == -1)
		return out_of_memory(write);
	result = obey(&service.condition, order) == -1 ?
	    out_of_memory(write) : write_put_service(write, &service, there);
	service_clear(&service);
	return result;
}

static int
plan_backend(struct write *write, const struct backend *there,
    const struct control_order *order)
{
	struct backend backend;
	int result;

	if (backend_copy_object(there, &backend) == -1)
		return out_of_memory(write);
	result = obey(&backend.condition, order) == -1 ?
	    out_of_memory(write) : write_put_backend(write, &backend, there);
	backend_clear(&backend);
	return result;
}

static int
plan_route(struct write *write, const struct route *there,
    const struct control_order *order)
{
	struct route route;
	int result;

	if (route_copy_object(there, &route) == -1)
		return out_of_memory(write);
	result = obey(&route.condition, order) == -1 ?
	    out_of_memory(write) : write_put_route(write, &route, there);
	route_clear(&route);
	return result;
}

static int
plan_object(struct write *write, const struct model *model,
    const struct control_target *target, const struct control_order *order)
{
	switch (target->kind) {
	case OBJECT_SERVICE:
		return plan_service(write,
		    &model_find_service(model, target->name)->object, order);
	case OBJECT_BACKEND:
		return plan_backend(write,
		    &model_find_backend(model, target->id)->object, order);
	case OBJECT_ROUTE:
		return plan_route(write,
		    &model_find_route(model, target->id)->object, order);
	}
	return -1;
}

int
control_plan(struct write *write, const struct model *model,
    const struct control_target *target, const struct control_order *order)
{
	const struct condition *condition = control_condition(model, target);
	bool was_order = write->is_order;
	int result;

	if (condition == NULL && target->kind == OBJECT_SERVICE)
		return problem_set(&write->problem, 404, "no_service", NULL,
		    "there is no service \"%s\"", target->name);
	if (condition == NULL)
		return problem_set(&write->problem, 404,
		    target->kind == OBJECT_ROUTE ? "no_route" : "no_backend",
		    NULL, "there is no %s %" PRIu64,
		    object_kind_name(target->kind), target->id);
	if (check_order(write, order) == -1)
		return -1;
	if (is_obeyed(condition, order))
		return 0;
	write->is_order = true;
	result = plan_object(write, model, target, order);
	write->is_order = was_order;
	return result;
}

int
control_plan_all(struct write *write, const struct model *model,
    const struct control_order *order)
{
	const struct model_service *service = NULL;

	write->is_bulk = true;
	while ((service = model_next_service(model,
	    service == NULL ? NULL : service->object.name)) != NULL) {
		const struct control_target target = {
			OBJECT_SERVICE, service->object.name, 0 };

		if (control_plan(write, model, &target, order) == -1)
			return -1;
	}
	return 0;
}
