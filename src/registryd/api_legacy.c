/*
 * registryd/api_legacy.c - /register, /deregister and /registry.
 *
 * For clients written before /v1; texts and shapes are theirs.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/api_parts.h"
#include "registryd/registration.h"

struct legacy_write {
	struct registry *registry;
	struct admin_request *request;
	struct registration registration;
	char *name;			/* in the request's arena, or above */
	const char *status;
};

static void
reply_fault(struct admin_request *request, const char *text)
{
	admin_reply(request, 400, "text/plain; charset=utf-8",
	    bytes_of(text));
}

static void
reply_done(struct legacy_write *legacy, unsigned int status)
{
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "status");
	json_write_text(&writer, legacy->status);
	json_write_key(&writer, "server");
	json_write_text(&writer, legacy->name);
	json_write_end(&writer, '}');
	admin_reply_json(legacy->request, status, &json);
}

static void
finish(struct write *write, struct legacy_write *legacy, unsigned int status)
{
	if (write->problem.status == 0) {
		api_add_generation(legacy->request, write);
		reply_done(legacy, status);
	} else if (write->problem.status == 422) {
		reply_fault(legacy->request, write->problem.detail);
	} else {
		admin_reply_problem(legacy->request, &write->problem);
	}
	registration_clear(&legacy->registration);
	free(legacy);
}

/* Submits; takes legacy. */
static void
submit(struct legacy_write *legacy, write_plan_fn *plan, write_done_fn *done)
{
	struct write *write = api_write_new(legacy->request, plan, done,
	    legacy, "register");

	if (write == NULL) {
		registration_clear(&legacy->registration);
		free(legacy);
		return;
	}
	write_queue_submit(legacy->registry->writes, write);
}

/* NULL: out of memory, and answered. */
static struct legacy_write *
make(struct registry *registry, struct admin_request *request,
    const char *status)
{
	struct legacy_write *legacy = calloc(1, sizeof(*legacy));

	if (legacy == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return NULL;
	}
	legacy->registry = registry;
	legacy->request = request;
	legacy->status = status;
	return legacy;
}

/* Register --------------------------------------------------------------- */

static int
plan_register(struct write *write, const struct model *model, void *context)
{
	const struct legacy_write *legacy = context;

	return registration_plan(&legacy->registration, write, model);
}

static void
on_registered(struct write *write, void *context)
{
	finish(write, context, 201);
}

void
api_register(struct registry *registry, struct admin_request *request)
{
	struct legacy_write *legacy = make(registry, request, "registered");
	const char *fault;

	if (legacy == NULL)
		return;
	fault = registration_parse(request->body, &legacy->registration);
	if (fault != NULL) {
		free(legacy);
		reply_fault(request, fault);
		return;
	}
	legacy->name = legacy->registration.name;
	submit(legacy, plan_register, on_registered);
}

/* Deregister ------------------------------------------------------------- */

static int
plan_deregister(struct write *write, const struct model *model, void *context)
{
	const struct legacy_write *legacy = context;
	const struct model_service *service = model_find_service(model,
	    legacy->name);

	if (service == NULL)
		return 0;		/* gone is gone */
	return write_remove_service_whole(write, service);
}

static void
on_deregistered(struct write *write, void *context)
{
	finish(write, context, 200);
}

/* The name of the query, else of a JSON body; NULL when there is none. */
static const char *
find_name(struct admin_request *request, struct legacy_write *legacy)
{
	struct json_doc *doc;
	struct bytes value;
	size_t offset;

	if (api_query(request, "name", NULL, &value) && value.len > 0) {
		legacy->registration.name = bytes_duplicate(value);
		return NULL;
	}
	if (request->http.method_id != HTTP_METHOD_POST)
		return REGISTRATION_NO_NAME;
	if (json_parse(request->body, &doc, &offset) == -1)
		return request->body.len == 0 ? REGISTRATION_NO_NAME :
						REGISTRATION_BAD;
	if (json_member(doc, json_root(doc), "name") != JSON_NONE)
		legacy->registration.name = json_string(doc,
		    json_member(doc, json_root(doc), "name"));
	json_doc_free(&doc);
	if (legacy->registration.name == NULL ||
	    legacy->registration.name[0] == '\0')
		return REGISTRATION_NO_NAME;
	return NULL;
}

void
api_deregister(struct registry *registry, struct admin_request *request)
{
	struct legacy_write *legacy = make(registry, request, "deregistered");
	const char *fault;

	if (legacy == NULL)
		return;
	fault = find_name(request, legacy);
	if (fault == NULL && legacy->registration.name == NULL)
		fault = "out of memory";
	if (fault != NULL) {
		registration_clear(&legacy->registration);
		free(legacy);
		reply_fault(request, fault);
		return;
	}
	legacy->name = legacy->registration.name;
	submit(legacy, plan_deregister, on_deregistered);
}

/* The registry ----------------------------------------------------------- */

/* The backend that came by registration, else the first. */
static const struct backend *
backend_shown(const struct model_service *service)
{
	const struct model_backend *backend;

	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (backend->object.origin == ORIGIN_REGISTER)
			return &backend->object;
	backend = TAILQ_FIRST(&service->backends);
	return backend == NULL ? NULL : &backend->object;
}

static void
write_prefixes(struct json_writer *writer,
    const struct model_service *service)
{
	const struct model_target *target;

	json_write_begin(writer, '[');
	LIST_FOREACH(target, &service->targets, of_service) {
		const struct route *route = &target->route->object;

		for (uint32_t i = 0; i < route->prefix_count; i++)
			json_write_text(writer, route->prefixes[i]);
	}
	json_write_end(writer, ']');
}

static void
write_server(struct json_writer *writer, const struct model_service *service,
    const struct backend *backend)
{
	char time[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(service->object.times.created_wall_ms, time);
	json_write_begin(writer, '{');
	json_write_key(writer, "name");
	json_write_text(writer, service->object.name);
	json_write_key(writer, "base_url");
	json_write_text(writer, backend->url);
	json_write_key(writer, "routes");
	write_prefixes(writer, service);
	json_write_key(writer, "registered_at");
	json_write_text(writer, time);
	json_write_end(writer, '}');
}

void
api_registry(struct registry *registry, struct admin_request *request)
{
	const struct model_service *service;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	if (!api_has_model(registry, request))
		return;
	json_write_begin(&writer, '[');
	for (service = model_next_service(registry->model, NULL);
	    service != NULL;
	    service = model_next_service(registry->model,
		service->object.name)) {
		const struct backend *backend = backend_shown(service);

		if (backend != NULL)
			write_server(&writer, service, backend);
	}
	json_write_end(&writer, ']');
	admin_reply_json(request, 200, &json);
}
