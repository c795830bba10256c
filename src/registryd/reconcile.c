/*
 * registryd/reconcile.c - a model that was just loaded meets the table.
 *
 * Keeps slots, and with them the verdicts of healthd, through a restart
 * of registryd: first every record of the table finds its object, then
 * each is compared with what the object compiles to.  Costs the table,
 * once a start.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "registryd/compile.h"
#include "registryd/publisher.h"

/* One service with all its backends is the most that is read at once. */
#define READ_BYTES_MAX (64u << 20)

struct meeting {
	struct model *model;
	const struct settings *settings;
	const struct route_table *table;
	struct table_extent extent;
	struct arena arena;
	uint32_t *slots;		/* scratch: TABLE_BACKENDS_MAX */
};

/* Finding ---------------------------------------------------------------- */

static void
find_services(struct meeting *meeting)
{
	for (uint32_t slot = 0; slot < meeting->extent.services; slot++) {
		struct service_copy copy;
		struct model_service *service;

		arena_reset(&meeting->arena);
		if (route_table_read_service(meeting->table, slot,
			&meeting->arena, &copy) != TABLE_FOUND)
			continue;
		service = model_find_service(meeting->model,
		    copy.spec.name.data);
		if (service == NULL || service->is_placed) {
			slot_list_add(&meeting->model->gone_services, slot);
			continue;
		}
		service->slot = slot;
		service->is_placed = true;
	}
}

static void
find_backends(struct meeting *meeting)
{
	for (uint32_t slot = 0; slot < meeting->extent.backends; slot++) {
		struct backend_copy copy;
		struct model_backend *backend;

		arena_reset(&meeting->arena);
		if (route_table_read_backend(meeting->table, slot,
			&meeting->arena, &copy) != TABLE_FOUND)
			continue;
		backend = model_find_backend(meeting->model, copy.spec.id);
		if (backend == NULL || backend->is_placed) {
			slot_list_add(&meeting->model->gone_backends, slot);
			continue;
		}
		backend->slot = slot;
		backend->is_placed = true;
	}
}

static void
find_routes(struct meeting *meeting)
{
	for (uint32_t slot = 0; slot < meeting->extent.routes; slot++) {
		struct route_copy copy;
		struct model_route *route;

		arena_reset(&meeting->arena);
		if (route_table_read_route(meeting->table, slot,
			&meeting->arena, &copy) != TABLE_FOUND)
			continue;
		route = model_find_route(meeting->model, copy.spec.id);
		if (route == NULL || route->is_placed) {
			slot_list_add(&meeting->model->gone_routes, slot);
			continue;
		}
		route->slot = slot;
		route->is_placed = true;
	}
}

/* Comparing -------------------------------------------------------------- */

/* Times come from two readings of two clocks. */
#define TIME_SLACK_NS (NS_PER_S / 4)

static bool
is_same_time(int64_t a_ns, int64_t b_ns)
{
	return (a_ns == 0) == (b_ns == 0) && a_ns - b_ns < TIME_SLACK_NS &&
	    b_ns - a_ns < TIME_SLACK_NS;
}

static bool
is_same_condition(const struct condition_spec *a,
    const struct condition_spec *b)
{
	return a->in_maintenance == b->in_maintenance &&
	    is_same_time(a->maintenance_until_ns, b->maintenance_until_ns) &&
	    bytes_equal(a->page_url, b->page_url) &&
	    bytes_equal(a->allow, b->allow) &&
	    is_same_time(a->drain_start_ns, b->drain_start_ns) &&
	    a->drain_span_ms == b->drain_span_ms;
}

static bool
is_same_breaker(const struct breaker_spec *a, const struct breaker_spec *b)
{
	return a->threshold == b->threshold && (a->threshold == 0 ||
	    (a->open_ms == b->open_ms && a->window_ms == b->window_ms &&
		a->half_open_requests == b->half_open_requests));
}

static bool
is_same_limit(const struct rate_limit_spec *a, const struct rate_limit_spec *b)
{
	return a->requests == b->requests && (a->requests == 0 ||
	    (a->window_ms == b->window_ms && a->is_dry_run == b->is_dry_run &&
	    a->is_told == b->is_told));
}

static bool
is_same_backend(const struct backend_spec *a, const struct backend_spec *b)
{
	return a->id == b->id && a->service == b->service &&
	    a->weight == b->weight && a->kind == b->kind &&
	    a->port == b->port && bytes_equal(a->host, b->host) &&
	    bytes_equal(a->base_path, b->base_path) &&
	    a->max_connections == b->max_connections &&
	    is_same_condition(&a->condition, &b->condition);
}

static bool
is_same_probe(const struct probe_spec *a, const struct probe_spec *b)
{
	return a->kind == b->kind && a->interval_ms == b->interval_ms &&
	    a->timeout_ms == b->timeout_ms && a->rise == b->rise &&
	    a->fall == b->fall && a->status_min == b->status_min &&
	    a->status_max == b->status_max && bytes_equal(a->path, b->path) &&
	    bytes_equal(a->host, b->host);
}

static bool
is_same_service(const struct service_spec *a, const struct service_copy *copy)
{
	const struct service_spec *b = &copy->spec;

	if (!bytes_equal(a->name, b->name) || a->policy != b->policy ||
	    !bytes_equal_nocase(a->hash_header, b->hash_header) ||
	    a->connect_timeout_ms != b->connect_timeout_ms ||
	    a->response_timeout_ms != b->response_timeout_ms ||
	    a->queue_timeout_ms != b->queue_timeout_ms ||
	    a->retries != b->retries || !is_same_probe(&a->probe, &b->probe) ||
	    !is_same_breaker(&a->breaker, &b->breaker) ||
	    !is_same_condition(&a->condition, &b->condition) ||
	    a->backend_count != b->backend_count)
		return false;
	for (uint32_t i = 0; i < a->backend_count; i++)
		if (a->backends[i] != copy->backends[i].slot)
			return false;
	return true;
}

static bool
is_same_header(const struct header_edit *a, const struct header_edit *b)
{
	return a->op == b->op && a->of_request == b->of_request &&
	    bytes_equal(a->name, b->name) && bytes_equal(a->value, b->value);
}

static bool
is_same_route(const struct route_spec *a, const struct route_spec *b)
{
	if (a->id != b->id || !bytes_equal(a->label, b->label) ||
	    a->target_count != b->target_count ||
	    a->strip_prefix != b->strip_prefix ||
	    a->refuses_websocket != b->refuses_websocket ||
	    !bytes_equal(a->host_rewrite, b->host_rewrite) ||
	    a->max_body_bytes != b->max_body_bytes ||
	    a->header_count != b->header_count ||
	    !is_same_limit(&a->rate_limit, &b->rate_limit) ||
	    !is_same_condition(&a->condition, &b->condition))
		return false;
	for (uint32_t i = 0; i < a->target_count; i++)
		if (a->targets[i].service != b->targets[i].service ||
		    a->targets[i].weight != b->targets[i].weight)
			return false;
	for (uint32_t i = 0; i < a->header_count; i++)
		if (!is_same_header(&a->headers[i], &b->headers[i]))
			return false;
	return true;
}

static void
compare_services(struct meeting *meeting)
{
	struct model_service *service, *next;

	for (service = TAILQ_FIRST(&meeting->model->dirty_services);
	    service != NULL; service = next) {
		struct service_copy copy;
		struct service_spec spec;

		next = TAILQ_NEXT(service, dirty);
		if (!service->is_placed ||
		    service->backend_count > TABLE_BACKENDS_MAX)
			continue;
		arena_reset(&meeting->arena);
		compile_service(service, meeting->settings, meeting->slots,
		    &spec);
		if (spec.backend_count == service->backend_count &&
		    route_table_read_service(meeting->table, service->slot,
			&meeting->arena, &copy) == TABLE_FOUND &&
		    is_same_service(&spec, &copy))
			model_clean_service(meeting->model, service);
	}
}

static void
compare_backends(struct meeting *meeting)
{
	struct model_backend *backend, *next;

	for (backend = TAILQ_FIRST(&meeting->model->dirty_backends);
	    backend != NULL; backend = next) {
		struct backend_copy copy;
		struct backend_spec spec;

		next = TAILQ_NEXT(backend, dirty);
		if (!backend->is_placed)
			continue;
		arena_reset(&meeting->arena);
		if (compile_backend(backend, &spec) == 0 &&
		    route_table_read_backend(meeting->table, backend->slot,
			&meeting->arena, &copy) == TABLE_FOUND &&
		    is_same_backend(&spec, &copy.spec))
			model_clean_backend(meeting->model, backend);
	}
}

static void
compare_routes(struct meeting *meeting)
{
	struct model_route *route, *next;

	for (route = TAILQ_FIRST(&meeting->model->dirty_routes);
	    route != NULL; route = next) {
		char label[ROUTE_LABEL_SIZE];
		struct route_copy copy;
		struct route_spec spec;

		next = TAILQ_NEXT(route, dirty);
		if (!route->is_placed)
			continue;
		arena_reset(&meeting->arena);
		compile_route(route, label, &spec);
		if (route_table_read_route(meeting->table, route->slot,
			&meeting->arena, &copy) == TABLE_FOUND &&
		    is_same_route(&spec, &copy.spec))
			model_clean_route(meeting->model, route);
	}
}

/* Paths ------------------------------------------------------------------ */

static bool
is_same_path(const struct model_path *path, const struct path_spec *seen)
{
	uint32_t slots[TABLE_SHARED_MAX];
	struct path_spec spec;

	if (path->route_count == 0)
		return false;
	compile_path(path, slots, &spec);
	return spec.priority == seen->priority &&
	    spec.route_count == seen->route_count &&
	    memcmp(spec.routes, seen->routes,
		spec.route_count * sizeof(*spec.routes)) == 0;
}

static int
meet_path(struct meeting *meeting, const struct path_copy *copy)
{
	struct model_path *path = model_find_path(meeting->model, copy->host,
	    copy->prefix);

	if (path == NULL)
		return model_add_gone_path(meeting->model, copy->host,
		    copy->prefix);
	path->is_published = true;
	if (is_same_path(path, &copy->spec))
		model_clean_path(meeting->model, path);
	return 0;
}

static int
meet_paths(struct meeting *meeting)
{
	for (uint32_t entry = 0; entry < meeting->extent.entries; entry++) {
		struct path_copy copy;

		arena_reset(&meeting->arena);
		if (route_table_read_path(meeting->table, entry,
			&meeting->arena, &copy) != TABLE_FOUND)
			continue;
		if (meet_path(meeting, &copy) == -1)
			return -1;
	}
	return 0;
}

int
publisher_reconcile(struct model *model, const struct settings *settings,
    const struct route_table *table)
{
	struct meeting meeting = { .model = model, .settings = settings,
		.table = table };
	int result;

	meeting.slots = calloc(TABLE_BACKENDS_MAX, sizeof(*meeting.slots));
	if (meeting.slots == NULL)
		return -1;
	arena_init(&meeting.arena, READ_BYTES_MAX);
	route_table_extent(table, &meeting.extent);
	find_services(&meeting);
	find_backends(&meeting);
	find_routes(&meeting);
	compare_services(&meeting);
	compare_backends(&meeting);
	compare_routes(&meeting);
	result = meet_paths(&meeting);
	arena_free(&meeting.arena);
	free(meeting.slots);
	return result;
}
