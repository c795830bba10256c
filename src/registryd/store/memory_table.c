/*
 * registryd/store/memory_table.c - objects sorted by key, in plain memory.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/store/memory_db.h"

union memory_key
memory_object_key(const struct memory_object *object)
{
	union memory_key key = { 0 };

	switch (object->kind) {
	case OBJECT_SERVICE:
		key.name = object->body.service.name;
		break;
	case OBJECT_BACKEND:
		key.id = object->body.backend.id;
		break;
	case OBJECT_ROUTE:
		key.id = object->body.route.id;
		break;
	}
	return key;
}

uint64_t
memory_object_version(const struct memory_object *object)
{
	switch (object->kind) {
	case OBJECT_SERVICE:
		return object->body.service.times.version;
	case OBJECT_BACKEND:
		return object->body.backend.times.version;
	case OBJECT_ROUTE:
		return object->body.route.times.version;
	}
	return 0;
}

struct memory_object *
memory_object_copy(const struct store_change *change)
{
	struct memory_object *object = calloc(1, sizeof(*object));
	int result = -1;

	if (object == NULL)
		return NULL;
	object->kind = change->kind;
	switch (change->kind) {
	case OBJECT_SERVICE:
		result = service_copy_object(change->object.service,
		    &object->body.service);
		break;
	case OBJECT_BACKEND:
		result = backend_copy_object(change->object.backend,
		    &object->body.backend);
		break;
	case OBJECT_ROUTE:
		result = route_copy_object(change->object.route,
		    &object->body.route);
		break;
	}
	if (result == -1)
		memory_object_free(&object);
	return object;
}

void
memory_object_free(struct memory_object **p)
{
	struct memory_object *object = *p;

	*p = NULL;
	if (object == NULL)
		return;
	switch (object->kind) {
	case OBJECT_SERVICE:
		service_clear(&object->body.service);
		break;
	case OBJECT_BACKEND:
		backend_clear(&object->body.backend);
		break;
	case OBJECT_ROUTE:
		route_clear(&object->body.route);
		break;
	}
	free(object);
}

static int
key_compare(enum object_kind kind, union memory_key a, union memory_key b)
{
	if (kind == OBJECT_SERVICE)
		return strcmp(a.name, b.name);
	return a.id < b.id ? -1 : a.id > b.id;
}

/* Where the key is, or where it would go. */
static size_t
find_place(const struct memory_table *table, enum object_kind kind,
    union memory_key key)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (key_compare(kind,
			memory_object_key(table->objects[middle]), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct memory_object *
memory_table_find(const struct memory_db *db, enum object_kind kind,
    union memory_key key)
{
	const struct memory_table *table = &db->tables[kind];
	size_t place = find_place(table, kind, key);

	if (place == table->count || key_compare(kind,
		memory_object_key(table->objects[place]), key) != 0)
		return NULL;
	return table->objects[place];
}

int
memory_table_reserve(struct memory_db *db, enum object_kind kind)
{
	struct memory_table *table = &db->tables[kind];
	struct memory_object **objects;
	size_t size = table->size == 0 ? 64 : table->size * 2;

	if (table->count < table->size)
		return 0;
	objects = realloc(table->objects,
	    size * sizeof(struct memory_object *));
	if (objects == NULL)
		return -1;
	table->objects = objects;
	table->size = size;
	return 0;
}

void
memory_table_swap(struct memory_db *db, struct memory_object *out,
    struct memory_object *in)
{
	enum object_kind kind = in != NULL ? in->kind : out->kind;
	struct memory_table *table = &db->tables[kind];
	size_t place = find_place(table, kind,
	    memory_object_key(in != NULL ? in : out));
	struct memory_object **at = table->objects + place;
	size_t behind = (table->count - place) * sizeof(*at);

	if (out != NULL)
		invariant(place < table->count && *at == out);
	if (out != NULL && in != NULL) {
		*at = in;
	} else if (in != NULL) {
		memmove(at + 1, at, behind);
		*at = in;
		table->count++;
	} else {
		memmove(at, at + 1, behind - sizeof(*at));
		table->count--;
	}
}
