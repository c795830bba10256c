/*
 * registryd/registry_publish.c - what the write queue asks of the registry.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "common/log.h"
#include "ipc/health_msg.h"
#include "registryd/control.h"
#include "registryd/registry.h"
#include "shm/route_table.h"

/* Room that must be left in /dev/shm before a write is begun: what the
 * arrays, index and heap of both copies may grow by in one step. */
#define ROOM_BYTES (4u << 20)

struct model *
registry_model(void *context)
{
	struct registry *registry = context;

	return registry->model;
}

static int
refuse_held(const struct registry *registry, struct problem *problem)
{
	char text[GUARD_TEXT_SIZE];

	guard_describe(&registry->guard, text);
	return problem_set(problem, 409, "store_held", NULL, "%s", text);
}

void
registry_no_model(void *context, struct problem *problem)
{
	const struct registry *registry = context;

	if (registry->guard.is_held)
		refuse_held(registry, problem);
	else
		problem_set(problem, 503, "store_unavailable", NULL,
		    "the store has not been read yet; try again");
}

struct growth {
	uint32_t services, backends, routes, paths;
};

static struct growth
growth_of(const struct registry *registry, const struct write *write)
{
	struct growth growth = { 0 };

	for (uint32_t i = 0; i < write->change_count; i++) {
		const struct store_change *change = &write->changes[i];

		if (change->is_removal)
			continue;
		if (change->kind == OBJECT_SERVICE)
			growth.services += model_find_service(registry->model,
			    change->object.service->name) == NULL;
		if (change->kind == OBJECT_BACKEND)
			growth.backends += change->object.backend->id == 0;
		if (change->kind == OBJECT_ROUTE) {
			const struct route *route = change->object.route;

			growth.routes += route->id == 0;
			growth.paths +=
			    route->domain_count * route->prefix_count;
		}
	}
	return growth;
}

static int
refuse_room(struct problem *problem, const char *what, const char *setting)
{
	return problem_set(problem, 507, "table_full", NULL,
	    "the table has no room for more %s; raise segment.%s and restart",
	    what, setting);
}

/* What the operator has not said yes to, and what he must say force to. */
static int
check_guard(const struct registry *registry, const struct write *write,
    struct problem *problem)
{
	struct guard_loss loss = {
		.routed = registry->model->routes.count,
	};

	if (registry->guard.is_held)
		return refuse_held(registry, problem);
	for (uint32_t i = 0; i < write->change_count; i++)
		loss.removed += write->changes[i].is_removal &&
		    write->changes[i].kind == OBJECT_ROUTE;
	if (write->is_forced || strcmp(write->channel, "api") != 0 ||
	    !guard_is_too_much(registry->daemon->settings, &loss))
		return 0;
	return problem_set(problem, 409, "would_shrink", NULL,
	    "it would remove %zu of %zu routes at once, more than "
	    "store.max_shrink; ask for force=true", loss.removed,
	    loss.routed);
}

int
registry_check_room(void *context, const struct write *write,
    struct problem *problem)
{
	const struct registry *registry = context;
	const struct settings *settings = registry->daemon->settings;
	const struct model *model = registry->model;
	struct growth growth = growth_of(registry, write);
	struct statvfs space;

	if (check_guard(registry, write, problem) == -1)
		return -1;
	if (growth.services > 0 &&
	    model->services.count + growth.services >
		settings->segment.services)
		return refuse_room(problem, "services", "services");
	if (growth.backends > 0 &&
	    model->backends.count + growth.backends >
		settings->segment.backends)
		return refuse_room(problem, "backends", "backends");
	if (growth.paths > 0 &&
	    (model->routes.count + growth.routes > settings->segment.routes ||
		model->paths.count + growth.paths >
		    settings->segment.routes))
		return refuse_room(problem, "routes", "routes");
	if ((growth.services | growth.backends | growth.paths) != 0 &&
	    statvfs(registry->daemon->segment_dir, &space) == 0 &&
	    space.f_blocks > 0 &&
	    (uint64_t)space.f_bavail * space.f_frsize < ROOM_BYTES)
		return problem_set(problem, 507, "table_full", NULL,
		    "%s: the file system is full",
		    registry->daemon->segment_dir);
	return 0;
}

static void
tell_healthd(struct registry *registry, uint64_t generation,
    const struct published *published)
{
	struct health_published message = {
		.generation = generation,
		.slot_count = published->slot_count,
	};
	uint32_t count = published->slot_count;

	_Static_assert(PUBLISHED_SLOTS_MAX == HEALTH_MSG_SLOTS,
	    "slots that healthd is told of");
	if (registry->healthd == NULL)
		return;
	if (count > HEALTH_MSG_SLOTS)
		count = HEALTH_MSG_SLOTS;
	memcpy(message.slots, published->slots, count * sizeof(uint32_t));
	if (channel_send(registry->healthd, TO_HEALTHD_PUBLISHED, &message,
		sizeof(message), NULL, 0) == -1)
		log_warn("healthd: not told of generation %llu: %m",
		    (unsigned long long)generation);
}

int
registry_publish(void *context, uint64_t generation, struct problem *problem)
{
	struct registry *registry = context;
	struct published published;

	if (publisher_publish(registry->publisher, registry->model,
		registry->daemon->settings, generation, &published) == 0) {
		ev_timer_stop(registry->loop, &registry->publish_again);
		tell_healthd(registry, generation, &published);
		control_schedule(registry);
		instances_published(registry, generation);
		retention_note(registry);
		return 0;
	}
	ev_timer_again(registry->loop, &registry->publish_again);
	return problem_set(problem, 507, "not_published", NULL,
	    "stored, but not published: %s; trying again",
	    strerror(errno));
}

void
registry_is_stale(void *context)
{
	registry_load_again(context);
}
