/*
 * registryd/model_check.c - whether changes fit the others.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/model_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "registryd/change_index.h"
#include "registryd/object_json.h"
#include "registryd/write_queue.h"

/* A write as far as it was checked. */
struct check {
	const struct model *model;
	struct change_index index;	/* of the changes so far */
	struct problem *problem;
};

/* Whether the service is there once the changes so far are made. */
static bool
has_service(const struct check *check, const char *name)
{
	const struct store_change *change =
	    change_index_service(&check->index, name);

	return change != NULL ? !change->is_removal :
				model_find_service(check->model, name) != NULL;
}

static int
refuse_static(struct problem *problem, const char *what)
{
	return problem_set(problem, 409, "static", NULL,
	    "%s stands in the configuration file; change it there and reload",
	    what);
}

/* Services --------------------------------------------------------------- */

static bool
removes_backend(const struct check *check, uint64_t id)
{
	const struct store_change *change =
	    change_index_id(&check->index, OBJECT_BACKEND, id);

	return change != NULL && change->is_removal;
}

static bool
leads_to(const struct route *route, const char *name)
{
	for (uint32_t i = 0; i < route->target_count; i++)
		if (strcmp(route->targets[i].service, name) == 0)
			return true;
	return false;
}

/* Whether the changes so far take the route away from the service. */
static bool
releases_route(const struct check *check, uint64_t id, const char *name)
{
	const struct store_change *change =
	    change_index_id(&check->index, OBJECT_ROUTE, id);

	return change != NULL && (change->is_removal ||
		!leads_to(change->object.route, name));
}

static int
check_removal(const struct check *check, const struct model_service *service)
{
	const struct model_target *target;
	const struct model_backend *backend;
	const char *name = service->object.name;

	LIST_FOREACH(target, &service->targets, of_service) {
		uint64_t id = target->route->object.id;

		if (target->route->object.origin == ORIGIN_FILE)
			return refuse_static(check->problem,
			    "a route to this service");
		if (!releases_route(check, id, name))
			return problem_set(check->problem, 409, "in_use",
			    NULL, "route %" PRIu64 " leads to service %s; "
			    "remove it first, or ask for cascade=true", id,
			    name);
	}
	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (!removes_backend(check, backend->object.id))
			return problem_set(check->problem, 409, "in_use",
			    NULL, "service %s has backends", name);
	return 0;
}

static int
check_service(const struct check *check, const struct store_change *change)
{
	const struct service *service = change->object.service;
	const struct model_service *there = model_find_service(check->model,
	    service->name);

	if (there != NULL && there->object.origin == ORIGIN_FILE)
		return refuse_static(check->problem, "the service");
	if (change->is_removal)
		return there == NULL ? 0 : check_removal(check, there);
	return service_check(service, check->problem);
}

/* Backends --------------------------------------------------------------- */

static int
check_backend(const struct check *check, const struct store_change *change)
{
	const struct backend *backend = change->object.backend;
	const struct model_backend *there = model_find_backend(check->model,
	    backend->id);
	const struct model_service *service = model_find_service(check->model,
	    backend->service);

	if (there != NULL && there->object.origin == ORIGIN_FILE)
		return refuse_static(check->problem, "the backend");
	if (change->is_removal)
		return 0;
	if (service != NULL && service->object.origin == ORIGIN_FILE)
		return refuse_static(check->problem, "its service");
	if (!has_service(check, backend->service))
		return problem_set(check->problem, 404, "no_service", NULL,
		    "there is no service \"%s\"", backend->service);
	if (there == NULL && service != NULL &&
	    service->backend_count >= TABLE_BACKENDS_MAX)
		return problem_set(check->problem, 409, "too_many", NULL,
		    "a service has at most %d backends", TABLE_BACKENDS_MAX);
	return backend_check(backend, check->problem);
}

/* Routes ----------------------------------------------------------------- */

/* Who has the path already. */
static int
refuse_conflict(struct problem *problem, const struct model_path *path,
    const struct route *owner, uint32_t prefix_index)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/prefixes/%" PRIu32, prefix_index);
	problem_set(problem, 409, "route_conflict", pointer,
	    "%s%s belongs to service %s (route %" PRIu64 ") at priority %"
	    PRId32 "; ask for another path or priority, or for "
	    "on_conflict \"share\"", path->domain, path->prefix,
	    owner->targets[0].service, owner->id, owner->priority);
	snprintf(problem->owner, sizeof(problem->owner), "%s",
	    owner->targets[0].service);
	problem->owner_route = owner->id;
	return -1;
}

/* upto: routes of later versions are overlooked. */
static int
check_path(const struct model_path *path, const struct route *route,
    uint32_t prefix_index, uint64_t upto, struct problem *problem)
{
	uint32_t sharing = 0;

	for (uint32_t i = 0; i < path->route_count; i++) {
		const struct route *other = &path->routes[i]->object;

		if (other->id == route->id || other->times.version > upto ||
		    other->priority != route->priority ||
		    route_is_same_service(other, route))
			continue;
		if (!route->is_shared)
			return refuse_conflict(problem, path, other,
			    prefix_index);
		sharing++;
	}
	if (sharing >= TABLE_SHARED_MAX)
		return problem_set(problem, 409, "too_many", NULL,
		    "%s%s is shared by %d routes already", path->domain,
		    path->prefix, TABLE_SHARED_MAX);
	return 0;
}

static int
check_paths(const struct model *model, const struct route *route,
    uint64_t upto, struct problem *problem)
{
	for (uint32_t d = 0; d < route->domain_count; d++) {
		for (uint32_t p = 0; p < route->prefix_count; p++) {
			const struct model_path *path = model_find_path(model,
			    bytes_of(route->domains[d]),
			    bytes_of(route->prefixes[p]));

			if (path != NULL &&
			    check_path(path, route, p, upto, problem) == -1)
				return -1;
		}
	}
	return 0;
}

int
model_check_paths(const struct model *model, const struct route *route,
    struct problem *problem)
{
	return check_paths(model, route, UINT64_MAX, problem);
}

int
model_check_played(const struct model *model, const struct write *write,
    struct problem *problem)
{
	for (uint32_t i = 0; i < write->change_count; i++) {
		const struct store_change *change = &write->changes[i];

		if (change->kind == OBJECT_ROUTE && !change->is_removal &&
		    check_paths(model, change->object.route,
			STORE_SPOOLED_FIRST - 1, problem) == -1)
			return -1;
	}
	return 0;
}

/* The store knows no static service that a route of its could name. */
static int
check_target(const struct check *check, const char *name, uint32_t index)
{
	const struct model_service *service = model_find_service(check->model,
	    name);
	char pointer[64];

	if (service != NULL && service->object.origin == ORIGIN_FILE)
		return refuse_static(check->problem,
		    "the service that it leads to");
	if (has_service(check, name))
		return 0;
	snprintf(pointer, sizeof(pointer), "/targets/%" PRIu32 "/service",
	    index);
	return problem_invalid(check->problem, pointer,
	    "there is no service \"%s\"", name);
}

static int
check_route(const struct check *check, const struct store_change *change)
{
	struct route *route = change->object.route;
	const struct model_route *there = model_find_route(check->model,
	    route->id);

	if (there != NULL && there->object.origin == ORIGIN_FILE)
		return refuse_static(check->problem, "the route");
	if (change->is_removal)
		return 0;
	if (route_check(route, check->problem) == -1)
		return -1;
	for (uint32_t i = 0; i < route->target_count; i++)
		if (check_target(check, route->targets[i].service, i) == -1)
			return -1;
	return model_check_paths(check->model, route, check->problem);
}

static int
check_change(const struct check *check, const struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		return check_service(check, change);
	case OBJECT_BACKEND:
		return check_backend(check, change);
	case OBJECT_ROUTE:
		return check_route(check, change);
	}
	return 0;
}

int
model_check(const struct model *model, struct write *write,
    struct problem *problem)
{
	struct check check = { .model = model, .problem = problem };
	int result = 0;

	if (change_index_init(&check.index, write) == -1)
		return problem_set(problem, 503, "out_of_memory", NULL,
		    "out of memory; try again");
	for (uint32_t i = 0; i < write->change_count && result == 0; i++) {
		result = check_change(&check, &write->changes[i]);
		change_index_add(&check.index, i);
	}
	change_index_clear(&check.index);
	return result;
}
