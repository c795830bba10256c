/*
 * registryd/object_restore.c - objects from the JSON that history keeps.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/object_restore.h"

#include <stdlib.h>

#include "registryd/object_json.h"

static int
out_of_memory(struct problem *problem)
{
	return problem_set(problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

/* What the API only shows. */
struct shown {
	enum object_origin origin;
	int64_t id;
	char *service;
};

static void
read_shown(const char *text, struct shown *shown_r)
{
	struct json_doc *doc;
	size_t offset;
	char *origin;
	int root;

	*shown_r = (struct shown){ .origin = ORIGIN_API };
	if (json_parse(bytes_of(text), &doc, &offset) == -1)
		return;
	root = json_root(doc);
	origin = json_string(doc, json_member(doc, root, "origin"));
	if (origin == NULL ||
	    object_origin_parse(origin, &shown_r->origin) == -1)
		shown_r->origin = ORIGIN_API;
	free(origin);
	if (json_integer(doc, json_member(doc, root, "id"), 1, INT64_MAX,
		&shown_r->id) == -1)
		shown_r->id = 0;
	shown_r->service =
	    json_string(doc, json_member(doc, root, "service"));
	json_doc_free(&doc);
}

int
service_restore(const char *text, const struct service *present,
    struct service *service, struct problem *problem)
{
	struct shown shown;

	if (present == NULL) {
		if (service_init(service, problem) == -1)
			return -1;
	} else if (service_copy_object(present, service) == -1) {
		return out_of_memory(problem);
	}
	read_shown(text, &shown);
	free(shown.service);
	service->origin = shown.origin;
	if (service_read(bytes_of(text), false, service, problem) == 0)
		return 0;
	service_clear(service);
	return -1;
}

int
backend_restore(const char *text, const struct backend *present,
    struct backend *backend, struct problem *problem)
{
	struct shown shown;

	if (present == NULL) {
		if (backend_init(backend, problem) == -1)
			return -1;
	} else if (backend_copy_object(present, backend) == -1) {
		return out_of_memory(problem);
	}
	read_shown(text, &shown);
	backend->origin = shown.origin;
	backend->id = (uint64_t)shown.id;
	if (shown.service == NULL) {
		(void)out_of_memory(problem);
	} else {
		free(backend->service);
		backend->service = shown.service;
		if (backend_read(bytes_of(text), false, backend, problem) ==
		    0)
			return 0;
	}
	backend_clear(backend);
	return -1;
}

int
route_restore(const char *text, const struct route *present,
    struct route *route, struct problem *problem)
{
	struct shown shown;

	if (present == NULL) {
		if (route_init(route, problem) == -1)
			return -1;
	} else if (route_copy_object(present, route) == -1) {
		return out_of_memory(problem);
	}
	read_shown(text, &shown);
	free(shown.service);
	route->origin = shown.origin;
	route->id = (uint64_t)shown.id;
	if (route_read(bytes_of(text), false, route, problem) == 0)
		return 0;
	route_clear(route);
	return -1;
}
