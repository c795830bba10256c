/*
 * registryd/model.c - all services, backends and routes, in memory.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/model_parts.h"

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

/* Services --------------------------------------------------------------- */

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
		model_free_path(path);
	free(model->gone_services.slots);
	free(model->gone_backends.slots);
	free(model->gone_routes.slots);
	free(model);
}
