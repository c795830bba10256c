/*
 * registryd/api_backends.c - /v1/services/NAME/backends and /v1/backends.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/api_parts.h"
#include "registryd/object_json.h"

#define NAME_SEGMENT 2			/* of /v1/services/NAME/backends/ID */
#define ID_SEGMENT   4

static const char *
name_of(const struct admin_request *request)
{
	return request->segments[NAME_SEGMENT].data;
}

/* The backend of the path, if it is one of the path's service. */
static const struct model_backend *
find(const struct model *model, const struct admin_request *request)
{
	const struct model_backend *backend = model_find_backend(model,
	    api_id(request, ID_SEGMENT));

	if (backend == NULL ||
	    strcmp(backend->object.service, name_of(request)) != 0)
		return NULL;
	return backend;
}

static void
reply_absent(struct admin_request *request)
{
	api_reply_problem(request, 404, "no_backend",
	    "service \"%s\" has no such backend", name_of(request));
}

/* Reading ---------------------------------------------------------------- */

void
api_backends_list(struct registry *registry, struct admin_request *request)
{
	struct model_backend *backend;
	unsigned long long after;
	struct api_page page;
	struct api_list list;
	char last[24] = "";

	if (!api_has_model(registry, request) ||
	    !api_page(request, &page) ||
	    !api_cursor_number(request, &page, &after))
		return;
	api_list_begin(&list);
	backend = model_next_backend(registry->model, after);
	for (; backend != NULL && list.count < page.limit; list.count++) {
		backend_write(&list.writer, &backend->object);
		snprintf(last, sizeof(last), "%" PRIu64, backend->object.id);
		backend = model_next_backend(registry->model,
		    backend->object.id);
	}
	api_list_reply(registry, request, &list,
	    backend == NULL ? NULL : last);
}

void
api_backends_of_service(struct registry *registry,
    struct admin_request *request)
{
	const struct model_service *service;
	const struct model_backend *backend;
	unsigned long long skip, index = 0;
	struct api_page page;
	struct api_list list;
	char next[24];

	if (!api_has_model(registry, request) || !api_page(request, &page))
		return;
	service = model_find_service(registry->model, name_of(request));
	if (service == NULL) {
		api_reply_problem(request, 404, "no_service",
		    "there is no service \"%s\"", name_of(request));
		return;
	}
	if (!api_cursor_number(request, &page, &skip))
		return;
	api_list_begin(&list);
	TAILQ_FOREACH(backend, &service->backends, of_service) {
		if (index++ < skip)
			continue;
		if (list.count == page.limit)
			break;
		backend_write(&list.writer, &backend->object);
		list.count++;
	}
	snprintf(next, sizeof(next), "%llu", skip + list.count);
	api_list_reply(registry, request, &list,
	    backend == NULL ? NULL : next);
}

void
api_backend_get(struct registry *registry, struct admin_request *request)
{
	const struct model_backend *backend;

	if (!api_has_model(registry, request))
		return;
	backend = find(registry->model, request);
	if (backend == NULL)
		reply_absent(request);
	else
		api_reply_object(registry, request,
		    backend->object.times.version,
		    backend_text(&backend->object));
}

/* Writing ---------------------------------------------------------------- */

static int
read_body(struct write *write, struct api_write *api,
    const struct backend *there, struct backend *backend)
{
	if (there != NULL && backend_copy_object(there, backend) == -1)
		return problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory; try again");
	if (there == NULL && backend_init(backend, &write->problem) == -1)
		return -1;
	if (backend_read(api->request->body, api->is_merge, backend,
		&write->problem) == -1)
		goto fail;
	if (text_set(&backend->service, bytes_of(name_of(api->request))) ==
	    -1) {
		problem_set(&write->problem, 503, "out_of_memory", NULL,
		    "out of memory; try again");
		goto fail;
	}
	return 0;
fail:
	backend_clear(backend);
	return -1;
}

/* Adding the url that is there already changes it: a registration that is
 * repeated must not add a second. */
static const struct backend *
find_url(const struct model_service *service, const char *url)
{
	const struct model_backend *backend;

	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (strcmp(backend->object.url, url) == 0)
			return &backend->object;
	return NULL;
}

static int
plan_post(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct model_service *service = model_find_service(model,
	    name_of(api->request));
	const struct backend *same;
	struct backend backend;
	int result;

	if (service == NULL)
		return problem_set(&write->problem, 404, "no_service", NULL,
		    "there is no service \"%s\"", name_of(api->request));
	if (read_body(write, api, NULL, &backend) == -1)
		return -1;
	same = find_url(service, backend.url);
	if (same != NULL)
		result = problem_set(&write->problem, 409, "exists", "/url",
		    "backend %" PRIu64 " of service %s has that url", same->id,
		    same->service);
	else
		result = write_put_backend(write, &backend, NULL);
	backend_clear(&backend);
	return result;
}

static bool
is_same(const struct backend *a, const struct backend *b)
{
	return strcmp(a->url, b->url) == 0 && a->weight == b->weight &&
	    a->max_connections == b->max_connections;
}

static int
plan_put(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct model_backend *there = find(model, api->request);
	struct backend backend;
	int result = 0;

	if (there == NULL)
		return problem_set(&write->problem, 404, "no_backend", NULL,
		    "service \"%s\" has no such backend; POST makes one",
		    name_of(api->request));
	if (api_check_match(api->request, there->object.times.version,
		&write->problem) == -1 ||
	    read_body(write, api, api->is_merge ? &there->object : NULL,
		&backend) == -1)
		return -1;
	backend.id = there->object.id;
	backend.origin = there->object.origin;
	backend.times = there->object.times;
	if (there->object.origin == ORIGIN_FILE ||
	    !is_same(&there->object, &backend))
		result = write_put_backend(write, &backend, &there->object);
	backend_clear(&backend);
	return result;
}

static void
on_put_done(struct write *write, void *context)
{
	struct api_write *api = context;
	const struct backend *backend;

	if (write->problem.status != 0) {
		api_write_finish(write, api, 0, NULL);
		return;
	}
	backend = write->change_count > 0 ?
	    write->changes[0].object.backend :
	    &find(api->registry->model, api->request)->object;
	api_write_finish(write, api, backend->times.version,
	    backend_text(backend));
}

static void
on_post_done(struct write *write, void *context)
{
	struct api_write *api = context;
	struct buf name = { 0 };

	if (write->problem.status == 0) {
		api_encode(&name, bytes_of(name_of(api->request)));
		if (!name.is_failed)
			admin_add_field(api->request, "Location",
			    "/v1/services/%s/backends/%" PRIu64, name.data,
			    write->changes[0].object.backend->id);
		buf_free(&name);
	}
	on_put_done(write, context);
}

static int
plan_delete(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	const struct model_backend *there = find(model, api->request);

	if (api_check_match(api->request,
		there == NULL ? 0 : there->object.times.version,
		&write->problem) == -1)
		return -1;
	return there == NULL ? 0 : write_remove_backend(write, &there->object);
}

void
api_backend_post(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_post, on_post_done);
}

void
api_backend_put(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_put, on_put_done);
}

void
api_backend_delete(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_delete, api_write_done);
}
