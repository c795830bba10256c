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
#include "registryd/object_json.h"
#include "registryd/route_key.h"

/* A route of the model, and whether the document has it. */
struct present_route {
	char *key;
	const struct model_route *route;
	bool is_named;
};

/* What was named, as text; sorted, it is searched. */
struct names {
	char **list;
	size_t count, size;
};

struct import {
	struct write *write;
	const struct model *model;
	struct json_doc *doc;
	struct names names;
	struct present_route *routes;
	size_t route_count;
	bool replaces;
};

static int
out_of_memory(struct import *import)
{
	return problem_set(&import->write->problem, 503, "out_of_memory",
	    NULL, "out of memory; try again");
}

/* A problem's pointer is within element index of a list. */
static void
point_into(struct import *import, const char *list, uint32_t index)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "/%s/%u", list, index);
	problem_prefix_pointer(&import->write->problem, prefix);
}

/* Names ------------------------------------------------------------------ */

/* "NAME" is a service, "NAME\tURL" a backend: neither has a tab. */
static char *
name_of(const char *service, const char *url)
{
	char *name;

	if (asprintf(&name, "%s%s%s", service, url == NULL ? "" : "\t",
		url == NULL ? "" : url) == -1)
		return NULL;
	return name;
}

static int
add_name(struct import *import, const char *service, const char *url)
{
	struct names *names = &import->names;
	size_t size = names->size == 0 ? 64 : names->size * 2;
	char **list;

	if (names->count == names->size) {
		list = realloc(names->list, size * sizeof(*list));
		if (list == NULL)
			return out_of_memory(import);
		names->list = list;
		names->size = size;
	}
	names->list[names->count] = name_of(service, url);
	if (names->list[names->count] == NULL)
		return out_of_memory(import);
	names->count++;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the names; 0, or -1: one of them was there twice. */
static int
sort_names(struct import *import)
{
	struct names *names = &import->names;

	if (names->count > 0)
		qsort(names->list, names->count, sizeof(*names->list),
		    compare_names);
	for (size_t i = 1; i < names->count; i++) {
		char *name = names->list[i], *tab = strchr(name, '\t');

		if (strcmp(names->list[i - 1], name) != 0)
			continue;
		if (tab != NULL)
			*tab = ' ';
		return problem_set(&import->write->problem, 422, "invalid",
		    NULL, "\"%s\" stands in the document twice", name);
	}
	return 0;
}

static bool
is_named(const struct import *import, const char *service, const char *url)
{
	char *name = name_of(service, url);
	bool is_it = name == NULL ||	/* rather keep it than not */
	    (import->names.count > 0 &&
		bsearch(&name, import->names.list, import->names.count,
		    sizeof(*import->names.list), compare_names) != NULL);

	free(name);
	return is_it;
}

/* Elements --------------------------------------------------------------- */

/* The element without a member that is read apart. */
static void
write_without(const struct json_doc *doc, int element, const char *member,
    struct buf *buf)
{
	struct json_writer writer = json_writer(buf);
	int value = JSON_NONE;
	struct bytes key;

	json_write_begin(&writer, '{');
	while (json_each(doc, element, &value, &key)) {
		char name[64];

		if (bytes_is(key, member))
			continue;
		snprintf(name, sizeof(name), "%.*s", BYTES_ARGS(key));
		json_write_key(&writer, name);
		json_write_raw(&writer, json_raw(doc, value));
	}
	json_write_end(&writer, '}');
}

/* Where it came from elsewhere; what is not said is the API's. */
static enum object_origin
origin_of(const struct json_doc *doc, int element)
{
	char *word = json_string(doc, json_member(doc, element, "origin"));
	enum object_origin origin = ORIGIN_API;

	if (word == NULL || object_origin_parse(word, &origin) == -1 ||
	    origin != ORIGIN_REGISTER)
		origin = ORIGIN_API;
	free(word);
	return origin;
}

/* Takes both texts. */
static bool
is_same_text(char *a, char *b)
{
	bool is_same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return is_same;
}

/* Maintenance and drain are no part of a document: they stay. */
static int
keep_condition(struct import *import, struct condition *condition,
    const struct condition *present)
{
	condition_clear(condition);
	return condition_copy(present, condition) == 0
		   ? 0
		   : out_of_memory(import);
}

/* Services and backends -------------------------------------------------- */

static int
put_backend(struct import *import, struct backend *backend,
    const struct model_service *service)
{
	const struct model_backend *there = NULL;

	if (service != NULL)
		TAILQ_FOREACH(there, &service->backends, of_service)
			if (strcmp(there->object.url, backend->url) == 0)
				break;
	if (there == NULL)
		return write_put_backend(import->write, backend, NULL);
	backend->id = there->object.id;
	backend->times = there->object.times;
	if (keep_condition(import, &backend->condition,
		&there->object.condition) == -1)
		return -1;
	if (is_same_text(backend_text(backend),
		backend_text(&there->object)))
		return 0;
	return write_put_backend(import->write, backend, &there->object);
}

static int
take_backend(struct import *import, int element, const char *name,
    const struct model_service *service)
{
	struct problem *problem = &import->write->problem;
	struct backend backend;
	int result = -1;

	if (backend_init(&backend, problem) == -1)
		return -1;
	if (backend_read(json_raw(import->doc, element), false, &backend,
		problem) == -1 ||
	    backend_check(&backend, problem) == -1)
		goto done;
	backend.origin = origin_of(import->doc, element);
	if (text_set(&backend.service, bytes_of(name)) == -1)
		(void)out_of_memory(import);
	else if (add_name(import, name, backend.url) == 0)
		result = put_backend(import, &backend, service);
done:
	backend_clear(&backend);
	return result;
}

static int
take_backends(struct import *import, int list, const char *name,
    const struct model_service *service)
{
	int element = JSON_NONE;
	uint32_t index = 0;

	if (list == JSON_NONE)
		return 0;
	if (json_type(import->doc, list) != JSON_ARRAY)
		return problem_invalid(&import->write->problem, "/backends",
		    "a list is expected");
	while (json_each(import->doc, list, &element, NULL)) {
		if (take_backend(import, element, name, service) == -1) {
			point_into(import, "backends", index);
			return -1;
		}
		index++;
	}
	return 0;
}

static int
put_service(struct import *import, struct service *service,
    const struct model_service *there)
{
	if (there == NULL)
		return write_put_service(import->write, service, NULL);
	service->times = there->object.times;
	if (keep_condition(import, &service->condition,
		&there->object.condition) == -1)
		return -1;
	if (is_same_text(service_text(service), service_text(&there->object)))
		return 0;
	return write_put_service(import->write, service, &there->object);
}

static int
take_service(struct import *import, int element)
{
	struct problem *problem = &import->write->problem;
	const struct model_service *there;
	struct service service;
	struct buf text = { 0 };
	int result = -1;

	if (json_type(import->doc, element) != JSON_OBJECT)
		return problem_invalid(problem, "", "an object is expected");
	if (service_init(&service, problem) == -1)
		return -1;
	write_without(import->doc, element, "backends", &text);
	if (text.is_failed) {
		(void)out_of_memory(import);
	} else if (service_read(buf_bytes(&text), false, &service, problem) ==
		0 &&
	    service_name_check(service.name, "/name", problem) == 0 &&
	    add_name(import, service.name, NULL) == 0) {
		service.origin = origin_of(import->doc, element);
		there = model_find_service(import->model, service.name);
		if (put_service(import, &service, there) == 0)
			result = take_backends(import,
			    json_member(import->doc, element, "backends"),
			    service.name, there);
	}
	buf_free(&text);
	service_clear(&service);
	return result;
}

/* Routes ----------------------------------------------------------------- */

static int
compare_routes(const void *a, const void *b)
{
	const struct present_route *one = a, *other = b;
	int result = strcmp(one->key, other->key);

	if (result != 0)
		return result;
	return one->route->object.id < other->route->object.id ? -1 : 1;
}

static int
list_routes(struct import *import)
{
	const struct model_route *route = NULL;

	import->routes = calloc(import->model->routes.count + 1,
	    sizeof(*import->routes));
	if (import->routes == NULL)
		return out_of_memory(import);
	while ((route = model_next_route(import->model,
		route == NULL ? 0 : route->object.id)) != NULL) {
		struct buf key = { 0 };

		if (route->object.origin == ORIGIN_FILE ||
		    route->object.origin == ORIGIN_SESSION)
			continue;
		route_key_write(&route->object, &key);
		if (key.is_failed) {
			buf_free(&key);
			return out_of_memory(import);
		}
		import->routes[import->route_count++] =
		    (struct present_route){ .key = key.data, .route = route };
	}
	qsort(import->routes, import->route_count, sizeof(*import->routes),
	    compare_routes);
	return 0;
}

/* The first route of that key that was not named yet, or NULL. */
static struct present_route *
find_route(struct import *import, const char *key)
{
	size_t low = 0, high = import->route_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(import->routes[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < import->route_count &&
	    strcmp(import->routes[low].key, key) == 0; low++)
		if (!import->routes[low].is_named)
			return &import->routes[low];
	return NULL;
}

static int
put_route(struct import *import, struct route *route)
{
	struct present_route *there;
	struct buf key = { 0 };

	route_key_write(route, &key);
	if (key.is_failed) {
		buf_free(&key);
		return out_of_memory(import);
	}
	there = find_route(import, key.data);
	buf_free(&key);
	if (there == NULL)
		return write_put_route(import->write, route, NULL);
	there->is_named = true;
	route->id = there->route->object.id;
	route->times = there->route->object.times;
	if (keep_condition(import, &route->condition,
		&there->route->object.condition) == -1)
		return -1;
	if (is_same_text(route_text(route),
		route_text(&there->route->object)))
		return 0;
	return write_put_route(import->write, route, &there->route->object);
}

static int
take_route(struct import *import, int element)
{
	struct problem *problem = &import->write->problem;
	struct route route;
	int result = -1;

	if (route_init(&route, problem) == -1)
		return -1;
	if (route_read(json_raw(import->doc, element), false, &route,
		problem) == 0 &&
	    route_check(&route, problem) == 0) {
		route.origin = origin_of(import->doc, element);
		result = put_route(import, &route);
	}
	route_clear(&route);
	return result;
}

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
		    !is_named(import, backend->object.service,
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
		    !is_named(import, service->object.name, NULL) &&
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
			point_into(import, name, index);
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
	if (check_root(&import) == 0 && list_routes(&import) == 0 &&
	    take_list(&import, "services", take_service) == 0 &&
	    take_list(&import, "routes", take_route) == 0 &&
	    sort_names(&import) == 0)
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
