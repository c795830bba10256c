/*
 * tests/unit/registryd/test_publisher.c - the model, as the table shows it.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registryd/publisher.h"
#include "registryd/recover.h"
#include "registryd/write_parts.h"
#include "shm/fixture.h"
#include "world.h"

/* A segment with a publisher and a reader. */
struct press {
	struct fixture fixture;
	struct publisher *publisher;
	struct route_table *table;
	struct model *model;
	struct settings settings;
	uint64_t generation;
};

static void
open_press(struct press *press)
{
	*press = (struct press){ .settings = { .health = { .interval_ms = 5000,
	    .timeout_ms = 2000, .rise = 2, .fall = 3 } } };
	fixture_make(&press->fixture, 1000);
	assert_int_equal(publisher_new(fixture_region_fd(&press->fixture,
	    SEGMENT_ROUTES, 0), &press->publisher), 0);
	press->table = fixture_table(&press->fixture);
	press->model = model_new();
	assert_non_null(press->model);
}

static void
close_press(struct press *press)
{
	publisher_free(&press->publisher);
	route_table_close(&press->table);
	model_free(&press->model);
	fixture_remove(&press->fixture);
}

static struct published
publish(struct press *press)
{
	struct published published;

	assert_int_equal(publisher_publish(press->publisher, press->model,
	    &press->settings, ++press->generation, &published), 0);
	assert_int_equal(route_table_generation(press->table),
	    press->generation);
	return published;
}

static void
put_two_services(struct press *press)
{
	world_put_service(press->model, "a");
	world_put_service(press->model, "b");
	world_put_backend(press->model, 1, "a", "http://127.0.0.1:1");
	world_put_backend(press->model, 2, "b", "http://127.0.0.1:2/base");
}

static void
the_highest_priority_has_the_path(void **state)
{
	struct press press;

	(void)state;
	open_press(&press);
	put_two_services(&press);
	world_put_route(press.model, 1, "a", "/p", 0);
	world_put_route(press.model, 2, "b", "/p", 5);
	publish(&press);
	assert_int_equal(fixture_route_id(press.table, "", "/p/x"), 2);

	model_remove_route(press.model, 2);
	publish(&press);
	assert_int_equal(fixture_route_id(press.table, "", "/p/x"), 1);

	model_remove_route(press.model, 1);
	publish(&press);
	assert_int_equal(fixture_route_id(press.table, "", "/p/x"), 0);
	close_press(&press);
}

static uint32_t
count_sharing(struct press *press, const char *path)
{
	struct path_match match;
	struct path_copy copy;
	struct arena arena;
	uint32_t count;

	arena_init(&arena, 1 << 20);
	assert_int_equal(route_table_lookup(press->table, 0, bytes_of(""),
	    bytes_of(path), &match), TABLE_FOUND);
	assert_int_equal(route_table_read_path(press->table, match.entry,
	    &arena, &copy), TABLE_FOUND);
	count = copy.spec.route_count;
	arena_free(&arena);
	return count;
}

static void
routes_of_equal_priority_share_but_once_a_service(void **state)
{
	struct press press;

	(void)state;
	open_press(&press);
	put_two_services(&press);
	world_put_route(press.model, 1, "a", "/p", 0);
	world_put_route(press.model, 2, "b", "/p", 0);
	world_put_route(press.model, 3, "a", "/p", 0);
	publish(&press);
	assert_int_equal(count_sharing(&press, "/p"), 2);
	close_press(&press);
}

static void
a_service_has_its_backends(void **state)
{
	struct service_copy copy;
	struct press press;
	struct arena arena;
	uint32_t slot;

	(void)state;
	open_press(&press);
	put_two_services(&press);
	world_put_backend(press.model, 3, "b", "unix:/run/b");
	publish(&press);
	arena_init(&arena, 1 << 20);
	slot = model_find_service(press.model, "b")->slot;
	assert_int_equal(route_table_read_service(press.table, slot, &arena,
	    &copy), TABLE_FOUND);
	assert_int_equal(copy.spec.backend_count, 2);
	assert_int_equal(copy.spec.probe.interval_ms, 5000);
	assert_true(bytes_is(copy.backends[0].spec.base_path, "/base"));
	assert_int_equal(copy.backends[1].spec.kind, BACKEND_UNIX);
	assert_int_equal(copy.backends[1].spec.service, slot);

	model_remove_backend(press.model, 2);
	publish(&press);
	arena_reset(&arena);
	assert_int_equal(route_table_read_service(press.table, slot, &arena,
	    &copy), TABLE_FOUND);
	assert_int_equal(copy.spec.backend_count, 1);
	assert_int_equal(copy.backends[0].spec.id, 3);
	arena_free(&arena);
	close_press(&press);
}

static void
what_goes_is_gone_from_the_table(void **state)
{
	struct table_extent extent;
	struct press press;

	(void)state;
	open_press(&press);
	put_two_services(&press);
	world_put_route(press.model, 1, "a", "/p", 0);
	publish(&press);
	model_remove_route(press.model, 1);
	model_remove_backend(press.model, 1);
	model_remove_service(press.model, "a");
	publish(&press);
	route_table_extent(press.table, &extent);
	assert_int_equal(extent.service_count, 1);
	assert_int_equal(extent.backend_count, 1);
	assert_int_equal(extent.route_count, 0);
	assert_int_equal(extent.entry_count, 0);
	close_press(&press);
}

/* As a registryd that starts again finds it. */
static void
a_new_model_keeps_slots_and_publishes_the_difference(void **state)
{
	uint32_t service, backend, route;
	struct published published;
	struct press press;

	(void)state;
	open_press(&press);
	put_two_services(&press);
	world_put_route(press.model, 1, "a", "/p", 0);
	world_put_route(press.model, 2, "b", "/q", 0);
	publish(&press);
	service = model_find_service(press.model, "a")->slot;
	backend = model_find_backend(press.model, 1)->slot;
	route = model_find_route(press.model, 1)->slot;
	model_free(&press.model);

	press.model = model_new();
	world_put_service(press.model, "c");
	world_put_service(press.model, "a");
	world_put_backend(press.model, 3, "c", "http://127.0.0.1:3");
	world_put_backend(press.model, 1, "a", "http://127.0.0.1:1");
	world_put_route(press.model, 3, "c", "/r", 0);
	world_put_route(press.model, 1, "a", "/p", 0);
	assert_int_equal(publisher_reconcile(press.model, &press.settings,
	    press.table), 0);
	assert_int_equal(model_find_service(press.model, "a")->slot, service);
	assert_int_equal(model_find_backend(press.model, 1)->slot, backend);
	assert_int_equal(model_find_route(press.model, 1)->slot, route);
	assert_false(model_find_service(press.model, "a")->is_dirty);
	assert_false(model_find_backend(press.model, 1)->is_dirty);
	assert_false(model_find_route(press.model, 1)->is_dirty);
	published = publish(&press);
	for (uint32_t i = 0; i < published.slot_count; i++)
		assert_int_not_equal(published.slots[i], backend);
	assert_int_equal(fixture_route_id(press.table, "", "/p"), 1);
	assert_int_equal(fixture_route_id(press.table, "", "/q"), 0);
	assert_int_equal(fixture_route_id(press.table, "", "/r"), 3);
	close_press(&press);
}

static void
a_model_that_is_equal_leaves_nothing_to_do(void **state)
{
	struct press press;

	(void)state;
	open_press(&press);
	put_two_services(&press);
	world_put_route(press.model, 1, "a", "/p", 0);
	publish(&press);
	model_free(&press.model);
	press.model = model_new();
	put_two_services(&press);
	world_put_route(press.model, 1, "a", "/p", 0);
	assert_int_equal(publisher_reconcile(press.model, &press.settings,
	    press.table), 0);
	assert_true(TAILQ_EMPTY(&press.model->dirty_services));
	assert_true(TAILQ_EMPTY(&press.model->dirty_backends));
	assert_true(TAILQ_EMPTY(&press.model->dirty_routes));
	assert_true(TAILQ_EMPTY(&press.model->dirty_paths));
	close_press(&press);
}

static void
a_table_can_be_read_back_into_a_model(void **state)
{
	struct write *write = world_write();
	struct press press;

	(void)state;
	open_press(&press);
	put_two_services(&press);
	world_put_backend(press.model, 3, "b", "http://[::1]:3");
	world_put_route(press.model, 1, "a", "/p", 0);
	world_put_route(press.model, 2, "b", "/p", 0);
	world_put_route(press.model, 3, "b", "/q", -1);
	publish(&press);
	model_free(&press.model);
	press.model = model_new();
	assert_int_equal(recover_read(press.table, press.model, write), 0);
	for (uint32_t i = 0; i < write->change_count; i++)
		assert_int_equal(write_change_apply(press.model,
		    &write->changes[i]), 0);
	assert_int_equal(publisher_reconcile(press.model, &press.settings,
	    press.table), 0);
	assert_true(TAILQ_EMPTY(&press.model->dirty_services));
	assert_true(TAILQ_EMPTY(&press.model->dirty_backends));
	assert_true(TAILQ_EMPTY(&press.model->dirty_routes));
	assert_true(TAILQ_EMPTY(&press.model->dirty_paths));
	write_free(write);
	close_press(&press);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_priority_has_the_path),
		cmocka_unit_test(
		    routes_of_equal_priority_share_but_once_a_service),
		cmocka_unit_test(a_service_has_its_backends),
		cmocka_unit_test(what_goes_is_gone_from_the_table),
		cmocka_unit_test(
		    a_new_model_keeps_slots_and_publishes_the_difference),
		cmocka_unit_test(a_model_that_is_equal_leaves_nothing_to_do),
		cmocka_unit_test(a_table_can_be_read_back_into_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
