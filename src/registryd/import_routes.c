/*
 * registryd/import_routes.c - a document's routes, each known by its key.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "registryd/import.h"
#include "registryd/object_json.h"
#include "registryd/route_key.h"

static int
compare_routes(const void *a, const void *b)
{
	const struct present_route *one = a, *other = b;
	int result = strcmp(one->key, other->key);

	if (result != 0)
		return result;
	return one->route->object.id < other->route->object.id ? -1 : 1;
}

int
import_list_routes(struct import *import)
{
	const struct model_route *route = NULL;

	import->routes = calloc(import->model->routes.count + 1,
	    sizeof(*import->routes));
	if (import->routes == NULL)
		return import_out_of_memory(import);
	while ((route = model_next_route(import->model,
		route == NULL ? 0 : route->object.id)) != NULL) {
		struct buf key = { 0 };

		if (route->object.origin == ORIGIN_FILE ||
		    route->object.origin == ORIGIN_SESSION)
			continue;
		route_key_write(&route->object, &key);
		if (key.is_failed) {
			buf_free(&key);
			return import_out_of_memory(import);
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
		return import_out_of_memory(import);
	}
	there = find_route(import, key.data);
	buf_free(&key);
	if (there == NULL)
		return write_put_route(import->write, route, NULL);
	there->is_named = true;
	route->id = there->route->object.id;
	route->times = there->route->object.times;
	if (import_keep_condition(import, &route->condition,
		&there->route->object.condition) == -1)
		return -1;
	if (import_is_same_text(route_text(route),
		route_text(&there->route->object)))
		return 0;
	return write_put_route(import->write, route, &there->route->object);
}

int
import_take_route(struct import *import, int element)
{
	struct problem *problem = &import->write->problem;
	struct route route;
	int result = -1;

	if (route_init(&route, problem) == -1)
		return -1;
	if (route_read(json_raw(import->doc, element), false, &route,
		problem) == 0 &&
	    route_check(&route, problem) == 0) {
		route.origin = import_origin(import, element);
		result = put_route(import, &route);
	}
	route_clear(&route);
	return result;
}
