/*
 * registryd/api_routes.c - /v1/routes and /v1/routes/ID.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "registryd/api_parts.h"
#include "registryd/object_json.h"

#define ID_SEGMENT 2			/* of /v1/routes/ID */

static const struct model_route *
find(const struct model *model, const struct admin_request *request)
{
	return model_find_route(model, api_id(request, ID_SEGMENT));
}

/* Reading ---------------------------------------------------------------- */

static bool
leads_to(const struct route *route, struct bytes service)
{
	for (uint32_t i = 0; i < route->target_count; i++)
		if (bytes_is(service, route->targets[i].service))
			return true;
	return false;
}

void
api_routes_list(struct registry *registry, struct admin_request *request)
{
	struct bytes service = bytes_of("");
	const struct model_route *route;
	unsigned long long after;
	struct api_page page;
	struct api_list list;
	char last[24] = "";

	if (!api_has_model(registry, request) ||
	    !api_page(request, &page) ||
	    !api_cursor_number(request, &page, &after))
		return;
	(void)api_query(request, "service", NULL, &service);
	api_list_begin(&list);
	for (route = model_next_route(registry->model, after);
	    route != NULL && list.count < page.limit;
	    route = model_next_route(registry->model, route->object.id)) {
		snprintf(last, sizeof(last), "%" PRIu64, route->object.id);
		if (service.len > 0 && !leads_to(&route->object, service))
			continue;
		route_write(&list.writer, &route->object);
		list.count++;
	}
	api_list_reply(registry, request, &list, route == NULL ? NULL : last);
}

void
api_route_get(struct registry *registry, struct admin_request *request)
{
	const struct model_route *route;

	if (!api_has_model(registry, request))
		return;
	route = find(registry->model, request);
	if (route == NULL)
		api_reply_problem(request, 404, "no_route",
		    "there is no such route");
	else
		api_reply_object(registry, request,
		    route->object.times.version, route_text(&route->object));
}

/* Writing ---------------------------------------------------------------- */

static int
read_body(struct write *write, struct api_write *api,
    const struct route *there, struct route *route)
{
	if (there != NULL && route_copy_object(there, route) == -1)
		return problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory; try again");
	if (there == NULL && route_init(route, &write->problem) == -1)
		return -1;
	if (route_read(api->request->body, api->is_merge, route,
		&write->problem) == -1) {
		route_clear(route);
		return -1;
	}
	return 0;
}

static int
plan_post(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	struct route route;
	int result;

	(void)model;
	if (read_body(write, api, NULL, &route) == -1)
		return -1;
	result = write_put_route(write, &route, NULL);
	route_clear(&route);
	return result;
}

static bool
is_same(const struct route *a, const struct route *b)
{
	/* Orders are no part of an edit. */
	struct route bare_a = *a, bare_b = *b;

	bare_a.condition = bare_b.condition = (struct condition){ 0 };
	return api_is_same_text(route_text(&bare_a), route_text(&bare_b));
}

static int
plan_put(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct model_route *there = find(model, api->request);
	struct route route;
	int result;

	if (there == NULL)
		return problem_set(&write->problem, 404, "no_route", NULL,
		    "there is no such route; POST makes one");
	if (api_check_match(api->request, there->object.times.version,
		&write->problem) == -1 ||
	    read_body(write, api, api->is_merge ? &there->object : NULL,
		&route) == -1)
		return -1;
	route.id = there->object.id;
	route.origin = there->object.origin;
	route.times = there->object.times;
	result = route_check(&route, &write->problem);
	if (result == 0 && (there->object.origin == ORIGIN_FILE ||
		!is_same(&there->object, &route)))
		result = write_put_route(write, &route, &there->object);
	route_clear(&route);
	return result;
}

static void
on_put_done(struct write *write, void *context)
{
	struct api_write *api = context;
	const struct route *route;

	if (write->problem.status != 0) {
		api_write_finish(write, api, 0, NULL);
		return;
	}
	route = write->change_count > 0 ?
	    write->changes[0].object.route :
	    &find(api->registry->model, api->request)->object;
	api_write_finish(write, api, route->times.version, route_text(route));
}

static void
on_post_done(struct write *write, void *context)
{
	struct api_write *api = context;

	if (write->problem.status == 0)
		admin_add_field(api->request, "Location",
		    "/v1/routes/%" PRIu64, write->changes[0].object.route->id);
	on_put_done(write, context);
}

static int
plan_delete(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct model_route *there = find(model, api->request);

	if (api_check_match(api->request,
		there == NULL ? 0 : there->object.times.version,
		&write->problem) == -1)
		return -1;
	return there == NULL ? 0 : write_remove_route(write, &there->object);
}

void
api_route_post(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_post, on_post_done);
}

void
api_route_put(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_put, on_put_done);
}

void
api_route_delete(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_delete, api_write_done);
}
