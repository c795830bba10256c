/*
 * registryd/protocol/place_wish.c - what sessions want of a place.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/quantity.h"
#include "registryd/member.h"
#include "registryd/protocol/place.h"

#define HEALTH_STATUS 200		/* the one that a probe expects */

static uint32_t
option_ms(const struct place_member *member, const char *key)
{
	const char *value = config_option(member->config, member->route, key);
	int64_t span_ms = 0;

	if (value == NULL ||
	    quantity_parse_span(bytes_of(value), true, &span_ms) == -1)
		return 0;
	return (uint32_t)span_ms;
}

static bool
is_option_false(const struct place_member *member, const char *key)
{
	const char *value = config_option(member->config, member->route, key);

	return value != NULL && strcmp(value, "false") == 0;
}

static int
fill_probe(const struct place_member *member, struct service *service)
{
	const struct session_route *route = member->route;

	service->probe_kind = route->has_health ? PROBE_HTTP : PROBE_CONNECT;
	service->probe_status_min = service->probe_status_max = HEALTH_STATUS;
	service->probe_interval_ms = option_ms(member,
	    "health_check_interval");
	service->probe_timeout_ms = option_ms(member, "health_check_timeout");
	if (!route->has_health)
		return text_set(&service->probe_path, bytes_of(""));
	if (route->health_interval_ms != 0)
		service->probe_interval_ms =
		    (uint32_t)route->health_interval_ms;
	if (route->health_timeout_ms != 0)
		service->probe_timeout_ms =
		    (uint32_t)route->health_timeout_ms;
	return text_set(&service->probe_path, bytes_of(route->health_path));
}

int
place_wish_service(const struct place_member *leader, const char *name,
    struct service *service)
{
	const struct session_route *route = leader->route;

	service->origin = ORIGIN_SESSION;
	service->response_timeout_ms = option_ms(leader, "timeout");
	service->breaker = (struct breaker_spec){ 0 };
	if (route->has_breaker)
		service->breaker = (struct breaker_spec){
			.threshold = route->breaker_threshold,
			.open_ms = (uint32_t)route->breaker_open_ms,
			.half_open_requests = route->breaker_half_open == 0 ?
			    1 :
			    route->breaker_half_open,
		};
	if (text_set(&service->name, bytes_of(name)) == -1)
		return -1;
	return fill_probe(leader, service);
}

static int
add_edit(struct route *route, const struct pair *pair)
{
	struct header_edit *edit = &route->headers[route->header_count];

	edit->op = pair->value == NULL ? HEADER_REMOVE : HEADER_SET;
	edit->name = bytes_of(strdup(pair->name));
	edit->value = bytes_of(strdup(pair->value == NULL ? "" :
							    pair->value));
	route->header_count++;
	return edit->name.data == NULL || edit->value.data == NULL ? -1 : 0;
}

/* The route's own go before those of the session. */
static int
fill_headers(const struct place_member *leader, struct route *route)
{
	const struct pairs *own = &leader->route->headers;
	const struct pairs *shared = &leader->config->headers;

	route->headers = calloc(own->count + shared->count + 1,
	    sizeof(*route->headers));
	if (route->headers == NULL)
		return -1;
	for (uint32_t i = 0; i < own->count; i++)
		if (add_edit(route, &own->list[i]) == -1)
			return -1;
	for (uint32_t i = 0; i < shared->count; i++)
		if (pairs_find(own, shared->list[i].name) == NULL &&
		    add_edit(route, &shared->list[i]) == -1)
			return -1;
	return 0;
}

static void
clear_headers(struct route *route)
{
	for (uint32_t i = 0; i < route->header_count; i++) {
		free((void *)(uintptr_t)route->headers[i].name.data);
		free((void *)(uintptr_t)route->headers[i].value.data);
	}
	free(route->headers);
	route->headers = NULL;
	route->header_count = 0;
}

int
place_wish_route(const struct place_member *leader, int32_t priority,
    const char *name, struct route *route)
{
	const struct session_route *wish = leader->route;

	route->origin = ORIGIN_SESSION;
	route->priority = priority;
	route->rate_limit = (struct rate_limit_spec){ 0 };
	if (wish->has_limit)
		route->rate_limit = (struct rate_limit_spec){
			.requests = wish->limit_requests,
			.window_ms = (uint32_t)wish->limit_window_ms,
		};
	route->refuses_websocket = is_option_false(leader,
	    "websocket");
	clear_headers(route);
	if (fill_headers(leader, route) == -1)
		return -1;
	if (route->target_count > 0)
		return 0;
	route->targets[0].weight = 1;
	route->target_count = 1;
	route->targets[0].service = strdup(name);
	return route->targets[0].service == NULL ? -1 : 0;
}
