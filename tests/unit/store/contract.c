/*
 * tests/unit/store/contract.c - what holds for every driver of the store.
 */
/* SPDX-License-Identifier: ISC */
#include "contract.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char before[] = "{\"was\": 1}";

static void (*make_fixture)(struct fixture *);

int
contract_set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	make_fixture(fixture);
	*state = fixture;
	return 0;
}

int
contract_tear_down(void **state)
{
	fixture_free(*state);
	free(*state);
	return 0;
}

/* A service, a backend and a route of it, committed. */
struct trio {
	struct service service;
	struct backend backend;
	struct route route;
};

static struct trio
commit_trio(struct fixture *fixture)
{
	struct trio trio = {
		.service = make_service("users"),
		.backend = make_backend("users", "http://127.0.0.1:1"),
		.route = make_route("users", "/users"),
	};
	struct store_change changes[] = {
		put_service(&trio.service),
		put_backend(&trio.backend),
		put_route(&trio.route),
	};

	if (fixture_commit(fixture, changes, 3) != STORE_OK)
		fail_msg("%s", fixture->message);
	return trio;
}

static void
trio_clear(struct trio *trio)
{
	service_clear(&trio->service);
	backend_clear(&trio->backend);
	route_clear(&trio->route);
}

static void
assert_same_times(const struct object_times *a, const struct object_times *b)
{
	assert_int_equal(a->created_wall_ms, b->created_wall_ms);
	assert_int_equal(a->updated_wall_ms, b->updated_wall_ms);
	assert_int_equal(a->version, b->version);
}

static void
assert_same_service(const struct service *a, const struct service *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->origin, b->origin);
	assert_int_equal(a->policy, b->policy);
	assert_string_equal(a->hash_header, b->hash_header);
	assert_int_equal(a->connect_timeout_ms, b->connect_timeout_ms);
	assert_int_equal(a->response_timeout_ms, b->response_timeout_ms);
	assert_int_equal(a->queue_timeout_ms, b->queue_timeout_ms);
	assert_int_equal(a->retries, b->retries);
	assert_int_equal(a->probe_kind, b->probe_kind);
	assert_int_equal(a->probe_interval_ms, b->probe_interval_ms);
	assert_int_equal(a->probe_timeout_ms, b->probe_timeout_ms);
	assert_int_equal(a->probe_rise, b->probe_rise);
	assert_int_equal(a->probe_fall, b->probe_fall);
	assert_int_equal(a->probe_status_min, b->probe_status_min);
	assert_int_equal(a->probe_status_max, b->probe_status_max);
	assert_string_equal(a->probe_path, b->probe_path);
	assert_string_equal(a->probe_host, b->probe_host);
	assert_same_times(&a->times, &b->times);
}

static void
assert_same_backend(const struct backend *a, const struct backend *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->origin, b->origin);
	assert_string_equal(a->service, b->service);
	assert_string_equal(a->url, b->url);
	assert_int_equal(a->weight, b->weight);
	assert_int_equal(a->max_connections, b->max_connections);
	assert_same_times(&a->times, &b->times);
}

static void
assert_same_lists(const struct route *a, const struct route *b)
{
	assert_int_equal(a->domain_count, b->domain_count);
	for (uint32_t i = 0; i < a->domain_count; i++)
		assert_string_equal(a->domains[i], b->domains[i]);
	assert_int_equal(a->prefix_count, b->prefix_count);
	for (uint32_t i = 0; i < a->prefix_count; i++)
		assert_string_equal(a->prefixes[i], b->prefixes[i]);
	assert_int_equal(a->target_count, b->target_count);
	for (uint32_t i = 0; i < a->target_count; i++) {
		assert_string_equal(a->targets[i].service,
		    b->targets[i].service);
		assert_int_equal(a->targets[i].weight, b->targets[i].weight);
	}
	assert_int_equal(a->header_count, b->header_count);
	for (uint32_t i = 0; i < a->header_count; i++) {
		assert_int_equal(a->headers[i].op, b->headers[i].op);
		assert_int_equal(a->headers[i].of_request,
		    b->headers[i].of_request);
		assert_true(bytes_equal(a->headers[i].name,
		    b->headers[i].name));
		assert_true(bytes_equal(a->headers[i].value,
		    b->headers[i].value));
	}
}

static void
assert_same_route(const struct route *a, const struct route *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->origin, b->origin);
	assert_string_equal(a->label, b->label);
	assert_same_lists(a, b);
	assert_int_equal(a->priority, b->priority);
	assert_int_equal(a->strip_prefix, b->strip_prefix);
	assert_int_equal(a->refuses_websocket, b->refuses_websocket);
	assert_int_equal(a->rate_limit.is_told, b->rate_limit.is_told);
	assert_int_equal(a->is_shared, b->is_shared);
	assert_string_equal(a->host_rewrite, b->host_rewrite);
	assert_int_equal(a->max_body_bytes, b->max_body_bytes);
	assert_same_times(&a->times, &b->times);
}

static void
assert_loads(struct fixture *fixture, const struct trio *trio)
{
	struct loaded loaded;

	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, 1);
	assert_int_equal(loaded.backend_count, 1);
	assert_int_equal(loaded.route_count, 1);
	assert_same_service(&loaded.services[0], &trio->service);
	assert_same_backend(&loaded.backends[0], &trio->backend);
	assert_same_route(&loaded.routes[0], &trio->route);
	loaded_clear(&loaded);
}

static void
assert_history(struct fixture *fixture, struct store_history_query query,
    const char *want)
{
	struct listed listed;

	if (fixture_history(fixture, &query, &listed) != STORE_OK)
		fail_msg("%s", fixture->message);
	assert_string_equal(listed.rows == NULL ? "" : listed.rows, want);
	listed_clear(&listed);
}

static void
a_new_store_is_empty(void **state)
{
	struct fixture *fixture = *state;
	struct loaded loaded;

	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(fixture->outcome.generation, 0);
	assert_int_equal(loaded.service_count, 0);
	assert_int_equal(loaded.backend_count, 0);
	assert_int_equal(loaded.route_count, 0);
	loaded_clear(&loaded);
}

static void
what_was_committed_is_loaded(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);

	assert_int_equal(fixture->outcome.generation, 1);
	assert_true(trio.backend.id != 0);
	assert_true(trio.route.id != 0);
	assert_int_equal(trio.service.times.version, 1);
	assert_int_equal(trio.route.times.updated_wall_ms,
	    fixture->outcome.at_wall_ms);
	assert_int_equal(trio.route.times.created_wall_ms,
	    fixture->outcome.at_wall_ms);
	assert_loads(fixture, &trio);
	assert_int_equal(fixture->outcome.generation, 1);
	trio_clear(&trio);
}

static void
an_update_replaces_and_keeps_the_creation(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	int64_t created = trio.route.times.created_wall_ms;
	struct store_change changes[] = {
		put_service(&trio.service),
		put_backend(&trio.backend),
		put_route(&trio.route),
	};

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		changes[i].before_json = before;
		changes[i].expected_version = 1;
	}
	trio.service.retries = 0;
	trio.backend.weight = 7;
	trio.route.targets[1].service = strdup("users");
	trio.route.targets[1].weight = 1;
	trio.route.target_count = 2;
	trio.route.is_shared = true;
	assert_int_equal(fixture_commit(fixture, changes, 3), STORE_OK);
	assert_int_equal(fixture->outcome.generation, 2);
	assert_int_equal(trio.route.times.version, 2);
	assert_int_equal(trio.route.times.created_wall_ms, created);
	assert_loads(fixture, &trio);
	trio_clear(&trio);
}

static void
a_removal_removes_that_alone(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct store_change change = put_route(&trio.route);
	struct loaded loaded;

	change.is_removal = true;
	change.before_json = before;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, 1);
	assert_int_equal(loaded.backend_count, 1);
	assert_int_equal(loaded.route_count, 0);
	loaded_clear(&loaded);
	trio_clear(&trio);
}

static void
a_service_in_use_is_not_removed(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct store_change change = put_service(&trio.service);

	change.is_removal = true;
	change.before_json = before;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_REFUSED);
	assert_string_not_equal(fixture->message, "");
	assert_loads(fixture, &trio);
	trio_clear(&trio);
}

static void
an_order_of_removals_takes_all_away(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct store_change changes[] = {
		put_route(&trio.route),
		put_backend(&trio.backend),
		put_service(&trio.service),
	};
	struct loaded loaded;

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		changes[i].is_removal = true;
		changes[i].before_json = before;
	}
	assert_int_equal(fixture_commit(fixture, changes, 3), STORE_OK);
	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, 0);
	assert_int_equal(loaded.backend_count, 0);
	assert_int_equal(loaded.route_count, 0);
	loaded_clear(&loaded);
	trio_clear(&trio);
}

static void
another_version_is_a_conflict_and_undoes_all(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct trio copy = { 0 };
	struct service other = make_service("other");
	struct store_change changes[3];

	assert_int_equal(service_copy_object(&trio.service, &copy.service), 0);
	assert_int_equal(backend_copy_object(&trio.backend, &copy.backend), 0);
	assert_int_equal(route_copy_object(&trio.route, &copy.route), 0);
	copy.backend.weight = 1;
	changes[0] = put_service(&other);
	changes[1] = put_backend(&copy.backend);
	changes[1].before_json = before;
	changes[2] = put_route(&copy.route);
	changes[2].before_json = before;
	changes[2].expected_version = 99;
	assert_int_equal(fixture_commit(fixture, changes, 3), STORE_CONFLICT);
	assert_non_null(strstr(fixture->message, "route"));
	assert_int_equal(other.times.version, 0);
	assert_int_equal(copy.backend.times.version, 1);
	assert_loads(fixture, &trio);
	assert_history(fixture, (struct store_history_query){ .from = 1,
	    .to = UINT64_MAX, .limit = 10 }, "");

	/* The generation was not used up. */
	changes[2].expected_version = 1;
	assert_int_equal(fixture_commit(fixture, changes, 3), STORE_OK);
	assert_int_equal(fixture->outcome.generation, 2);
	service_clear(&other);
	trio_clear(&copy);
	trio_clear(&trio);
}

static void
what_is_gone_cannot_be_changed(void **state)
{
	struct fixture *fixture = *state;
	struct backend backend = make_backend("users", "http://[::1]:1");
	struct store_change change = put_backend(&backend);
	struct trio trio = commit_trio(fixture);

	backend.id = 999;
	change.before_json = before;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_CONFLICT);
	change.is_removal = true;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_CONFLICT);
	assert_int_equal(backend.id, 999);
	backend_clear(&backend);
	trio_clear(&trio);
}

static void
what_is_there_cannot_be_created(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct service service = make_service("users");
	struct store_change change = put_service(&service);

	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_CONFLICT);
	assert_non_null(strstr(fixture->message, "users"));
	service_clear(&service);
	trio_clear(&trio);
}

static void
a_backend_needs_its_service(void **state)
{
	struct fixture *fixture = *state;
	struct backend backend = make_backend("nobody", "http://[::1]:1");
	struct route route = make_route("nobody", "/x");
	struct store_change change = put_backend(&backend);

	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_REFUSED);
	assert_int_equal(backend.id, 0);
	change = put_route(&route);
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_REFUSED);
	assert_int_equal(route.id, 0);
	backend_clear(&backend);
	route_clear(&route);
}

static void
what_comes_back_keeps_its_id(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct store_change change = put_route(&trio.route);
	struct route late = make_route("users", "/late");
	struct store_change changes[2];
	uint64_t id = trio.route.id + 5;

	trio.route.id = id;
	changes[0] = put_route(&late);
	changes[1] = change;
	assert_int_equal(fixture_commit(fixture, changes, 2), STORE_OK);
	assert_int_equal(trio.route.id, id);
	assert_true(late.id > id);
	route_clear(&late);
	trio_clear(&trio);
}

static void
history_tells_who_did_what(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct store_change change = put_route(&trio.route);
	struct store_history_query query = { .from = 1, .to = 2, .limit = 9 };
	struct listed listed;
	char want[100];

	change.before_json = before;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	assert_int_equal(fixture_history(fixture, &query, &listed), STORE_OK);
	snprintf(want, sizeof(want), "2 route %" PRIu64 " update\n",
	    trio.route.id);
	assert_string_equal(listed.rows, want);
	assert_string_equal(listed.latest_before, before);
	snprintf(want, sizeof(want), "{\"object\": \"%" PRIu64 "\"}",
	    trio.route.id);
	assert_string_equal(listed.latest_after, want);
	listed_clear(&listed);

	change.is_removal = true;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	query = (struct store_history_query){ .from = 2, .to = 3, .limit = 9 };
	assert_int_equal(fixture_history(fixture, &query, &listed), STORE_OK);
	assert_null(listed.latest_after);
	listed_clear(&listed);
	trio_clear(&trio);
}

static void
history_is_asked_by_generation_kind_and_key(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct store_change change = put_service(&trio.service);

	change.before_json = before;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	assert_history(fixture, (struct store_history_query){ .from = 1,
	    .to = UINT64_MAX, .limit = 10 },
	    "2 service users update\n3 service users update\n");
	assert_history(fixture, (struct store_history_query){ .from = 0,
	    .to = 2, .limit = 10, .newest_first = true, .key = "users" },
	    "2 service users update\n1 service users create\n");
	assert_history(fixture, (struct store_history_query){ .to = 9,
	    .limit = 1, .kind = "service" },
	    "1 service users create\n");
	assert_history(fixture, (struct store_history_query){ .to = 9,
	    .limit = 2, .newest_first = true },
	    "3 service users update\n2 service users update\n");
	assert_history(fixture, (struct store_history_query){ .to = 9,
	    .limit = 9, .kind = "route",
	    .key = "users" }, "");
	trio_clear(&trio);
}

static void
history_goes_on_inside_a_generation(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct store_change change = put_service(&trio.service);

	change.before_json = before;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	assert_history(fixture, (struct store_history_query){ .from = 1,
	    .from_seq = 2, .to = 9, .limit = 1,
	    .kind = "service" }, "2 service users update\n");
	assert_history(fixture, (struct store_history_query){ .to = 1,
	    .to_seq = 1, .limit = 9, .newest_first = true },
	    "1 service users create\n");
	assert_history(fixture, (struct store_history_query){ .from = 1,
	    .from_seq = 3, .to = 2, .to_seq = 1, .limit = 9,
	    .key = "users" }, "2 service users update\n");
	assert_history(fixture, (struct store_history_query){ .from = 1,
	    .from_seq = 1, .to = 1, .to_seq = 1, .limit = 9 }, "");
	trio_clear(&trio);
}

static void
a_commit_may_want_nothing_before_it(void **state)
{
	struct fixture *fixture = *state;
	struct trio trio = commit_trio(fixture);
	struct service service = make_service("second");
	struct store_change change = put_service(&service);

	fixture->expected_generation = 2;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_CONFLICT);
	fixture->expected_generation = 1;
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	assert_int_equal(fixture->outcome.generation, 2);
	service_clear(&service);
	trio_clear(&trio);
}

struct queued {
	struct fixture *fixture;
	struct service service;
	struct store_change change;
	uint64_t generation;
};

static uint32_t answered_count;

static void
on_queued(void *context, const struct store_outcome *outcome)
{
	struct queued *queued = context;

	assert_false(queued->fixture->is_inside);
	assert_int_equal(outcome->result, STORE_OK);
	queued->generation = outcome->generation;
	assert_int_equal(outcome->generation, ++answered_count);
}

#define QUEUED_COUNT 1000

static void
a_thousand_commits_are_done_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct queued *queued = calloc(QUEUED_COUNT, sizeof(*queued));
	struct loaded loaded;

	assert_non_null(queued);
	answered_count = 0;
	fixture->is_inside = true;
	for (uint32_t i = 0; i < QUEUED_COUNT; i++) {
		const struct store_commit commit = {
			.changes = &queued[i].change,
			.change_count = 1,
			.done = on_queued,
			.context = &queued[i],
		};
		char name[16];

		snprintf(name, sizeof(name), "s%04" PRIu32, i);
		queued[i].fixture = fixture;
		queued[i].service = make_service(name);
		queued[i].change = put_service(&queued[i].service);
		assert_int_equal(store_commit(fixture->store, &commit), 0);
	}
	fixture->is_inside = false;
	while (answered_count < QUEUED_COUNT)
		ev_run(fixture->loop, EVRUN_ONCE);
	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, QUEUED_COUNT);
	assert_int_equal(fixture->outcome.generation, QUEUED_COUNT);
	for (uint32_t i = 0; i < QUEUED_COUNT; i++) {
		assert_int_equal(queued[i].generation, i + 1);
		assert_int_equal(queued[i].service.times.version, i + 1);
		assert_same_service(&loaded.services[i], &queued[i].service);
		service_clear(&queued[i].service);
	}
	loaded_clear(&loaded);
	free(queued);
}

#define BULK_COUNT 5000

static void
many_changes_are_one_generation(void **state)
{
	struct fixture *fixture = *state;
	struct route *routes = calloc(BULK_COUNT, sizeof(*routes));
	struct store_change *changes = calloc(BULK_COUNT, sizeof(*changes));
	struct trio trio = commit_trio(fixture);
	struct loaded loaded;

	assert_non_null(routes);
	assert_non_null(changes);
	for (uint32_t i = 0; i < BULK_COUNT; i++) {
		routes[i] = make_route("users", "/bulk");
		changes[i] = put_route(&routes[i]);
	}
	assert_int_equal(fixture_commit(fixture, changes, BULK_COUNT),
	    STORE_OK);
	assert_int_equal(fixture->outcome.generation, 2);
	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.route_count, BULK_COUNT + 1);
	for (uint32_t i = 0; i < BULK_COUNT; i++) {
		assert_same_route(&loaded.routes[i + 1], &routes[i]);
		route_clear(&routes[i]);
	}
	loaded_clear(&loaded);
	trio_clear(&trio);
	free(routes);
	free(changes);
}

static void
a_change_that_fails_late_undoes_thousands(void **state)
{
	struct fixture *fixture = *state;
	struct route *routes = calloc(BULK_COUNT, sizeof(*routes));
	struct store_change *changes = calloc(BULK_COUNT, sizeof(*changes));
	struct trio trio = commit_trio(fixture);

	assert_non_null(routes);
	assert_non_null(changes);
	for (uint32_t i = 0; i < BULK_COUNT; i++) {
		routes[i] = make_route("users", "/bulk");
		changes[i] = put_route(&routes[i]);
	}
	changes[BULK_COUNT / 2].before_json = before;
	routes[BULK_COUNT / 2].id = 1000000;
	assert_int_equal(fixture_commit(fixture, changes, BULK_COUNT),
	    STORE_CONFLICT);
	assert_loads(fixture, &trio);
	for (uint32_t i = 0; i < BULK_COUNT; i++) {
		assert_int_equal(routes[i].id,
		    i == BULK_COUNT / 2 ? 1000000 : 0);
		route_clear(&routes[i]);
	}
	trio_clear(&trio);
	free(routes);
	free(changes);
}

static void
figures_are_true(void **state)
{
	struct fixture *fixture = *state;
	struct store_figures figures;
	uint64_t query_count;

	assert_int_equal(fixture_ping(fixture), STORE_OK);
	store_figures(fixture->store, &figures);
	assert_true(figures.is_up);
	assert_string_equal(figures.error, "");
	assert_true(figures.open >= 1);
	assert_int_equal(figures.open, figures.idle + figures.in_use);
	assert_int_equal(figures.waiting, 0);
	assert_true(figures.connect_count >= 1);
	query_count = figures.query_count;
	assert_int_equal(fixture_ping(fixture), STORE_OK);
	store_figures(fixture->store, &figures);
	assert_true(figures.query_count > query_count);
	assert_int_equal(fixture->up_count, 1);
	assert_int_equal(fixture->down_count, 0);
}

static void
a_store_may_go_while_it_is_asked(void **state)
{
	struct fixture *fixture = *state;
	struct service service = make_service("late");
	struct store_change change = put_service(&service);

	fixture_start_commit(fixture, &change, 1);
	store_free(&fixture->store);
	assert_null(fixture->store);
	service_clear(&service);
}

int
contract_run(const char *driver, void (*make)(struct fixture *))
{
	const struct CMUnitTest tests[] = {
		SENTENCE(a_new_store_is_empty),
		SENTENCE(what_was_committed_is_loaded),
		SENTENCE(an_update_replaces_and_keeps_the_creation),
		SENTENCE(a_removal_removes_that_alone),
		SENTENCE(a_service_in_use_is_not_removed),
		SENTENCE(an_order_of_removals_takes_all_away),
		SENTENCE(another_version_is_a_conflict_and_undoes_all),
		SENTENCE(what_is_gone_cannot_be_changed),
		SENTENCE(what_is_there_cannot_be_created),
		SENTENCE(a_backend_needs_its_service),
		SENTENCE(what_comes_back_keeps_its_id),
		SENTENCE(history_tells_who_did_what),
		SENTENCE(history_is_asked_by_generation_kind_and_key),
		SENTENCE(history_goes_on_inside_a_generation),
		SENTENCE(a_commit_may_want_nothing_before_it),
		SENTENCE(a_thousand_commits_are_done_in_order),
		SENTENCE(many_changes_are_one_generation),
		SENTENCE(a_change_that_fails_late_undoes_thousands),
		SENTENCE(figures_are_true),
		SENTENCE(a_store_may_go_while_it_is_asked),
	};

	make_fixture = make;
	return cmocka_run_group_tests_name(driver, tests, NULL, NULL) +
	    contract_run_history(driver);
}
