/*
 * registryd/member.c - members of the API's JSON objects, as rows.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/member.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int
text_set(char **text, struct bytes value)
{
	char *copy = bytes_duplicate(value);

	if (copy == NULL)
		return -1;
	free(*text);
	*text = copy;
	return 0;
}

static int
out_of_memory(struct problem *problem)
{
	return problem_set(problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

static void *
field(const struct member *row, void *object)
{
	return (char *)object + row->offset;
}

static const void *
const_field(const struct member *row, const void *object)
{
	return (const char *)object + row->offset;
}

static void
set_number(const struct member *row, void *object, int64_t number)
{
	void *where = field(row, object);

	switch (row->kind) {
	case MEMBER_U32:
	case MEMBER_WORD:
		*(uint32_t *)where = (uint32_t)number;
		break;
	case MEMBER_U64:
		*(uint64_t *)where = (uint64_t)number;
		break;
	case MEMBER_I32:
		*(int32_t *)where = (int32_t)number;
		break;
	case MEMBER_BOOL:
		*(bool *)where = number != 0;
		break;
	case MEMBER_TEXT:
	case MEMBER_CUSTOM:
	case MEMBER_SHOWN:
		break;
	}
}

static int64_t
get_number(const struct member *row, const void *object)
{
	const void *where = const_field(row, object);

	switch (row->kind) {
	case MEMBER_U32:
	case MEMBER_WORD:
		return *(const uint32_t *)where;
	case MEMBER_U64:
		return (int64_t)*(const uint64_t *)where;
	case MEMBER_I32:
		return *(const int32_t *)where;
	case MEMBER_BOOL:
		return *(const bool *)where;
	case MEMBER_TEXT:
	case MEMBER_CUSTOM:
	case MEMBER_SHOWN:
		break;
	}
	return 0;
}

static int
preset(const struct member *row, const struct member_input *input,
    void *object)
{
	switch (row->kind) {
	case MEMBER_TEXT:
		if (text_set(field(row, object), bytes_of("")) == -1)
			return out_of_memory(input->problem);
		return 0;
	case MEMBER_CUSTOM:
		return row->read(input, JSON_NONE, object);
	case MEMBER_SHOWN:
		return 0;
	case MEMBER_U32:
	case MEMBER_U64:
	case MEMBER_I32:
	case MEMBER_BOOL:
	case MEMBER_WORD:
		set_number(row, object, row->preset);
		return 0;
	}
	return 0;
}

int
members_preset(const struct members *members, void *object,
    struct problem *problem)
{
	const struct member_input input = { .parent = JSON_NONE,
		.problem = problem };

	for (size_t i = 0; i < members->count; i++)
		if (preset(&members->rows[i], &input, object) == -1)
			return -1;
	return 0;
}

static int
read_text(const struct member *row, const struct member_input *input,
    int value, void *object, const char *pointer)
{
	char *text;

	if (json_type(input->doc, value) != JSON_STRING)
		return problem_invalid(input->problem, pointer,
		    "%s must be a string", row->name);
	if ((text = json_string(input->doc, value)) == NULL)
		return problem_invalid(input->problem, pointer,
		    "%s must not contain U+0000", row->name);
	if (strlen(text) > (size_t)row->max) {
		free(text);
		return problem_invalid(input->problem, pointer,
		    "%s is longer than %" PRId64 " bytes", row->name,
		    row->max);
	}
	free(*(char **)field(row, object));
	*(char **)field(row, object) = text;
	return 0;
}

static int
read_word(const struct member *row, const struct member_input *input,
    int value, void *object, const char *pointer)
{
	struct buf words = { 0 };
	char *text = json_string(input->doc, value);

	for (int64_t i = 0; text != NULL && i < row->max; i++) {
		if (strcmp(text, row->word((unsigned int)i)) == 0) {
			set_number(row, object, i);
			free(text);
			return 0;
		}
	}
	free(text);
	for (int64_t i = 0; i < row->max; i++)
		buf_printf(&words, "%s\"%s\"", i == 0 ? "" : ", ",
		    row->word((unsigned int)i));
	problem_invalid(input->problem, pointer, "%s must be one of %s",
	    row->name, words.data == NULL ? "?" : words.data);
	buf_free(&words);
	return -1;
}

static int
read_number(const struct member *row, const struct member_input *input,
    int value, void *object, const char *pointer)
{
	int64_t number;

	if (json_integer(input->doc, value, row->min, row->max, &number) == -1)
		return problem_invalid(input->problem, pointer,
		    "%s must be a whole number from %" PRId64 " to %" PRId64,
		    row->name, row->min, row->max);
	set_number(row, object, number);
	return 0;
}

static int
read_member(const struct member *row, const struct member_input *input,
    int value, void *object)
{
	char pointer[sizeof(input->problem->pointer)];
	bool is_true;

	snprintf(pointer, sizeof(pointer), "/%s", row->name);
	if (row->kind != MEMBER_SHOWN &&
	    json_type(input->doc, value) == JSON_NULL) {
		if (input->is_merge)
			return preset(row, input, object);
		return problem_invalid(input->problem, pointer,
		    "%s must not be null; leave it out for its default",
		    row->name);
	}
	switch (row->kind) {
	case MEMBER_TEXT:
		return read_text(row, input, value, object, pointer);
	case MEMBER_WORD:
		return read_word(row, input, value, object, pointer);
	case MEMBER_U32:
	case MEMBER_U64:
	case MEMBER_I32:
		return read_number(row, input, value, object, pointer);
	case MEMBER_BOOL:
		if (json_bool(input->doc, value, &is_true) == -1)
			return problem_invalid(input->problem, pointer,
			    "%s must be true or false", row->name);
		set_number(row, object, is_true);
		return 0;
	case MEMBER_CUSTOM:
		return row->read(input, value, object);
	case MEMBER_SHOWN:
		return 0;
	}
	return 0;
}

/* RFC 6901: "~" is "~0", "/" is "~1". */
static int
refuse_unknown(struct problem *problem, struct bytes key)
{
	char pointer[sizeof(problem->pointer)] = "/";
	size_t len = 1;

	for (size_t i = 0; i < key.len && len < sizeof(pointer) - 3; i++) {
		if (key.data[i] == '~' || key.data[i] == '/') {
			pointer[len++] = '~';
			pointer[len++] = key.data[i] == '~' ? '0' : '1';
		} else {
			pointer[len++] = key.data[i];
		}
	}
	return problem_set(problem, 422, "unknown_member", pointer,
	    "there is no member \"%.*s\" here", (int)(key.len > 100 ? 100 :
	    key.len), key.data);
}

int
members_read(const struct members *members, const struct member_input *input,
    void *object)
{
	struct bytes key;
	int value = JSON_NONE;

	if (json_type(input->doc, input->parent) != JSON_OBJECT)
		return problem_invalid(input->problem, "",
		    "an object is expected here");
	while (json_each(input->doc, input->parent, &value, &key)) {
		const struct member *row = NULL;

		for (size_t i = 0; i < members->count && row == NULL; i++)
			if (bytes_is(key, members->rows[i].name))
				row = &members->rows[i];
		if (row == NULL)
			return refuse_unknown(input->problem, key);
		if (read_member(row, input, value, object) == -1)
			return -1;
	}
	return 0;
}

static void
write_value(const struct member *row, struct json_writer *writer,
    const void *object)
{
	switch (row->kind) {
	case MEMBER_TEXT:
		json_write_text(writer,
		    *(char *const *)const_field(row, object));
		break;
	case MEMBER_WORD:
		json_write_text(writer,
		    row->word((unsigned int)get_number(row, object)));
		break;
	case MEMBER_U32:
	case MEMBER_U64:
	case MEMBER_I32:
		json_write_integer(writer, get_number(row, object));
		break;
	case MEMBER_BOOL:
		json_write_bool(writer, get_number(row, object) != 0);
		break;
	case MEMBER_CUSTOM:
	case MEMBER_SHOWN:
		row->write(writer, object);
		break;
	}
}

void
members_write(const struct members *members, struct json_writer *writer,
    const void *object)
{
	json_write_begin(writer, '{');
	for (size_t i = 0; i < members->count; i++) {
		const struct member *row = &members->rows[i];

		if (row->is_shown != NULL && !row->is_shown(object))
			continue;
		json_write_key(writer, row->name);
		write_value(row, writer, object);
	}
	json_write_end(writer, '}');
}

static void
write_number_schema(const struct member *row, struct json_writer *writer)
{
	json_write_key(writer, "type");
	json_write_text(writer, "integer");
	json_write_key(writer, "minimum");
	json_write_integer(writer, row->min);
	json_write_key(writer, "maximum");
	json_write_integer(writer, row->max);
	json_write_key(writer, "default");
	json_write_integer(writer, row->preset);
}

static void
write_word_schema(const struct member *row, struct json_writer *writer)
{
	json_write_key(writer, "type");
	json_write_text(writer, "string");
	json_write_key(writer, "enum");
	json_write_begin(writer, '[');
	for (int64_t i = 0; i < row->max; i++)
		json_write_text(writer, row->word((unsigned int)i));
	json_write_end(writer, ']');
	json_write_key(writer, "default");
	json_write_text(writer, row->word((unsigned int)row->preset));
}

static void
write_schema(const struct member *row, struct json_writer *writer)
{
	switch (row->kind) {
	case MEMBER_TEXT:
		json_write_key(writer, "type");
		json_write_text(writer, "string");
		json_write_key(writer, "maxLength");
		json_write_integer(writer, row->max);
		break;
	case MEMBER_WORD:
		write_word_schema(row, writer);
		break;
	case MEMBER_U32:
	case MEMBER_U64:
	case MEMBER_I32:
		write_number_schema(row, writer);
		break;
	case MEMBER_BOOL:
		json_write_key(writer, "type");
		json_write_text(writer, "boolean");
		json_write_key(writer, "default");
		json_write_bool(writer, row->preset != 0);
		break;
	case MEMBER_SHOWN:
		json_write_key(writer, "readOnly");
		json_write_bool(writer, true);
		/* FALLTHROUGH */
	case MEMBER_CUSTOM:
		json_write_key(writer, "allOf");
		json_write_begin(writer, '[');
		json_write_raw(writer, bytes_of(row->schema));
		json_write_end(writer, ']');
		break;
	}
}

void
members_write_schema(const struct members *members, struct json_writer *writer)
{
	json_write_begin(writer, '{');
	json_write_key(writer, "type");
	json_write_text(writer, "object");
	json_write_key(writer, "additionalProperties");
	json_write_bool(writer, false);
	if (members->required != NULL) {
		json_write_key(writer, "required");
		json_write_raw(writer, bytes_of(members->required));
	}
	json_write_key(writer, "properties");
	json_write_begin(writer, '{');
	for (size_t i = 0; i < members->count; i++) {
		const struct member *row = &members->rows[i];

		json_write_key(writer, row->name);
		json_write_begin(writer, '{');
		write_schema(row, writer);
		json_write_key(writer, "description");
		json_write_text(writer, row->help);
		json_write_end(writer, '}');
	}
	json_write_end(writer, '}');
	json_write_end(writer, '}');
}
