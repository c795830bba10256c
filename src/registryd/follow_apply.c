/*
 * registryd/follow_apply.c - what others changed is put into the model.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/follow_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/object_json.h"
#include "registryd/registry.h"

uint64_t
follow_since(const struct registry *registry)
{
	return registry->follow.has_gap ? registry->follow.gap
					 : registry->model->generation;
}

/* Of the store, and later than that. */
static bool
is_later(const struct object_times *times, uint64_t since)
{
	return times->version > since && times->version < STORE_SPOOLED_FIRST;
}

/* Whether what was removed came back, and was read with the rest. */
static bool
is_back(const struct model *model, const struct news_item *item,
    uint64_t since)
{
	uint64_t id = strtoull(item->key, NULL, 10);
	const struct model_service *service;
	const struct model_backend *backend;
	const struct model_route *route;

	switch (item->kind) {
	case OBJECT_SERVICE:
		service = model_find_service(model, item->key);
		return service != NULL &&
		    (is_later(&service->object.times, since) ||
			service->object.origin == ORIGIN_FILE);
	case OBJECT_BACKEND:
		backend = model_find_backend(model, id);
		return backend != NULL &&
		    is_later(&backend->object.times, since);
	case OBJECT_ROUTE:
		route = model_find_route(model, id);
		return route != NULL &&
		    is_later(&route->object.times, since);
	}
	return false;
}

/* 0, or -1 when all must be loaded again. */
static int
put_service(struct registry *registry, struct model *model,
    const struct service *service)
{
	const struct model_service *there =
	    model_find_service(model, service->name);
	struct problem problem;

	if ((there != NULL && there->object.origin == ORIGIN_FILE) ||
	    service_check(service, &problem) == -1)
		return 0;		/* as when loading: left out */
	if (model_put_service(model, service) == -1)
		return -1;
	replica_put_service(registry->replica, service);
	return 0;
}

static int
put_item(struct registry *registry, struct model *model,
    struct news_item *item)
{
	struct problem problem;

	switch (item->kind) {
	case OBJECT_SERVICE:
		return put_service(registry, model, &item->object.service);
	case OBJECT_BACKEND:
		if (backend_check(&item->object.backend, &problem) == -1)
			return 0;
		if (model_put_backend(model, &item->object.backend) == -1)
			return -1;
		replica_put_backend(registry->replica,
		    &item->object.backend);
		return 0;
	case OBJECT_ROUTE:
		if (route_check(&item->object.route, &problem) == -1)
			return 0;
		if (model_put_route(model, &item->object.route) == -1)
			return -1;
		replica_put_route(registry->replica, &item->object.route);
		return 0;
	}
	return 0;
}

static int
remove_item(struct model *model, const struct news_item *item)
{
	uint64_t id = strtoull(item->key, NULL, 10);
	const struct model_service *service;

	switch (item->kind) {
	case OBJECT_SERVICE:
		service = model_find_service(model, item->key);
		if (service != NULL && (service->backend_count > 0 ||
			service->target_count > 0))
			return -1;
		model_remove_service(model, item->key);
		return 0;
	case OBJECT_BACKEND:
		model_remove_backend(model, id);
		return 0;
	case OBJECT_ROUTE:
		model_remove_route(model, id);
		return 0;
	}
	return 0;
}

/* Whether a route that is gone stands in the model, and did not come with
 * the news again. */
static bool
is_lost_route(const struct follow *follow, const struct model *model,
    const struct news_item *gone)
{
	uint64_t id = strtoull(gone->key, NULL, 10);

	if (model_find_route(model, id) == NULL)
		return false;
	for (size_t i = 0; i < follow->count; i++)
		if (!follow->items[i].is_gone &&
		    follow->items[i].kind == OBJECT_ROUTE &&
		    follow->items[i].object.route.id == id)
			return false;
	return true;
}

static bool
is_too_much(const struct registry *registry, const struct model *model)
{
	const struct follow *follow = &registry->follow;
	struct guard_loss loss = { .routed = model->routes.count };
	size_t gone_count = 0;

	for (size_t i = 0; i < follow->count; i++)
		gone_count += follow->items[i].is_gone &&
		    follow->items[i].kind == OBJECT_ROUTE;
	loss.removed = gone_count;
	if (!guard_is_too_much(registry->daemon->settings, &loss))
		return false;
	loss.removed = 0;
	for (size_t i = 0; i < follow->count; i++)
		loss.removed += follow->items[i].is_gone &&
		    follow->items[i].kind == OBJECT_ROUTE &&
		    is_lost_route(follow, model, &follow->items[i]);
	return guard_is_too_much(registry->daemon->settings, &loss);
}

static void
note_propagation(struct follow *follow)
{
	int64_t since_read_ms = instant_diff_ms(clock_now(), follow->read);
	uint64_t us = (uint64_t)(follow->age_ms + since_read_ms) * 1000;
	uint32_t bucket = 0;

	while (us > stats_bucket_bound_us(bucket))
		bucket++;
	follow->buckets[bucket]++;
	follow->sum_us += us;
}

int
follow_take(struct registry *registry, struct model *model, uint64_t since)
{
	struct follow *follow = &registry->follow;

	if (follow->is_failed || is_too_much(registry, model))
		return -1;
	for (size_t i = 0; i < follow->count; i++) {
		struct news_item *item = &follow->items[i];

		if (!item->is_gone) {
			if (put_item(registry, model, item) == -1)
				return -1;
		} else if (!is_back(model, item, since)) {
			if (remove_item(model, item) == -1)
				return -1;
			replica_remove(registry->replica, item->kind,
			    item->key);
		}
	}
	if (follow->outcome.generation > model->generation) {
		model->generation = follow->outcome.generation;
		model->generation_wall_ms = follow->outcome.moment_wall_ms;
	}
	return 0;
}

int
follow_apply(struct registry *registry)
{
	struct follow *follow = &registry->follow;
	struct model *model = registry->model;
	uint64_t since = follow_since(registry);
	struct problem problem;

	if (follow_take(registry, model, since) == -1)
		return -1;
	follow->has_gap = false;
	if (registry->bring_up.is_served)
		log_notice("store: caught up, generation %llu",
		    (unsigned long long)model->generation);
	registry->bring_up.is_served = false;
	replica_confirm(registry->replica);
	if (follow->count == 0)
		return 0;
	spool_overlay(registry->spool, model);
	if (registry_publish(registry, model->generation, &problem) == 0)
		note_propagation(follow);
	else
		log_error("generation %llu: %s",
		    (unsigned long long)model->generation, problem.detail);
	log_info("generation %llu: followed from %llu: %zu objects",
	    (unsigned long long)model->generation,
	    (unsigned long long)since, follow->count);
	return 0;
}
