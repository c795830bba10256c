/*
 * registryd/bulk_check.c - whether many changes at once leave a good table.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/bulk_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "registryd/object_json.h"
#include "registryd/write_parts.h"

/* New objects have no id yet; on the copy they need one. */
#define SCRATCH_ID UINT64_C(0x7f00000000000000)

static int
out_of_memory(struct problem *problem)
{
	return problem_set(problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

static struct model *
copy_model(const struct model *model)
{
	struct model *copy = model_new();
	const struct model_service *service = NULL;
	const struct model_backend *backend = NULL;
	const struct model_route *route = NULL;
	bool is_good = copy != NULL;

	while (is_good && (service = model_next_service(model,
		service == NULL ? NULL : service->object.name)) != NULL)
		is_good = model_put_service(copy, &service->object) == 0;
	while (is_good && (backend = model_next_backend(model,
		backend == NULL ? 0 : backend->object.id)) != NULL)
		is_good = model_put_backend(copy, &backend->object) == 0;
	while (is_good && (route = model_next_route(model,
		route == NULL ? 0 : route->object.id)) != NULL)
		is_good = model_put_route(copy, &route->object) == 0;
	if (!is_good && copy != NULL)
		model_free(&copy);
	return copy;
}

/* Where the id of what is put stands; NULL for services. */
static uint64_t *
id_of(const struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		return NULL;
	case OBJECT_BACKEND:
		return &change->object.backend->id;
	case OBJECT_ROUTE:
		return &change->object.route->id;
	}
	return NULL;
}

/* Gives ids for the time of the check, and takes them back. */
static void
set_ids(struct write *write, bool is_given)
{
	for (uint32_t i = 0; i < write->change_count; i++) {
		uint64_t *id = id_of(&write->changes[i]);

		if (id == NULL)
			continue;
		if (is_given && *id == 0)
			*id = SCRATCH_ID + i;
		else if (!is_given && *id >= SCRATCH_ID &&
		    *id < SCRATCH_ID + write->change_count)
			*id = 0;
	}
}

static bool
is_static_service(const struct model *model, const char *name)
{
	const struct model_service *service = model_find_service(model, name);

	return service != NULL && service->object.origin == ORIGIN_FILE;
}

/* Whether the change touches, or leans on, the configuration file. */
static bool
is_static(const struct model *model, const struct store_change *change)
{
	const struct model_backend *backend;
	const struct model_route *route;

	switch (change->kind) {
	case OBJECT_SERVICE:
		return is_static_service(model, change->object.service->name);
	case OBJECT_BACKEND:
		backend = model_find_backend(model, change->object.backend->id);
		return (backend != NULL &&
			   backend->object.origin == ORIGIN_FILE) ||
		    is_static_service(model, change->object.backend->service);
	case OBJECT_ROUTE:
		route = model_find_route(model, change->object.route->id);
		if (route != NULL && route->object.origin == ORIGIN_FILE)
			return true;
		for (uint32_t i = 0; i < change->object.route->target_count;
		    i++)
			if (is_static_service(model,
				change->object.route->targets[i].service))
				return true;
		return false;
	}
	return false;
}

static int
check_object(const struct store_change *change, struct problem *problem)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		return service_check(change->object.service, problem);
	case OBJECT_BACKEND:
		return backend_check(change->object.backend, problem);
	case OBJECT_ROUTE:
		return route_check(change->object.route, problem);
	}
	return 0;
}

/* A service that goes must be nobody's by then. */
static int
check_removal(const struct model *copy, const struct store_change *change,
    struct problem *problem)
{
	const struct model_service *service;

	if (change->kind != OBJECT_SERVICE)
		return 0;
	service = model_find_service(copy, change->object.service->name);
	if (service == NULL ||
	    (service->backend_count == 0 && service->target_count == 0))
		return 0;
	return problem_set(problem, 409, "in_use", NULL,
	    "service %s would be removed, and is used by others",
	    service->object.name);
}

static int
carry_out(const struct model *model, struct model *copy,
    const struct store_change *change, struct problem *problem)
{
	char key[TABLE_NAME_MAX + 1];

	if (is_static(model, change))
		return problem_set(problem, 409, "static", NULL,
		    "%s %s stands in the configuration file, or leads to what "
		    "does; change it there and reload",
		    object_kind_name(change->kind),
		    write_change_key(change, key, sizeof(key)));
	if (change->is_removal ? check_removal(copy, change, problem) == -1
			       : check_object(change, problem) == -1)
		return -1;
	if (write_change_apply(copy, change) == 0)
		return 0;
	if (errno != ENOENT)
		return out_of_memory(problem);
	return problem_set(problem, 422, "no_service", NULL,
	    "%s %s names a service that is not there",
	    object_kind_name(change->kind),
	    write_change_key(change, key, sizeof(key)));
}

/* At equal priority one service has the path, unless one of two routes
 * says that it shares. */
static int
check_path(const struct model_path *path, const struct route *route,
    struct problem *problem)
{
	uint32_t sharing = 0;

	for (uint32_t i = 0; i < path->route_count; i++) {
		const struct route *other = &path->routes[i]->object;

		if (other->id == route->id ||
		    other->priority != route->priority ||
		    route_is_same_service(other, route))
			continue;
		if (!route->is_shared && !other->is_shared)
			return problem_set(problem, 409, "route_conflict",
			    NULL, "%s%s: services %s and %s both ask for it "
			    "at priority %" PRId32, path->domain,
			    path->prefix, other->targets[0].service,
			    route->targets[0].service, route->priority);
		sharing++;
	}
	if (sharing >= TABLE_SHARED_MAX)
		return problem_set(problem, 409, "too_many", NULL,
		    "%s%s would be shared by more than %d routes",
		    path->domain, path->prefix, TABLE_SHARED_MAX);
	return 0;
}

static int
check_paths(const struct model *copy, const struct route *route,
    struct problem *problem)
{
	for (uint32_t d = 0; d < route->domain_count; d++) {
		for (uint32_t p = 0; p < route->prefix_count; p++) {
			const struct model_path *path = model_find_path(copy,
			    bytes_of(route->domains[d]),
			    bytes_of(route->prefixes[p]));

			if (path != NULL &&
			    check_path(path, route, problem) == -1)
				return -1;
		}
	}
	return 0;
}

static int
check_all(const struct model *model, struct model *copy,
    const struct write *write, struct problem *problem)
{
	for (uint32_t i = 0; i < write->change_count; i++)
		if (carry_out(model, copy, &write->changes[i], problem) == -1)
			return -1;
	for (uint32_t i = 0; i < write->change_count; i++) {
		const struct store_change *change = &write->changes[i];

		if (!write->is_restored && change->kind == OBJECT_ROUTE &&
		    !change->is_removal &&
		    check_paths(copy, change->object.route, problem) == -1)
			return -1;
	}
	return 0;
}

int
bulk_check(const struct model *model, struct write *write,
    struct problem *problem)
{
	struct model *copy = copy_model(model);
	int result;

	if (copy == NULL)
		return out_of_memory(problem);
	set_ids(write, true);
	result = check_all(model, copy, write, problem);
	set_ids(write, false);
	model_free(&copy);
	return result;
}
