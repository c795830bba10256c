/*
 * registryd/protocol/place.c - what stands at a (service, domain, path).
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/quantity.h"
#include "registryd/model_check.h"
#include "registryd/object_json.h"
#include "registryd/protocol/apply.h"
#include "registryd/protocol/protocol.h"

#define HEALTH_STATUS 200		/* the one that a probe expects */

/* Names ------------------------------------------------------------------ */

/* '/' cannot stand in a name and becomes ':'; what would be mistaken for
 * a mark of ours is escaped. */
static void
append(struct buf *buf, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '/')
			buf_append_char(buf, ':');
		else if (strchr(":@%", *text) != NULL)
			buf_printf(buf, "%%%02X", (unsigned char)*text);
		else
			buf_append_char(buf, *text);
	}
}

int
place_name(const char *service, const char *host, const char *prefix,
    char name[PLACE_NAME_SIZE])
{
	struct buf buf = { 0 };
	int result = -1;

	append(&buf, service);
	buf_append_char(&buf, '@');
	append(&buf, host);
	append(&buf, strcmp(prefix, "/") == 0 ? "" : prefix);
	if (!buf.is_failed && buf.len < PLACE_NAME_SIZE) {
		memcpy(name, buf.data, buf.len + 1);
		result = 0;
	}
	buf_free(&buf);
	return result;
}

void
place_owner(const char *name, char owner[PLACE_NAME_SIZE])
{
	size_t len = 0;
	unsigned int byte;

	while (*name != '\0' && *name != '@' && len < PLACE_NAME_SIZE - 1) {
		if (*name == '%' && sscanf(name + 1, "%2X", &byte) == 1) {
			owner[len++] = (char)byte;
			name += 3;
		} else {
			owner[len++] = *name == ':' ? '/' : *name;
			name++;
		}
	}
	owner[len] = '\0';
}

/* Members ---------------------------------------------------------------- */

/* One session's route at the place. */
struct place_member {
	const struct session *session;
	const struct session_config *config;
	const struct session_route *route;
	bool is_disabled;
};

struct place_members {
	struct place_member *list;
	uint32_t count, size;
	const struct place_member *leader;	/* whose wishes count:
						 * applied last */
	int32_t priority;		/* the highest */
};

static bool
is_at(const struct session_route *route, const struct place *place)
{
	if (route->prefix == NULL || strcmp(route->prefix, place->prefix) != 0)
		return false;
	for (uint32_t i = 0; i < route->domain_count; i++)
		if (route->hosts[i] != NULL &&
		    strcmp(route->hosts[i], place->host) == 0)
			return true;
	return false;
}

static int
add_member(struct place_members *members, struct place_member member)
{
	uint32_t size = members->size == 0 ? 8 : 2 * members->size;
	struct place_member *longer;

	if (members->count == members->size) {
		longer = realloc(members->list, size * sizeof(*longer));
		if (longer == NULL)
			return -1;
		members->list = longer;
		members->size = size;
	}
	members->list[members->count++] = member;
	return 0;
}

static int
gather_session(const struct place_plan *plan, const struct place *place,
    const struct session *session, struct place_members *members)
{
	bool is_own = session == plan->session;
	const struct session_config *config = is_own ? plan->config :
						       &session->active;

	for (uint32_t i = 0; config != NULL && i < config->count; i++) {
		const struct place_member member = { session, config,
			config->routes[i],
			is_own ? plan->is_disabled : session->is_disabled };

		if (is_at(member.route, place) &&
		    add_member(members, member) == -1)
			return -1;
	}
	return 0;
}

static bool
leads(const struct place_plan *plan, const struct place_member *a,
    const struct place_member *b)
{
	if (b == NULL || a->session == b->session)
		return b == NULL;
	if (a->session == plan->session || b->session == plan->session)
		return a->session == plan->session;
	return a->session->applied_wall_ms > b->session->applied_wall_ms;
}

static int
gather(const struct place_plan *plan, const struct place *place,
    struct place_members *members)
{
	const struct session *session;

	*members = (struct place_members){ .priority = INT32_MIN };
	TAILQ_FOREACH(session, &plan->protocol->sessions, of_all)
		if (strcmp(session->service, place->service) == 0 &&
		    gather_session(plan, place, session, members) == -1)
			return -1;
	for (uint32_t i = 0; i < members->count; i++) {
		const struct place_member *member = &members->list[i];

		if (leads(plan, member, members->leader))
			members->leader = member;
		if (member->route->priority > members->priority)
			members->priority = member->route->priority;
	}
	return 0;
}

/* Objects ---------------------------------------------------------------- */

static int
out_of_memory(struct write *write)
{
	return problem_set(&write->problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

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

static int
fill_service(const struct place_member *leader, const char *name,
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

static int
fill_route(const struct place_members *members, const char *name,
    struct route *route)
{
	const struct session_route *wish = members->leader->route;

	route->origin = ORIGIN_SESSION;
	route->priority = members->priority;
	route->rate_limit = (struct rate_limit_spec){ 0 };
	if (wish->has_limit)
		route->rate_limit = (struct rate_limit_spec){
			.requests = wish->limit_requests,
			.window_ms = (uint32_t)wish->limit_window_ms,
		};
	route->refuses_websocket = is_option_false(members->leader,
	    "websocket");
	clear_headers(route);
	if (fill_headers(members->leader, route) == -1)
		return -1;
	if (route->target_count > 0)
		return 0;
	route->targets[0].weight = 1;
	route->target_count = 1;
	route->targets[0].service = strdup(name);
	return route->targets[0].service == NULL ? -1 : 0;
}

/* Planning --------------------------------------------------------------- */

/* One place on its way. */
struct laying {
	const struct place_plan *plan;
	const struct place *place;
	const char *name;
	const struct model_service *there;
	struct place_members members;
};

static const struct model_route *
find_route(const struct model_service *service)
{
	const struct model_target *target;

	if (service == NULL)
		return NULL;
	LIST_FOREACH(target, &service->targets, of_service)
		if (target->route->object.origin == ORIGIN_SESSION &&
		    target->route->object.target_count == 1)
			return target->route;
	return NULL;
}

static const struct model_backend *
find_backend(const struct model_service *service, const char *url)
{
	const struct model_backend *backend;

	if (service == NULL)
		return NULL;
	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (backend->object.origin == ORIGIN_SESSION &&
		    strcmp(backend->object.url, url) == 0)
			return backend;
	return NULL;
}

/* Both as their JSON. */
static bool
is_text_equal(char *a, char *b)
{
	bool is_equal = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return is_equal;
}

static int
lay_service(const struct laying *laying)
{
	struct write *write = laying->plan->write;
	const struct service *before = laying->there == NULL ?
	    NULL :
	    &laying->there->object;
	struct service service;
	int result;

	if (before != NULL && before->origin != ORIGIN_SESSION)
		return problem_set(&write->problem, 409, "route_conflict",
		    NULL, "conflict with service %s", before->name);
	if (before != NULL && service_copy_object(before, &service) == -1)
		return out_of_memory(write);
	if (before == NULL && service_init(&service, &write->problem) == -1)
		return -1;
	if (fill_service(laying->members.leader, laying->name, &service) ==
	    -1)
		result = out_of_memory(write);
	else if ((result = service_check(&service, &write->problem)) == 0 &&
	    (before == NULL || !is_text_equal(service_text(before),
		service_text(&service))))
		result = write_put_service(write, &service, before);
	service_clear(&service);
	return result;
}

/* A URL that several members brought is one backend, disabled when all of
 * them are. */
static bool
is_disabled(const struct laying *laying, const char *url)
{
	for (uint32_t i = 0; i < laying->members.count; i++)
		if (!laying->members.list[i].is_disabled &&
		    strcmp(laying->members.list[i].route->url, url) == 0)
			return false;
	return true;
}

static bool
is_first(const struct laying *laying, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (strcmp(laying->members.list[i].route->url,
			laying->members.list[index].route->url) == 0)
			return false;
	return true;
}

static int
lay_backend(const struct laying *laying, const char *url)
{
	struct write *write = laying->plan->write;
	const struct model_backend *there = find_backend(laying->there, url);
	uint32_t weight = is_disabled(laying, url) ? 0 : 1;
	struct backend backend;
	int result;

	if (there != NULL && there->object.weight == weight)
		return 0;
	if (there != NULL &&
	    backend_copy_object(&there->object, &backend) == -1)
		return out_of_memory(write);
	if (there == NULL && backend_init(&backend, &write->problem) == -1)
		return -1;
	backend.origin = ORIGIN_SESSION;
	backend.weight = weight;
	if (text_set(&backend.service, bytes_of(laying->name)) == -1 ||
	    text_set(&backend.url, bytes_of(url)) == -1)
		result = out_of_memory(write);
	else if ((result = backend_check(&backend, &write->problem)) == 0)
		result = write_put_backend(write, &backend,
		    there == NULL ? NULL : &there->object);
	backend_clear(&backend);
	return result;
}

static int
lay_backends(const struct laying *laying)
{
	for (uint32_t i = 0; i < laying->members.count; i++)
		if (is_first(laying, i) && lay_backend(laying,
			laying->members.list[i].route->url) == -1)
			return -1;
	return 0;
}

static int
check_route_of(const struct laying *laying, struct route *route)
{
	struct problem *problem = &laying->plan->write->problem;

	if (route->header_count > TABLE_HEADERS_MAX)
		return problem_set(problem, 422, "too_many", NULL,
		    "more than %d header changes", TABLE_HEADERS_MAX);
	if (route_check(route, problem) == -1)
		return -1;
	return model_check_paths(laying->plan->model, route, problem);
}

static int
lay_route(const struct laying *laying)
{
	struct write *write = laying->plan->write;
	const struct model_route *there = find_route(laying->there);
	const struct route *before = there == NULL ? NULL : &there->object;
	struct route route;
	int result = 0;

	if (before != NULL && route_copy_object(before, &route) == -1)
		return out_of_memory(write);
	if (before == NULL && route_init(&route, &write->problem) == -1)
		return -1;
	if (before == NULL &&
	    (route_add_domain(&route, bytes_of(laying->place->host)) == -1 ||
		route_add_prefix(&route, bytes_of(laying->place->prefix)) ==
		    -1))
		result = out_of_memory(write);
	if (result == 0 &&
	    fill_route(&laying->members, laying->name, &route) == -1)
		result = out_of_memory(write);
	if (result == 0)
		result = check_route_of(laying, &route);
	if (result == 0 && (before == NULL || !is_text_equal(
		route_text(before), route_text(&route))))
		result = write_put_route(write, &route, before);
	route_clear(&route);
	return result;
}

static bool
is_wanted(const struct laying *laying, const struct backend *backend)
{
	for (uint32_t i = 0; i < laying->members.count; i++)
		if (strcmp(laying->members.list[i].route->url,
			backend->url) == 0)
			return true;
	return false;
}

/* Backends that nobody wants any more; those of others stay. */
static int
clear_backends(const struct laying *laying)
{
	const struct model_backend *backend;

	if (laying->there == NULL)
		return 0;
	TAILQ_FOREACH(backend, &laying->there->backends, of_service)
		if (backend->object.origin == ORIGIN_SESSION &&
		    !is_wanted(laying, &backend->object) &&
		    write_remove_backend(laying->plan->write,
			&backend->object) == -1)
			return -1;
	return 0;
}

/* An operator added a backend: the route is not the sessions' alone. */
static bool
has_others(const struct model_service *service)
{
	const struct model_backend *backend;

	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (backend->object.origin != ORIGIN_SESSION)
			return true;
	return false;
}

static int
lay(const struct laying *laying)
{
	if (laying->members.count > 0) {
		if (lay_service(laying) == -1 || lay_backends(laying) == -1 ||
		    lay_route(laying) == -1)
			return -1;
		return clear_backends(laying);
	}
	if (laying->there == NULL ||
	    laying->there->object.origin != ORIGIN_SESSION)
		return 0;
	if (has_others(laying->there))
		return clear_backends(laying);
	return write_remove_service_whole(laying->plan->write, laying->there);
}

int
place_plan(const struct place_plan *plan, const struct place *place)
{
	char name[PLACE_NAME_SIZE];
	struct laying laying = { .plan = plan, .place = place, .name = name };
	int result;

	if (place_name(place->service, place->host, place->prefix, name) == -1)
		return problem_set(&plan->write->problem, 422, "too_long",
		    NULL, "service, domain and path are too long together");
	laying.there = model_find_service(plan->model, name);
	if (gather(plan, place, &laying.members) == -1)
		result = out_of_memory(plan->write);
	else
		result = lay(&laying);
	free(laying.members.list);
	return result;
}

/* Finding ---------------------------------------------------------------- */

static const struct model_service *
find_service(const struct model *model, const char *service,
    const char *host, const struct session_route *route)
{
	char name[PLACE_NAME_SIZE];

	if (host == NULL || route->prefix == NULL ||
	    place_name(service, host, route->prefix, name) == -1)
		return NULL;
	return model_find_service(model, name);
}

const struct model_backend *
place_backend(const struct model *model, const char *service,
    const char *host, const struct session_route *route)
{
	return find_backend(find_service(model, service, host, route),
	    route->url);
}

const struct model_route *
place_route(const struct model *model, const char *service, const char *host,
    const struct session_route *route)
{
	return find_route(find_service(model, service, host, route));
}
