/*
 * registryd/static_objects.c - service and route sections of the settings.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/static_objects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/log.h"
#include "registryd/model_check.h"
#include "registryd/object_json.h"

struct taking {
	struct model *model;
	const struct settings *settings;
	int64_t now_wall_ms;
};

static uint64_t
static_id(const char *kind, const char *name, const char *more)
{
	uint64_t hash = XXH3_64bits(kind, strlen(kind));

	hash = XXH3_64bits_withSeed(name, strlen(name), hash);
	hash = XXH3_64bits_withSeed(more, strlen(more), hash);
	return STATIC_ID_BIT | (hash & (STATIC_ID_BIT - 1));
}

static void
say(uint32_t line, const char *kind, const char *name, const char *why)
{
	log_error("configuration line %" PRIu32 ": %s \"%s\": %s: left out",
	    line, kind, name, why);
}

/* Services and their backends -------------------------------------------- */

static bool
is_service_wanted(const struct settings *settings, const char *name)
{
	for (uint32_t i = 0; i < settings->service_count; i++)
		if (strcmp(settings->services[i].name, name) == 0)
			return true;
	return false;
}

static bool
is_backend_wanted(const struct settings *settings,
    const struct backend *backend)
{
	for (uint32_t i = 0; i < settings->service_count; i++) {
		const struct static_service *wanted = &settings->services[i];

		if (strcmp(wanted->name, backend->service) != 0)
			continue;
		for (uint32_t b = 0; b < wanted->backends.count; b++)
			if (strcmp(wanted->backends.list[b], backend->url) ==
			    0)
				return true;
	}
	return false;
}

static int
fill_service(const struct taking *taking, const struct static_service *wanted,
    struct service *service, struct problem *problem)
{
	const struct model_service *there = model_find_service(taking->model,
	    wanted->name);

	service->origin = ORIGIN_FILE;
	if (there != NULL && condition_copy(&there->object.condition,
		&service->condition) == -1)
		return problem_set(problem, 503, "out_of_memory", NULL,
		    "out of memory");
	service->times.created_wall_ms = there != NULL ?
	    there->object.times.created_wall_ms :
	    taking->now_wall_ms;
	service->times.updated_wall_ms = taking->now_wall_ms;
	if (text_set(&service->name, bytes_of(wanted->name)) == -1 ||
	    text_set(&service->hash_header, bytes_of(wanted->hash_header)) ==
		-1 ||
	    text_set(&service->probe_path, bytes_of(wanted->health_path)) ==
		-1)
		return problem_set(problem, 503, "out_of_memory", NULL,
		    "out of memory");
	if (wanted->policy[0] != '\0' &&
	    balance_policy_parse(wanted->policy, &service->policy) == -1)
		return problem_invalid(problem, "/policy", "unknown policy");
	if (wanted->health_path[0] != '\0')
		service->probe_kind = PROBE_HTTP;
	return service_check(service, problem);
}

static bool
is_equal_service(const struct service *a, const struct service *b)
{
	return a->policy == b->policy &&
	    strcmp(a->hash_header, b->hash_header) == 0 &&
	    a->probe_kind == b->probe_kind &&
	    strcmp(a->probe_path, b->probe_path) == 0;
}

static bool
take_service(const struct taking *taking, const struct static_service *wanted)
{
	const struct model_service *there = model_find_service(taking->model,
	    wanted->name);
	struct service service;
	struct problem problem;
	bool is_taken = false;

	if (there != NULL && there->object.origin != ORIGIN_FILE) {
		say(wanted->line, "service", wanted->name,
		    "the store has a service of that name");
		return false;
	}
	if (service_init(&service, &problem) == -1) {
		say(wanted->line, "service", wanted->name, problem.detail);
		return false;
	}
	if (fill_service(taking, wanted, &service, &problem) == -1)
		say(wanted->line, "service", wanted->name, problem.detail);
	else if (there != NULL && is_equal_service(&there->object, &service))
		is_taken = true;
	else if (model_put_service(taking->model, &service) == -1)
		say(wanted->line, "service", wanted->name, strerror(errno));
	else
		is_taken = true;
	service_clear(&service);
	return is_taken;
}

static void
take_backend(const struct taking *taking, const struct static_service *wanted,
    const char *url)
{
	struct backend backend;
	struct problem problem;
	uint64_t id = static_id("backend", wanted->name, url);

	if (model_find_backend(taking->model, id) != NULL)
		return;
	if (backend_init(&backend, &problem) == -1) {
		say(wanted->line, "backend", url, problem.detail);
		return;
	}
	backend.id = id;
	backend.origin = ORIGIN_FILE;
	backend.times.created_wall_ms = taking->now_wall_ms;
	backend.times.updated_wall_ms = taking->now_wall_ms;
	if (text_set(&backend.service, bytes_of(wanted->name)) == -1 ||
	    text_set(&backend.url, bytes_of(url)) == -1)
		say(wanted->line, "backend", url, "out of memory");
	else if (backend_check(&backend, &problem) == -1)
		say(wanted->line, "backend", url, problem.detail);
	else if (model_put_backend(taking->model, &backend) == -1)
		say(wanted->line, "backend", url, strerror(errno));
	backend_clear(&backend);
}

static void
take_services(const struct taking *taking)
{
	for (uint32_t i = 0; i < taking->settings->service_count; i++) {
		const struct static_service *wanted =
		    &taking->settings->services[i];

		if (!take_service(taking, wanted))
			continue;
		for (uint32_t b = 0; b < wanted->backends.count; b++)
			take_backend(taking, wanted,
			    wanted->backends.list[b]);
	}
}

/* Routes ----------------------------------------------------------------- */

static bool
is_route_wanted(const struct settings *settings, uint64_t id)
{
	for (uint32_t i = 0; i < settings->route_count; i++)
		if (static_id("route", settings->routes[i].name, "") == id)
			return true;
	return false;
}

static int
fill_route(const struct taking *taking, const struct static_route *wanted,
    struct route *route)
{
	route->id = static_id("route", wanted->name, "");
	route->origin = ORIGIN_FILE;
	route->priority = wanted->priority;
	route->strip_prefix = wanted->strip_prefix;
	route->times.created_wall_ms = taking->now_wall_ms;
	route->times.updated_wall_ms = taking->now_wall_ms;
	if (text_set(&route->label, bytes_of(wanted->name)) == -1)
		return -1;
	for (uint32_t i = 0; i < wanted->domains.count; i++)
		if (route_add_domain(route,
			bytes_of(wanted->domains.list[i])) == -1)
			return -1;
	for (uint32_t i = 0; i < wanted->prefixes.count; i++)
		if (route_add_prefix(route,
			bytes_of(wanted->prefixes.list[i])) == -1)
			return -1;
	route->targets[0].service = strdup(wanted->service);
	route->targets[0].weight = 1;
	route->target_count = route->targets[0].service != NULL;
	return route->target_count == 1 ? 0 : -1;
}

static bool
is_equal_list(char *const *a, uint32_t a_count, char *const *b,
    uint32_t b_count)
{
	if (a_count != b_count)
		return false;
	for (uint32_t i = 0; i < a_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool
is_equal_route(const struct route *a, const struct route *b)
{
	return a->priority == b->priority &&
	    a->strip_prefix == b->strip_prefix &&
	    strcmp(a->targets[0].service, b->targets[0].service) == 0 &&
	    is_equal_list(a->domains, a->domain_count, b->domains,
		b->domain_count) &&
	    is_equal_list(a->prefixes, a->prefix_count, b->prefixes,
		b->prefix_count);
}

static void
take_checked_route(const struct taking *taking,
    const struct static_route *wanted, struct route *route)
{
	const struct model_route *there = model_find_route(taking->model,
	    route->id);
	struct problem problem;

	if (route_check(route, &problem) == -1 ||
	    model_check_paths(taking->model, route, &problem) == -1)
		say(wanted->line, "route", wanted->name, problem.detail);
	else if (there != NULL && is_equal_route(&there->object, route))
		return;
	else if (there != NULL && condition_copy(&there->object.condition,
		&route->condition) == -1)
		say(wanted->line, "route", wanted->name, "out of memory");
	else if (model_put_route(taking->model, route) == -1)
		say(wanted->line, "route", wanted->name,
		    errno == ENOENT ? "its service is not there" :
				      strerror(errno));
}

static void
take_routes(const struct taking *taking)
{
	for (uint32_t i = 0; i < taking->settings->route_count; i++) {
		const struct static_route *wanted =
		    &taking->settings->routes[i];
		struct route route;
		struct problem problem;

		if (route_init(&route, &problem) == -1) {
			say(wanted->line, "route", wanted->name,
			    problem.detail);
			continue;
		}
		if (fill_route(taking, wanted, &route) == -1)
			say(wanted->line, "route", wanted->name,
			    "out of memory");
		else
			take_checked_route(taking, wanted, &route);
		route_clear(&route);
	}
}

/* What is not in the file any more ---------------------------------------- */

static void
drop_routes(const struct taking *taking)
{
	struct model_route *route = model_next_route(taking->model,
	    STATIC_ID_BIT - 1);

	while (route != NULL) {
		uint64_t id = route->object.id;

		if (!is_route_wanted(taking->settings, id))
			model_remove_route(taking->model, id);
		route = model_next_route(taking->model, id);
	}
}

static void
drop_backends(const struct taking *taking)
{
	struct model_backend *backend = model_next_backend(taking->model,
	    STATIC_ID_BIT - 1);

	while (backend != NULL) {
		uint64_t id = backend->object.id;

		if (!is_backend_wanted(taking->settings, &backend->object))
			model_remove_backend(taking->model, id);
		backend = model_next_backend(taking->model, id);
	}
}

/* A service that others use stays, as one of the API from now on would
 * not be in the store; it stays static until they are gone. */
static void
drop_service(const struct taking *taking, struct model_service *service)
{
	if (service->backend_count > 0 || service->target_count > 0) {
		log_warn("service \"%s\" is not in the configuration any "
			 "more, but routes or backends of the store name it: "
			 "it stays", service->object.name);
		return;
	}
	model_remove_service(taking->model, service->object.name);
}

static void
drop_services(const struct taking *taking)
{
	struct model_service *service = model_next_service(taking->model,
	    NULL), *next;

	for (; service != NULL; service = next) {
		next = model_next_service(taking->model,
		    service->object.name);
		if (service->object.origin == ORIGIN_FILE &&
		    !is_service_wanted(taking->settings,
			service->object.name))
			drop_service(taking, service);
	}
}

void
static_objects_apply(struct model *model, const struct settings *settings,
    int64_t now_wall_ms)
{
	const struct taking taking = { model, settings, now_wall_ms };

	drop_routes(&taking);
	drop_backends(&taking);
	take_services(&taking);
	take_routes(&taking);
	drop_services(&taking);
}
