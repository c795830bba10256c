/*
 * registryd/object_json.c - what services, backends and routes share as JSON.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/object_json.h"

#include <stdlib.h>

#include "registryd/object_json_parts.h"

int
object_out_of_memory(struct problem *problem)
{
	return problem_set(problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

int
object_read(const struct members *members, struct bytes json, bool is_merge,
    void *object, struct problem *problem)
{
	struct member_input input = { .is_merge = is_merge,
		.problem = problem };
	struct json_doc *doc;
	size_t offset;
	int result;

	if (json_parse(json, &doc, &offset) == -1)
		return problem_set(problem, 400, "bad_json", NULL,
		    "the body is not JSON: fault at byte %zu", offset);
	input.doc = doc;
	input.parent = json_root(doc);
	result = members_read(members, &input, object);
	json_doc_free(&doc);
	return result;
}

int
object_read_nested(const struct members *members,
    const struct member_input *input, int value, const char *pointer,
    void *object)
{
	struct member_input inner = *input;
	int result;

	if (value == JSON_NONE)
		return members_preset(members, object, input->problem);
	inner.parent = value;
	if (!input->is_merge &&
	    members_preset(members, object, input->problem) == -1)
		return -1;
	result = members_read(members, &inner, object);
	if (result == -1 && input->problem->status == 422)
		problem_prefix_pointer(input->problem, pointer);
	return result;
}

void
object_write_origin(struct json_writer *writer, enum object_origin origin)
{
	json_write_text(writer, object_origin_name(origin));
}

void
object_write_time(struct json_writer *writer, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(wall_ms, text);
	json_write_text(writer, text);
}

/* Gives the text away; NULL when it failed. */
static char *
take_text(struct buf *buf)
{
	if (buf->is_failed) {
		buf_free(buf);
		return NULL;
	}
	return buf->data;
}

char *
service_text(const struct service *service)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);

	service_write(&writer, service);
	return take_text(&buf);
}

char *
backend_text(const struct backend *backend)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);

	backend_write(&writer, backend);
	return take_text(&buf);
}

/* What most need; the text grows where it must. */
#define ROUTE_TEXT_BYTES 1000

char *
route_text(const struct route *route)
{
	struct buf buf = { 0 };
	struct json_writer writer = json_writer(&buf);

	if (buf_reserve(&buf, ROUTE_TEXT_BYTES) == -1)
		return NULL;
	route_write(&writer, route);
	return take_text(&buf);
}

char *
change_describe(const struct store_change *change)
{
	if (change->is_removal)
		return NULL;
	switch (change->kind) {
	case OBJECT_SERVICE:
		return service_text(change->object.service);
	case OBJECT_BACKEND:
		return backend_text(change->object.backend);
	case OBJECT_ROUTE:
		return route_text(change->object.route);
	}
	return NULL;
}
