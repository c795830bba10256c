/*
 * tests/unit/store/fixture.c - a store on a loop of its own, asked and awaited.
 */
/* SPDX-License-Identifier: ISC */
#include "fixture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/clock.h"

static char no_text[] = "";

static void
on_up(void *context, bool is_up)
{
	struct fixture *fixture = context;

	if (is_up)
		fixture->up_count++;
	else
		fixture->down_count++;
	ev_break(fixture->loop, EVBREAK_ONE);
}

void
fixture_new(struct fixture *fixture, enum store_driver driver,
    const char *path, const char *url)
{
	fixture_new_timed(fixture, driver, path, url, 5000);
}

void
fixture_new_timed(struct fixture *fixture, enum store_driver driver,
    const char *path, const char *url, int64_t query_timeout_ms)
{
	const char *error = NULL;

	*fixture = (struct fixture){ 0 };
	fixture->loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(fixture->loop);
	fixture->settings.state_dir = no_text;
	fixture->settings.store.listen_url = no_text;
	fixture->settings.store.driver = driver;
	fixture->settings.store.path = strdup(path);
	fixture->settings.store.url = strdup(url);
	fixture->settings.store.pool_size = 4;
	fixture->settings.store.pool_idle = 2;
	fixture->settings.store.connection_lifetime_ms = 3600 * 1000;
	fixture->settings.store.query_timeout_ms = query_timeout_ms;
	if (store_new(fixture->loop, &fixture->settings, &fixture->store,
		&error) == -1)
		fail_msg("%s", error);
	store_set_on_up(fixture->store, on_up, fixture);
}

void
fixture_free(struct fixture *fixture)
{
	store_free(&fixture->store);
	ev_loop_destroy(fixture->loop);
	free(fixture->settings.store.path);
	free(fixture->settings.store.url);
}

static void
on_done(void *context, const struct store_outcome *outcome)
{
	struct fixture *fixture = context;

	assert_false(fixture->is_inside);	/* never from within the call */
	assert_false(fixture->is_done);		/* exactly once */
	fixture->is_done = true;
	fixture->outcome = *outcome;
	fixture->message[0] = '\0';
	if (outcome->message != NULL)
		snprintf(fixture->message, sizeof(fixture->message), "%s",
		    outcome->message);
	assert_int_equal(outcome->result == STORE_OK, outcome->message == NULL);
	ev_break(fixture->loop, EVBREAK_ONE);
}

void
fixture_await(struct fixture *fixture)
{
	while (!fixture->is_done)
		ev_run(fixture->loop, EVRUN_ONCE);
}

void
fixture_await_up(struct fixture *fixture, bool is_up)
{
	struct store_figures figures;

	store_figures(fixture->store, &figures);
	while (figures.is_up != is_up) {
		ev_run(fixture->loop, EVRUN_ONCE);
		store_figures(fixture->store, &figures);
	}
}

static void
begin_call(struct fixture *fixture)
{
	fixture->is_inside = true;
	fixture->is_done = false;
}

static enum store_result
end_call(struct fixture *fixture, int result)
{
	assert_int_equal(result, 0);
	fixture->is_inside = false;
	fixture_await(fixture);
	return fixture->outcome.result;
}

enum store_result
fixture_open(struct fixture *fixture)
{
	begin_call(fixture);
	return end_call(fixture, store_open(fixture->store, on_done, fixture));
}

enum store_result
fixture_ping(struct fixture *fixture)
{
	begin_call(fixture);
	return end_call(fixture, store_ping(fixture->store, on_done, fixture));
}

/* {"object":"7"}: enough to see that the id was there to be described. */
static char *
describe(const struct store_change *change)
{
	char *text = NULL;
	int len = -1;

	switch (change->kind) {
	case OBJECT_SERVICE:
		len = asprintf(&text, "{\"object\": \"%s\"}",
		    change->object.service->name);
		break;
	case OBJECT_BACKEND:
		len = asprintf(&text, "{\"object\": \"%" PRIu64 "\"}",
		    change->object.backend->id);
		break;
	case OBJECT_ROUTE:
		len = asprintf(&text, "{\"object\": \"%" PRIu64 "\"}",
		    change->object.route->id);
		break;
	}
	return len == -1 ? NULL : text;
}

void
fixture_start_commit(struct fixture *fixture, struct store_change *changes,
    uint32_t count)
{
	const struct store_commit commit = {
		.changes = changes,
		.change_count = count,
		.actor = { "uid 7", "unix", "api", "request-1",
		    "because" },
		.describe = describe,
		.expected_generation = fixture->expected_generation,
		.done = on_done,
		.context = fixture,
	};

	begin_call(fixture);
	assert_int_equal(store_commit(fixture->store, &commit), 0);
	fixture->is_inside = false;
}

enum store_result
fixture_commit(struct fixture *fixture, struct store_change *changes,
    uint32_t count)
{
	fixture_start_commit(fixture, changes, count);
	fixture_await(fixture);
	return fixture->outcome.result;
}

/* Rows and the answer of one call. */
struct collector {
	struct fixture *fixture;
	struct loaded *loaded;
	struct listed *listed;
	struct buf rows;
};

static void *
grow(void *list, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0)
		list = realloc(list, (count == 0 ? 1 : count * 2) * size);
	assert_non_null(list);
	return list;
}

static void
take_service(void *context, struct service *service)
{
	struct collector *collector = context;
	struct loaded *loaded = collector->loaded;

	assert_false(collector->fixture->is_inside);
	loaded->services = grow(loaded->services, loaded->service_count,
	    sizeof(*service));
	loaded->services[loaded->service_count++] = *service;
}

static void
take_backend(void *context, struct backend *backend)
{
	struct collector *collector = context;
	struct loaded *loaded = collector->loaded;

	loaded->backends = grow(loaded->backends, loaded->backend_count,
	    sizeof(*backend));
	loaded->backends[loaded->backend_count++] = *backend;
}

static void
take_route(void *context, struct route *route)
{
	struct collector *collector = context;
	struct loaded *loaded = collector->loaded;

	loaded->routes = grow(loaded->routes, loaded->route_count,
	    sizeof(*route));
	loaded->routes[loaded->route_count++] = *route;
}

static void
on_collected(void *context, const struct store_outcome *outcome)
{
	struct collector *collector = context;

	on_done(collector->fixture, outcome);
}

enum store_result
fixture_load(struct fixture *fixture, struct loaded *loaded_r)
{
	struct collector collector = { .fixture = fixture, .loaded = loaded_r };
	const struct store_loader loader = {
		.service = take_service,
		.backend = take_backend,
		.route = take_route,
		.done = on_collected,
		.context = &collector,
	};

	*loaded_r = (struct loaded){ 0 };
	begin_call(fixture);
	return end_call(fixture, store_load(fixture->store, &loader));
}

void
loaded_clear(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->service_count; i++)
		service_clear(&loaded->services[i]);
	for (size_t i = 0; i < loaded->backend_count; i++)
		backend_clear(&loaded->backends[i]);
	for (size_t i = 0; i < loaded->route_count; i++)
		route_clear(&loaded->routes[i]);
	free(loaded->services);
	free(loaded->backends);
	free(loaded->routes);
	*loaded = (struct loaded){ 0 };
}

static void
take_history(void *context, const struct store_history *row)
{
	struct collector *collector = context;
	struct listed *listed = collector->listed;

	assert_false(collector->fixture->is_inside);
	assert_string_equal(row->who, "uid 7");
	assert_string_equal(row->from, "unix");
	assert_string_equal(row->channel, "api");
	assert_string_equal(row->request_id, "request-1");
	assert_string_equal(row->cause, "because");
	assert_true(row->at_wall_ms > INT64_C(1600000000000));
	buf_printf(&collector->rows, "%" PRIu64 " %s %s %s\n", row->generation,
	    row->kind, row->key, row->action);
	listed->count++;
	free(listed->latest_before);
	free(listed->latest_after);
	listed->latest_before =
	    row->before_json == NULL ? NULL : strdup(row->before_json);
	listed->latest_after =
	    row->after_json == NULL ? NULL : strdup(row->after_json);
}

enum store_result
fixture_history(struct fixture *fixture,
    const struct store_history_query *query, struct listed *listed_r)
{
	struct collector collector = { .fixture = fixture, .listed = listed_r };
	struct store_history_query asked = *query;
	enum store_result result;

	*listed_r = (struct listed){ 0 };
	asked.row = take_history;
	asked.done = on_collected;
	asked.context = &collector;
	begin_call(fixture);
	result = end_call(fixture, store_history(fixture->store, &asked));
	listed_r->rows = collector.rows.data;
	return result;
}

enum store_result
fixture_tell(struct fixture *fixture, const char *kind, const char *key,
    const char *action)
{
	const struct store_history event = {
		.at_wall_ms = clock_wall_ms(),
		.who = "uid 7",
		.from = "unix",
		.channel = "api",
		.request_id = "request-1",
		.kind = kind,
		.key = key,
		.action = action,
		.after_json = "{\"now\": 1}",
		.cause = "because",
	};
	const struct store_events events = { &event, 1 };

	begin_call(fixture);
	return end_call(fixture,
	    store_tell(fixture->store, &events, on_done, fixture));
}

uint64_t
fixture_prune(struct fixture *fixture, const struct store_prune_order *order)
{
	struct store_prune_order asked = *order;

	asked.done = on_done;
	asked.context = fixture;
	begin_call(fixture);
	if (end_call(fixture, store_prune(fixture->store, &asked)) != STORE_OK)
		fail_msg("%s", fixture->message);
	return fixture->outcome.row_count;
}

struct store_extent
fixture_measure(struct fixture *fixture)
{
	struct store_extent extent;

	begin_call(fixture);
	if (end_call(fixture, store_measure_history(fixture->store, &extent,
		on_done, fixture)) != STORE_OK)
		fail_msg("%s", fixture->message);
	return extent;
}

void
listed_clear(struct listed *listed)
{
	free(listed->rows);
	free(listed->latest_before);
	free(listed->latest_after);
	*listed = (struct listed){ 0 };
}

struct service
make_service(const char *name)
{
	return (struct service){
		.name = strdup(name),
		.origin = ORIGIN_API,
		.policy = BALANCE_HASH_HEADER,
		.hash_header = strdup("x-user"),
		.connect_timeout_ms = 1,
		.response_timeout_ms = 2,
		.queue_timeout_ms = 3,
		.retries = 1,
		.probe_kind = PROBE_HTTP,
		.probe_interval_ms = 4,
		.probe_timeout_ms = 5,
		.probe_rise = 6,
		.probe_fall = 7,
		.probe_status_min = 200,
		.probe_status_max = 299,
		.probe_path = strdup("/health"),
		.probe_host = strdup("h\303\244lth.example"),
	};
}

struct backend
make_backend(const char *service, const char *url)
{
	return (struct backend){
		.origin = ORIGIN_REGISTER,
		.service = strdup(service),
		.url = strdup(url),
		.weight = 100,
		.max_connections = 5,
	};
}

static char **
make_texts(const char *first, const char *second)
{
	char **texts = calloc(2, sizeof(*texts));

	assert_non_null(texts);
	texts[0] = strdup(first);
	texts[1] = strdup(second);
	return texts;
}

struct route
make_route(const char *service, const char *prefix)
{
	struct route route = {
		.origin = ORIGIN_API,
		.label = strdup("a \"quoted\", {label}"),
		.domains = make_texts("", "*.example.org"),
		.domain_count = 2,
		.prefixes = make_texts(prefix, "/it's,\\{odd}"),
		.prefix_count = 2,
		.priority = -3,
		.targets[0] = { .service = strdup(service), .weight = 9 },
		.target_count = 1,
		.strip_prefix = true,
		.refuses_websocket = true,
		.host_rewrite = strdup("inner"),
		.max_body_bytes = UINT64_C(1) << 40,
		.headers = calloc(1, sizeof(struct header_edit)),
		.header_count = 1,
	};

	assert_non_null(route.headers);
	route.headers[0] = (struct header_edit){
		.op = HEADER_ADD,
		.of_request = true,
		.name = bytes_of(strdup("X-A")),
		.value = bytes_of(strdup("b \"c\"")),
	};
	return route;
}

struct store_change
put_service(struct service *service)
{
	return (struct store_change){ .kind = OBJECT_SERVICE,
		.object.service = service };
}

struct store_change
put_backend(struct backend *backend)
{
	return (struct store_change){ .kind = OBJECT_BACKEND,
		.object.backend = backend };
}

struct store_change
put_route(struct route *route)
{
	return (struct store_change){ .kind = OBJECT_ROUTE,
		.object.route = route };
}
