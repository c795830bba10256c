/*
 * registryd/follow.c - what other instances change is routed here, too.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/follow.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/object_json.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"
#include "registryd/write_parts.h"

static void ask(struct registry *);

/* Reading ---------------------------------------------------------------- */

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

static void
on_read(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	follow->outcome = *outcome;
	follow->is_read = true;
	replica_end_notes(registry->replica, outcome->result == STORE_OK);
	if (outcome->result == STORE_OK && follow->hears_notes)
		protocol_follow_done(registry->protocol,
		    outcome->note_version);
	if (outcome->result != STORE_OK)
		log_info("store: not followed: %s",
		    outcome->message == NULL ? "failed" : outcome->message);
	write_queue_go_on(registry->writes);
}

/* Applying --------------------------------------------------------------- */

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

/* 0, or -1 when all must be loaded again. */
static int
apply(struct registry *registry)
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

/* The write -------------------------------------------------------------- */

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

static void
on_note(void *context, const struct store_note *note)
{
	struct registry *registry = context;

	replica_add_note(registry->replica, note);
}

static int
begin_read(struct registry *registry)
{
	bool wants_notes = replica_wants_notes(registry->replica);

	if (wants_notes)
		replica_begin_notes(registry->replica);
	registry->follow.must_read = false;
	/* What the spool did to sessions the store has not heard of. */
	registry->follow.hears_notes = registry->protocol->is_loaded &&
	    !spool_is_waiting(registry->spool);
	if (registry->follow.hears_notes)
		protocol_follow_begin(registry->protocol);
	return follow_read(registry, follow_since(registry),
	    wants_notes ? on_note : NULL, on_read);
}

static int
plan_follow(struct write *write, const struct model *model, void *context)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	(void)write;
	if (follow->is_read) {
		if (follow->outcome.result == STORE_CONFLICT ||
		    (follow->outcome.result == STORE_OK &&
			apply(registry) == -1))
			registry_load_again(registry);
		return 0;
	}
	/* What was told of may have been our own, or be loaded by now. */
	if (registry->guard.is_held || registry->is_stale ||
	    spool_is_playing(registry->spool) ||
	    (!follow->must_read && !follow->has_gap &&
		follow->told <= model->generation))
		return 0;
	return begin_read(registry) == 0 ? WRITE_WAITS : 0;
}

static void
on_followed(struct write *write, void *context)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;
	bool was_good = write->problem.status == 0 &&
	    (!follow->is_read || follow->outcome.result == STORE_OK);
	bool is_read = follow->is_read;

	if (was_good && follow->is_read && follow->told == follow->asked &&
	    follow->outcome.generation < follow->told)
		/* What is read is behind what is heard: not again at once. */
		follow->told = follow->outcome.generation;
	follow_forget(follow);
	follow->is_queued = false;
	if (was_good && is_read)
		spool_play(registry->spool);
	/* Told of something more while it was being read. */
	if (was_good && registry->model != NULL && !registry->is_stale &&
	    !registry->guard.is_held &&
	    (follow->must_read || follow->told > registry->model->generation))
		ask(registry);
}

static void
ask(struct registry *registry)
{
	struct follow *follow = &registry->follow;
	struct store_figures figures;
	struct write *write;

	store_figures(registry->store, &figures);
	if (follow->is_queued || registry->is_leaving ||
	    spool_is_playing(registry->spool) ||	/* asks at its end */
	    registry->model == NULL || !figures.is_up)
		return;
	if ((write = write_new(plan_follow, on_followed, registry)) == NULL)
		return;			/* the timer asks again */
	write->channel = "follow";
	follow->is_queued = true;
	write_queue_submit_first(registry->writes, write);
}

static void
on_news(void *context, uint64_t generation)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	if (generation == 0)
		follow->must_read = true;
	else if (generation > follow->told)
		follow->told = generation;
	if (registry->model != NULL && (follow->must_read ||
		follow->told > registry->model->generation))
		ask(registry);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;

	(void)loop;
	(void)events;
	registry->follow.must_read = true;
	ask(registry);
}

void
follow_now(struct registry *registry)
{
	if (!store_can_follow(registry->store))
		return;
	registry->follow.must_read = true;
	ask(registry);
}

void
follow_skipped(void *context, uint64_t since)
{
	struct registry *registry = context;
	struct follow *follow = &registry->follow;

	if (!store_can_follow(registry->store))
		return;
	if (!follow->has_gap || since < follow->gap)
		follow->gap = since;
	follow->has_gap = true;
	follow->must_read = true;
	ask(registry);
}

void
follow_reload(struct registry *registry)
{
	double interval_s = (double)
	    registry->daemon->settings->store.follow_interval_ms / 1e3;

	if (!store_can_follow(registry->store))
		return;
	registry->follow.timer.repeat = interval_s;
	ev_timer_again(registry->loop, &registry->follow.timer);
}

void
follow_start(struct registry *registry)
{
	ev_timer_init(&registry->follow.timer, on_timer, 0.0, 0.0);
	registry->follow.timer.data = registry;
	store_set_on_news(registry->store, on_news, registry);
	follow_reload(registry);
}

void
follow_stop(struct registry *registry)
{
	ev_timer_stop(registry->loop, &registry->follow.timer);
	follow_forget(&registry->follow);
}
