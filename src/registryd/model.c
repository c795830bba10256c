/*
 * registryd/model.c - all services, backends and routes, in memory.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

/* Keys -------------------------------------------------------------------- */

/* The object that a node stands in; finding is asked with const trees by
 * callers that own the objects. */
#define OBJECT_OF(node, type, member)                                          \
	((type *)((uintptr_t)(node)-offsetof(type, member)))

static struct model_service *
service_of(const struct order_node *node)
{
	return node == NULL ? NULL :
			      OBJECT_OF(node, struct model_service, by_name);
}

static struct model_backend *
backend_of(const struct order_node *node)
{
	return node == NULL ? NULL :
			      OBJECT_OF(node, struct model_backend, by_id);
}

static struct model_route *
route_of(const struct order_node *node)
{
	return node == NULL ? NULL :
			      OBJECT_OF(node, struct model_route, by_id);
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_service(const void *key, const struct order_node *node)
{
	return strcmp(key, service_of(node)->object.name);
}

static int
compare_backend(const void *key, const struct order_node *node)
{
	return compare_numbers(*(const uint64_t *)key,
	    backend_of(node)->object.id);
}

static int
compare_route(const void *key, const struct order_node *node)
{
	return compare_numbers(*(const uint64_t *)key,
	    route_of(node)->object.id);
}

struct model *
model_new(void)
{
	struct model *model = calloc(1, sizeof(*model));

	if (model == NULL)
		return NULL;
	order_init(&model->services, compare_service);
	order_init(&model->backends, compare_backend);
	order_init(&model->routes, compare_route);
	TAILQ_INIT(&model->dirty_services);
	TAILQ_INIT(&model->dirty_backends);
	TAILQ_INIT(&model->dirty_routes);
	TAILQ_INIT(&model->dirty_paths);
	return model;
}

struct model_service *
model_find_service(const struct model *model, const char *name)
{
	return service_of(order_find(&model->services, name));
}

struct model_backend *
model_find_backend(const struct model *model, uint64_t id)
{
	return backend_of(order_find(&model->backends, &id));
}

struct model_route *
model_find_route(const struct model *model, uint64_t id)
{
	return route_of(order_find(&model->routes, &id));
}

struct model_path *
model_find_path(const struct model *model, struct bytes domain,
    struct bytes prefix)
{
	return path_index_find(&model->paths, domain, prefix);
}

struct model_service *
model_next_service(const struct model *model, const char *name)
{
	return service_of(order_after(&model->services, name));
}

struct model_backend *
model_next_backend(const struct model *model, uint64_t id)
{
	return backend_of(order_after(&model->backends, &id));
}

struct model_route *
model_next_route(const struct model *model, uint64_t id)
{
	return route_of(order_after(&model->routes, &id));
}

/* What the table must be told ------------------------------------------- */

void
slot_list_add(struct slot_list *list, uint32_t slot)
{
	uint32_t *longer;

	if (slot == TABLE_NONE)
		return;
	if (list->count == list->size) {
		uint32_t size = list->size == 0 ? 16 : 2 * list->size;

		longer = realloc(list->slots, size * sizeof(*longer));
		if (longer == NULL) {
			log_error("table: slot %u stays in use: out of memory",
			    slot);
			return;
		}
		list->slots = longer;
		list->size = size;
	}
	list->slots[list->count++] = slot;
}

void
model_touch_service(struct model *model, struct model_service *service)
{
	if (!service->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_services, service, dirty);
	service->is_dirty = true;
}

void
model_touch_backend(struct model *model, struct model_backend *backend)
{
	if (!backend->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_backends, backend, dirty);
	backend->is_dirty = true;
	model_touch_service(model, backend->service);
}

void
model_touch_route(struct model *model, struct model_route *route)
{
	if (!route->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_routes, route, dirty);
	route->is_dirty = true;
}

void
model_touch_path(struct model *model, struct model_path *path)
{
	if (!path->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_paths, path, dirty);
	path->is_dirty = true;
}

void
model_clean_service(struct model *model, struct model_service *service)
{
	if (service->is_dirty)
		TAILQ_REMOVE(&model->dirty_services, service, dirty);
	service->is_dirty = false;
}

void
model_clean_backend(struct model *model, struct model_backend *backend)
{
	if (backend->is_dirty)
		TAILQ_REMOVE(&model->dirty_backends, backend, dirty);
	backend->is_dirty = false;
}

void
model_clean_route(struct model *model, struct model_route *route)
{
	if (route->is_dirty)
		TAILQ_REMOVE(&model->dirty_routes, route, dirty);
	route->is_dirty = false;
}

static void
free_path(struct model_path *path)
{
	free(path->domain);
	free(path->prefix);
	free(path->routes);
	free(path);
}

void
model_clean_path(struct model *model, struct model_path *path)
{
	if (path->is_dirty)
		TAILQ_REMOVE(&model->dirty_paths, path, dirty);
	path->is_dirty = false;
	path->is_published = path->route_count > 0;
	if (path->route_count > 0)
		return;
	path_index_remove(&model->paths, path);
	free_path(path);
}

/* Services --------------------------------------------------------------- */

/* An object is in the list of those with a condition while it has one. */
#define LIST_DROP(node)                                                        \
	do {                                                                   \
		if ((node)->is_ordered)                                        \
			LIST_REMOVE(node, ordered);                            \
		(node)->is_ordered = false;                                    \
	} while (0)
#define LIST_KEEP(list, node)                                                  \
	do {                                                                   \
		LIST_DROP(node);                                               \
		if (condition_is_none(&(node)->object.condition))              \
			break;                                                 \
		LIST_INSERT_HEAD(list, node, ordered);                         \
		(node)->is_ordered = true;                                     \
	} while (0)

int
model_put_service(struct model *model, const struct service *object)
{
	struct model_service *service = model_find_service(model,
	    object->name);
	struct service copy;

	if (service_copy_object(object, &copy) == -1)
		goto no_memory;
	if (service != NULL) {
		service_clear(&service->object);
		service->object = copy;
		LIST_KEEP(&model->ordered_services, service);
		model_touch_service(model, service);
		return 0;
	}
	if ((service = calloc(1, sizeof(*service))) == NULL) {
		service_clear(&copy);
		goto no_memory;
	}
	service->object = copy;
	service->slot = TABLE_NONE;
	TAILQ_INIT(&service->backends);
	LIST_INIT(&service->targets);
	order_insert(&model->services, service->object.name,
	    &service->by_name);
	LIST_KEEP(&model->ordered_services, service);
	model_touch_service(model, service);
	return 0;

no_memory:
	errno = ENOMEM;
	return -1;
}

void
model_remove_service(struct model *model, const char *name)
{
	struct model_service *service = model_find_service(model, name);

	if (service == NULL)
		return;
	invariant(service->backend_count == 0 && service->target_count == 0);
	order_remove(&model->services, name);
	model_clean_service(model, service);
	LIST_DROP(service);
	slot_list_add(&model->gone_services, service->slot);
	service_clear(&service->object);
	free(service);
}

/* Backends --------------------------------------------------------------- */

static void
leave_service(struct model *model, struct model_backend *backend)
{
	TAILQ_REMOVE(&backend->service->backends, backend, of_service);
	backend->service->backend_count--;
	model_touch_service(model, backend->service);
}

static void
join_service(struct model_backend *backend, struct model_service *service)
{
	backend->service = service;
	TAILQ_INSERT_TAIL(&service->backends, backend, of_service);
	service->backend_count++;
}

int
model_put_backend(struct model *model, const struct backend *object)
{
	struct model_backend *backend = model_find_backend(model, object->id);
	struct model_service *service = model_find_service(model,
	    object->service);
	struct backend copy;

	if (service == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (backend_copy_object(object, &copy) == -1)
		goto no_memory;
	if (backend == NULL) {
		if ((backend = calloc(1, sizeof(*backend))) == NULL) {
			backend_clear(&copy);
			goto no_memory;
		}
		backend->slot = TABLE_NONE;
		order_insert(&model->backends, &object->id, &backend->by_id);
		join_service(backend, service);
	} else {
		backend_clear(&backend->object);
		if (backend->service != service) {
			leave_service(model, backend);
			join_service(backend, service);
		}
	}
	backend->object = copy;
	LIST_KEEP(&model->ordered_backends, backend);
	model_touch_backend(model, backend);
	return 0;

no_memory:
	errno = ENOMEM;
	return -1;
}

void
model_remove_backend(struct model *model, uint64_t id)
{
	struct model_backend *backend = model_find_backend(model, id);

	if (backend == NULL)
		return;
	order_remove(&model->backends, &id);
	model_clean_backend(model, backend);
	leave_service(model, backend);
	LIST_DROP(backend);
	slot_list_add(&model->gone_backends, backend->slot);
	backend_clear(&backend->object);
	free(backend);
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
		free_path(path);
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

void
model_free(struct model **p)
{
	struct model *model = *p;
	struct model_path *path;
	struct order_node *node;

	*p = NULL;
	if (model == NULL)
		return;
	while ((node = order_take(&model->routes)) != NULL) {
		route_clear(&route_of(node)->object);
		free(route_of(node)->targets);
		free(route_of(node));
	}
	while ((node = order_take(&model->backends)) != NULL) {
		backend_clear(&backend_of(node)->object);
		free(backend_of(node));
	}
	while ((node = order_take(&model->services)) != NULL) {
		service_clear(&service_of(node)->object);
		free(service_of(node));
	}
	while ((path = path_index_take(&model->paths)) != NULL)
		free_path(path);
	free(model->gone_services.slots);
	free(model->gone_backends.slots);
	free(model->gone_routes.slots);
	free(model);
}
