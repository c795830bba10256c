/*
 * registryd/model_route.c - routes, and the paths that they claim.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/model_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
model_free_path(struct model_path *path)
{
	free(path->domain);
	free(path->prefix);
	free(path->routes);
	free(path);
}

/* Paths ------------------------------------------------------------------ */

static struct model_path *
make_path(struct model *model, const char *domain, const char *prefix)
{
	struct model_path *path = path_index_find(&model->paths,
	    bytes_of(domain), bytes_of(prefix));

	if (path != NULL)
		return path;
	if ((path = calloc(1, sizeof(*path))) == NULL)
		return NULL;
	path->hash = path_hash(bytes_of(domain), bytes_of(prefix));
	path->domain = strdup(domain);
	path->prefix = strdup(prefix);
	if (path->domain == NULL || path->prefix == NULL ||
	    path_index_insert(&model->paths, path) == -1) {
		model_free_path(path);
		return NULL;
	}
	return path;
}

int
model_add_gone_path(struct model *model, struct bytes domain,
    struct bytes prefix)
{
	char *domain_text = bytes_duplicate(domain);
	char *prefix_text = bytes_duplicate(prefix);
	struct model_path *path = NULL;

	if (domain_text != NULL && prefix_text != NULL)
		path = make_path(model, domain_text, prefix_text);
	free(domain_text);
	free(prefix_text);
	if (path == NULL) {
		errno = ENOMEM;
		return -1;
	}
	path->is_published = true;
	model_touch_path(model, path);
	return 0;
}

/* Makes room for one more route at each of the route's paths, so that
 * linking cannot fail half-way. */
static int
prepare_paths(struct model *model, const struct route *object)
{
	for (uint32_t d = 0; d < object->domain_count; d++) {
		for (uint32_t p = 0; p < object->prefix_count; p++) {
			struct model_path *path = make_path(model,
			    object->domains[d], object->prefixes[p]);
			struct model_route **longer;

			if (path == NULL)
				return -1;
			longer = realloc(path->routes,
			    (path->route_count + 1) * sizeof(*longer));
			if (longer != NULL)
				path->routes = longer;
			model_touch_path(model, path);
			if (longer == NULL)
				return -1;
		}
	}
	return 0;
}

static void
link_path(struct model_path *path, struct model_route *route)
{
	uint32_t i = path->route_count++;

	for (; i > 0 && path->routes[i - 1]->object.id > route->object.id; i--)
		path->routes[i] = path->routes[i - 1];
	path->routes[i] = route;
}

static void
unlink_path(struct model_path *path, const struct model_route *route)
{
	for (uint32_t i = 0; i < path->route_count; i++) {
		if (path->routes[i] != route)
			continue;
		memmove(&path->routes[i], &path->routes[i + 1],
		    (path->route_count - i - 1) * sizeof(*path->routes));
		path->route_count--;
		return;
	}
}

/* Routes ----------------------------------------------------------------- */

static void
link_route(struct model *model, struct model_route *route)
{
	const struct route *object = &route->object;

	for (uint32_t d = 0; d < object->domain_count; d++) {
		for (uint32_t p = 0; p < object->prefix_count; p++)
			link_path(model_find_path(model,
				      bytes_of(object->domains[d]),
				      bytes_of(object->prefixes[p])),
			    route);
	}
	for (uint32_t i = 0; i < object->target_count; i++) {
		struct model_target *target = &route->targets[i];

		target->route = route;
		target->service = model_find_service(model,
		    object->targets[i].service);
		LIST_INSERT_HEAD(&target->service->targets, target,
		    of_service);
		target->service->target_count++;
	}
	model_touch_route(model, route);
}

static void
unlink_route(struct model *model, struct model_route *route)
{
	const struct route *object = &route->object;

	for (uint32_t d = 0; d < object->domain_count; d++) {
		for (uint32_t p = 0; p < object->prefix_count; p++) {
			struct model_path *path = model_find_path(model,
			    bytes_of(object->domains[d]),
			    bytes_of(object->prefixes[p]));

			unlink_path(path, route);
			model_touch_path(model, path);
		}
	}
	for (uint32_t i = 0; i < object->target_count; i++) {
		LIST_REMOVE(&route->targets[i], of_service);
		route->targets[i].service->target_count--;
	}
	free(route->targets);
	route->targets = NULL;
}

static bool
targets_exist(const struct model *model, const struct route *object)
{
	for (uint32_t i = 0; i < object->target_count; i++)
		if (model_find_service(model, object->targets[i].service) ==
		    NULL)
			return false;
	return true;
}

/* Takes the object on success; 0, or -1 as model_put_route(). */
static int
place_route(struct model *model, struct route *object)
{
	struct model_route *route = model_find_route(model, object->id);
	struct model_target *targets;

	targets = calloc(object->target_count + 1, sizeof(*targets));
	if (targets == NULL || prepare_paths(model, object) == -1)
		goto no_memory;
	if (route == NULL) {
		if ((route = calloc(1, sizeof(*route))) == NULL)
			goto no_memory;
		route->slot = TABLE_NONE;
		order_insert(&model->routes, &object->id, &route->by_id);
	} else {
		unlink_route(model, route);
		route_clear(&route->object);
	}
	route->object = *object;
	LIST_KEEP(&model->ordered_routes, route);
	route->targets = targets;
	link_route(model, route);
	return 0;

no_memory:
	free(targets);
	errno = ENOMEM;
	return -1;
}

int
model_put_route(struct model *model, const struct route *object)
{
	struct route copy;

	if (!targets_exist(model, object)) {
		errno = ENOENT;
		return -1;
	}
	if (route_copy_object(object, &copy) == -1) {
		errno = ENOMEM;
		return -1;
	}
	if (place_route(model, &copy) == 0)
		return 0;
	route_clear(&copy);
	errno = ENOMEM;
	return -1;
}

int
model_take_route(struct model *model, struct route *object)
{
	if (!targets_exist(model, object)) {
		errno = ENOENT;
		return -1;
	}
	if (place_route(model, object) == -1)
		return -1;
	*object = (struct route){ 0 };
	return 0;
}

void
model_remove_route(struct model *model, uint64_t id)
{
	struct model_route *route = model_find_route(model, id);

	if (route == NULL)
		return;
	order_remove(&model->routes, &id);
	model_clean_route(model, route);
	unlink_route(model, route);
	LIST_DROP(route);
	slot_list_add(&model->gone_routes, route->slot);
	route_clear(&route->object);
	free(route);
}

bool
route_is_same_service(const struct route *a, const struct route *b)
{
	return a->target_count == 1 && b->target_count == 1 &&
	    strcmp(a->targets[0].service, b->targets[0].service) == 0;
}
