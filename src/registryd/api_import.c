/*
 * registryd/api_import.c - POST /v1/import: many objects, one commit.
 *
 * The document of GET /v1/export, or a part of one.  A service is known
 * by its name, a backend by its service and url, a route by its key
 * (registryd/route_key.h): what is there is changed, what is not is made.
 * With replace=true, what the document does not have is removed.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/api_parts.h"
#include "registryd/import.h"

/* Removing --------------------------------------------------------------- */

static bool
is_removable(enum object_origin origin)
{
	return origin == ORIGIN_API || origin == ORIGIN_REGISTER;
}

static int
remove_backends(struct import *import)
{
	const struct model_backend *backend = NULL;

	while ((backend = model_next_backend(import->model,
		backend == NULL ? 0 : backend->object.id)) != NULL)
		if (is_removable(backend->object.origin) &&
		    !import_is_named(import, backend->object.service,
			backend->object.url) &&
		    write_remove_backend(import->write, &backend->object) ==
			-1)
			return -1;
	return 0;
}

/* What is not in the document goes, last what others lean on. */
static int
remove_rest(struct import *import)
{
	const struct model_service *service = NULL;

	for (size_t i = 0; i < import->route_count; i++)
		if (!import->routes[i].is_named &&
		    write_remove_route(import->write,
			&import->routes[i].route->object) == -1)
			return -1;
	if (remove_backends(import) == -1)
		return -1;
	while ((service = model_next_service(import->model,
		service == NULL ? NULL : service->object.name)) != NULL)
		if (is_removable(service->object.origin) &&
		    !import_is_named(import, service->object.name, NULL) &&
		    write_remove_service(import->write, &service->object) ==
			-1)
			return -1;
	return 0;
}

/* The document ----------------------------------------------------------- */

typedef int take_fn(struct import *, int element);

static int
take_list(struct import *import, const char *name, take_fn *take)
{
	int list = json_member(import->doc, json_root(import->doc), name);
	int element = JSON_NONE;
	uint32_t index = 0;
	char pointer[32];

	if (list == JSON_NONE)
		return 0;
	if (json_type(import->doc, list) != JSON_ARRAY) {
		snprintf(pointer, sizeof(pointer), "/%s", name);
		return problem_invalid(&import->write->problem, pointer,
		    "a list is expected");
	}
	while (json_each(import->doc, list, &element, NULL)) {
		if (take(import, element) == -1) {
			import_point_into(import, name, index);
			return -1;
		}
		index++;
	}
	return 0;
}

static int
check_root(struct import *import)
{
	int value = JSON_NONE;
	struct bytes key;

	if (json_type(import->doc, json_root(import->doc)) != JSON_OBJECT)
		return problem_invalid(&import->write->problem, "",
		    "an object with services and routes is expected");
	while (json_each(import->doc, json_root(import->doc), &value, &key))
		if (!bytes_is(key, "services") && !bytes_is(key, "routes"))
			return problem_invalid(&import->write->problem, "",
			    "there is no member \"%.*s\": services and routes "
			    "are expected", BYTES_ARGS(key));
	return 0;
}

static void
clear(struct import *import)
{
	for (size_t i = 0; i < import->names.count; i++)
		free(import->names.list[i]);
	free(import->names.list);
	for (size_t i = 0; i < import->route_count; i++)
		free(import->routes[i].key);
	free(import->routes);
	json_doc_free(&import->doc);
}

static int
plan_import(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	struct import import = { .write = write, .model = model,
		.replaces = api_query_flag(api->request, "replace") };
	size_t offset;
	int result = -1;

	write->is_bulk = true;
	strcpy(write->cause, "import");
	if (json_parse(api->request->body, &import.doc, &offset) == -1)
		return problem_set(&write->problem, 400, "bad_json", NULL,
		    "the body is not JSON: fault at byte %zu", offset);
	if (check_root(&import) == 0 && import_list_routes(&import) == 0 &&
	    take_list(&import, "services", import_take_service) == 0 &&
	    take_list(&import, "routes", import_take_route) == 0 &&
	    import_sort_names(&import) == 0)
		result = import.replaces ? remove_rest(&import) : 0;
	clear(&import);
	return result;
}

static void
on_imported(struct write *write, void *context)
{
	uint32_t created = 0, updated = 0, removed = 0;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	for (uint32_t i = 0; i < write->change_count; i++) {
		removed += write->changes[i].is_removal;
		created += !write->changes[i].is_removal &&
		    write->changes[i].before_json == NULL;
	}
	updated = write->change_count - created - removed;
	if (write->problem.status == 0) {
		json_write_begin(&writer, '{');
		json_write_key(&writer, "generation");
		json_write_integer(&writer, (int64_t)write->generation);
		json_write_key(&writer, "created");
		json_write_integer(&writer, created);
		json_write_key(&writer, "updated");
		json_write_integer(&writer, updated);
		json_write_key(&writer, "removed");
		json_write_integer(&writer, removed);
		json_write_end(&writer, '}');
	}
	if (json.is_failed)
		buf_free(&json);
	api_write_finish(write, context, 0, json.data);
}

void
api_import(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_import, on_imported);
}
