/*
 * tests/unit/routing/test_router.c - who gets a request, and why nobody.
 */
/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"

/* Which of the service's backends serves; 'a' the first, '.' nobody. */
static char
letter_of(struct world *w, uint32_t service_slot, uint32_t slot)
{
	struct routed_service *service =
	    router_get_service(w->router, service_slot);
	char letter = '.';

	for (uint32_t i = 0; i < service->spec.backend_count; i++)
		if (service->backends[i].slot == slot)
			letter = (char)('a' + i);
	router_put_service(w->router, service);
	return letter;
}

/* Turns ------------------------------------------------------------------ */

static const struct {
	const char *sentence;
	uint32_t weights[4];
	const char *want;
} turns[] = {
	{ "equals take turns", { 1, 1, 1 }, "abcabc" },
	{ "weights are dealt smoothly", { 5, 1, 1 }, "aabacaaaabacaa" },
	{ "two to one", { 2, 1 }, "abaaba" },
	{ "weight 0 takes nothing", { 1, 0, 1 }, "acac" },
	{ "one alone takes all", { 3 }, "aaa" },
};

static void
round_robin_follows_its_table(void **state)
{
	for (size_t i = 0; i < COUNT_OF(turns); i++) {
		struct world *w;
		struct route_query query = world_query("/", 1);
		enum route_refusal refusal;
		char got[32] = "";
		uint32_t service;

		world_set_up(state);
		w = *state;
		service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN,
		    turns[i].weights, 4);
		world_prove(w, service);
		for (size_t n = 0; n < strlen(turns[i].want); n++)
			got[n] = letter_of(w, service,
			    world_choose(w, &query, &refusal));
		if (strcmp(got, turns[i].want) != 0)
			fail_msg("%s: %s", turns[i].sentence, got);
		world_tear_down(state);
	}
}

/* Standing --------------------------------------------------------------- */

/*
 * A letter a backend: u up, ? unjudged, d down, m maintenance, b breaker
 * open, h half-open, x up and at max_connections, - without weight, e
 * drained to the end, U and S as u and ?, but suspect.
 */
static const struct {
	const char *sentence, *backends;
	char want;			/* the letter, '.' refused */
	enum route_refusal refusal;
} standings[] = {
	{ "proven goes before unproven", "?u", 'b', REFUSED_NOT },
	{ "unproven serves when nobody is proven", "d?", 'b', REFUSED_NOT },
	{ "unproven goes before suspect", "U?", 'b', REFUSED_NOT },
	{ "a suspect serves when there is nobody else", "dU", 'b',
	  REFUSED_NOT },
	{ "a suspect that was never proven, too", "dS", 'b', REFUSED_NOT },
	{ "down takes nothing", "d", '.', REFUSED_UNHEALTHY },
	{ "all down", "dd", '.', REFUSED_UNHEALTHY },
	{ "maintenance takes nothing", "mu", 'b', REFUSED_NOT },
	{ "maintenance is told first", "dmb", '.', REFUSED_MAINTENANCE },
	{ "then the drain", "bed", '.', REFUSED_DRAINING },
	{ "then the breaker", "db", '.', REFUSED_BREAKER },
	{ "half-open takes nothing without a trial", "h", '.',
	  REFUSED_BREAKER },
	{ "all are full", "xx", '.', REFUSED_BUSY },
	{ "one that is only full is still there", "dx-m", '.', REFUSED_BUSY },
	{ "one that is full leaves it to the other", "xu", 'b', REFUSED_NOT },
	{ "no weight is no backend", "-", '.', REFUSED_NO_BACKEND },
	{ "no backend at all", "", '.', REFUSED_NO_BACKEND },
};

static void
fail_on(struct world *w, uint32_t service_slot, uint32_t index)
{
	struct route_choice choice = {
		.service = router_get_service(w->router, service_slot),
	};

	choice.backend = &choice.service->backends[index];
	router_note_failure(w->router, &choice, w->now);
	router_release(w->router, &choice);
}

static void
arrange(struct world *w, uint32_t service, uint32_t index, char letter)
{
	const struct condition_spec maintenance = { .in_maintenance = true };
	static const struct {
		char letter;
		uint32_t flags;
	} flags[] = {
		{ 'u', HEALTH_UP },
		{ 'U', HEALTH_UP },
		{ 'x', HEALTH_UP },
		{ 'd', HEALTH_DOWN },
		{ 'm', HEALTH_UP },
		{ 'b', HEALTH_UP | HEALTH_BREAKER },
		{ 'h', HEALTH_UP | HEALTH_HALF_OPEN },
	};

	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (flags[i].letter == letter)
			world_set_flags(w, service, index, flags[i].flags);
	if (letter == 'm')
		world_order_backend(w, service, index, &maintenance);
	if (letter == 'e')
		world_drain(w, service, index, 0);
	if (letter == 'U' || letter == 'S')
		fail_on(w, service, index);
}

static void
put_full_backends(struct world *w, const char *letters)
{
	for (uint32_t slot = 0; letters[slot] != '\0'; slot++) {
		struct arena arena;
		struct backend_copy copy;
		uint32_t same = slot;

		if (letters[slot] != 'x')
			continue;
		arena_init(&arena, 65536);
		assert_int_equal(route_table_read_backend(w->table, slot,
		    &arena, &copy), TABLE_FOUND);
		copy.spec.max_connections = 2;
		table_writer_begin(w->writer);
		assert_int_equal(table_writer_put_backend(w->writer, &same,
		    &copy.spec), 0);
		table_writer_commit(w->writer, ++w->generation);
		arena_free(&arena);
		w->in_flight[slot] = 2;
	}
}

static void
who_is_proven_while_it_is_looked_at_serves(void **state)
{
	const struct route_query query = world_query("/", 1);
	const uint32_t weight = 1;
	enum route_refusal refusal;
	struct world *w = *state;
	uint32_t service;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, &weight, 1);
	put_full_backends(w, "x");
	w->in_flight[0] = 0;
	w->proven_meanwhile = service;
	assert_int_equal(world_choose(w, &query, &refusal), 0);
	assert_int_equal(refusal, REFUSED_NOT);
}

static void
check_standing(void **state, size_t row)
{
	const char *letters = standings[row].backends;
	struct route_query query = world_query("/", 1);
	uint32_t weights[8], count = (uint32_t)strlen(letters), service, slot;
	enum route_refusal refusal;
	struct world *w;

	world_set_up(state);
	w = *state;
	for (uint32_t i = 0; i < count; i++)
		weights[i] = letters[i] == '-' ? 0 : 1;
	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, count);
	put_full_backends(w, letters);
	for (uint32_t i = 0; i < count; i++)
		arrange(w, service, i, letters[i]);
	for (int again = 0; again < 3; again++) {
		slot = world_choose(w, &query, &refusal);
		if (refusal != standings[row].refusal ||
		    letter_of(w, service, slot) != standings[row].want)
			fail_msg("%s: %s", standings[row].sentence,
			    route_refusal_word(refusal));
	}
	world_tear_down(state);
}

static void
standing_follows_its_table(void **state)
{
	for (size_t i = 0; i < COUNT_OF(standings); i++)
		check_standing(state, i);
}

static void
a_path_that_nobody_has_is_no_route(void **state)
{
	struct world *w = *state;
	const uint32_t weight = 1;
	struct route_query query = world_query("/other", 1);
	struct route_choice choice;

	world_add_plain(w, "/users", BALANCE_ROUND_ROBIN, &weight, 1);
	router_choose(w->router, &query, w->now, &choice);
	assert_int_equal(choice.refusal, REFUSED_NO_ROUTE);
	assert_null(choice.route);
	router_release(w->router, &choice);
}

static void
a_refused_choice_shows_route_and_service(void **state)
{
	struct world *w = *state;
	const uint32_t weight = 1;
	struct route_query query = world_query("/users/7", 1);
	struct route_choice choice;
	uint32_t service;

	service = world_add_plain(w, "/users", BALANCE_ROUND_ROBIN, &weight, 1);
	world_set_flags(w, service, 0, HEALTH_DOWN);
	router_choose(w->router, &query, w->now, &choice);
	assert_int_equal(choice.refusal, REFUSED_UNHEALTHY);
	assert_int_equal(choice.match.prefix_len, 6);
	assert_true(bytes_is(choice.route->spec.label, "users-5"));
	assert_true(bytes_is(choice.service->spec.name, "users"));
	assert_null(choice.backend);
	router_release(w->router, &choice);
	assert_null(choice.route);
}

static void
a_suspect_is_cleared_by_time_or_an_answer(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1 };
	struct route_query query = world_query("/", 1);
	struct route_choice choice;
	enum route_refusal refusal;
	uint32_t service, first;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 2);
	world_prove(w, service);
	router_choose(w->router, &query, w->now, &choice);
	first = choice.backend->slot;
	router_note_failure(w->router, &choice, w->now);
	for (int i = 0; i < 4; i++)
		assert_int_not_equal(world_choose(w, &query, &refusal), first);
	router_note_success(w->router, &choice);
	assert_true(world_choose(w, &query, &refusal) == first ||
	    world_choose(w, &query, &refusal) == first);

	router_note_failure(w->router, &choice, w->now);
	w->now = instant_after_ms(w->now, 10001);
	assert_true(world_choose(w, &query, &refusal) == first ||
	    world_choose(w, &query, &refusal) == first);
	router_release(w->router, &choice);
}

static void
without_probes_nobody_waits_for_proof(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1 };
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;
	struct service_spec spec = { .name = BYTES_LITERAL("plain") };
	uint32_t service, backends[2], seen = 0;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 2);
	backends[0] = 0;
	backends[1] = 1;
	spec.backends = backends;
	spec.backend_count = 2;
	table_writer_begin(w->writer);
	assert_int_equal(table_writer_put_service(w->writer, &service, &spec),
	    0);
	table_writer_commit(w->writer, ++w->generation);
	world_set_flags(w, service, 0, HEALTH_UP);
	for (int i = 0; i < 2; i++)
		seen |= 1u << world_choose(w, &query, &refusal);
	assert_int_equal(seen, 3);
}

static void
half_open_takes_as_many_trials_as_there_are(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1 };
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;
	uint32_t service, trials = 0;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 2);
	world_set_flags(w, service, 0, HEALTH_UP);
	world_set_flags(w, service, 1, HEALTH_UP | HEALTH_HALF_OPEN);
	w->trials = 2;
	for (int i = 0; i < 10; i++)
		trials += letter_of(w, service,
		    world_choose(w, &query, &refusal)) == 'b';
	assert_int_equal(trials, 2);
	assert_int_equal(w->trials, 0);
}

/* Sharing ---------------------------------------------------------------- */

/* Three routes at "/", each with a service of one backend. */
static void
share_path(struct world *w, const uint32_t *weights, uint32_t services[3])
{
	uint32_t routes[3], backend;

	for (int i = 0; i < 3; i++) {
		struct route_target target = { .weight = 1 };

		backend = world_add_backend(w, weights[i]);
		services[i] = world_put_service(w, TABLE_NONE,
		    BALANCE_ROUND_ROBIN, &backend, 1);
		target.service = services[i];
		routes[i] = world_put_route(w, TABLE_NONE, &target, 1);
	}
	world_put_path(w, "/", routes, 3);
	for (int i = 0; i < 3; i++)
		world_prove(w, services[i]);
}

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

static void
routes_share_by_the_weights_of_their_backends(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 3, 2, 1 };
	uint32_t services[3], counts[3];

	share_path(w, weights, services);
	count_choices(w, 600, counts, 3);
	assert_int_equal(counts[0], 300);
	assert_int_equal(counts[1], 200);
	assert_int_equal(counts[2], 100);
}

static void
the_share_of_a_dead_route_is_split_evenly(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 2, 1, 1 };
	uint32_t services[3], counts[3];

	share_path(w, weights, services);
	world_set_flags(w, services[0], 0, HEALTH_DOWN);
	count_choices(w, 100, counts, 3);
	assert_int_equal(counts[1], 50);
	assert_int_equal(counts[2], 50);
}

static void
an_unproven_route_waits_while_another_is_proven(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1 };
	uint32_t services[3], counts[3];

	share_path(w, weights, services);
	world_set_flags(w, services[0], 0, 0);
	count_choices(w, 100, counts, 3);
	assert_int_equal(counts[0], 0);
}

static void
targets_split_by_weight(void **state)
{
	struct world *w = *state;
	struct route_target targets[3];
	uint32_t counts[3], route;

	for (uint32_t i = 0; i < 3; i++) {
		uint32_t backend = world_add_backend(w, 1);

		targets[i].service = world_put_service(w, TABLE_NONE,
		    BALANCE_ROUND_ROBIN, &backend, 1);
		targets[i].weight = i == 0 ? 90 : i == 1 ? 10 : 0;
		world_prove(w, targets[i].service);
	}
	route = world_put_route(w, TABLE_NONE, targets, 3);
	world_put_path(w, "/", &route, 1);
	count_choices(w, 1000, counts, 3);
	assert_int_equal(counts[0], 900);
	assert_int_equal(counts[1], 100);
	world_set_flags(w, targets[0].service, 0, HEALTH_DOWN);
	count_choices(w, 100, counts, 3);
	assert_int_equal(counts[1], 100);
}

/* Retries ---------------------------------------------------------------- */

static void
a_retry_takes_another_backend_of_the_service(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1 };
	struct route_query query = world_query("/", 1);
	struct route_choice choice;
	uint32_t tried[3], service;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 3);
	world_prove(w, service);
	router_choose(w->router, &query, w->now, &choice);
	for (uint32_t i = 0; i < 3; i++) {
		tried[i] = choice.backend->slot;
		for (uint32_t j = 0; j < i; j++)
			assert_int_not_equal(tried[j], tried[i]);
		assert_int_equal(router_choose_other(w->router, &query, tried,
		    i + 1, w->now, &choice), i < 2);
	}
	assert_int_equal(choice.backend->slot, tried[2]); /* as it was */
	assert_true(bytes_is(choice.route->spec.label, "users-5"));
	router_release(w->router, &choice);
}

static void
a_retry_goes_on_to_the_routes_that_share_the_path(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 1 };
	struct route_query query = world_query("/", 1);
	struct route_choice choice;
	uint32_t services[3], tried[3];

	share_path(w, weights, services);
	router_choose(w->router, &query, w->now, &choice);
	for (uint32_t i = 0; i < 2; i++) {
		tried[i] = choice.backend->slot;
		assert_true(router_choose_other(w->router, &query, tried, i + 1,
		    w->now, &choice));
		assert_int_equal(choice.route->spec.targets[0].service,
		    choice.service->slot);
	}
	tried[2] = choice.backend->slot;
	assert_int_equal(tried[0] + tried[1] + tried[2], 0 + 1 + 2);
	assert_false(router_choose_other(w->router, &query, tried, 3, w->now,
	    &choice));
	router_release(w->router, &choice);
}

static void
a_retry_survives_a_table_that_changed_meanwhile(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1 };
	struct route_query query = world_query("/", 1);
	struct route_target target = { .weight = 1 };
	struct route_choice choice;
	uint32_t service, tried, backend, route;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 2);
	world_prove(w, service);
	router_choose(w->router, &query, w->now, &choice);
	tried = choice.backend->slot;
	backend = world_add_backend(w, 1);
	target.service = world_put_service(w, TABLE_NONE, BALANCE_ROUND_ROBIN,
	    &backend, 1);
	route = world_put_route(w, choice.route->slot, &target, 1);
	assert_int_equal(route, choice.route->slot);
	assert_true(router_choose_other(w->router, &query, &tried, 1, w->now,
	    &choice));
	assert_int_equal(choice.backend->slot, backend);
	router_release(w->router, &choice);
}

/* Drain ------------------------------------------------------------------ */

#define DRAIN_REQUESTS 2000

static void
a_lone_drain_refuses_its_share_and_no_more(void **state)
{
	struct world *w = *state;
	const uint32_t weight = 1;
	struct route_query query = world_query("/", 1);
	struct instant start = w->now;
	enum route_refusal refusal;
	uint32_t service;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, &weight, 1);
	world_drain(w, service, 0, 20000);
	for (int tenth = 0; tenth <= 10; tenth++) {
		int served = 0, want = DRAIN_REQUESTS * (10 - tenth) / 10;

		w->now = instant_after_ms(start, tenth * 2000);
		for (int i = 0; i < DRAIN_REQUESTS; i++) {
			served += world_choose(w, &query, &refusal) !=
			    TABLE_NONE;
			assert_true(refusal == REFUSED_NOT ||
			    refusal == REFUSED_DRAINING);
		}
		if (abs(served - want) > DRAIN_REQUESTS / 100)
			fail_msg("at %d tenths %d served", tenth, served);
	}
}

static void
any_hundred_requests_are_drained_evenly(void **state)
{
	struct world *w = *state;
	const uint32_t weight = 1;
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;
	uint32_t service;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, &weight, 1);
	world_drain(w, service, 0, 20000);
	w->now = instant_after_ms(w->now, 10000);
	for (int hundred = 0; hundred < 20; hundred++) {
		int served = 0;

		for (int i = 0; i < 100; i++)
			served += world_choose(w, &query, &refusal) !=
			    TABLE_NONE;
		assert_in_range(served, 48, 52);
	}
}

static void
others_take_the_share_of_a_drain(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1 };
	struct instant start = w->now;
	uint32_t service, counts[2];

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 2);
	world_prove(w, service);
	world_drain(w, service, 0, 20000);
	for (int tenth = 0; tenth <= 10; tenth++) {
		double left = (10 - tenth) / 10.;
		int want = (int)(DRAIN_REQUESTS * left / (1 + left));

		w->now = instant_after_ms(start, tenth * 2000);
		count_choices(w, DRAIN_REQUESTS, counts, 2);
		if (abs((int)counts[0] - want) > DRAIN_REQUESTS / 100)
			fail_msg("at %d tenths %u of %d", tenth, counts[0],
			    want);
	}
}

static void
a_route_that_shares_takes_the_share_of_a_drain(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 2 };
	struct instant start = w->now;
	uint32_t services[3], counts[3];

	share_path(w, weights, services);
	world_drain(w, services[2], 0, 20000);
	for (int tenth = 0; tenth <= 10; tenth++) {
		double left = 2 * (10 - tenth) / 10.;
		int want = (int)(DRAIN_REQUESTS * left / (2 + left));

		w->now = instant_after_ms(start, tenth * 2000);
		count_choices(w, DRAIN_REQUESTS, counts, 3);
		if (abs((int)counts[2] - want) > DRAIN_REQUESTS / 100)
			fail_msg("at %d tenths %u of %d", tenth, counts[2],
			    want);
		assert_true(abs((int)counts[0] - (int)counts[1]) <= 4);
	}
}

static void
routes_that_all_drain_refuse_by_their_weights(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1, 2 };
	struct route_query query = world_query("/", 1);
	enum route_refusal refusal;
	struct instant start = w->now;
	uint32_t services[3];

	share_path(w, weights, services);
	world_drain(w, services[0], 0, 10000);
	world_drain(w, services[1], 0, 20000);
	world_drain(w, services[2], 0, 20000);
	for (int tenth = 0; tenth <= 10; tenth++) {
		/* The first is done half-way, and then out of the count. */
		double first = (10 - 2 * tenth) / 10.;
		double rest = (10 - tenth) / 10.;
		double share = tenth < 5 ? (first + 3 * rest) / 4 : rest;
		int want = (int)(DRAIN_REQUESTS * share), served = 0;

		w->now = instant_after_ms(start, tenth * 2000);
		for (int i = 0; i < DRAIN_REQUESTS; i++)
			served += world_choose(w, &query, &refusal) !=
			    TABLE_NONE;
		if (abs(served - want) > DRAIN_REQUESTS / 100)
			fail_msg("at %d tenths %d of %d", tenth, served, want);
	}
}

static void
a_cancelled_drain_serves_all_at_once(void **state)
{
	struct world *w = *state;
	const struct condition_spec none = { 0 };
	const uint32_t weight = 1;
	uint32_t service, counts[1];

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, &weight, 1);
	world_drain(w, service, 0, 20000);
	w->now = instant_after_ms(w->now, 19000);
	world_order_backend(w, service, 0, &none);
	count_choices(w, 100, counts, 1);
}

/* Maintenance ------------------------------------------------------------ */

/* A service and its route in maintenance, with a list and an end. */
static const struct {
	const char *sentence, *allow;
	uint32_t client;		/* in the order of the network */
	int64_t until_ms;		/* from now; 0: until told */
	enum route_refusal want;
} orders[] = {
	{ "maintenance keeps everybody out", "", 0x0100007f, 0,
	  REFUSED_MAINTENANCE },
	{ "a tester passes by address", "::1, 127.0.0.1", 0x0100007f, 0,
	  REFUSED_NOT },
	{ "and by block", "127.0.0.0/8", 0x0703027f, 0, REFUSED_NOT },
	{ "others do not", "127.0.0.1,10.0.0.0/8", 0x0200007f, 0,
	  REFUSED_MAINTENANCE },
	{ "what is no address lets nobody pass", "x,127.0.0.1/33",
	  0x0100007f, 0, REFUSED_MAINTENANCE },
	{ "its end is by the clock", "", 0x0100007f, -1, REFUSED_NOT },
	{ "and not before", "", 0x0100007f, 1, REFUSED_MAINTENANCE },
};

static void
maintenance_follows_its_table(void **state)
{
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		const uint32_t weight = 1;
		struct condition_spec condition = {
			.in_maintenance = true,
			.allow = bytes_of(orders[i].allow),
		};
		struct route_query query = world_query("/", orders[i].client);
		enum route_refusal refusal;
		struct world *w;
		uint32_t service;

		world_set_up(state);
		w = *state;
		service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN,
		    &weight, 1);
		if (orders[i].until_ms != 0)
			condition.maintenance_until_ns = instant_after_ms(
			    w->now, orders[i].until_ms).ns;
		world_order_backend(w, service, 0, &condition);
		(void)world_choose(w, &query, &refusal);
		if (refusal != orders[i].want)
			fail_msg("%s", orders[i].sentence);
		world_tear_down(state);
	}
}

static void
the_page_is_of_the_first_that_is_in_maintenance(void **state)
{
	struct world *w = *state;
	const uint32_t weights[] = { 1, 1 };
	struct condition_spec condition = {
		.in_maintenance = true,
		.page_url = BYTES_LITERAL("http://pages.test/"),
	};
	struct route_query query = world_query("/", 1);
	struct route_choice choice;
	uint32_t service;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights, 2);
	world_order_backend(w, service, 0, &condition);
	condition.page_url = bytes_of("http://other.test/");
	world_order_backend(w, service, 1, &condition);
	router_choose(w->router, &query, w->now, &choice);
	assert_int_equal(choice.refusal, REFUSED_MAINTENANCE);
	assert_non_null(choice.condition);
	assert_true(bytes_is(choice.condition->page_url,
	    "http://pages.test/"));
	router_release(w->router, &choice);
}

static void
a_drain_tells_when_it_is_complete(void **state)
{
	struct world *w = *state;
	const uint32_t weight = 1;
	struct route_query query = world_query("/", 1);
	struct route_choice choice;
	uint32_t service;

	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, &weight, 1);
	router_choose(w->router, &query, w->now, &choice);
	assert_int_equal(router_drain_end(w->router, &choice).ns, 0);
	world_drain(w, service, 0, 20000);
	assert_int_equal(router_drain_end(w->router, &choice).ns,
	    instant_after_ms(w->now, 20000).ns);
	router_release(w->router, &choice);
}

/* Explaining ------------------------------------------------------------- */

static void
each_backend_is_explained(void **state)
{
	static const struct {
		char letter;
		const char *tier, *why;
	} wants[] = {
		{ 'u', "proven", "" },
		{ '?', "unproven", "" },
		{ 'U', "suspect", "" },
		{ 'd', "none", "down" },
		{ 'm', "none", "maintenance" },
		{ 'b', "none", "breaker open" },
		{ 'h', "none", "breaker half-open" },
		{ 'e', "none", "drained" },
		{ '-', "none", "weight 0" },
	};
	struct world *w = *state;
	uint32_t weights[COUNT_OF(wants)], service;
	struct backend_standing standings_r[COUNT_OF(wants)];
	struct routed_service *routed;

	for (size_t i = 0; i < COUNT_OF(wants); i++)
		weights[i] = wants[i].letter == '-' ? 0 : 1;
	service = world_add_plain(w, "/", BALANCE_ROUND_ROBIN, weights,
	    COUNT_OF(wants));
	for (uint32_t i = 0; i < COUNT_OF(wants); i++)
		arrange(w, service, i, wants[i].letter);
	routed = router_get_service(w->router, service);
	assert_int_equal(router_explain_service(w->router, routed, NULL,
	    w->now, standings_r, COUNT_OF(wants)), COUNT_OF(wants));
	router_put_service(w->router, routed);
	for (size_t i = 0; i < COUNT_OF(wants); i++) {
		assert_string_equal(standings_r[i].tier, wants[i].tier);
		assert_string_equal(standings_r[i].why, wants[i].why);
		assert_int_equal(standings_r[i].is_eligible,
		    wants[i].why[0] == '\0');
	}
}

#define CASE(f) \
	cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_robin_follows_its_table),
		cmocka_unit_test(standing_follows_its_table),
		CASE(who_is_proven_while_it_is_looked_at_serves),
		CASE(a_path_that_nobody_has_is_no_route),
		CASE(a_refused_choice_shows_route_and_service),
		CASE(a_suspect_is_cleared_by_time_or_an_answer),
		CASE(without_probes_nobody_waits_for_proof),
		CASE(half_open_takes_as_many_trials_as_there_are),
		CASE(routes_share_by_the_weights_of_their_backends),
		CASE(the_share_of_a_dead_route_is_split_evenly),
		CASE(an_unproven_route_waits_while_another_is_proven),
		CASE(targets_split_by_weight),
		CASE(a_retry_takes_another_backend_of_the_service),
		CASE(a_retry_goes_on_to_the_routes_that_share_the_path),
		CASE(a_retry_survives_a_table_that_changed_meanwhile),
		CASE(a_lone_drain_refuses_its_share_and_no_more),
		CASE(any_hundred_requests_are_drained_evenly),
		CASE(others_take_the_share_of_a_drain),
		CASE(a_route_that_shares_takes_the_share_of_a_drain),
		CASE(routes_that_all_drain_refuse_by_their_weights),
		CASE(a_cancelled_drain_serves_all_at_once),
		cmocka_unit_test(maintenance_follows_its_table),
		CASE(the_page_is_of_the_first_that_is_in_maintenance),
		CASE(a_drain_tells_when_it_is_complete),
		CASE(each_backend_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
