/*
 * registryd/route_headers.c - a route's header edits as JSON.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "registryd/object_json_parts.h"

#define HEADER_VALUE_MAX 4096

static const char *const edit_words[] = {
	[HEADER_SET] = "set",
	[HEADER_ADD] = "add",
	[HEADER_REMOVE] = "remove",
};

static void
clear_headers(struct route *route)
{
	for (uint32_t i = 0; i < route->header_count; i++) {
		free((char *)(uintptr_t)route->headers[i].name.data);
		free((char *)(uintptr_t)route->headers[i].value.data);
	}
	free(route->headers);
	route->headers = NULL;
	route->header_count = 0;
}

static bool
is_header_name(const char *text)
{
	return text != NULL && text[0] != '\0' && strlen(text) <= 255 &&
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789!#$%&'*+-.^_`|~")] == '\0';
}

static bool
is_header_value(const char *text)
{
	if (strlen(text) > HEADER_VALUE_MAX)
		return false;
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') ||
		    *text == 0x7f)
			return false;
	return true;
}

/* What the data plane rules itself, an edit must not touch. */
static bool
is_framing_name(const char *name)
{
	static const char *const names[] = { "connection", "content-length",
		"keep-alive", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static const char *
fill_edit(struct header_edit *edit, const char *op, const char *of,
    const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < COUNT_OF(edit_words); i++)
		if (op != NULL && strcmp(op, edit_words[i]) == 0)
			break;
	if (i == COUNT_OF(edit_words))
		return "op must be \"set\", \"add\" or \"remove\"";
	edit->op = (enum header_edit_op)i;
	if (of == NULL ||
	    (strcmp(of, "request") != 0 && strcmp(of, "response") != 0))
		return "of must be \"request\" or \"response\"";
	edit->of_request = strcmp(of, "request") == 0;
	if (!is_header_name(name))
		return "name must be the name of a field";
	if (is_framing_name(name))
		return "this field belongs to the connection";
	if (value != NULL && !is_header_value(value))
		return "value must be at most 4096 bytes without controls";
	edit->name = bytes_slice(bytes_duplicate(bytes_of(name)),
	    strlen(name));
	edit->value = bytes_of(value == NULL ? "" : value);
	edit->value.data = bytes_duplicate(edit->value);
	if (edit->name.data == NULL || edit->value.data == NULL)
		return "out of memory";
	return NULL;
}

/* NULL where the member is not there or no string. */
static char *
string_member(const struct json_doc *doc, int object, const char *name)
{
	int value = json_member(doc, object, name);

	return value == JSON_NONE ? NULL : json_string(doc, value);
}

static int
read_edit(const struct member_input *input, int value, struct route *route)
{
	struct header_edit *edit = &route->headers[route->header_count];
	char *op = string_member(input->doc, value, "op");
	char *of = string_member(input->doc, value, "of");
	char *name = string_member(input->doc, value, "name");
	char *text = string_member(input->doc, value, "value");
	const char *fault = fill_edit(edit, op, of, name, text);
	char pointer[sizeof(input->problem->pointer)];

	free(op);
	free(of);
	free(name);
	free(text);
	snprintf(pointer, sizeof(pointer), "/headers/%" PRIu32,
	    route->header_count++);
	if (fault != NULL)
		return problem_invalid(input->problem, pointer, "%s", fault);
	return 0;
}

static int
check_edit_members(const struct member_input *input, int value,
    uint32_t index)
{
	static const char *const names[] = { "op", "of", "name", "value" };
	char pointer[sizeof(input->problem->pointer)];
	int member = JSON_NONE;
	struct bytes key;

	snprintf(pointer, sizeof(pointer), "/headers/%" PRIu32, index);
	if (json_type(input->doc, value) != JSON_OBJECT)
		return problem_invalid(input->problem, pointer,
		    "an edit is {\"op\", \"of\", \"name\", \"value\"}");
	while (json_each(input->doc, value, &member, &key)) {
		size_t i = 0;

		while (i < COUNT_OF(names) && !bytes_is(key, names[i]))
			i++;
		if (i == COUNT_OF(names))
			return problem_set(input->problem, 422,
			    "unknown_member", pointer,
			    "an edit has op, of, name and value only");
	}
	return 0;
}

int
route_read_headers(const struct member_input *input, int value, void *object)
{
	struct route *route = object;
	int element = JSON_NONE;

	clear_headers(route);
	if (value == JSON_NONE)
		return 0;
	if (json_type(input->doc, value) != JSON_ARRAY ||
	    json_count(input->doc, value) > TABLE_HEADERS_MAX)
		return problem_invalid(input->problem, "/headers",
		    "headers must be an array of at most %d edits",
		    TABLE_HEADERS_MAX);
	route->headers = calloc(TABLE_HEADERS_MAX, sizeof(*route->headers));
	if (route->headers == NULL)
		return object_out_of_memory(input->problem);
	while (json_each(input->doc, value, &element, NULL))
		if (check_edit_members(input, element,
			route->header_count) == -1 ||
		    read_edit(input, element, route) == -1)
			return -1;
	return 0;
}

void
route_write_headers(struct json_writer *writer, const void *object)
{
	const struct route *route = object;

	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < route->header_count; i++) {
		const struct header_edit *edit = &route->headers[i];

		json_write_begin(writer, '{');
		json_write_key(writer, "op");
		json_write_text(writer, edit_words[edit->op]);
		json_write_key(writer, "of");
		json_write_text(writer,
		    edit->of_request ? "request" : "response");
		json_write_key(writer, "name");
		json_write_string(writer, edit->name);
		json_write_key(writer, "value");
		json_write_string(writer, edit->value);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}
