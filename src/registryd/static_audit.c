/*
 * registryd/static_audit.c - history tells of sections of the configuration.
 *
 * They are not in the store, so that no commit tells of them; each sluice
 * has its own.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/object_json.h"
#include "registryd/registry.h"
#include "registryd/static_objects.h"

/* Taking ----------------------------------------------------------------- */

/* Takes the text over. */
static void
add_row(struct static_snapshot *snapshot, enum object_kind kind,
    const char *key, char *text)
{
	size_t size = snapshot->size == 0 ? 16 : snapshot->size * 2;
	struct static_row *list = snapshot->list;
	struct static_row row = { kind, strdup(key), text };

	if (snapshot->count == snapshot->size &&
	    (list = realloc(list, size * sizeof(*list))) != NULL) {
		snapshot->list = list;
		snapshot->size = size;
	}
	if (list == NULL || row.key == NULL || text == NULL) {
		snapshot->is_failed = true;
		free(row.key);
		free(text);
		return;
	}
	snapshot->list[snapshot->count++] = row;
}

static void
take_services(const struct model *model, struct static_snapshot *snapshot)
{
	const struct model_service *service = NULL;

	while ((service = model_next_service(model,
		    service == NULL ? NULL : service->object.name)) != NULL)
		if (service->object.origin == ORIGIN_FILE)
			add_row(snapshot, OBJECT_SERVICE,
			    service->object.name,
			    service_text(&service->object));
}

static void
take_backends(const struct model *model, struct static_snapshot *snapshot)
{
	const struct model_backend *backend;
	uint64_t id = STATIC_ID_BIT - 1;
	char key[24];

	while ((backend = model_next_backend(model, id)) != NULL) {
		id = backend->object.id;
		snprintf(key, sizeof(key), "%" PRIu64, id);
		add_row(snapshot, OBJECT_BACKEND, key,
		    backend_text(&backend->object));
	}
}

static void
take_routes(const struct model *model, struct static_snapshot *snapshot)
{
	const struct model_route *route;
	uint64_t id = STATIC_ID_BIT - 1;
	char key[24];

	while ((route = model_next_route(model, id)) != NULL) {
		id = route->object.id;
		snprintf(key, sizeof(key), "%" PRIu64, id);
		add_row(snapshot, OBJECT_ROUTE, key,
		    route_text(&route->object));
	}
}

void
static_snapshot_take(const struct model *model,
    struct static_snapshot *snapshot)
{
	*snapshot = (struct static_snapshot){ 0 };
	take_services(model, snapshot);
	take_backends(model, snapshot);
	take_routes(model, snapshot);
}

void
static_snapshot_clear(struct static_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		free(snapshot->list[i].key);
		free(snapshot->list[i].text);
	}
	free(snapshot->list);
	*snapshot = (struct static_snapshot){ 0 };
}

/* Telling ---------------------------------------------------------------- */

static const struct static_row *
find_row(const struct static_snapshot *snapshot, const struct static_row *row)
{
	for (size_t i = 0; i < snapshot->count; i++)
		if (snapshot->list[i].kind == row->kind &&
		    strcmp(snapshot->list[i].key, row->key) == 0)
			return &snapshot->list[i];
	return NULL;
}

static void
tell(struct registry *registry, const struct static_row *before,
    const struct static_row *after)
{
	const struct static_row *row = after != NULL ? after : before;

	audit_tell(registry, &(struct store_history){
		.channel = "file",
		.kind = object_kind_name(row->kind),
		.key = row->key,
		.action = after != NULL ? "load" : "unload",
		.before_json = before == NULL ? NULL : before->text,
		.after_json = after == NULL ? NULL : after->text,
	    });
}

void
static_audit(struct registry *registry, const struct static_snapshot *before)
{
	struct static_snapshot after;

	static_snapshot_take(registry->model, &after);
	if (before->is_failed || after.is_failed) {
		log_warn("history: sections of the configuration file are "
			 "not told of: out of memory");
		static_snapshot_clear(&after);
		return;
	}
	for (size_t i = 0; i < before->count; i++)
		if (find_row(&after, &before->list[i]) == NULL)
			tell(registry, &before->list[i], NULL);
	for (size_t i = 0; i < after.count; i++) {
		const struct static_row *row = &after.list[i];
		const struct static_row *old = find_row(before, row);

		if (old == NULL || strcmp(old->text, row->text) != 0)
			tell(registry, old, row);
	}
	static_snapshot_clear(&after);
}
