/*
 * registryd/follow_read.c - what others changed, as the store tells it.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/follow.h"

#include <stdlib.h>
#include <string.h>

#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

static void
clear_item(struct news_item *item)
{
	free(item->key);
	if (item->is_gone)
		return;
	switch (item->kind) {
	case OBJECT_SERVICE:
		service_clear(&item->object.service);
		break;
	case OBJECT_BACKEND:
		backend_clear(&item->object.backend);
		break;
	case OBJECT_ROUTE:
		route_clear(&item->object.route);
		break;
	}
}

void
follow_forget(struct follow *follow)
{
	for (size_t i = 0; i < follow->count; i++)
		clear_item(&follow->items[i]);
	free(follow->items);
	follow->items = NULL;
	follow->count = follow->size = 0;
	follow->is_read = follow->is_failed = false;
}

/* Takes the item over. */
static void
add_item(struct follow *follow, struct news_item *item)
{
	size_t size = follow->size == 0 ? 8 : follow->size * 2;
	struct news_item *items = follow->items;

	if (follow->count == follow->size) {
		items = realloc(items, size * sizeof(*items));
		if (items == NULL) {
			clear_item(item);
			follow->is_failed = true;
			return;
		}
		follow->items = items;
		follow->size = size;
	}
	items[follow->count++] = *item;
}

static void
on_service(void *context, struct service *service)
{
	struct registry *registry = context;
	struct news_item item = { .kind = OBJECT_SERVICE,
		.object.service = *service };

	add_item(&registry->follow, &item);
}

static void
on_backend(void *context, struct backend *backend)
{
	struct registry *registry = context;
	struct news_item item = { .kind = OBJECT_BACKEND,
		.object.backend = *backend };

	add_item(&registry->follow, &item);
}

static void
on_route(void *context, struct route *route)
{
	struct registry *registry = context;
	struct news_item item = { .kind = OBJECT_ROUTE,
		.object.route = *route };

	add_item(&registry->follow, &item);
}

static void
on_gone(void *context, enum object_kind kind, const char *key)
{
	struct registry *registry = context;
	struct news_item item = { .kind = kind, .is_gone = true,
		.key = strdup(key) };

	if (item.key == NULL)
		registry->follow.is_failed = true;
	else
		add_item(&registry->follow, &item);
}

/* For the replica: another made this change. */
static int
add_change(const struct store_note *note, struct note_changes *changes)
{
	static const enum note_kind gone[] = { NOTE_SESSION, NOTE_ACTIVE,
		NOTE_STAGED, NOTE_WAITING, NOTE_TOKEN };
	int result = 0;

	if (note->kind != NOTE_GONE)
		return note_changes_add(changes, NOTE_PUT, note->kind,
		    note->key, note->seq, note->body);
	for (size_t i = 0; i < COUNT_OF(gone) && result == 0; i++)
		result = note_changes_add(changes, NOTE_REMOVE_ALL, gone[i],
		    note->key, 0, NULL);
	return result;
}

static void
on_note_news(void *context, const struct store_note *note)
{
	struct registry *registry = context;
	struct note_changes changes = { 0 };

	protocol_follow_note(registry->protocol, note);
	if (registry->replica != NULL && add_change(note, &changes) == 0)
		replica_put_notes(registry->replica, &changes);
	note_changes_clear(&changes);
}

static void
on_age(void *context, int64_t age_ms)
{
	struct registry *registry = context;

	registry->follow.age_ms = age_ms;
	registry->follow.read = clock_now();
}

int
follow_read(struct registry *registry, uint64_t since,
    void (*note)(void *context, const struct store_note *),
    store_done_fn *done)
{
	struct store_follow_query query = {
		.since = since,
		.since_wall_ms = registry->model != NULL &&
			since == registry->model->generation ?
		    registry->model->generation_wall_ms : 0,
		.loader = {
			.service = on_service,
			.backend = on_backend,
			.route = on_route,
			.note = note,
			.done = done,
			.context = registry,
		},
		.note_since = registry->protocol->note_version,
		.note_news = registry->follow.hears_notes ? on_note_news
							  : NULL,
		.gone = on_gone,
		.age = on_age,
	};

	registry->follow.asked = registry->follow.told;
	memcpy(query.identity, registry->identity, sizeof(query.identity));
	return store_follow(registry->store, &query);
}
