/*
 * registryd/api.c - from a request to its handler.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/api.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/api_parts.h"

/* Decoding --------------------------------------------------------------- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
api_decode(struct arena *arena, struct bytes text, bool plus_is_space,
    struct bytes *decoded_r)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	if (out == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '%') {
			int high = i + 2 < text.len ?
			    hex_digit(text.data[i + 1]) :
			    -1;
			int low = high >= 0 ? hex_digit(text.data[i + 2]) :
					      -1;

			if (low < 0 || (high == 0 && low == 0))
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		out[len++] = c;
	}
	*decoded_r = bytes_slice(out, len);
	return true;
}

void
api_encode(struct buf *buf, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (isalnum(byte) || strchr("-._~", byte) != NULL)
			buf_append_char(buf, (char)byte);
		else
			buf_printf(buf, "%%%02X", byte);
	}
}

/* The next name=value of the rest of a query; the value is decoded. */
static bool
next_parameter(struct admin_request *request, struct bytes *rest,
    struct bytes *name_r, struct bytes *value_r, bool *is_bad_r)
{
	struct bytes field;

	while (bytes_next_field(rest, '&', &field)) {
		struct bytes value = field;

		if (field.len == 0)
			continue;
		*is_bad_r = !bytes_next_field(&value, '=', name_r) ||
		    !api_decode(&request->arena, *name_r, true, name_r) ||
		    !api_decode(&request->arena,
			value.data == NULL ? bytes_of("") : value, true,
			value_r);
		return true;
	}
	return false;
}

bool
api_query(struct admin_request *request, const char *name, uint32_t *next,
    struct bytes *value_r)
{
	struct bytes rest = request->http.query, key, value;
	uint32_t index = 0;
	bool is_bad = false;

	while (next_parameter(request, &rest, &key, &value, &is_bad)) {
		if (is_bad || !bytes_is(key, name) ||
		    index++ < (next == NULL ? 0 : *next))
			continue;
		if (next != NULL)
			(*next)++;
		*value_r = value;
		return true;
	}
	return false;
}

bool
api_query_flag(struct admin_request *request, const char *name)
{
	struct bytes value;

	return api_query(request, name, NULL, &value) &&
	    !bytes_is(value, "false") && !bytes_is(value, "0");
}

uint64_t
api_id(const struct admin_request *request, uint32_t segment)
{
	unsigned long long id;

	if (bytes_to_number(request->segments[segment], INT64_MAX, &id) == -1)
		return 0;
	return id;
}

/* Answers ---------------------------------------------------------------- */

void
api_reply_problem(struct admin_request *request, unsigned int status,
    const char *word, const char *format, ...)
{
	struct problem problem;
	char detail[sizeof(problem.detail)];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	problem_set(&problem, status, word, NULL, "%s", detail);
	admin_reply_problem(request, &problem);
}

void
api_reply_text(struct admin_request *request, unsigned int status, char *text)
{
	if (text == NULL)
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
	else
		admin_reply(request, status, "application/json",
		    bytes_of(text));
	free(text);
}

/* Whether an entity-tag of the list is the version's; "*" is any. */
static bool
has_tag(struct bytes list, uint64_t version)
{
	struct bytes tag;
	char own[32];

	snprintf(own, sizeof(own), "\"%" PRIu64 "\"", version);
	while (bytes_next_field(&list, ',', &tag)) {
		tag = bytes_trim(tag);
		if (bytes_start_with(tag, bytes_of("W/")))
			tag = bytes_slice(tag.data + 2, tag.len - 2);
		if ((bytes_is(tag, "*") && version != 0) || bytes_is(tag, own))
			return true;
	}
	return false;
}

int
api_check_match(const struct admin_request *request, uint64_t version,
    struct problem *problem)
{
	const struct http_field *match = http_field_find_name(
	    &request->http.fields, bytes_of("if-match"));
	const struct http_field *none_match = http_field_find_name(
	    &request->http.fields, bytes_of("if-none-match"));

	if (match != NULL && !has_tag(match->value, version))
		return problem_set(problem, 412, "version_mismatch", NULL,
		    "If-Match: it is at version %" PRIu64 " now", version);
	if (none_match != NULL && has_tag(none_match->value, version))
		return problem_set(problem, 412, "version_mismatch", NULL,
		    "If-None-Match: it is there, at version %" PRIu64,
		    version);
	return 0;
}

bool
api_reply_not_modified(struct admin_request *request, uint64_t version)
{
	const struct http_field *none_match = http_field_find_name(
	    &request->http.fields, bytes_of("if-none-match"));

	if (none_match == NULL || !has_tag(none_match->value, version))
		return false;
	admin_reply(request, 304, NULL, bytes_of(""));
	return true;
}

/* Finding the row -------------------------------------------------------- */

/* Splits and decodes the path; false when it has too many segments or a
 * bad escape. */
static bool
split_path(struct admin_request *request, uint32_t *count_r)
{
	struct bytes rest = request->http.path, segment;
	uint32_t count = 0;

	if (rest.len > 0)
		rest = bytes_slice(rest.data + 1, rest.len - 1);
	while (bytes_next_field(&rest, '/', &segment)) {
		if (segment.len == 0 && rest.data == NULL)
			break;		/* "/a/" is "/a" */
		if (count == ADMIN_SEGMENTS_MAX ||
		    !api_decode(&request->arena, segment, false,
			&request->segments[count]))
			return false;
		count++;
	}
	*count_r = count;
	return true;
}

static bool
path_matches(const char *pattern, const struct admin_request *request,
    uint32_t count)
{
	struct bytes rest = bytes_of(pattern + 1), segment;
	uint32_t i = 0;

	while (bytes_next_field(&rest, '/', &segment)) {
		if (i == count)
			return false;
		if (segment.data[0] != '{' &&
		    !bytes_equal(segment, request->segments[i]))
			return false;
		if (segment.data[0] == '{' && request->segments[i].len == 0)
			return false;
		i++;
	}
	return i == count;
}

static bool
method_matches(const struct api_row *row, const struct admin_request *request)
{
	if (request->http.method_id == HTTP_METHOD_HEAD)
		return strcmp(row->method, "GET") == 0;
	return bytes_is(request->http.method, row->method);
}

static void
refuse_method(struct admin_request *request, uint32_t segment_count)
{
	struct buf allow = { 0 };
	size_t count;
	const struct api_row *rows = api_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (path_matches(rows[i].path, request, segment_count))
			buf_printf(&allow, "%s%s", allow.len > 0 ? ", " : "",
			    rows[i].method);
	if (!allow.is_failed)
		admin_add_field(request, "Allow", "%s", allow.data);
	if (request->http.method_id == HTTP_METHOD_OPTIONS)
		admin_reply(request, 204, NULL, bytes_of(""));
	else
		api_reply_problem(request, 405, "method_not_allowed",
		    "this resource has %s",
		    allow.data == NULL ? "other methods" : allow.data);
	buf_free(&allow);
}

/* A word of a list that is separated by blanks. */
static bool
has_word(const char *words, struct bytes word)
{
	struct bytes rest = bytes_of(words), each;

	while (words != NULL && bytes_next_field(&rest, ' ', &each))
		if (bytes_equal(each, word))
			return true;
	return false;
}

/* false: answered. */
static bool
check_query(struct admin_request *request)
{
	const struct api_row *row = request->row;
	struct bytes rest = request->http.query, name, value;
	bool is_bad = false;

	while (next_parameter(request, &rest, &name, &value, &is_bad)) {
		if (!is_bad && (has_word(row->query, name) ||
		    (row->is_write && has_word("dry_run wait scope timeout",
				      name))))
			continue;
		api_reply_problem(request, 400, "bad_query",
		    is_bad ? "a query parameter is malformed" :
			     "there is no query parameter \"%.*s\" here",
		    (int)(is_bad ? 0 : name.len), is_bad ? "" : name.data);
		return false;
	}
	return true;
}

/*
 * A page in somebody's browser must not reach this server with the
 * browser's own access to it: writes that come from another origin are
 * refused (tools send no Origin).
 */
static bool
is_foreign(const struct admin_request *request)
{
	const struct http_field *origin = http_field_find_name(
	    &request->http.fields, bytes_of("origin"));
	struct bytes authority;

	if (origin == NULL)
		return false;
	authority = origin->value;
	if (bytes_start_with(authority, bytes_of("http://")))
		authority = bytes_slice(authority.data + 7,
		    authority.len - 7);
	return !bytes_equal_nocase(authority, request->http.authority);
}

void
api_handle(void *context, struct admin_request *request)
{
	struct registry *registry = context;
	uint32_t segment_count = 0;
	bool is_known = false;
	size_t count;
	const struct api_row *rows = api_rows(&count);

	if (!split_path(request, &segment_count)) {
		api_reply_problem(request, 404, "no_resource",
		    "there is no such resource");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!path_matches(rows[i].path, request, segment_count))
			continue;
		is_known = true;
		if (!method_matches(&rows[i], request))
			continue;
		request->row = &rows[i];
		if (rows[i].is_write && is_foreign(request))
			api_reply_problem(request, 403, "foreign_origin",
			    "writes from another origin are refused");
		else if (check_query(request) && (!rows[i].is_write ||
			api_wait_prepare(registry, request)))
			rows[i].handle(registry, request);
		return;
	}
	if (is_known)
		refuse_method(request, segment_count);
	else
		api_reply_problem(request, 404, "no_resource",
		    "there is no such resource");
}
