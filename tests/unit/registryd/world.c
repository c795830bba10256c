/*
 * tests/unit/registryd/world.c - objects for tests, in few words.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registryd/object_json.h"
#include "world.h"

void
world_put_service(struct model *model, const char *name)
{
	struct problem problem;
	struct service service;

	assert_int_equal(service_init(&service, &problem), 0);
	assert_int_equal(text_set(&service.name, bytes_of(name)), 0);
	assert_int_equal(model_put_service(model, &service), 0);
	service_clear(&service);
}

void
world_put_backend(struct model *model, uint64_t id, const char *service,
    const char *url)
{
	struct problem problem;
	struct backend backend;

	assert_int_equal(backend_init(&backend, &problem), 0);
	backend.id = id;
	assert_int_equal(text_set(&backend.service, bytes_of(service)), 0);
	assert_int_equal(text_set(&backend.url, bytes_of(url)), 0);
	assert_int_equal(model_put_backend(model, &backend), 0);
	backend_clear(&backend);
}

struct route
world_route(uint64_t id, const char *service, const char *prefix,
    int32_t priority)
{
	struct problem problem;
	struct route route;

	assert_int_equal(route_init(&route, &problem), 0);
	route.id = id;
	route.priority = priority;
	assert_int_equal(route_add_prefix(&route, bytes_of(prefix)), 0);
	route.targets[0].service = strdup(service);
	route.targets[0].weight = 1;
	route.target_count = 1;
	assert_int_equal(route_check(&route, &problem), 0);
	return route;
}

void
world_put_route(struct model *model, uint64_t id, const char *service,
    const char *prefix, int32_t priority)
{
	struct route route = world_route(id, service, prefix, priority);

	assert_int_equal(model_put_route(model, &route), 0);
	route_clear(&route);
}

static int
plan_nothing(struct write *write, const struct model *model, void *context)
{
	(void)write;
	(void)model;
	(void)context;
	return 0;
}

static void
done_nothing(struct write *write, void *context)
{
	(void)write;
	(void)context;
}

struct write *
world_write(void)
{
	struct write *write = write_new(plan_nothing, done_nothing, NULL);

	assert_non_null(write);
	return write;
}
