/*
 * registryd/protocol/place.c - plans what stands at a place.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/place.h"

#include <stdlib.h>
#include <string.h>

#include "registryd/member.h"
#include "registryd/model.h"
#include "registryd/model_check.h"
#include "registryd/object_json.h"

static int
out_of_memory(struct write *write)
{
	return problem_set(&write->problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

/* One place on its way. */
struct laying {
	const struct place_plan *plan;
	const struct place *place;
	const char *name;
	const struct model_service *there;
	const struct place_member *leader;	/* NULL: nobody wants it */
	int32_t priority;		/* the highest */
	struct place_url *urls;		/* in order */
	uint32_t url_count, url_size;
};

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
	if (place_wish_service(laying->leader, laying->name, &service) == -1)
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
struct place_url {
	const char *url;
	bool is_disabled;
	const struct backend *there;	/* NULL: none yet */
};

static int
compare_urls(const void *a, const void *b)
{
	return strcmp(((const struct place_url *)a)->url,
	    ((const struct place_url *)b)->url);
}

/* One each, in order. */
static void
merge_urls(struct laying *laying)
{
	struct place_url *urls = laying->urls;
	uint32_t kept = 0;

	if (laying->url_count == 0)
		return;
	qsort(urls, laying->url_count, sizeof(*urls), compare_urls);
	for (uint32_t i = 1; i < laying->url_count; i++) {
		if (strcmp(urls[i].url, urls[kept].url) == 0)
			urls[kept].is_disabled &= urls[i].is_disabled;
		else
			urls[++kept] = urls[i];
	}
	laying->url_count = kept + 1;
}

static struct place_url *
find_url(const struct laying *laying, const char *url)
{
	const struct place_url key = { .url = url };

	return laying->url_count == 0 ? NULL :
	    bsearch(&key, laying->urls, laying->url_count,
		sizeof(key), compare_urls);
}

static int
add_url(struct laying *laying, const struct place_member *member)
{
	uint32_t size = laying->url_size == 0 ? 4 : 2 * laying->url_size;
	struct place_url *longer;

	if (laying->url_count == laying->url_size) {
		longer = realloc(laying->urls, size * sizeof(*longer));
		if (longer == NULL)
			return out_of_memory(laying->plan->write);
		laying->urls = longer;
		laying->url_size = size;
	}
	laying->urls[laying->url_count++] = (struct place_url){
		member->route->url, member->is_disabled, NULL };
	return 0;
}

static int
lay_backend(const struct laying *laying, const struct place_url *url)
{
	struct write *write = laying->plan->write;
	uint32_t weight = url->is_disabled ? 0 : 1;
	struct backend backend;
	int result;

	if (url->there != NULL && url->there->weight == weight)
		return 0;
	if (url->there != NULL &&
	    backend_copy_object(url->there, &backend) == -1)
		return out_of_memory(write);
	if (url->there == NULL && backend_init(&backend, &write->problem) ==
	    -1)
		return -1;
	backend.origin = ORIGIN_SESSION;
	backend.weight = weight;
	if (text_set(&backend.service, bytes_of(laying->name)) == -1 ||
	    text_set(&backend.url, bytes_of(url->url)) == -1)
		result = out_of_memory(write);
	else if ((result = backend_check(&backend, &write->problem)) == 0)
		result = write_put_backend(write, &backend, url->there);
	backend_clear(&backend);
	return result;
}

/* Finds those that are there; those that nobody wants any more go, but
 * for those of others.  */
static int
match_backends(const struct laying *laying)
{
	const struct model_backend *backend;

	if (laying->there == NULL)
		return 0;
	TAILQ_FOREACH(backend, &laying->there->backends, of_service) {
		struct place_url *url;

		if (backend->object.origin != ORIGIN_SESSION)
			continue;
		url = find_url(laying, backend->object.url);
		if (url != NULL && url->there == NULL)
			url->there = &backend->object;
		if (url == NULL && write_remove_backend(laying->plan->write,
			&backend->object) == -1)
			return -1;
	}
	return 0;
}

static int
lay_backends(const struct laying *laying)
{
	for (uint32_t i = 0; i < laying->url_count; i++)
		if (lay_backend(laying, &laying->urls[i]) == -1)
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
	const struct model_route *there = place_route_of(laying->there);
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
	if (result == 0 && place_wish_route(laying->leader, laying->priority,
		laying->name, &route) == -1)
		result = out_of_memory(write);
	if (result == 0)
		result = check_route_of(laying, &route);
	if (result == 0 && (before == NULL || !is_text_equal(
		route_text(before), route_text(&route))))
		result = write_put_route(write, &route, before);
	route_clear(&route);
	return result;
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
	const struct model_service *there = laying->there;

	if (laying->leader != NULL) {
		if (lay_service(laying) == -1 ||
		    match_backends(laying) == -1 ||
		    lay_backends(laying) == -1)
			return -1;
		return lay_route(laying);
	}
	if (there == NULL || there->object.origin != ORIGIN_SESSION)
		return 0;
	if (has_others(there))
		return match_backends(laying);
	return write_remove_service_whole(laying->plan->write, there);
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
gather(struct laying *laying)
{
	const struct place_plan *plan = laying->plan;
	const struct place_member *member = NULL;

	laying->priority = INT32_MIN;
	while ((member = place_index_next(&plan->index, laying->place,
		    member)) != NULL) {
		if (leads(plan, member, laying->leader))
			laying->leader = member;
		if (member->route->priority > laying->priority)
			laying->priority = member->route->priority;
		if (add_url(laying, member) == -1)
			return -1;
	}
	merge_urls(laying);
	return 0;
}

int
place_plan(const struct place_plan *plan, const struct place *place)
{
	char name[PLACE_NAME_SIZE];
	struct laying laying = { .plan = plan, .place = place, .name = name };
	int result;

	if (place_name(plan->session->service, place->host, place->prefix,
		name) == -1)
		return problem_set(&plan->write->problem, 422, "too_long",
		    NULL, "service, domain and path are too long together");
	laying.there = model_find_service(plan->model, name);
	result = gather(&laying);
	if (result == 0)
		result = lay(&laying);
	free(laying.urls);
	return result;
}
