/*
 * registryd/model_touched.c - what the table must be told of the model.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/model_parts.h"

#include <stdlib.h>

#include "common/log.h"

void
slot_list_add(struct slot_list *list, uint32_t slot)
{
	uint32_t *longer;

	if (slot == TABLE_NONE)
		return;
	if (list->count == list->size) {
		uint32_t size = list->size == 0 ? 16 : 2 * list->size;

		longer = realloc(list->slots, size * sizeof(*longer));
		if (longer == NULL) {
			log_error("table: slot %u stays in use: out of memory",
			    slot);
			return;
		}
		list->slots = longer;
		list->size = size;
	}
	list->slots[list->count++] = slot;
}

void
model_touch_service(struct model *model, struct model_service *service)
{
	if (!service->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_services, service, dirty);
	service->is_dirty = true;
}

void
model_touch_backend(struct model *model, struct model_backend *backend)
{
	if (!backend->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_backends, backend, dirty);
	backend->is_dirty = true;
	model_touch_service(model, backend->service);
}

void
model_touch_route(struct model *model, struct model_route *route)
{
	if (!route->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_routes, route, dirty);
	route->is_dirty = true;
}

void
model_touch_path(struct model *model, struct model_path *path)
{
	if (!path->is_dirty)
		TAILQ_INSERT_TAIL(&model->dirty_paths, path, dirty);
	path->is_dirty = true;
}

void
model_clean_service(struct model *model, struct model_service *service)
{
	if (service->is_dirty)
		TAILQ_REMOVE(&model->dirty_services, service, dirty);
	service->is_dirty = false;
}

void
model_clean_backend(struct model *model, struct model_backend *backend)
{
	if (backend->is_dirty)
		TAILQ_REMOVE(&model->dirty_backends, backend, dirty);
	backend->is_dirty = false;
}

void
model_clean_route(struct model *model, struct model_route *route)
{
	if (route->is_dirty)
		TAILQ_REMOVE(&model->dirty_routes, route, dirty);
	route->is_dirty = false;
}

void
model_clean_path(struct model *model, struct model_path *path)
{
	if (path->is_dirty)
		TAILQ_REMOVE(&model->dirty_paths, path, dirty);
	path->is_dirty = false;
	path->is_published = path->route_count > 0;
	if (path->route_count > 0)
		return;
	path_index_remove(&model->paths, path);
	model_free_path(path);
}
