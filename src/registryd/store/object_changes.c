/*
 * registryd/store/object_changes.c - objects on their way to somewhere.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/object_changes.h"

#include <stdlib.h>
#include <string.h>

static void
clear_change(struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		if (change->object.service != NULL)
			service_clear(change->object.service);
		break;
	case OBJECT_BACKEND:
		if (change->object.backend != NULL)
			backend_clear(change->object.backend);
		break;
	case OBJECT_ROUTE:
		if (change->object.route != NULL)
			route_clear(change->object.route);
		break;
	}
	free(change->object.service);
	free(change->before_json);
}

void
object_changes_clear(struct object_changes *changes)
{
	for (uint32_t i = 0; i < changes->count; i++)
		clear_change(&changes->list[i]);
	free(changes->list);
	*changes = (struct object_changes){ 0 };
}

/* Takes the change, with all that is in it. */
static int
append(struct object_changes *changes, struct store_change *change)
{
	uint32_t size = changes->size == 0 ? 4 : 2 * changes->size;
	struct store_change *longer;

	if (changes->count == changes->size) {
		longer = realloc(changes->list, size * sizeof(*longer));
		if (longer == NULL) {
			clear_change(change);
			return -1;
		}
		changes->list = longer;
		changes->size = size;
	}
	changes->list[changes->count++] = *change;
	return 0;
}

static int
copy_object(const struct store_change *from, struct store_change *change)
{
	switch (from->kind) {
	case OBJECT_SERVICE:
		change->object.service = calloc(1, sizeof(struct service));
		if (change->object.service == NULL)
			return -1;
		return service_copy_object(from->object.service,
		    change->object.service);
	case OBJECT_BACKEND:
		change->object.backend = calloc(1, sizeof(struct backend));
		if (change->object.backend == NULL)
			return -1;
		return backend_copy_object(from->object.backend,
		    change->object.backend);
	case OBJECT_ROUTE:
		change->object.route = calloc(1, sizeof(struct route));
		if (change->object.route == NULL)
			return -1;
		return route_copy_object(from->object.route,
		    change->object.route);
	}
	return -1;
}

int
object_changes_add(struct object_changes *changes,
    const struct store_change *from)
{
	struct store_change change = *from;

	change.object.service = NULL;
	change.before_json = NULL;
	if (from->before_json != NULL &&
	    (change.before_json = strdup(from->before_json)) == NULL)
		return -1;
	if (copy_object(from, &change) == -1) {
		clear_change(&change);
		return -1;
	}
	return append(changes, &change);
}

int
object_changes_put_service(struct object_changes *changes,
    const struct service *service)
{
	const struct store_change change = {
		.kind = OBJECT_SERVICE,
		.object.service = (struct service *)(uintptr_t)service,
	};

	return object_changes_add(changes, &change);
}

int
object_changes_put_backend(struct object_changes *changes,
    const struct backend *backend)
{
	const struct store_change change = {
		.kind = OBJECT_BACKEND,
		.object.backend = (struct backend *)(uintptr_t)backend,
	};

	return object_changes_add(changes, &change);
}

int
object_changes_put_route(struct object_changes *changes,
    const struct route *route)
{
	const struct store_change change = {
		.kind = OBJECT_ROUTE,
		.object.route = (struct route *)(uintptr_t)route,
	};

	return object_changes_add(changes, &change);
}

int
object_changes_remove_service(struct object_changes *changes, const char *name)
{
	struct store_change change = { .kind = OBJECT_SERVICE,
		.is_removal = true };

	change.object.service = calloc(1, sizeof(struct service));
	if (change.object.service == NULL ||
	    (change.object.service->name = strdup(name)) == NULL) {
		clear_change(&change);
		return -1;
	}
	return append(changes, &change);
}

int
object_changes_remove_id(struct object_changes *changes, enum object_kind kind,
    uint64_t id)
{
	struct store_change change = { .kind = kind, .is_removal = true };

	if (kind == OBJECT_BACKEND &&
	    (change.object.backend = calloc(1, sizeof(struct backend))) !=
		NULL)
		change.object.backend->id = id;
	else if (kind == OBJECT_ROUTE &&
	    (change.object.route = calloc(1, sizeof(struct route))) != NULL)
		change.object.route->id = id;
	else
		return -1;
	return append(changes, &change);
}
