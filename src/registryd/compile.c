/*
 * registryd/compile.c - objects of the model as the route table has them.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/compile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "http/url.h"

/* A point of the wall clock, on the monotonic one. */
static int64_t
monotonic_ns(int64_t wall_ms)
{
	return clock_now().ns - (clock_wall_ms() - wall_ms) * NS_PER_MS;
}

struct condition_spec
compile_condition(const struct condition *condition)
{
	struct condition_spec spec = { 0 };

	if (condition->in_maintenance) {
		spec.in_maintenance = true;
		if (condition->maintenance_until_wall_ms != 0)
			spec.maintenance_until_ns = monotonic_ns(
			    condition->maintenance_until_wall_ms);
		spec.page_url = bytes_of(condition->page_url);
		spec.allow = bytes_of(condition->allow);
	}
	if (condition->drain_at_wall_ms != 0) {
		spec.drain_start_ns =
		    monotonic_ns(condition->drain_at_wall_ms);
		spec.drain_span_ms = condition->drain_span_ms;
	}
	return spec;
}

int
compile_backend(const struct model_backend *backend,
    struct backend_spec *spec_r)
{
	const struct backend *object = &backend->object;
	struct backend_url url;

	if (url_parse_backend(bytes_of(object->url), &url) != NULL) {
		errno = EINVAL;
		return -1;
	}
	*spec_r = (struct backend_spec){
		.id = object->id,
		.service = backend->service->slot,
		.weight = object->weight,
		.kind = url.is_unix ? BACKEND_UNIX : BACKEND_TCP,
		.port = url.is_unix ? 0 : url.port,
		.host = url.host,
		.base_path = url.base_path,
		.max_connections = object->max_connections,
		.condition = compile_condition(&object->condition),
	};
	return 0;
}

static uint32_t
or_preset(uint32_t own, int64_t preset)
{
	return own != 0 ? own : (uint32_t)preset;
}

static struct probe_spec
compile_probe(const struct service *object, const struct settings *settings)
{
	return (struct probe_spec){
		.kind = object->probe_kind,
		.interval_ms = or_preset(object->probe_interval_ms,
		    settings->health.interval_ms),
		.timeout_ms = or_preset(object->probe_timeout_ms,
		    settings->health.timeout_ms),
		.rise = (uint16_t)or_preset(object->probe_rise,
		    settings->health.rise),
		.fall = (uint16_t)or_preset(object->probe_fall,
		    settings->health.fall),
		.status_min = (uint16_t)object->probe_status_min,
		.status_max = (uint16_t)object->probe_status_max,
		.path = bytes_of(object->probe_path),
		.host = bytes_of(object->probe_host),
	};
}

void
compile_service(const struct model_service *service,
    const struct settings *settings, uint32_t *slots,
    struct service_spec *spec_r)
{
	const struct service *object = &service->object;
	const struct model_backend *backend;
	uint32_t count = 0;

	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (backend->slot != TABLE_NONE)
			slots[count++] = backend->slot;
	*spec_r = (struct service_spec){
		.name = bytes_of(object->name),
		.policy = object->policy,
		.hash_header = bytes_of(object->hash_header),
		.connect_timeout_ms = object->connect_timeout_ms,
		.response_timeout_ms = object->response_timeout_ms,
		.queue_timeout_ms = object->queue_timeout_ms,
		.retries = object->retries,
		.probe = compile_probe(object, settings),
		.breaker = object->breaker,
		.condition = compile_condition(&object->condition),
		.backends = slots,
		.backend_count = count,
	};
}

static struct bytes
label_of(const struct route *object, char label[ROUTE_LABEL_SIZE])
{
	char id[24];
	int id_len;

	if (object->label[0] != '\0')
		return bytes_of(object->label);
	id_len = snprintf(id, sizeof(id), "-%" PRIu64, object->id);
	snprintf(label, ROUTE_LABEL_SIZE, "%.*s%s", TABLE_NAME_MAX - id_len,
	    object->targets[0].service, id);
	return bytes_of(label);
}

void
compile_route(const struct model_route *route, char label[ROUTE_LABEL_SIZE],
    struct route_spec *spec_r)
{
	const struct route *object = &route->object;

	*spec_r = (struct route_spec){
		.id = object->id,
		.label = label_of(object, label),
		.target_count = object->target_count,
		.strip_prefix = object->strip_prefix,
		.refuses_websocket = object->refuses_websocket,
		.host_rewrite = bytes_of(object->host_rewrite),
		.max_body_bytes = object->max_body_bytes,
		.headers = object->headers,
		.header_count = object->header_count,
		.rate_limit = object->rate_limit,
		.condition = compile_condition(&object->condition),
	};
	for (uint32_t i = 0; i < object->target_count; i++) {
		spec_r->targets[i].service = route->targets[i].service->slot;
		spec_r->targets[i].weight = object->targets[i].weight;
	}
}

static int32_t
highest_priority(const struct model_path *path)
{
	int32_t highest = path->routes[0]->object.priority;

	for (uint32_t i = 1; i < path->route_count; i++)
		if (path->routes[i]->object.priority > highest)
			highest = path->routes[i]->object.priority;
	return highest;
}

uint32_t
path_winners(const struct model_path *path,
    struct model_route *routes_r[TABLE_SHARED_MAX])
{
	int32_t highest = highest_priority(path);
	uint32_t count = 0;

	for (uint32_t i = 0; i < path->route_count; i++) {
		struct model_route *route = path->routes[i];
		uint32_t known = 0;

		if (route->object.priority != highest)
			continue;
		while (known < count && !route_is_same_service(
		    &route->object, &routes_r[known]->object))
			known++;
		if (known == count && count < TABLE_SHARED_MAX)
			routes_r[count++] = route;
	}
	return count;
}

void
compile_path(const struct model_path *path, uint32_t slots[TABLE_SHARED_MAX],
    struct path_spec *spec_r)
{
	struct model_route *routes[TABLE_SHARED_MAX];
	uint32_t count = path_winners(path, routes);

	for (uint32_t i = 0; i < count; i++)
		slots[i] = routes[i]->slot;
	*spec_r = (struct path_spec){
		.priority = routes[0]->object.priority,
		.routes = slots,
		.route_count = count,
	};
}

struct path_key
path_key_of(const struct model_path *path)
{
	return (struct path_key){
		.host = bytes_of(path->domain),
		.prefix = bytes_of(path->prefix),
	};
}
