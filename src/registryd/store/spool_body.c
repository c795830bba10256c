/*
 * registryd/store/spool_body.c - the changes of a kept commit, as text.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/spool_body.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "registryd/store/cells.h"

static const char *const op_names[] = {
	[NOTE_PUT] = "put",
	[NOTE_REMOVE] = "remove",
	[NOTE_REMOVE_ALL] = "remove_all",
	[NOTE_HOLD] = "hold",
};

/* Writing ---------------------------------------------------------------- */

static void
write_cells(struct json_writer *writer, const struct cell *cells, int count)
{
	json_write_begin(writer, '[');
	for (int i = 0; i < count; i++)
		switch (cells[i].type) {
		case CELL_NULL:
			json_write_null(writer);
			break;
		case CELL_INTEGER:
			json_write_integer(writer, cells[i].integer);
			break;
		case CELL_TEXT:
			json_write_string(writer, cells[i].text);
			break;
		}
	json_write_end(writer, ']');
}

static int
write_object(struct json_writer *writer, const struct store_change *change,
    struct object_texts *texts)
{
	struct cell cells[CELLS_MAX];

	switch (change->kind) {
	case OBJECT_SERVICE:
		if (service_to_cells(change->object.service, texts, cells) ==
		    -1)
			return -1;
		write_cells(writer, cells, SERVICE_CELLS);
		break;
	case OBJECT_BACKEND:
		if (backend_to_cells(change->object.backend, texts, cells) ==
		    -1)
			return -1;
		write_cells(writer, cells, BACKEND_CELLS);
		break;
	case OBJECT_ROUTE:
		if (route_to_cells(change->object.route, texts, cells) == -1)
			return -1;
		cells[ROUTE_CELLS] = cell_text(texts->targets.data);
		write_cells(writer, cells, ROUTE_COLUMNS);
		break;
	}
	return 0;
}

static int
write_change(struct json_writer *writer, const struct store_change *change,
    struct object_texts *texts)
{
	int result;

	json_write_begin(writer, '{');
	json_write_key(writer, "kind");
	json_write_text(writer, object_kind_name(change->kind));
	json_write_key(writer, "removal");
	json_write_bool(writer, change->is_removal);
	json_write_key(writer, "expected");
	json_write_integer(writer, (int64_t)change->expected_version);
	json_write_key(writer, "before");
	json_write_text(writer, change->before_json);
	json_write_key(writer, "cells");
	result = write_object(writer, change, texts);
	json_write_end(writer, '}');
	return result;
}

static void
write_note(struct json_writer *writer, const struct note_change *note)
{
	json_write_begin(writer, '{');
	json_write_key(writer, "op");
	json_write_text(writer, op_names[note->op]);
	json_write_key(writer, "kind");
	json_write_text(writer, note_kind_name(note->kind));
	json_write_key(writer, "key");
	json_write_text(writer, note->key);
	json_write_key(writer, "seq");
	json_write_integer(writer, note->seq);
	json_write_key(writer, "body");
	json_write_text(writer, note->body);
	json_write_end(writer, '}');
}

int
spool_body_write(struct buf *buf, const struct spool_body *body)
{
	const struct object_changes *changes = &body->changes;
	const struct note_changes *notes = &body->notes;
	struct json_writer writer = json_writer(buf);
	struct object_texts texts = { 0 };
	int result = 0;

	json_write_begin(&writer, '{');
	json_write_key(&writer, "cause");
	json_write_text(&writer, body->cause);
	json_write_key(&writer, "changes");
	json_write_begin(&writer, '[');
	for (uint32_t i = 0; i < changes->count && result == 0; i++)
		result = write_change(&writer, &changes->list[i], &texts);
	json_write_end(&writer, ']');
	json_write_key(&writer, "notes");
	json_write_begin(&writer, '[');
	for (uint32_t i = 0; i < notes->count; i++)
		write_note(&writer, &notes->list[i]);
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	object_texts_free(&texts);
	return buf->is_failed ? -1 : result;
}

/* Reading ---------------------------------------------------------------- */

static void
free_cells(struct cell *cells, int count)
{
	for (int i = 0; i < count; i++)
		if (cells[i].type == CELL_TEXT)
			free((void *)(uintptr_t)cells[i].text.data);
}

static int
read_cell(const struct json_doc *doc, int value, struct cell *cell_r)
{
	char *text;

	*cell_r = (struct cell){ .type = CELL_NULL };
	switch (json_type(doc, value)) {
	case JSON_NULL:
		return 0;
	case JSON_NUMBER:
		cell_r->type = CELL_INTEGER;
		return json_integer(doc, value, INT64_MIN, INT64_MAX,
		    &cell_r->integer);
	case JSON_STRING:
		if ((text = json_string(doc, value)) == NULL)
			return -1;
		*cell_r = cell_text(text);
		return 0;
	case JSON_BOOL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return -1;
}

/* As many cells as there must be; 0, or -1 with none to free. */
static int
read_cells(const struct json_doc *doc, int list, struct cell *cells, int count)
{
	int value = JSON_NONE, read = 0;

	if (list == JSON_NONE || json_type(doc, list) != JSON_ARRAY ||
	    json_count(doc, list) != (size_t)count)
		return -1;
	while (json_each(doc, list, &value, NULL)) {
		if (read_cell(doc, value, &cells[read]) == -1) {
			free_cells(cells, read);
			return -1;
		}
		read++;
	}
	return 0;
}

static const int cell_counts[] = {
	[OBJECT_SERVICE] = SERVICE_CELLS,
	[OBJECT_BACKEND] = BACKEND_CELLS,
	[OBJECT_ROUTE] = ROUTE_COLUMNS,
};

/* The object that cells make, added as the change is otherwise. */
static int
add_change(struct object_changes *changes, struct store_change *change,
    const struct cell *cells)
{
	struct service service;
	struct backend backend;
	struct route route;
	int result = -1;

	switch (change->kind) {
	case OBJECT_SERVICE:
		if (service_from_cells(cells, &service) == -1)
			return -1;
		change->object.service = &service;
		result = object_changes_add(changes, change);
		service_clear(&service);
		break;
	case OBJECT_BACKEND:
		if (backend_from_cells(cells, &backend) == -1)
			return -1;
		change->object.backend = &backend;
		result = object_changes_add(changes, change);
		backend_clear(&backend);
		break;
	case OBJECT_ROUTE:
		if (route_from_cells(cells, &route) == -1)
			return -1;
		change->object.route = &route;
		result = object_changes_add(changes, change);
		route_clear(&route);
		break;
	}
	return result;
}

static int
read_head(const struct json_doc *doc, int value, struct store_change *change)
{
	int before = json_member(doc, value, "before");
	int64_t expected;
	char *kind = json_string(doc, json_member(doc, value, "kind"));
	int result = -1;

	if (kind != NULL && object_kind_parse(kind, &change->kind) == 0 &&
	    json_bool(doc, json_member(doc, value, "removal"),
		&change->is_removal) == 0 &&
	    json_integer(doc, json_member(doc, value, "expected"), 0,
		INT64_MAX, &expected) == 0 && before != JSON_NONE) {
		change->expected_version = (uint64_t)expected;
		if (json_type(doc, before) != JSON_NULL)
			change->before_json = json_string(doc, before);
		result = json_type(doc, before) != JSON_NULL &&
			change->before_json == NULL ? -1 : 0;
	}
	free(kind);
	return result;
}

static int
read_change(const struct json_doc *doc, int value,
    struct object_changes *changes)
{
	struct store_change change = { 0 };
	struct cell cells[CELLS_MAX];
	int result = read_head(doc, value, &change);

	if (result == 0)
		result = read_cells(doc, json_member(doc, value, "cells"),
		    cells, cell_counts[change.kind]);
	if (result == 0) {
		result = add_change(changes, &change, cells);
		free_cells(cells, cell_counts[change.kind]);
	}
	free(change.before_json);
	return result;
}

static int
parse_op(const char *word, enum note_op *op_r)
{
	for (size_t i = 0; i < COUNT_OF(op_names); i++) {
		if (strcmp(word, op_names[i]) != 0)
			continue;
		*op_r = (enum note_op)i;
		return 0;
	}
	return -1;
}

static int
read_note(const struct json_doc *doc, int value, struct note_changes *notes)
{
	char *op_word = json_string(doc, json_member(doc, value, "op"));
	char *kind_word = json_string(doc, json_member(doc, value, "kind"));
	char *key = json_string(doc, json_member(doc, value, "key"));
	char *body = json_string(doc, json_member(doc, value, "body"));
	enum note_kind kind;
	enum note_op op;
	int64_t seq;
	int result = -1;

	if (op_word != NULL && kind_word != NULL && key != NULL &&
	    parse_op(op_word, &op) == 0 &&
	    note_kind_parse(kind_word, &kind) == 0 &&
	    ((op != NOTE_PUT && op != NOTE_HOLD) || body != NULL) &&
	    json_integer(doc, json_member(doc, value, "seq"), 0, UINT32_MAX,
		&seq) == 0)
		result = note_changes_add(notes, op, kind, key, (uint32_t)seq,
		    body);
	free(op_word);
	free(kind_word);
	free(key);
	free(body);
	return result;
}

int
spool_body_read(struct bytes text, struct spool_body *body_r)
{
	int value = JSON_NONE, list, result = 0;
	struct json_doc *doc;
	size_t offset;

	if (json_parse(text, &doc, &offset) == -1)
		return -1;
	body_r->cause = json_string(doc,
	    json_member(doc, json_root(doc), "cause"));
	list = json_member(doc, json_root(doc), "changes");
	if (list == JSON_NONE || json_type(doc, list) != JSON_ARRAY)
		result = -1;
	while (result == 0 && json_each(doc, list, &value, NULL))
		result = read_change(doc, value, &body_r->changes);
	list = json_member(doc, json_root(doc), "notes");
	if (list == JSON_NONE || json_type(doc, list) != JSON_ARRAY)
		result = -1;
	value = JSON_NONE;
	while (result == 0 && json_each(doc, list, &value, NULL))
		result = read_note(doc, value, &body_r->notes);
	json_doc_free(&doc);
	return result;
}

void
spool_body_clear(struct spool_body *body)
{
	free(body->cause);
	object_changes_clear(&body->changes);
	note_changes_clear(&body->notes);
	*body = (struct spool_body){ 0 };
}

/* Rows ------------------------------------------------------------------- */

void
spooled_clear(struct store_spooled *row)
{
	const char *const texts[] = { row->id, row->reason, row->who,
		row->from, row->channel, row->request_id, row->body };

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		free((void *)(uintptr_t)texts[i]);
	*row = (struct store_spooled){ 0 };
}

static const char *
copy_text(const char *text, bool *is_failed)
{
	char *copy = strdup(text == NULL ? "" : text);

	if (copy == NULL)
		*is_failed = true;
	return copy;
}

int
spooled_copy(const struct store_spooled *row, struct store_spooled *copy_r)
{
	bool is_failed = false;

	*copy_r = *row;
	copy_r->id = copy_text(row->id, &is_failed);
	copy_r->reason = copy_text(row->reason, &is_failed);
	copy_r->who = copy_text(row->who, &is_failed);
	copy_r->from = copy_text(row->from, &is_failed);
	copy_r->channel = copy_text(row->channel, &is_failed);
	copy_r->request_id = copy_text(row->request_id, &is_failed);
	copy_r->body = copy_text(row->body, &is_failed);
	if (!is_failed)
		return 0;
	spooled_clear(copy_r);
	return -1;
}
