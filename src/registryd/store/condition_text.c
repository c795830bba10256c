/*
 * registryd/store/condition_text.c - a condition as the JSON of its column.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/condition_text.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"

static void
write_member(struct json_writer *writer, const char *key, const char *text)
{
	json_write_key(writer, key);
	json_write_text(writer, text == NULL ? "" : text);
}

static void
write_number(struct json_writer *writer, const char *key, int64_t number)
{
	json_write_key(writer, key);
	json_write_integer(writer, number);
}

int
condition_write(struct buf *buf, const struct condition *condition)
{
	struct json_writer writer = json_writer(buf);

	buf_clear(buf);
	json_write_begin(&writer, '{');
	if (condition->in_maintenance) {
		json_write_key(&writer, "maintenance");
		json_write_begin(&writer, '{');
		write_number(&writer, "at", condition->maintenance_at_wall_ms);
		write_number(&writer, "until",
		    condition->maintenance_until_wall_ms);
		write_member(&writer, "who", condition->maintenance_who);
		write_member(&writer, "reason", condition->maintenance_reason);
		write_member(&writer, "page_url", condition->page_url);
		write_member(&writer, "allow", condition->allow);
		json_write_end(&writer, '}');
	}
	if (condition->drain_at_wall_ms != 0) {
		json_write_key(&writer, "drain");
		json_write_begin(&writer, '{');
		write_number(&writer, "at", condition->drain_at_wall_ms);
		write_number(&writer, "span_ms", condition->drain_span_ms);
		write_member(&writer, "who", condition->drain_who);
		write_member(&writer, "reason", condition->drain_reason);
		write_member(&writer, "outcome",
		    drain_outcome_name(condition->drain_outcome));
		json_write_end(&writer, '}');
	}
	json_write_end(&writer, '}');
	return buf->is_failed ? -1 : 0;
}

struct reading {
	const struct json_doc *doc;
	int object;
	bool is_bad;
};

static int64_t
read_number(struct reading *reading, const char *key)
{
	int64_t number = 0;

	if (json_integer(reading->doc, json_member(reading->doc,
		reading->object, key), 0, INT64_MAX, &number) == -1)
		reading->is_bad = true;
	return number;
}

static char *
read_member(struct reading *reading, const char *key)
{
	int value = json_member(reading->doc, reading->object, key);
	char *text = value == JSON_NONE ? NULL
					: json_string(reading->doc, value);

	if (text == NULL)
		reading->is_bad = true;
	return text;
}

static void
read_maintenance(struct reading *reading, struct condition *condition)
{
	condition->in_maintenance = true;
	condition->maintenance_at_wall_ms = read_number(reading, "at");
	condition->maintenance_until_wall_ms = read_number(reading, "until");
	condition->maintenance_who = read_member(reading, "who");
	condition->maintenance_reason = read_member(reading, "reason");
	condition->page_url = read_member(reading, "page_url");
	condition->allow = read_member(reading, "allow");
}

static void
read_drain(struct reading *reading, struct condition *condition)
{
	char *outcome;

	condition->drain_at_wall_ms = read_number(reading, "at");
	condition->drain_span_ms = read_number(reading, "span_ms");
	condition->drain_who = read_member(reading, "who");
	condition->drain_reason = read_member(reading, "reason");
	outcome = read_member(reading, "outcome");
	if (outcome == NULL || drain_outcome_parse(outcome,
		&condition->drain_outcome) == -1)
		reading->is_bad = true;
	free(outcome);
}

int
condition_read(const char *json, struct condition *condition_r)
{
	struct condition none = { 0 };
	struct reading reading = { 0 };
	struct json_doc *doc;
	size_t offset;
	int root;

	*condition_r = none;
	if (json_parse(bytes_of(json), &doc, &offset) == -1)
		return -1;
	root = json_root(doc);
	reading.doc = doc;
	reading.is_bad = json_type(doc, root) != JSON_OBJECT;
	reading.object = json_member(doc, root, "maintenance");
	if (reading.object != JSON_NONE)
		read_maintenance(&reading, condition_r);
	reading.object = json_member(doc, root, "drain");
	if (reading.object != JSON_NONE)
		read_drain(&reading, condition_r);
	json_doc_free(&doc);
	if (reading.is_bad) {
		condition_clear(condition_r);
		return -1;
	}
	/* What is not ordered says "" as well as NULL. */
	if (condition_copy(condition_r, &none) == -1) {
		condition_clear(condition_r);
		return -1;
	}
	condition_clear(condition_r);
	*condition_r = none;
	return 0;
}
