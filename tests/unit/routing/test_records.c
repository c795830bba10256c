/*
 * tests/unit/routing/test_records.c - versions, references, and what is
 * kept from one version to the next.
 */
/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"

static void *
new_user(void)
{
	void *user = malloc(1);

	assert_non_null(user);
	return user;
}

static void
give_users(struct world *w, uint32_t slot)
{
	struct routed_service *service = router_get_service(w->router, slot);

	for (uint32_t i = 0; i < service->spec.backend_count; i++)
		service->backends[i].user = new_user();
	router_put_service(w->router, service);
}

static void
a_new_version_is_seen_at_once(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1 };
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;
	uint32_t service, other;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 1);
	assert_int_equal(world_choose(w, &query, &refusal), 0);
	other = world_add_backend(w, 1);
	assert_int_equal(world_choose(w, &query, &refusal), 0);
	world_put_service(w, service, BALANCE_ROUND_ROBIN, &other, 1);
	assert_int_equal(world_choose(w, &query, &refusal), other);
	world_put_service(w, service, BALANCE_ROUND_ROBIN, NULL, 0);
	assert_int_equal(world_choose(w, &query, &refusal), TABLE_NONE);
	assert_int_equal(refusal, REFUSED_NO_BACKEND);
}

static void
a_removed_path_is_gone_at_once(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1 };
	struct route_query query = world_query("/a", 1);
	const struct path_key key = { .prefix = BYTES_LITERAL("/a") };
	enum route_refusal refusal;

	world_add_plain(w, "/a", BALANCE_ROUND_ROBIN, weights, 1);
	assert_int_equal(world_choose(w, &query, &refusal), 0);
	table_writer_begin(w->writer);
	assert_int_equal(table_writer_remove_path(w->writer, &key), 0);
	table_writer_commit(w->writer, ++w->generation);
	assert_int_equal(world_choose(w, &query, &refusal), TABLE_NONE);
	assert_int_equal(refusal, REFUSED_NO_ROUTE);
}

static void
turns_go_on_through_versions(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1 }, same[] = { 0, 1, 2 };
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;
	uint32_t service, counts[3] = { 0 };

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 3);
	for (int i = 0; i < 300; i++) {
		counts[world_choose(w, &query, &refusal)]++;
		world_put_service(w, service, BALANCE_ROUND_ROBIN, same, 3);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(counts[i], 100);
}

static void
a_user_is_carried_over_for_the_same_tenant(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1 }, kept[] = { 2, 0 };
	struct routed_service *service;
	uint32_t slot;
	void *users[3];

	slot = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 3);
	give_users(w, slot);
	service = router_get_service(w->router, slot);
	for (int i = 0; i < 3; i++)
		users[i] = service->backends[i].user;
	router_put_service(w->router, service);

	world_put_service(w, slot, BALANCE_ROUND_ROBIN, kept, 2);
	service = router_get_service(w->router, slot);
	assert_ptr_equal(service->backends[0].user, users[2]);
	assert_ptr_equal(service->backends[1].user, users[0]);
	router_put_service(w->router, service);
	assert_int_equal(w->dropped_users, 1);
	router_free(&w->router);
	assert_int_equal(w->dropped_users, 3);
}

static void
another_tenant_of_the_slot_gets_no_user(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1 };
	struct backend_spec spec = {
		.id = 1000,
		.service = TABLE_NONE,
		.weight = 1,
		.host = BYTES_LITERAL("elsewhere.test"),
		.port = 81,
	};
	struct routed_service *service;
	uint32_t slot, backend = 0;

	slot = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 1);
	give_users(w, slot);
	table_writer_begin(w->writer);
	assert_int_equal(table_writer_put_backend(w->writer, &backend, &spec),
	    0);
	table_writer_commit(w->writer, ++w->generation);
	world_put_service(w, slot, BALANCE_ROUND_ROBIN, &backend, 1);
	service = router_get_service(w->router, slot);
	assert_null(service->backends[0].user);
	assert_int_equal(w->dropped_users, 1);
	router_put_service(w->router, service);
}

static void
a_user_is_good_as_long_as_any_version_is_held(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1 }, kept = 0, other = 1;
	struct route_query query = world_query("/", 1);
	struct route_choice old;
	uint32_t slot;
	volatile char *user;

	slot = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 2);
	give_users(w, slot);
	router_choose(w->router, &query, w->now, &old);
	assert_int_equal(old.backend->slot, 0);
	user = old.backend->user;
	world_put_service(w, slot, BALANCE_ROUND_ROBIN, &kept, 1);
	router_put_service(w->router, router_get_service(w->router, slot));
	world_put_service(w, slot, BALANCE_ROUND_ROBIN, &other, 1);
	router_put_service(w->router, router_get_service(w->router, slot));
	assert_int_equal(w->dropped_users, 0);
	*user = 1;			/* ASan says if it is gone */
	router_release(w->router, &old);
	assert_int_equal(w->dropped_users, 2);
}

static void
the_cache_is_bounded_and_spares_what_is_held(void **state)
{
	struct world *w = *state;
	const uint32_t backend = world_add_backend(w, 1);
	struct routed_service *held;
	uint32_t slots[1500];

	world_use_router(w, 1);		/* takes the least that it must: 1024 */
	for (size_t i = 0; i < COUNT_OF(slots); i++)
		slots[i] = world_put_service(w, TABLE_NONE, BALANCE_ROUND_ROBIN,
		    &backend, 1);
	held = router_get_service(w->router, slots[0]);
	held->backends[0].user = new_user();
	for (size_t i = 1; i < COUNT_OF(slots); i++)
		give_users(w, slots[i]);
	assert_int_equal(w->dropped_users, 1500 - 1024);
	assert_ptr_equal(router_get_service(w->router, slots[0]), held);
	router_put_service(w->router, held);
	router_put_service(w->router, held);
}

#define CASE(f) \
	cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_version_is_seen_at_once),
		CASE(a_removed_path_is_gone_at_once),
		CASE(turns_go_on_through_versions),
		CASE(a_user_is_carried_over_for_the_same_tenant),
		CASE(another_tenant_of_the_slot_gets_no_user),
		CASE(a_user_is_good_as_long_as_any_version_is_held),
		CASE(the_cache_is_bounded_and_spares_what_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
