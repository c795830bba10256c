/*
 * registryd/write.c - a write: its changes, and their way into the model.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/object_json.h"
#include "registryd/static_orders.h"
#include "registryd/write_parts.h"

struct write *
write_new(write_plan_fn *plan, write_done_fn *done, void *context)
{
	struct write *write = calloc(1, sizeof(*write));

	if (write == NULL)
		return NULL;
	write->plan = plan;
	write->done = done;
	write->context = context;
	write->channel = "";
	return write;
}

static void
free_change(struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		service_clear(change->object.service);
		break;
	case OBJECT_BACKEND:
		backend_clear(change->object.backend);
		break;
	case OBJECT_ROUTE:
		route_clear(change->object.route);
		break;
	}
	free(change->object.service);
	free(change->before_json);
}

void
write_free(struct write *write)
{
	for (uint32_t i = 0; i < write->change_count; i++)
		free_change(&write->changes[i]);
	free(write->changes);
	note_changes_clear(&write->notes);
	free(write);
}

static int
out_of_memory(struct write *write)
{
	return problem_set(&write->problem, 503, "out_of_memory", NULL,
	    "out of memory; try again");
}

static struct store_change *
add_change(struct write *write, enum object_kind kind, bool is_removal)
{
	struct store_change *change, *longer;
	uint32_t size;

	if (write->change_count == write->change_size) {
		size = write->change_size == 0 ? 4 : 2 * write->change_size;
		longer = realloc(write->changes, size * sizeof(*longer));
		if (longer == NULL)
			return NULL;
		write->changes = longer;
		write->change_size = size;
	}
	change = &write->changes[write->change_count];
	*change = (struct store_change){ .kind = kind,
		.is_removal = is_removal };
	return change;
}

/* The condition of what was there. */
static int
keep_condition(const struct write *write, const struct condition *before,
    struct condition *condition)
{
	if (write->is_order)
		return 0;
	condition_clear(condition);
	return condition_copy(before, condition);
}

static int
add_service(struct write *write, const struct service *service,
    const struct service *before, bool is_removal)
{
	struct store_change *change = add_change(write, OBJECT_SERVICE,
	    is_removal);

	if (change == NULL)
		return out_of_memory(write);
	if (before != NULL) {
		change->expected_version = before->times.version;
		if ((change->before_json = service_text(before)) == NULL)
			return out_of_memory(write);
	}
	change->object.service = calloc(1, sizeof(*service));
	if (change->object.service == NULL ||
	    service_copy_object(service, change->object.service) == -1 ||
	    (before != NULL && keep_condition(write, &before->condition,
		&change->object.service->condition) == -1)) {
		free(change->object.service);
		free(change->before_json);
		return out_of_memory(write);
	}
	write->change_count++;
	return 0;
}

static int
add_backend(struct write *write, const struct backend *backend,
    const struct backend *before, bool is_removal)
{
	struct store_change *change = add_change(write, OBJECT_BACKEND,
	    is_removal);

	if (change == NULL)
		return out_of_memory(write);
	if (before != NULL) {
		change->expected_version = before->times.version;
		if ((change->before_json = backend_text(before)) == NULL)
			return out_of_memory(write);
	}
	change->object.backend = calloc(1, sizeof(*backend));
	if (change->object.backend == NULL ||
	    backend_copy_object(backend, change->object.backend) == -1 ||
	    (before != NULL && keep_condition(write, &before->condition,
		&change->object.backend->condition) == -1)) {
		free(change->object.backend);
		free(change->before_json);
		return out_of_memory(write);
	}
	write->change_count++;
	return 0;
}

static int
add_route(struct write *write, const struct route *route,
    const struct route *before, bool is_removal)
{
	struct store_change *change = add_change(write, OBJECT_ROUTE,
	    is_removal);

	if (change == NULL)
		return out_of_memory(write);
	if (before != NULL) {
		change->expected_version = before->times.version;
		if ((change->before_json = route_text(before)) == NULL)
			return out_of_memory(write);
	}
	change->object.route = calloc(1, sizeof(*route));
	if (change->object.route == NULL ||
	    route_copy_object(route, change->object.route) == -1 ||
	    (before != NULL && keep_condition(write, &before->condition,
		&change->object.route->condition) == -1)) {
		free(change->object.route);
		free(change->before_json);
		return out_of_memory(write);
	}
	write->change_count++;
	return 0;
}

/* Whether it is an order to what stands in the configuration file. */
static bool
is_static_order(const struct write *write, enum object_origin origin)
{
	return write->is_order && origin == ORIGIN_FILE;
}

static int
add_static_order(struct write *write, enum object_kind kind, const char *name,
    uint64_t id, const struct condition *condition)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, id);
	if (static_order_add(&write->notes, write->sluice, kind,
		name != NULL ? name : text, condition) == -1)
		return out_of_memory(write);
	return 0;
}

int
write_put_service(struct write *write, const struct service *service,
    const struct service *before)
{
	if (is_static_order(write, service->origin))
		return add_static_order(write, OBJECT_SERVICE, service->name,
		    0, &service->condition);
	return add_service(write, service, before, false);
}

int
write_put_backend(struct write *write, const struct backend *backend,
    const struct backend *before)
{
	if (is_static_order(write, backend->origin))
		return add_static_order(write, OBJECT_BACKEND, NULL,
		    backend->id, &backend->condition);
	return add_backend(write, backend, before, false);
}

int
write_put_route(struct write *write, const struct route *route,
    const struct route *before)
{
	if (is_static_order(write, route->origin))
		return add_static_order(write, OBJECT_ROUTE, NULL, route->id,
		    &route->condition);
	return add_route(write, route, before, false);
}

int
write_remove_service(struct write *write, const struct service *service)
{
	return add_service(write, service, service, true);
}

int
write_remove_backend(struct write *write, const struct backend *backend)
{
	return add_backend(write, backend, backend, true);
}

int
write_remove_route(struct write *write, const struct route *route)
{
	return add_route(write, route, route, true);
}

/* The route without the target. */
static int
drop_target(struct write *write, const struct route *route, const char *name)
{
	struct route after;
	int result;

	if (route_copy_object(route, &after) == -1)
		return out_of_memory(write);
	for (uint32_t i = 0; i < after.target_count; i++) {
		if (strcmp(after.targets[i].service, name) != 0)
			continue;
		free(after.targets[i].service);
		memmove(&after.targets[i], &after.targets[i + 1],
		    (after.target_count - i - 1) * sizeof(after.targets[0]));
		after.target_count--;
		break;
	}
	result = write_put_route(write, &after, route);
	route_clear(&after);
	return result;
}

int
write_remove_service_whole(struct write *write,
    const struct model_service *service)
{
	const struct model_target *target;
	const struct model_backend *backend;
	int result;

	LIST_FOREACH(target, &service->targets, of_service) {
		const struct route *route = &target->route->object;

		result = route->target_count == 1 ?
		    write_remove_route(write, route) :
		    drop_target(write, route, service->object.name);
		if (result == -1)
			return -1;
	}
	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (write_remove_backend(write, &backend->object) == -1)
			return -1;
	return write_remove_service(write, &service->object);
}

const char *
write_change_key(const struct store_change *change, char *text, size_t size)
{
	uint64_t id = change->kind == OBJECT_BACKEND ?
	    change->object.backend->id :
	    change->object.route->id;

	if (change->kind == OBJECT_SERVICE)
		return change->object.service->name;
	if (id == 0)
		return "new";
	snprintf(text, size, "%" PRIu64, id);
	return text;
}

int
write_change_apply(struct model *model, const struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		if (!change->is_removal)
			return model_put_service(model,
			    change->object.service);
		model_remove_service(model, change->object.service->name);
		return 0;
	case OBJECT_BACKEND:
		if (!change->is_removal)
			return model_put_backend(model,
			    change->object.backend);
		model_remove_backend(model, change->object.backend->id);
		return 0;
	case OBJECT_ROUTE:
		if (!change->is_removal)
			return model_put_route(model, change->object.route);
		model_remove_route(model, change->object.route->id);
		return 0;
	}
	errno = EINVAL;
	return -1;
}
