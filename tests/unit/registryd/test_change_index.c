/*
 * tests/unit/registryd/test_change_index.c - the latest change of an object.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "registryd/change_index.h"
#include "registryd/write_queue.h"

#define MANY 2000

static struct store_change
of_service(struct service *service, char *name)
{
	service->name = name;
	return (struct store_change){ .kind = OBJECT_SERVICE,
		.object.service = service };
}

static void
the_latest_change_is_found(void **state)
{
	struct service first, second, other;
	struct backend backend = { .id = 7 };
	struct route route = { .id = 7 };
	struct store_change changes[] = {
		of_service(&first, (char[]){ "users" }),
		of_service(&other, (char[]){ "orders" }),
		{ .kind = OBJECT_BACKEND, .object.backend = &backend },
		{ .kind = OBJECT_ROUTE, .object.route = &route },
		of_service(&second, (char[]){ "users" }),
	};
	const struct write write = { .changes = changes,
		.change_count = COUNT_OF(changes) };
	struct change_index index;

	(void)state;
	assert_int_equal(change_index_init(&index, &write), 0);
	assert_null(change_index_service(&index, "users"));
	for (uint32_t i = 0; i < 4; i++)
		change_index_add(&index, i);
	assert_ptr_equal(change_index_service(&index, "users"), &changes[0]);
	assert_ptr_equal(change_index_service(&index, "orders"), &changes[1]);
	assert_ptr_equal(change_index_id(&index, OBJECT_BACKEND, 7),
	    &changes[2]);
	assert_ptr_equal(change_index_id(&index, OBJECT_ROUTE, 7),
	    &changes[3]);
	change_index_add(&index, 4);
	assert_ptr_equal(change_index_service(&index, "users"), &changes[4]);
	assert_null(change_index_service(&index, "user"));
	assert_null(change_index_id(&index, OBJECT_ROUTE, 8));
	change_index_clear(&index);
}

static void
what_has_no_id_yet_is_about_no_other(void **state)
{
	struct route routes[2] = { 0 };
	struct store_change changes[] = {
		{ .kind = OBJECT_ROUTE, .object.route = &routes[0] },
		{ .kind = OBJECT_ROUTE, .object.route = &routes[1] },
	};
	const struct write write = { .changes = changes, .change_count = 2 };
	struct change_index index;

	(void)state;
	assert_int_equal(change_index_init(&index, &write), 0);
	change_index_add(&index, 0);
	change_index_add(&index, 1);
	assert_null(change_index_id(&index, OBJECT_ROUTE, 0));
	change_index_clear(&index);
}

static void
each_of_many_is_found(void **state)
{
	static struct backend backends[MANY];
	static struct store_change changes[MANY];
	const struct write write = { .changes = changes,
		.change_count = MANY };
	struct change_index index;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		backends[i].id = i + 1;
		changes[i].kind = OBJECT_BACKEND;
		changes[i].object.backend = &backends[i];
	}
	assert_int_equal(change_index_init(&index, &write), 0);
	for (uint32_t i = 0; i < MANY; i++)
		change_index_add(&index, i);
	for (uint32_t i = 0; i < MANY; i++)
		assert_ptr_equal(change_index_id(&index, OBJECT_BACKEND,
		    i + 1), &changes[i]);
	change_index_clear(&index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_change_is_found),
		cmocka_unit_test(what_has_no_id_yet_is_about_no_other),
		cmocka_unit_test(each_of_many_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
