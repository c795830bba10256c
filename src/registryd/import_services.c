/*
 * registryd/import_services.c - a document's services, and their backends.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/import.h"
#include "registryd/object_json.h"

int
import_out_of_memory(struct import *import)
{
	return problem_set(&import->write->problem, 503, "out_of_memory",
	    NULL, "out of memory; try again");
}

/* A problem's pointer is within element index of a list. */
void
import_point_into(struct import *import, const char *list, uint32_t index)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "/%s/%u", list, index);
	problem_prefix_pointer(&import->write->problem, prefix);
}

/* The element without a member that is read apart. */
static void
write_without(const struct json_doc *doc, int element, const char *member,
    struct buf *buf)
{
	struct json_writer writer = json_writer(buf);
	int value = JSON_NONE;
	struct bytes key;

	json_write_begin(&writer, '{');
	while (json_each(doc, element, &value, &key)) {
		char name[64];

		if (bytes_is(key, member))
			continue;
		snprintf(name, sizeof(name), "%.*s", BYTES_ARGS(key));
		json_write_key(&writer, name);
		json_write_raw(&writer, json_raw(doc, value));
	}
	json_write_end(&writer, '}');
}

/* Where it came from elsewhere; what is not said is the API's. */
enum object_origin
import_origin(const struct import *import, int element)
{
	char *word = json_string(import->doc,
	    json_member(import->doc, element, "origin"));
	enum object_origin origin = ORIGIN_API;

	if (word == NULL || object_origin_parse(word, &origin) == -1 ||
	    origin != ORIGIN_REGISTER)
		origin = ORIGIN_API;
	free(word);
	return origin;
}

/* Takes both texts. */
bool
import_is_same_text(char *a, char *b)
{
	bool is_same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return is_same;
}

/* Maintenance and drain are no part of a document: they stay. */
int
import_keep_condition(struct import *import, struct condition *condition,
    const struct condition *present)
{
	condition_clear(condition);
	return condition_copy(present, condition) == 0
		   ? 0
		   : import_out_of_memory(import);
}

static int
put_backend(struct import *import, struct backend *backend,
    const struct model_service *service)
{
	const struct model_backend *there = NULL;

	if (service != NULL)
		TAILQ_FOREACH(there, &service->backends, of_service)
			if (strcmp(there->object.url, backend->url) == 0)
				break;
	if (there == NULL)
		return write_put_backend(import->write, backend, NULL);
	backend->id = there->object.id;
	backend->times = there->object.times;
	if (import_keep_condition(import, &backend->condition,
		&there->object.condition) == -1)
		return -1;
	if (import_is_same_text(backend_text(backend),
		backend_text(&there->object)))
		return 0;
	return write_put_backend(import->write, backend, &there->object);
}

static int
take_backend(struct import *import, int element, const char *name,
    const struct model_service *service)
{
	struct problem *problem = &import->write->problem;
	struct backend backend;
	int result = -1;

	if (backend_init(&backend, problem) == -1)
		return -1;
	if (backend_read(json_raw(import->doc, element), false, &backend,
		problem) == -1 ||
	    backend_check(&backend, problem) == -1)
		goto done;
	backend.origin = import_origin(import, element);
	if (text_set(&backend.service, bytes_of(name)) == -1)
		(void)import_out_of_memory(import);
	else if (import_add_name(import, name, backend.url) == 0)
		result = put_backend(import, &backend, service);
done:
	backend_clear(&backend);
	return result;
}

static int
take_backends(struct import *import, int list, const char *name,
    const struct model_service *service)
{
	int element = JSON_NONE;
	uint32_t index = 0;

	if (list == JSON_NONE)
		return 0;
	if (json_type(import->doc, list) != JSON_ARRAY)
		return problem_invalid(&import->write->problem, "/backends",
		    "a list is expected");
	while (json_each(import->doc, list, &element, NULL)) {
		if (take_backend(import, element, name, service) == -1) {
			import_point_into(import, "backends", index);
			return -1;
		}
		index++;
	}
	return 0;
}

static int
put_service(struct import *import, struct service *service,
    const struct model_service *there)
{
	if (there == NULL)
		return write_put_service(import->write, service, NULL);
	service->times = there->object.times;
	if (import_keep_condition(import, &service->condition,
		&there->object.condition) == -1)
		return -1;
	if (import_is_same_text(service_text(service),
		service_text(&there->object)))
		return 0;
	return write_put_service(import->write, service, &there->object);
}

int
import_take_service(struct import *import, int element)
{
	struct problem *problem = &import->write->problem;
	const struct model_service *there;
	struct service service;
	struct buf text = { 0 };
	int result = -1;

	if (json_type(import->doc, element) != JSON_OBJECT)
		return problem_invalid(problem, "", "an object is expected");
	if (service_init(&service, problem) == -1)
		return -1;
	write_without(import->doc, element, "backends", &text);
	if (text.is_failed) {
		(void)import_out_of_memory(import);
	} else if (service_read(buf_bytes(&text), false, &service, problem) ==
		0 &&
	    service_name_check(service.name, "/name", problem) == 0 &&
	    import_add_name(import, service.name, NULL) == 0) {
		service.origin = import_origin(import, element);
		there = model_find_service(import->model, service.name);
		if (put_service(import, &service, there) == 0)
			result = take_backends(import,
			    json_member(import->doc, element, "backends"),
			    service.name, there);
	}
	buf_free(&text);
	service_clear(&service);
	return result;
}
