/*
 * registryd/store/memory_db.c - reading and keeping what is in plain memory.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/memory_db.h"

#include <stdlib.h>

void
memory_db_clear(struct memory_db *db)
{
	for (int kind = 0; kind < MEMORY_KINDS; kind++) {
		struct memory_table *table = &db->tables[kind];

		for (size_t i = 0; i < table->count; i++)
			memory_object_free(&table->objects[i]);
		free(table->objects);
	}
	memory_history_cut(db, 0);
	free(db->history);
	note_changes_clear(&db->notes);
	*db = (struct memory_db){ 0 };
}

/* Hands out a copy; -1 when out of memory. */
static int
hand_out(const struct memory_object *object, const struct store_loader *load)
{
	struct service service;
	struct backend backend;
	struct route route;

	switch (object->kind) {
	case OBJECT_SERVICE:
		if (service_copy_object(&object->body.service, &service) == -1)
			return -1;
		load->service(load->context, &service);
		break;
	case OBJECT_BACKEND:
		if (backend_copy_object(&object->body.backend, &backend) == -1)
			return -1;
		load->backend(load->context, &backend);
		break;
	case OBJECT_ROUTE:
		if (route_copy_object(&object->body.route, &route) == -1)
			return -1;
		load->route(load->context, &route);
		break;
	}
	return 0;
}

void
memory_db_load(const struct memory_db *db, struct store_request *request)
{
	for (int kind = 0; kind < MEMORY_KINDS; kind++) {
		const struct memory_table *table = &db->tables[kind];

		for (size_t i = 0; i < table->count; i++) {
			if (hand_out(table->objects[i],
				&request->ask.load) == 0)
				continue;
			request_fail(request, STORE_UNAVAILABLE,
			    "out of memory");
			return;
		}
	}
	for (uint32_t i = 0;
	    request->ask.load.note != NULL && i < db->notes.count; i++) {
		const struct note_change *note = &db->notes.list[i];

		request->ask.load.note(request->ask.load.context,
		    &(struct store_note){ .kind = note->kind,
			.key = note->key, .body = note->body,
			.seq = note->seq });
	}
	request->outcome.generation = db->generation;
}
