/*
 * registryd/registration.c - what POST /register says.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/registration.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "registryd/object_json.h"

void
registration_clear(struct registration *registration)
{
	free(registration->name);
	free(registration->base_url);
	free(registration->health_path);
	for (uint32_t i = 0; i < registration->prefix_count; i++)
		free(registration->prefixes[i]);
	free(registration->prefixes);
	*registration = (struct registration){ 0 };
}

static bool
is_absent(const struct json_doc *doc, int value)
{
	return value == JSON_NONE || json_type(doc, value) == JSON_NULL;
}

static const char *
parse_text(const struct json_doc *doc, const char *member, bool is_required,
    char **text_r)
{
	int value = json_member(doc, json_root(doc), member);

	if (is_absent(doc, value))
		return is_required ? REGISTRATION_MISSING : NULL;
	if ((*text_r = json_string(doc, value)) == NULL)
		return REGISTRATION_BAD;
	if ((*text_r)[0] != '\0')
		return NULL;
	free(*text_r);
	*text_r = NULL;
	return is_required ? REGISTRATION_MISSING : NULL;
}

static const char *
parse_prefixes(const struct json_doc *doc, struct registration *registration)
{
	int list = json_member(doc, json_root(doc), "routes");
	int element = JSON_NONE;
	size_t count;

	if (is_absent(doc, list))
		return REGISTRATION_MISSING;
	if (json_type(doc, list) != JSON_ARRAY)
		return REGISTRATION_BAD;
	count = json_count(doc, list);
	if (count == 0)
		return REGISTRATION_MISSING;
	if (count > ROUTE_PREFIXES_MAX)
		return "too many routes in payload";
	registration->prefixes = calloc(count, sizeof(char *));
	if (registration->prefixes == NULL)
		return "out of memory";
	while (json_each(doc, list, &element, NULL)) {
		char *prefix = json_string(doc, element);

		if (prefix == NULL)
			return REGISTRATION_BAD;
		registration->prefixes[registration->prefix_count++] = prefix;
	}
	return NULL;
}

static const char *
parse_members(const struct json_doc *doc, struct registration *registration)
{
	const char *fault;

	if (json_type(doc, json_root(doc)) != JSON_OBJECT)
		return REGISTRATION_BAD;
	fault = parse_text(doc, "name", true, &registration->name);
	if (fault == NULL)
		fault = parse_text(doc, "base_url", true,
		    &registration->base_url);
	if (fault == NULL)
		fault = parse_prefixes(doc, registration);
	if (fault == NULL)
		fault = parse_text(doc, "health_path", false,
		    &registration->health_path);
	return fault;
}

const char *
registration_parse(struct bytes json, struct registration *registration_r)
{
	struct json_doc *doc;
	const char *fault;
	size_t offset;

	*registration_r = (struct registration){ 0 };
	if (json_parse(json, &doc, &offset) == -1)
		return REGISTRATION_BAD;
	fault = parse_members(doc, registration_r);
	json_doc_free(&doc);
	if (fault != NULL)
		registration_clear(registration_r);
	return fault;
}

/* Planning --------------------------------------------------------------- */

/* One upsert on its way. */
struct upsert {
	const struct registration *registration;
	struct write *write;
	const struct model_service *there; /* NULL: a new service */
};

static int
out_of_memory(struct upsert *upsert)
{
	return problem_set(&upsert->write->problem, 503, "out_of_memory",
	    NULL, "out of memory; try again");
}

static int
fill_service(struct upsert *upsert, struct service *service)
{
	const char *path = upsert->registration->health_path;

	if (text_set(&service->name,
		bytes_of(upsert->registration->name)) == -1)
		return out_of_memory(upsert);
	if (path == NULL && service->origin != ORIGIN_REGISTER)
		return 0;
	service->probe_kind = path == NULL ? PROBE_CONNECT : PROBE_HTTP;
	if (text_set(&service->probe_path,
		bytes_of(path == NULL ? "" : path)) == -1)
		return out_of_memory(upsert);
	return 0;
}

static int
plan_service(struct upsert *upsert)
{
	const struct service *before = upsert->there == NULL ?
	    NULL :
	    &upsert->there->object;
	struct service service;
	int result;

	if (before != NULL && service_copy_object(before, &service) == -1)
		return out_of_memory(upsert);
	if (before == NULL) {
		if (service_init(&service, &upsert->write->problem) == -1)
			return -1;
		service.origin = ORIGIN_REGISTER;
	}
	result = fill_service(upsert, &service);
	if (result == 0)
		result = write_put_service(upsert->write, &service, before);
	service_clear(&service);
	return result;
}

static const struct backend *
find_backend(const struct model_service *service)
{
	const struct model_backend *backend;

	if (service != NULL)
		TAILQ_FOREACH(backend, &service->backends, of_service)
			if (backend->object.origin == ORIGIN_REGISTER)
				return &backend->object;
	return NULL;
}

static int
plan_backend(struct upsert *upsert)
{
	const struct backend *before = find_backend(upsert->there);
	struct backend backend;
	int result;

	if (before != NULL && backend_copy_object(before, &backend) == -1)
		return out_of_memory(upsert);
	if (before == NULL) {
		if (backend_init(&backend, &upsert->write->problem) == -1)
			return -1;
		backend.origin = ORIGIN_REGISTER;
	}
	if (text_set(&backend.service,
		bytes_of(upsert->registration->name)) == -1 ||
	    text_set(&backend.url,
		bytes_of(upsert->registration->base_url)) == -1)
		result = out_of_memory(upsert);
	else
		result = write_put_backend(upsert->write, &backend, before);
	backend_clear(&backend);
	return result;
}

static const struct route *
find_route(const struct model_service *service)
{
	const struct model_target *target;

	if (service != NULL)
		LIST_FOREACH(target, &service->targets, of_service)
			if (target->route->object.origin == ORIGIN_REGISTER)
				return &target->route->object;
	return NULL;
}

static int
fill_route(struct upsert *upsert, struct route *route)
{
	const struct registration *registration = upsert->registration;

	route->origin = ORIGIN_REGISTER;
	route->strip_prefix = true;
	route->is_shared = true;
	for (uint32_t i = 0; i < registration->prefix_count; i++)
		if (route_add_prefix(route,
			bytes_of(registration->prefixes[i])) == -1)
			return out_of_memory(upsert);
	route->targets[0].service = strdup(registration->name);
	if (route->targets[0].service == NULL)
		return out_of_memory(upsert);
	route->targets[0].weight = 1;
	route->target_count = 1;
	return 0;
}

static int
plan_route(struct upsert *upsert)
{
	const struct route *before = find_route(upsert->there);
	struct route route;
	int result;

	if (route_init(&route, &upsert->write->problem) == -1)
		return -1;
	if (before != NULL) {
		route.id = before->id;
		route.times = before->times;
	}
	result = fill_route(upsert, &route);
	if (result == 0)
		result = write_put_route(upsert->write, &route, before);
	route_clear(&route);
	return result;
}

int
registration_plan(const struct registration *registration,
    struct write *write, const struct model *model)
{
	struct upsert upsert = { registration, write,
		model_find_service(model, registration->name) };

	if (service_name_check(registration->name, "/name",
		&write->problem) == -1 ||
	    plan_service(&upsert) == -1 || plan_backend(&upsert) == -1)
		return -1;
	return plan_route(&upsert);
}
