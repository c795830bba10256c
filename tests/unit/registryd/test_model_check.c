/*
 * tests/unit/registryd/test_model_check.c - who may have a path.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registryd/model_check.h"
#include "registryd/write_parts.h"
#include "world.h"

struct asking {
	const char *sentence, *service, *prefix;
	int32_t priority;
	bool is_shared;
	const char *owner;		/* NULL: it may */
};

static const struct asking askings[] = {
	{ "a free path is anybody's", "b", "/free", 0, false, NULL },
	{ "a path of another is refused", "b", "/a", 0, false, "a" },
	{ "a deeper path is another path", "b", "/a/x", 0, false, NULL },
	{ "another priority is no conflict", "b", "/a", 1, false, NULL },
	{ "who shares may", "b", "/a", 0, true, NULL },
	{ "one's own path is no conflict", "a", "/a", 0, false, NULL },
};

static struct model *
make_model(void)
{
	struct model *model = model_new();

	assert_non_null(model);
	world_put_service(model, "a");
	world_put_service(model, "b");
	world_put_backend(model, 1, "a", "http://h:1");
	world_put_route(model, 1, "a", "/a", 0);
	return model;
}

static void
paths_belong_to_their_service(void **state)
{
	struct model *model = make_model();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(askings); i++) {
		const struct asking *asking = &askings[i];
		struct route route = world_route(0, asking->service,
		    asking->prefix, asking->priority);
		struct problem problem = { 0 };
		int result;

		route.is_shared = asking->is_shared;
		result = model_check_paths(model, &route, &problem);
		if ((result == -1) != (asking->owner != NULL))
			fail_msg("%s: %s", asking->sentence, problem.detail);
		if (result == -1) {
			assert_int_equal(problem.status, 409);
			assert_string_equal(problem.owner, asking->owner);
			assert_int_equal(problem.owner_route, 1);
		}
		route_clear(&route);
	}
	model_free(&model);
}

static void
a_service_that_routes_lead_to_stays(void **state)
{
	struct model *model = make_model();
	const struct model_service *service = model_find_service(model, "a");
	struct write *write = world_write();

	(void)state;
	assert_int_equal(write_remove_backend(write,
	    &model_find_backend(model, 1)->object), 0);
	assert_int_equal(write_remove_service(write, &service->object), 0);
	assert_int_equal(model_check(model, write, &write->problem), -1);
	assert_string_equal(write->problem.word, "in_use");
	write_free(write);

	write = world_write();
	assert_int_equal(write_remove_service_whole(write, service), 0);
	assert_int_equal(model_check(model, write, &write->problem), 0);
	for (uint32_t i = 0; i < write->change_count; i++)
		assert_int_equal(write_change_apply(model,
		    &write->changes[i]), 0);
	assert_null(model_find_service(model, "a"));
	assert_null(model_find_route(model, 1));
	write_free(write);
	model_free(&model);
}

static void
changes_of_a_write_see_those_before_them(void **state)
{
	struct model *model = make_model();
	struct write *write = world_write();
	struct route route = world_route(0, "new", "/new", 0);
	struct service service = model_find_service(model, "a")->object;
	char name[] = "new";

	(void)state;
	assert_int_equal(write_put_route(write, &route, NULL), 0);
	assert_int_equal(model_check(model, write, &write->problem), -1);
	assert_int_equal(write->problem.status, 422);
	write_free(write);

	write = world_write();
	service.name = name;
	assert_int_equal(write_put_service(write, &service, NULL), 0);
	assert_int_equal(write_put_route(write, &route, NULL), 0);
	assert_int_equal(model_check(model, write, &write->problem), 0);
	write_free(write);
	route_clear(&route);
	model_free(&model);
}

static void
static_objects_are_not_changed(void **state)
{
	struct model *model = make_model();
	struct model_service *service = model_find_service(model, "b");
	struct write *write = world_write();

	(void)state;
	service->object.origin = ORIGIN_FILE;
	assert_int_equal(write_put_service(write, &service->object,
	    &service->object), 0);
	assert_int_equal(model_check(model, write, &write->problem), -1);
	assert_string_equal(write->problem.word, "static");
	assert_int_equal(write->problem.status, 409);
	write_free(write);
	model_free(&model);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_belong_to_their_service),
		cmocka_unit_test(a_service_that_routes_lead_to_stays),
		cmocka_unit_test(changes_of_a_write_see_those_before_them),
		cmocka_unit_test(static_objects_are_not_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
