/*
 * registryd/api_services.c - /v1/services and /v1/services/NAME.
 */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "registryd/api_parts.h"
#include "registryd/object_json.h"

#define NAME_SEGMENT 2			/* of /v1/services/NAME */

static const char *
name_of(const struct admin_request *request)
{
	return request->segments[NAME_SEGMENT].data; /* has a NUL */
}

static void
reply_absent(struct admin_request *request)
{
	api_reply_problem(request, 404, "no_service",
	    "there is no service \"%s\"", name_of(request));
}

/* Reading ---------------------------------------------------------------- */

void
api_services_list(struct registry *registry, struct admin_request *request)
{
	struct model_service *service;
	struct api_page page;
	struct api_list list;
	const char *last = NULL;

	if (!api_has_model(registry, request) || !api_page(request, &page))
		return;
	api_list_begin(&list);
	service = model_next_service(registry->model,
	    page.cursor.len == 0 ? NULL : page.cursor.data);
	for (; service != NULL && list.count < page.limit; list.count++) {
		service_write(&list.writer, &service->object);
		last = service->object.name;
		service = model_next_service(registry->model, last);
	}
	api_list_reply(registry, request, &list,
	    service == NULL ? NULL : last);
}

void
api_service_get(struct registry *registry, struct admin_request *request)
{
	const struct model_service *service;

	if (!api_has_model(registry, request))
		return;
	service = model_find_service(registry->model, name_of(request));
	if (service == NULL)
		reply_absent(request);
	else
		api_reply_object(registry, request,
		    service->object.times.version,
		    service_text(&service->object));
}

/* Writing ---------------------------------------------------------------- */

static void
on_put_done(struct write *write, void *context)
{
	struct api_write *api = context;
	const struct service *service = NULL;
	const struct model_service *there;

	if (write->problem.status != 0) {
		api_write_finish(write, api, 0, NULL);
		return;
	}
	if (write->change_count > 0) {
		service = write->changes[0].object.service;
	} else {
		there = model_find_service(api->registry->model,
		    name_of(api->request));
		service = &there->object;
	}
	api_write_finish(write, api, service->times.version,
	    service_text(service));
}

/* The body, into a service that is preset or the present one. */
static int
read_body(struct write *write, struct api_write *api,
    const struct model_service *there, struct service *service)
{
	int result = there == NULL ?
	    service_init(service, &write->problem) :
	    service_copy_object(&there->object, service);

	if (result == -1 && there != NULL)
		return problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory; try again");
	if (result == -1)
		return -1;
	if (service_read(api->request->body, api->is_merge, service,
		&write->problem) == -1) {
		service_clear(service);
		return -1;
	}
	return 0;
}

static int
plan_post(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	struct service service;
	int result;

	if (read_body(write, api, NULL, &service) == -1)
		return -1;
	if (model_find_service(model, service.name) != NULL)
		result = problem_set(&write->problem, 409, "exists", "/name",
		    "there is a service \"%s\" already", service.name);
	else
		result = write_put_service(write, &service, NULL);
	service_clear(&service);
	return result;
}

static void
on_post_done(struct write *write, void *context)
{
	struct api_write *api = context;
	struct buf location = { 0 };

	if (write->problem.status == 0) {
		api_encode(&location,
		    bytes_of(write->changes[0].object.service->name));
		if (!location.is_failed)
			admin_add_field(api->request, "Location",
			    "/v1/services/%s", location.data);
		buf_free(&location);
	}
	on_put_done(write, context);
}

static bool
is_same(const struct service *a, const struct service *b)
{
	/* Orders are no part of an edit. */
	struct service bare_a = *a, bare_b = *b;

	bare_a.condition = bare_b.condition = (struct condition){ 0 };
	return api_is_same_text(service_text(&bare_a), service_text(&bare_b));
}

/* The name of the path is the service's; another in the body is refused. */
static int
fix_name(struct write *write, struct service *service, const char *name,
    const struct model_service *there)
{
	if (service->name[0] != '\0' && strcmp(service->name, name) != 0)
		return problem_invalid(&write->problem, "/name",
		    "the name is \"%s\" in the path; a service cannot be "
		    "renamed", name);
	if (text_set(&service->name, bytes_of(name)) == -1)
		return problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory; try again");
	if (there != NULL) {
		service->origin = there->object.origin;
		service->times = there->object.times;
	}
	return 0;
}

static int
plan_put(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const char *name = name_of(api->request);
	const struct model_service *there = model_find_service(model, name);
	struct service service;
	int result = 0;

	if (there == NULL && api->is_merge)
		return problem_set(&write->problem, 404, "no_service", NULL,
		    "there is no service \"%s\"", name);
	if (api_check_match(api->request,
		there == NULL ? 0 : there->object.times.version,
		&write->problem) == -1 ||
	    read_body(write, api, api->is_merge ? there : NULL, &service) ==
		-1)
		return -1;
	if (there == NULL)
		api->status = 201;
	result = fix_name(write, &service, name, there);
	if (result == 0 && (there == NULL || there->object.origin ==
		ORIGIN_FILE || !is_same(&there->object, &service)))
		result = write_put_service(write, &service,
		    there == NULL ? NULL : &there->object);
	service_clear(&service);
	return result;
}

static int
plan_delete(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct model_service *there = model_find_service(model,
	    name_of(api->request));
	const struct model_backend *backend;

	if (api_check_match(api->request,
		there == NULL ? 0 : there->object.times.version,
		&write->problem) == -1)
		return -1;
	if (there == NULL)
		return 0;
	if (api_query_flag(api->request, "cascade"))
		return write_remove_service_whole(write, there);
	TAILQ_FOREACH(backend, &there->backends, of_service)
		if (write_remove_backend(write, &backend->object) == -1)
			return -1;
	return write_remove_service(write, &there->object);
}

void
api_service_post(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_post, on_post_done);
}

void
api_service_put(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_put, on_put_done);
}

void
api_service_delete(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_delete, api_write_done);
}
