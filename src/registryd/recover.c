/*
 * registryd/recover.c - what the table shows, as objects again.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/recover.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/object_json.h"
#include "registryd/static_objects.h"

#define READ_MAX (64u << 20)

struct recovery {
	const struct route_table *table;
	const struct model *model;	/* has the static objects */
	struct write *write;
	struct table_extent extent;
	struct arena arena;
	struct route *routes;		/* by slot; id 0: none */
};

static int64_t
wall_ms(int64_t monotonic_ns)
{
	return clock_wall_ms() - (clock_now().ns - monotonic_ns) / NS_PER_MS;
}

/* Who ordered it, and why, is lost. */
static int
fill_condition(struct condition *condition, const struct condition_spec *spec)
{
	condition->in_maintenance = spec->in_maintenance;
	if (spec->in_maintenance)
		condition->maintenance_at_wall_ms = clock_wall_ms();
	if (spec->maintenance_until_ns != 0)
		condition->maintenance_until_wall_ms =
		    wall_ms(spec->maintenance_until_ns);
	if (spec->drain_start_ns != 0)
		condition->drain_at_wall_ms = wall_ms(spec->drain_start_ns);
	condition->drain_span_ms = spec->drain_span_ms;
	if (text_set(&condition->page_url, spec->page_url) == -1)
		return -1;
	return text_set(&condition->allow, spec->allow);
}

static int
out_of_memory(struct recovery *recovery)
{
	return problem_set(&recovery->write->problem, 503, "out_of_memory",
	    NULL, "out of memory");
}

static int
put_service(struct recovery *recovery, const struct service_spec *spec)
{
	struct service service = {
		.origin = ORIGIN_REGISTER,
		.policy = spec->policy,
		.connect_timeout_ms = spec->connect_timeout_ms,
		.response_timeout_ms = spec->response_timeout_ms,
		.queue_timeout_ms = spec->queue_timeout_ms,
		.retries = spec->retries,
		.probe_kind = spec->probe.kind,
		.probe_interval_ms = spec->probe.interval_ms,
		.probe_timeout_ms = spec->probe.timeout_ms,
		.probe_rise = spec->probe.rise,
		.probe_fall = spec->probe.fall,
		.probe_status_min = spec->probe.status_min,
		.probe_status_max = spec->probe.status_max,
		.breaker = spec->breaker,
	};
	int result = -1;

	if (text_set(&service.name, spec->name) == 0 &&
	    text_set(&service.hash_header, spec->hash_header) == 0 &&
	    text_set(&service.probe_path, spec->probe.path) == 0 &&
	    text_set(&service.probe_host, spec->probe.host) == 0 &&
	    fill_condition(&service.condition, &spec->condition) == 0)
		result = write_put_service(recovery->write, &service, NULL);
	else
		result = out_of_memory(recovery);
	service_clear(&service);
	return result;
}

static void
print_url(struct buf *url, const struct backend_spec *spec)
{
	bool is_v6 = memchr(spec->host.data, ':', spec->host.len) != NULL;

	if (spec->kind == BACKEND_UNIX)
		buf_printf(url, "unix:%.*s%s%.*s", BYTES_ARGS(spec->host),
		    spec->base_path.len > 0 ? ":" : "",
		    BYTES_ARGS(spec->base_path));
	else
		buf_printf(url, is_v6 ? "http://[%.*s]:%u%.*s" :
					"http://%.*s:%u%.*s",
		    BYTES_ARGS(spec->host), (unsigned int)spec->port,
		    BYTES_ARGS(spec->base_path));
}

static int
put_backend(struct recovery *recovery, struct bytes service,
    const struct backend_spec *spec)
{
	struct backend backend = {
		.id = spec->id,
		.origin = ORIGIN_REGISTER,
		.weight = spec->weight,
		.max_connections = spec->max_connections,
	};
	struct buf url = { 0 };
	int result;

	print_url(&url, spec);
	if (!url.is_failed && text_set(&backend.service, service) == 0 &&
	    text_set(&backend.url, buf_bytes(&url)) == 0 &&
	    fill_condition(&backend.condition, &spec->condition) == 0)
		result = write_put_backend(recovery->write, &backend, NULL);
	else
		result = out_of_memory(recovery);
	buf_free(&url);
	backend_clear(&backend);
	return result;
}

static int
read_services(struct recovery *recovery)
{
	for (uint32_t slot = 0; slot < recovery->extent.services; slot++) {
		struct service_copy copy;

		arena_reset(&recovery->arena);
		if (route_table_read_service(recovery->table, slot,
			&recovery->arena, &copy) != TABLE_FOUND ||
		    model_find_service(recovery->model,
			copy.spec.name.data) != NULL)
			continue;
		if (put_service(recovery, &copy.spec) == -1)
			return -1;
		for (uint32_t i = 0; i < copy.spec.backend_count; i++)
			if (put_backend(recovery, copy.spec.name,
				&copy.backends[i].spec) == -1)
				return -1;
	}
	return 0;
}

static bool
has_text(char *const *list, uint32_t count, struct bytes text)
{
	for (uint32_t i = 0; i < count; i++)
		if (bytes_is(text, list[i]))
			return true;
	return false;
}

/* The label, unless it is the one that is made. */
static int
fill_label(struct route *route, const struct route_spec *spec)
{
	char made[TABLE_NAME_MAX + 32];

	snprintf(made, sizeof(made), "%s-%" PRIu64, route->targets[0].service,
	    spec->id);
	return text_set(&route->label,
	    bytes_is(spec->label, made) ? bytes_of("") : spec->label);
}

static int
fill_headers(struct route *route, const struct route_spec *spec)
{
	if (spec->header_count == 0)
		return 0;
	route->headers = calloc(spec->header_count, sizeof(*route->headers));
	if (route->headers == NULL)
		return -1;
	for (uint32_t i = 0; i < spec->header_count; i++) {
		struct header_edit *edit = &route->headers[i];

		*edit = spec->headers[i];
		edit->name.data = bytes_duplicate(edit->name);
		edit->value.data = bytes_duplicate(edit->value);
		route->header_count++;
		if (edit->name.data == NULL || edit->value.data == NULL)
			return -1;
	}
	return 0;
}

/* false: it cannot be had, and stays unfilled. */
static bool
fill_route(struct recovery *recovery, struct route *route,
    const struct route_spec *spec)
{
	struct arena arena;
	struct problem problem;
	bool is_filled = route_init(route, &problem) == 0;

	arena_init(&arena, READ_MAX);
	for (uint32_t i = 0; is_filled && i < spec->target_count; i++) {
		struct service_copy copy;

		is_filled = route_table_read_service(recovery->table,
		    spec->targets[i].service, &arena, &copy) == TABLE_FOUND;
		if (!is_filled)
			break;
		route->targets[i].weight = spec->targets[i].weight;
		route->targets[i].service = bytes_duplicate(copy.spec.name);
		is_filled = route->targets[i].service != NULL;
		route->target_count += is_filled;
	}
	arena_free(&arena);
	if (!is_filled || route->target_count == 0 ||
	    fill_label(route, spec) == -1 || fill_headers(route, spec) == -1 ||
	    text_set(&route->host_rewrite, spec->host_rewrite) == -1 ||
	    fill_condition(&route->condition, &spec->condition) == -1) {
		route_clear(route);
		*route = (struct route){ 0 };
		return false;
	}
	route->id = spec->id;
	route->origin = ORIGIN_REGISTER;
	route->is_shared = true;
	route->strip_prefix = spec->strip_prefix;
	route->refuses_websocket = spec->refuses_websocket;
	route->max_body_bytes = spec->max_body_bytes;
	route->rate_limit = spec->rate_limit;
	return true;
}

static void
read_routes(struct recovery *recovery)
{
	for (uint32_t slot = 0; slot < recovery->extent.routes; slot++) {
		struct route_copy copy;

		arena_reset(&recovery->arena);
		if (route_table_read_route(recovery->table, slot,
			&recovery->arena, &copy) == TABLE_FOUND &&
		    (copy.spec.id & STATIC_ID_BIT) == 0)
			(void)fill_route(recovery, &recovery->routes[slot],
			    &copy.spec);
	}
}

static int
add_path(struct route *route, const struct path_copy *copy)
{
	route->priority = copy->spec.priority;
	if (!has_text(route->domains, route->domain_count, copy->host) &&
	    route_add_domain(route, copy->host) == -1)
		return -1;
	if (!has_text(route->prefixes, route->prefix_count, copy->prefix) &&
	    route_add_prefix(route, copy->prefix) == -1)
		return -1;
	return 0;
}

static int
read_paths(struct recovery *recovery)
{
	for (uint32_t entry = 0; entry < recovery->extent.entries; entry++) {
		struct path_copy copy;

		arena_reset(&recovery->arena);
		if (route_table_read_path(recovery->table, entry,
			&recovery->arena, &copy) != TABLE_FOUND)
			continue;
		for (uint32_t i = 0; i < copy.spec.route_count; i++) {
			uint32_t slot = copy.spec.routes[i];

			if (slot < recovery->extent.routes &&
			    recovery->routes[slot].id != 0 &&
			    add_path(&recovery->routes[slot], &copy) == -1)
				return out_of_memory(recovery);
		}
	}
	return 0;
}

static int
put_routes(struct recovery *recovery)
{
	for (uint32_t slot = 0; slot < recovery->extent.routes; slot++) {
		const struct route *route = &recovery->routes[slot];

		if (route->id != 0 && route->prefix_count > 0 &&
		    write_put_route(recovery->write, route, NULL) == -1)
			return -1;
	}
	return 0;
}

int
recover_read(const struct route_table *table, const struct model *model,
    struct write *write)
{
	struct recovery recovery = { .table = table, .model = model,
		.write = write };
	int result = -1;

	route_table_extent(table, &recovery.extent);
	recovery.routes = calloc(recovery.extent.routes + 1,
	    sizeof(*recovery.routes));
	if (recovery.routes == NULL)
		return out_of_memory(&recovery);
	arena_init(&recovery.arena, READ_MAX);
	read_routes(&recovery);
	if (read_services(&recovery) == 0 && read_paths(&recovery) == 0)
		result = put_routes(&recovery);
	for (uint32_t slot = 0; slot < recovery.extent.routes; slot++)
		if (recovery.routes[slot].id != 0)
			route_clear(&recovery.routes[slot]);
	free(recovery.routes);
	arena_free(&recovery.arena);
	return result;
}
