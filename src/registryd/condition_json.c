/*
 * registryd/condition_json.c - maintenance and drain as the API shows them.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/condition_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/quantity.h"
#include "http/url.h"
#include "registryd/object_json_parts.h"
#include "routing/condition.h"

#define TEXT_MAX    2048
#define SPAN_MS_MAX (INT64_C(366) * 24 * 60 * 60 * 1000)

/* Writing ---------------------------------------------------------------- */

static void
write_when(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	json_write_key(writer, key);
	if (wall_ms == 0)
		json_write_null(writer);
	else
		object_write_time(writer, wall_ms);
}

static void
write_said(struct json_writer *writer, const char *key, const char *text)
{
	json_write_key(writer, key);
	json_write_text(writer, text == NULL ? "" : text);
}

static void
write_list(struct json_writer *writer, const char *key, const char *list)
{
	struct bytes rest = bytes_of(list == NULL ? "" : list), word;

	json_write_key(writer, key);
	json_write_begin(writer, '[');
	while (rest.len > 0 && bytes_next_field(&rest, ',', &word))
		json_write_string(writer, bytes_trim(word));
	json_write_end(writer, ']');
}

void
maintenance_write(struct json_writer *writer, const struct condition *condition)
{
	if (!condition->in_maintenance) {
		json_write_null(writer);
		return;
	}
	json_write_begin(writer, '{');
	write_when(writer, "since", condition->maintenance_at_wall_ms);
	write_when(writer, "until", condition->maintenance_until_wall_ms);
	write_said(writer, "who", condition->maintenance_who);
	write_said(writer, "reason", condition->maintenance_reason);
	write_said(writer, "page_url", condition->page_url);
	write_list(writer, "allow", condition->allow);
	json_write_end(writer, '}');
}

void
drain_write(struct json_writer *writer, const struct condition *condition)
{
	if (condition->drain_at_wall_ms == 0) {
		json_write_null(writer);
		return;
	}
	json_write_begin(writer, '{');
	write_when(writer, "started_at", condition->drain_at_wall_ms);
	write_when(writer, "completes_at",
	    condition->drain_at_wall_ms + condition->drain_span_ms);
	json_write_key(writer, "span_ms");
	json_write_integer(writer, condition->drain_span_ms);
	write_said(writer, "who", condition->drain_who);
	write_said(writer, "reason", condition->drain_reason);
	write_said(writer, "outcome",
	    drain_outcome_name(condition->drain_outcome));
	json_write_end(writer, '}');
}

/* Reading ---------------------------------------------------------------- */

struct body {
	const struct json_doc *doc;
	int root;
	struct arena *arena;
	struct problem *problem;
};

/* The body's members must be among names (ended by NULL). */
static int
open_body(struct body *body, struct bytes json, const char *const *names,
    struct json_doc **doc_r)
{
	struct bytes key;
	size_t offset;
	int member = JSON_NONE;

	if (json_parse(json.len == 0 ? bytes_of("{}") : json, doc_r,
		&offset) == -1)
		return problem_set(body->problem, 400, "bad_json", NULL,
		    "the body is not JSON: fault at byte %zu", offset);
	body->doc = *doc_r;
	body->root = json_root(*doc_r);
	if (json_type(*doc_r, body->root) != JSON_OBJECT)
		return problem_invalid(body->problem, "",
		    "the body must be an object");
	while (json_each(*doc_r, body->root, &member, &key)) {
		const char *const *name = names;

		while (*name != NULL && !bytes_is(key, *name))
			name++;
		if (*name == NULL)
			return problem_invalid(body->problem, "",
			    "there is no member \"%.*s\" here",
			    BYTES_ARGS(key));
	}
	return 0;
}

/* A text in the arena; *text_r stays when there is no such member. */
static int
read_text(struct body *body, const char *name, const char **text_r)
{
	int value = json_member(body->doc, body->root, name);
	char pointer[64], *text, *copy = NULL;

	if (value == JSON_NONE || json_type(body->doc, value) == JSON_NULL)
		return 0;
	text = json_string(body->doc, value);
	if (text != NULL && strlen(text) <= TEXT_MAX &&
	    (copy = arena_alloc(body->arena, strlen(text) + 1)) != NULL)
		strcpy(copy, text);
	free(text);
	*text_r = copy;
	if (copy != NULL)
		return 0;
	snprintf(pointer, sizeof(pointer), "/%s", name);
	return problem_invalid(body->problem, pointer,
	    "%s must be a text of at most %d bytes", name, TEXT_MAX);
}

/* Seconds east of UTC of "Z", "+01:00"; -1 on a fault. */
static int
read_zone(const char *text, long *offset_r)
{
	int hours, minutes, used = 0;

	*offset_r = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return 0;
	if ((*text != '+' && *text != '-') ||
	    sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
	    text[1 + used] != '\0')
		return -1;
	*offset_r = (*text == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
	return 0;
}

/* RFC 3339.  0 or -1. */
static int
parse_time(const char *text, int64_t *wall_ms_r)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ms = 0, unit = 100;
	long offset;

	if (rest == NULL)
		return -1;
	if (*rest == '.') {
		for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
			ms += (*rest - '0') * unit;
			unit /= 10;
		}
	}
	if (read_zone(rest, &offset) == -1)
		return -1;
	*wall_ms_r = ((int64_t)timegm(&tm) - offset) * 1000 + ms;
	return 0;
}

static int
read_until(struct body *body, struct control_order *order)
{
	const char *text = NULL;

	if (read_text(body, "until", &text) == -1)
		return -1;
	if (text == NULL || *text == '\0')
		return 0;
	if (parse_time(text, &order->until_wall_ms) == 0 &&
	    order->until_wall_ms > 0)
		return 0;
	return problem_invalid(body->problem, "/until",
	    "until must be a time such as 2026-01-31T12:00:00Z");
}

/* The array's texts, separated by commas. */
static int
read_allow(struct body *body, struct control_order *order)
{
	int list = json_member(body->doc, body->root, "allow");
	int value = JSON_NONE;
	struct buf text = { 0 };
	char *copy = NULL;

	if (list == JSON_NONE || json_type(body->doc, list) == JSON_NULL)
		return 0;
	if (json_type(body->doc, list) != JSON_ARRAY)
		return problem_invalid(body->problem, "/allow",
		    "allow must be an array of addresses");
	while (json_each(body->doc, list, &value, NULL)) {
		char *word = json_string(body->doc, value);

		buf_printf(&text, "%s%s", text.len > 0 ? "," : "",
		    word == NULL ? "?" : word);
		free(word);
	}
	if (!text.is_failed && text.len <= TEXT_MAX)
		copy = arena_alloc(body->arena, text.len + 1);
	if (copy != NULL)
		memcpy(copy, text.len > 0 ? text.data : "", text.len + 1);
	buf_free(&text);
	order->allow = copy;
	return copy != NULL ? 0 : problem_invalid(body->problem, "/allow",
	    "allow is too long");
}

int
maintenance_read(struct bytes json, struct arena *arena,
    struct control_order *order, struct problem *problem)
{
	static const char *const names[] = { "page_url", "until", "reason",
		"allow", NULL };
	struct body body = { .arena = arena, .problem = problem };
	struct json_doc *doc = NULL;
	int result = -1;

	order->verb = CONTROL_MAINTENANCE_ENTER;
	if (open_body(&body, json, names, &doc) == 0 &&
	    read_text(&body, "page_url", &order->page_url) == 0 &&
	    read_text(&body, "reason", &order->reason) == 0 &&
	    read_until(&body, order) == 0)
		result = read_allow(&body, order);
	if (doc != NULL)
		json_doc_free(&doc);
	return result;
}

static int
read_span(struct body *body, struct control_order *order)
{
	const char *text = NULL;
	int value = json_member(body->doc, body->root, "span_ms");

	if (value != JSON_NONE)
		return json_integer(body->doc, value, 0, SPAN_MS_MAX,
			   &order->span_ms) == 0 ? 0 :
		    problem_invalid(body->problem, "/span_ms",
			"span_ms must be a number of milliseconds");
	if (read_text(body, "over", &text) == -1)
		return -1;
	if (text != NULL && quantity_parse_span(bytes_of(text), true,
		&order->span_ms) == 0 && order->span_ms <= SPAN_MS_MAX)
		return 0;
	return problem_invalid(body->problem, "/over",
	    "a drain needs over, a span such as \"60s\"");
}

int
drain_read(struct bytes json, struct arena *arena,
    struct control_order *order, struct problem *problem)
{
	static const char *const names[] = { "over", "span_ms", "reason",
		NULL };
	struct body body = { .arena = arena, .problem = problem };
	struct json_doc *doc = NULL;
	int result = -1;

	order->verb = CONTROL_DRAIN_START;
	if (open_body(&body, json, names, &doc) == 0 &&
	    read_text(&body, "reason", &order->reason) == 0)
		result = read_span(&body, order);
	if (doc != NULL)
		json_doc_free(&doc);
	return result;
}
