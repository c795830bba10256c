/*
 * registryd/publisher.c - from changes of the model to the route table.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/publisher.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "registryd/compile.h"
#include "shm/table_writer.h"

struct publisher {
	struct table_writer *writer;
	uint32_t *slots;		/* scratch: of one service's backends */
	uint32_t slots_size;
};

/* One publication on its way. */
struct batch {
	struct publisher *publisher;
	struct model *model;
	const struct settings *settings;
	struct published *published;
};

int
publisher_new(int fd, struct publisher **publisher_r)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));

	if (publisher == NULL)
		return -1;
	if (table_writer_open(fd, &publisher->writer) == -1) {
		free(publisher);
		return -1;
	}
	*publisher_r = publisher;
	return 0;
}

void
publisher_free(struct publisher **p)
{
	struct publisher *publisher = *p;

	*p = NULL;
	if (publisher == NULL)
		return;
	table_writer_close(&publisher->writer);
	free(publisher->slots);
	free(publisher);
}

static void
note_slot(struct batch *batch, uint32_t slot)
{
	struct published *published = batch->published;

	if (published->slot_count < PUBLISHED_SLOTS_MAX)
		published->slots[published->slot_count] = slot;
	if (published->slot_count <= PUBLISHED_SLOTS_MAX)
		published->slot_count++;
}

static uint32_t *
scratch_slots(struct publisher *publisher, uint32_t count)
{
	uint32_t *longer;

	if (count < publisher->slots_size)
		return publisher->slots;
	longer = realloc(publisher->slots, 2 * (count + 8) * sizeof(*longer));
	if (longer == NULL)
		return NULL;
	publisher->slots = longer;
	publisher->slots_size = 2 * (count + 8);
	return longer;
}

/* A service that is new gets its slot first, without backends, since
 * backends name their service. */
static int
place_services(struct batch *batch)
{
	struct model_service *service;

	TAILQ_FOREACH(service, &batch->model->dirty_services, dirty) {
		struct service_spec spec;
		uint32_t none;

		if (service->slot != TABLE_NONE)
			continue;
		if (service->backend_count > 0) {
			struct model_service bare = { .slot = TABLE_NONE };

			bare.object = service->object;
			TAILQ_INIT(&bare.backends);
			compile_service(&bare, batch->settings, &none, &spec);
		} else {
			compile_service(service, batch->settings, &none,
			    &spec);
		}
		if (table_writer_put_service(batch->publisher->writer,
			&service->slot, &spec) == -1) {
			log_error("service %s: publish: %m",
			    service->object.name);
			return -1;
		}
	}
	return 0;
}

static int
put_backends(struct batch *batch)
{
	struct model_backend *backend;

	TAILQ_FOREACH(backend, &batch->model->dirty_backends, dirty) {
		struct backend_spec spec;

		if (compile_backend(backend, &spec) == -1 ||
		    table_writer_put_backend(batch->publisher->writer,
			&backend->slot, &spec) == -1) {
			log_error("backend %" PRIu64 ": publish: %m",
			    backend->object.id);
			return -1;
		}
		note_slot(batch, backend->slot);
	}
	return 0;
}

static int
put_service(struct batch *batch, struct model_service *service)
{
	uint32_t *slots = scratch_slots(batch->publisher,
	    service->backend_count);
	struct service_spec spec;

	if (slots == NULL)
		return -1;
	compile_service(service, batch->settings, slots, &spec);
	if (table_writer_put_service(batch->publisher->writer, &service->slot,
		&spec) == -1)
		return -1;
	for (uint32_t i = 0; i < spec.backend_count; i++)
		note_slot(batch, slots[i]);
	return 0;
}

static int
put_services(struct batch *batch)
{
	struct model_service *service;

	TAILQ_FOREACH(service, &batch->model->dirty_services, dirty) {
		if (!service->is_placed && service->backend_count == 0)
			continue;	/* as place_services() left it */
		if (put_service(batch, service) == -1) {
			log_error("service %s: publish: %m",
			    service->object.name);
			return -1;
		}
	}
	return 0;
}

static int
put_routes(struct batch *batch)
{
	struct model_route *route;

	TAILQ_FOREACH(route, &batch->model->dirty_routes, dirty) {
		char label[ROUTE_LABEL_SIZE];
		struct route_spec spec;

		compile_route(route, label, &spec);
		if (table_writer_put_route(batch->publisher->writer,
			&route->slot, &spec) == -1) {
			log_error("route %" PRIu64 ": publish: %m",
			    route->object.id);
			return -1;
		}
	}
	return 0;
}

static int
put_path(struct batch *batch, const struct model_path *path)
{
	struct table_writer *writer = batch->publisher->writer;
	const struct path_key key = path_key_of(path);
	uint32_t slots[TABLE_SHARED_MAX];
	struct path_spec spec;

	if (path->route_count == 0) {
		if (path->is_published &&
		    table_writer_remove_path(writer, &key) == -1 &&
		    errno != ENOENT)
			return -1;
		return 0;
	}
	compile_path(path, slots, &spec);
	return table_writer_put_path(writer, &key, &spec);
}

static int
put_paths(struct batch *batch)
{
	struct model_path *path;

	TAILQ_FOREACH(path, &batch->model->dirty_paths, dirty) {
		if (put_path(batch, path) == -1) {
			log_error("path %s%s: publish: %m", path->domain,
			    path->prefix);
			return -1;
		}
	}
	return 0;
}

typedef int remove_fn(struct table_writer *, uint32_t slot);

static int
remove_slots(struct batch *batch, const struct slot_list *list,
    remove_fn *remove, const char *what)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (remove(batch->publisher->writer, list->slots[i]) == 0)
			continue;
		log_error("%s slot %" PRIu32 ": remove: %m", what,
		    list->slots[i]);
		return -1;
	}
	return 0;
}

/* What names others goes before what it names. */
static int
remove_gone(struct batch *batch)
{
	const struct model *model = batch->model;

	for (uint32_t i = 0; i < model->gone_backends.count; i++)
		note_slot(batch, model->gone_backends.slots[i]);
	if (remove_slots(batch, &model->gone_routes,
		table_writer_remove_route, "route") == -1 ||
	    remove_slots(batch, &model->gone_services,
		table_writer_remove_service, "service") == -1)
		return -1;
	return remove_slots(batch, &model->gone_backends,
	    table_writer_remove_backend, "backend");
}

/* The batch did not come about: slots given in it are nobody's. */
static void
forget_slots(struct model *model)
{
	struct model_service *service;
	struct model_backend *backend;
	struct model_route *route;

	TAILQ_FOREACH(service, &model->dirty_services, dirty)
		if (!service->is_placed)
			service->slot = TABLE_NONE;
	TAILQ_FOREACH(backend, &model->dirty_backends, dirty)
		if (!backend->is_placed)
			backend->slot = TABLE_NONE;
	TAILQ_FOREACH(route, &model->dirty_routes, dirty)
		if (!route->is_placed)
			route->slot = TABLE_NONE;
}

static void
clean(struct model *model)
{
	struct model_service *service;
	struct model_backend *backend;
	struct model_route *route;
	struct model_path *path;

	while ((service = TAILQ_FIRST(&model->dirty_services)) != NULL) {
		service->is_placed = true;
		model_clean_service(model, service);
	}
	while ((backend = TAILQ_FIRST(&model->dirty_backends)) != NULL) {
		backend->is_placed = true;
		model_clean_backend(model, backend);
	}
	while ((route = TAILQ_FIRST(&model->dirty_routes)) != NULL) {
		route->is_placed = true;
		model_clean_route(model, route);
	}
	while ((path = TAILQ_FIRST(&model->dirty_paths)) != NULL)
		model_clean_path(model, path);
	model->gone_services.count = 0;
	model->gone_backends.count = 0;
	model->gone_routes.count = 0;
}

int
publisher_publish(struct publisher *publisher, struct model *model,
    const struct settings *settings, uint64_t generation,
    struct published *published_r)
{
	struct batch batch = { publisher, model, settings, published_r };
	int saved_errno;

	published_r->slot_count = 0;
	table_writer_begin(publisher->writer);
	if (place_services(&batch) == -1 || put_backends(&batch) == -1 ||
	    put_services(&batch) == -1 || put_routes(&batch) == -1 ||
	    put_paths(&batch) == -1 || remove_gone(&batch) == -1) {
		saved_errno = errno;
		table_writer_abort(publisher->writer);
		forget_slots(model);
		errno = saved_errno;
		return -1;
	}
	table_writer_commit(publisher->writer, generation);
	clean(model);
	return 0;
}
