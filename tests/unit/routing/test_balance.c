/*
 * tests/unit/routing/test_balance.c - the policies but round robin.
 */
/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"

#define CLIENTS 4000

static void
count_choices(struct world *w, int times, uint32_t *counts, uint32_t max)
{
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;

	memset(counts, 0, max * sizeof(*counts));
	for (int i = 0; i < times; i++) {
		uint32_t slot = world_choose(w, &query, &refusal);

		assert_true(slot < max);
		counts[slot]++;
	}
}

static uint32_t
choose_one(struct world *w)
{
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;

	return world_choose(w, &query, &refusal);
}

static const struct {
	const char *sentence;
	uint32_t weights[3], in_flight[3], want;
} loads[] = {
	{ "fewest in flight", { 1, 1, 1 }, { 2, 1, 3 }, 1 },
	{ "fewest for its weight", { 1, 4, 1 }, { 1, 3, 1 }, 1 },
	{ "weight does not help the overloaded", { 1, 2, 1 }, { 1, 3, 2 }, 0 },
	{ "an idle one before all", { 9, 9, 1 }, { 1, 1, 0 }, 2 },
};

static void
least_connections_follows_its_table(void **state)
{
	for (size_t i = 0; i < COUNT_OF(loads); i++) {
		struct world *w;

		world_set_up(state);
		w = *state;
		world_prove(w, world_add_plain(w, "/",
		    BALANCE_LEAST_CONNECTIONS, loads[i].weights, 3));
		memcpy(w->in_flight, loads[i].in_flight,
		    sizeof(loads[i].in_flight));
		for (int again = 0; again < 3; again++)
			if (choose_one(w) != loads[i].want)
				fail_msg("%s", loads[i].sentence);
		world_tear_down(state);
	}
}

static void
equally_loaded_ones_take_turns(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 2, 1 };
	uint32_t counts[3];

	world_prove(w, world_add_plain(w, "/", BALANCE_LEAST_CONNECTIONS,
	    weights, 3));
	count_choices(w, 400, counts, 3);
	assert_int_equal(counts[0], 100);
	assert_int_equal(counts[1], 200);
	assert_int_equal(counts[2], 100);
	w->in_flight[2] = 1;
	count_choices(w, 300, counts, 3);
	assert_int_equal(counts[0], 100);
	assert_int_equal(counts[1], 200);
}

static void
of_two_choices_the_less_loaded_wins(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1, 1 };
	uint32_t counts[4];

	world_prove(w,
	    world_add_plain(w, "/", BALANCE_TWO_CHOICES, weights, 4));
	w->in_flight[3] = 100;
	count_choices(w, 4000, counts, 4);
	assert_in_range(counts[3], 0, 100); /* drawn against itself only */
	assert_in_range(counts[0], 1100, 1600);
}

static void
two_choices_among_the_idle_go_by_weight(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 3, 1 };
	uint32_t counts[2];

	world_prove(w,
	    world_add_plain(w, "/", BALANCE_TWO_CHOICES, weights, 2));
	count_choices(w, 4000, counts, 2);
	assert_in_range(counts[0], 2850, 3150);
}

/* Large services ---------------------------------------------------------- */

#define LARGE 1000

/* Every third one weighs heavy, the others light; its slot. */
static uint32_t
add_large(struct world *w, enum balance_policy policy, uint32_t light,
    uint32_t heavy)
{
	uint32_t *backends = calloc(LARGE, sizeof(*backends));
	struct route_target target = { .weight = 1 };
	uint32_t route;

	assert_non_null(backends);
	for (uint32_t i = 0; i < LARGE; i++)
		backends[i] = world_add_backend(w, i % 3 == 0 ? heavy : light);
	target.service = world_put_service(w, TABLE_NONE, policy, backends,
	    LARGE);
	route = world_put_route(w, TABLE_NONE, &target, 1);
	world_put_path(w, "/", &route, 1);
	world_prove(w, target.service);
	free(backends);
	return target.service;
}

static void
all_of_a_large_service_take_their_share(void **state)
{
	static const enum balance_policy policies[] = { BALANCE_ROUND_ROBIN,
		BALANCE_LEAST_CONNECTIONS, BALANCE_TWO_CHOICES };
	static uint32_t counts[LARGE];

	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		uint32_t heavy = 0, light = 0;

		world_set_up(state);
		add_large(*state, policies[i], 1, 4);
		count_choices(*state, 100000, counts, LARGE);
		for (uint32_t slot = 0; slot < LARGE; slot++) {
			/* 200 and 50 are their due. */
			if (slot % 3 == 0)
				assert_in_range(counts[slot], 120, 290);
			else
				assert_in_range(counts[slot], 20, 90);
			*(slot % 3 == 0 ? &heavy : &light) += counts[slot];
		}
		assert_in_range(heavy, 65800, 67500); /* 66733 */
		world_tear_down(state);
	}
}

static void
one_of_far_too_great_a_weight_has_its_share(void **state)
{
	struct world *w = *state;
	static uint32_t counts[LARGE];
	uint32_t heavy = 0;

	add_large(w, BALANCE_ROUND_ROBIN, 0, 1);
	count_choices(w, 10000, counts, LARGE);
	for (uint32_t slot = 0; slot < LARGE; slot += 3)
		heavy += counts[slot];
	assert_int_equal(heavy, 10000);
}

static void
the_last_one_of_a_large_service_is_found(void **state)
{
	struct world *w = *state;
	uint32_t service = add_large(w, BALANCE_ROUND_ROBIN, 1, 1);
	static uint32_t counts[LARGE];

	for (uint32_t i = 0; i < LARGE; i++)
		if (i != 700)
			world_set_flags(w, service, i, HEALTH_DOWN);
	count_choices(w, 100, counts, LARGE);
	assert_int_equal(counts[700], 100);
	world_set_flags(w, service, 700, HEALTH_DOWN);
	assert_int_equal(choose_one(w), TABLE_NONE);
}

static void
a_part_that_is_down_burdens_all_alike(void **state)
{
	struct world *w = *state;
	uint32_t service = add_large(w, BALANCE_ROUND_ROBIN, 1, 1);
	static uint32_t counts[LARGE];

	for (uint32_t i = 64; i < 100; i++)	/* of 64 .. 127 */
		world_set_flags(w, service, i, HEALTH_DOWN);
	count_choices(w, 96400, counts, LARGE);
	for (uint32_t i = 0; i < LARGE; i++)
		if (i >= 64 && i < 100)
			assert_int_equal(counts[i], 0);
		else
			assert_in_range(counts[i], 40, 170);
}

/* Consistent hashing ----------------------------------------------------- */

static void
choose_for_clients(struct world *w, uint32_t *slots)
{
	enum route_refusal refusal;

	for (uint32_t i = 0; i < CLIENTS; i++) {
		struct route_query query = world_query("/", i * 2654435761u);

		slots[i] = world_choose(w, &query, &refusal);
		assert_int_not_equal(slots[i], TABLE_NONE);
	}
}

static void
a_client_stays_with_its_backend(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1, 1 };
	uint32_t before[CLIENTS], after[CLIENTS], counts[4] = { 0 };

	world_prove(w,
	    world_add_plain(w, "/", BALANCE_HASH_CLIENT, weights, 4));
	choose_for_clients(w, before);
	world_use_router(w, 0);		/* as another worker would */
	choose_for_clients(w, after);
	assert_memory_equal(before, after, sizeof(before));
	for (size_t i = 0; i < CLIENTS; i++)
		counts[before[i]]++;
	for (size_t i = 0; i < 4; i++)
		assert_in_range(counts[i], 880, 1120);
}

static void
hashing_shares_by_weight(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 2, 5 };
	uint32_t slots[CLIENTS], counts[3] = { 0 };

	world_prove(w,
	    world_add_plain(w, "/", BALANCE_HASH_CLIENT, weights, 3));
	choose_for_clients(w, slots);
	for (size_t i = 0; i < CLIENTS; i++)
		counts[slots[i]]++;
	assert_in_range(counts[0], 420, 580);
	assert_in_range(counts[1], 900, 1100);
	assert_in_range(counts[2], 2380, 2620);
}

static void
a_removed_backend_moves_only_its_share(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1, 1, 1 };
	const uint32_t remaining[] = { 0, 1, 3, 4 };
	uint32_t before[CLIENTS], after[CLIENTS], service;

	service = world_add_plain(w, "/", BALANCE_HASH_CLIENT, weights, 5);
	world_prove(w, service);
	choose_for_clients(w, before);
	world_put_service(w, service, BALANCE_HASH_CLIENT, remaining, 4);
	choose_for_clients(w, after);
	for (size_t i = 0; i < CLIENTS; i++) {
		assert_int_not_equal(after[i], 2);
		assert_true(before[i] == 2 || before[i] == after[i]);
	}
}

static void
a_drain_gives_keys_up_for_good(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1 };
	struct instant start = w->now;
	uint32_t before[CLIENTS], after[CLIENTS], service, count = CLIENTS;

	service = world_add_plain(w, "/", BALANCE_HASH_CLIENT, weights, 3);
	world_prove(w, service);
	choose_for_clients(w, before);
	world_drain(w, service, 1, 10000);
	for (int tenth = 1; tenth <= 10; tenth++) {
		uint32_t left = 0;

		w->now = instant_after_ms(start, tenth * 1000);
		choose_for_clients(w, after);
		for (size_t i = 0; i < CLIENTS; i++) {
			assert_true(before[i] == 1 || before[i] == after[i]);
			left += after[i] == 1;
		}
		assert_true(left < count);
		count = left;
		memcpy(before, after, sizeof(before));
	}
	assert_int_equal(count, 0);
}

static struct bytes
user_field(const void *request, struct bytes name)
{
	assert_true(bytes_is(name, "x-user"));
	return bytes_of(request);
}

static void
a_field_decides_and_the_client_where_it_is_missing(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	enum route_refusal refusal;
	uint32_t seen_by_user = 0, seen_by_client = 0;

	world_prove(w,
	    world_add_plain(w, "/", BALANCE_HASH_HEADER, weights, 8));
	for (uint32_t client = 0; client < 100; client++) {
		struct route_query query = world_query("/", client);

		query.field = user_field;
		query.request = "ann";
		seen_by_user |= 1u << world_choose(w, &query, &refusal);
		query.request = "";
		seen_by_client |= 1u << world_choose(w, &query, &refusal);
	}
	assert_int_equal(seen_by_user & (seen_by_user - 1), 0);
	assert_int_equal(seen_by_client, 0xff);
}

#define CASE(f) \
	cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_connections_follows_its_table),
		CASE(equally_loaded_ones_take_turns),
		CASE(of_two_choices_the_less_loaded_wins),
		CASE(two_choices_among_the_idle_go_by_weight),
		cmocka_unit_test(all_of_a_large_service_take_their_share),
		CASE(one_of_far_too_great_a_weight_has_its_share),
		CASE(the_last_one_of_a_large_service_is_found),
		CASE(a_part_that_is_down_burdens_all_alike),
		CASE(a_client_stays_with_its_backend),
		CASE(hashing_shares_by_weight),
		CASE(a_removed_backend_moves_only_its_share),
		CASE(a_drain_gives_keys_up_for_good),
		CASE(a_field_decides_and_the_client_where_it_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
