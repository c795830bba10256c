/*
 * registryd/registry_load.c - from the store, or nothing, to a model.
 *
 *	open -> load -> static sections -> reconcile -> publish
 *
 * Where there is a replica, bring_up.c comes first.
 * Any step that fails is tried again; meanwhile the table stands.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "registryd/object_json.h"
#include "registryd/protocol/protocol.h"
#include "registryd/recover.h"
#include "registryd/registry.h"
#include "registryd/static_objects.h"
#include "registryd/static_orders.h"
#include "registryd/write_parts.h"

#define AGAIN_S 1.0
#define HELD_AGAIN_S 5.0		/* the store may have been mended */

static void
retry_load(struct registry *registry)
{
	if (registry->is_leaving)
		return;
	ev_timer_stop(registry->loop, &registry->load_again);
	ev_timer_set(&registry->load_again,
	    registry->guard.is_held ? HELD_AGAIN_S : AGAIN_S, 0.0);
	ev_timer_start(registry->loop, &registry->load_again);
}

/* Taking a model --------------------------------------------------------- */

/* Publishes what is dirty, outside of a write. */
static void
publish_now(struct registry *registry)
{
	struct problem problem;

	if (registry_publish(registry, registry->model->generation,
		&problem) == -1)
		log_error("generation %llu: %s",
		    (unsigned long long)registry->model->generation,
		    problem.detail);
}

bool
registry_take_model(struct registry *registry, struct model *model)
{
	bool is_first;

	spool_overlay(registry->spool, model);
	if (!guard_lets_through(&registry->guard, registry->daemon->settings,
		model, registry->table)) {
		model_free(&model);
		protocol_turn_away(registry->protocol);
		retry_load(registry);
		return false;
	}
	if (publisher_reconcile(model, registry->daemon->settings,
		registry->table) == -1) {
		log_error("store: load: %m: trying again");
		model_free(&model);
		retry_load(registry);
		return false;
	}
	is_first = registry->model == NULL && !registry->has_found_table;
	model_free(&registry->model);
	registry->model = model;
	publish_now(registry);
	if (is_first)
		static_audit(registry, &(struct static_snapshot){ 0 });
	log_notice("generation %llu: %zu services, %zu backends, %zu routes",
	    (unsigned long long)model->generation, model->services.count,
	    model->backends.count, model->routes.count);
	return true;
}

/* Loading ---------------------------------------------------------------- */

static void
on_service(void *context, struct service *service)
{
	struct registry *registry = context;
	struct problem problem;

	if (model_find_service(registry->loading, service->name) != NULL)
		log_warn("service \"%s\": the one of the configuration file "
			 "hides the store's", service->name);
	else if (service_check(service, &problem) == -1)
		log_warn("service \"%s\" of the store: %s: left out",
		    service->name, problem.detail);
	else if (model_put_service(registry->loading, service) == -1)
		log_error("service \"%s\": %m: left out", service->name);
	service_clear(service);
}

static void
on_backend(void *context, struct backend *backend)
{
	struct registry *registry = context;
	struct problem problem;

	if (backend_check(backend, &problem) == -1)
		log_warn("backend %llu of the store: %s: left out",
		    (unsigned long long)backend->id, problem.detail);
	else if (model_put_backend(registry->loading, backend) == -1)
		log_warn("backend %llu of the store: service \"%s\": %m: "
			 "left out", (unsigned long long)backend->id,
		    backend->service);
	backend_clear(backend);
}

static void
on_route(void *context, struct route *route)
{
	struct registry *registry = context;
	struct problem problem;

	if (route_check(route, &problem) == -1)
		log_warn("route %llu of the store: %s: left out",
		    (unsigned long long)route->id, problem.detail);
	else if (model_take_route(registry->loading, route) == -1)
		log_warn("route %llu of the store: %m: left out",
		    (unsigned long long)route->id);
	route_clear(route);
}

/* Recovering a memory store ------------------------------------------------ */

static void
on_recovered(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;

	if (outcome->result == STORE_OK)
		log_notice("store: %u objects put back from the table",
		    registry->recovery->change_count);
	else
		log_error("store: not put back from the table: %s",
		    outcome->message == NULL ? "failed" : outcome->message);
	write_free(registry->recovery);
	registry->recovery = NULL;
	registry->was_recovered = true;
	registry_load(registry);
}

/* The memory store died with the last registryd, and the table stands:
 * what it shows goes into the store first.  false: there is no need. */
static bool
recover(struct registry *registry, const struct model *model)
{
	struct store_commit commit = {
		.actor = { "sluice", audit_self(registry), "recovery", "",
		    "found in the route table" },
		.describe = change_describe,
		.done = on_recovered,
		.context = registry,
	};
	struct write *write;

	if (registry->daemon->settings->store.driver != STORE_MEMORY ||
	    registry->was_recovered || model->generation != 0 ||
	    route_table_generation(registry->table) == 0)
		return false;
	if ((write = write_new(NULL, NULL, NULL)) == NULL)
		return false;
	registry->recovery = write;
	if (recover_read(registry->table, model, write) == 0 &&
	    write->change_count > 0) {
		commit.changes = write->changes;
		commit.change_count = write->change_count;
		if (store_commit(registry->store, &commit) == 0)
			return true;
	}
	write_free(write);
	registry->recovery = NULL;
	return false;
}

static void
on_note(void *context, const struct store_note *note)
{
	struct registry *registry = context;

	if (note->kind == NOTE_CONDITION)
		static_order_load(registry, registry->loading, note);
	else if (registry->hears_notes)
		protocol_load_note(registry->protocol, note);
	replica_add_note(registry->replica, note);
}

/* All of the store is the model now. */
static void
take_loaded(struct registry *registry, struct model *model,
    const struct store_outcome *outcome)
{
	registry->is_stale = false;
	if (!store_is_same_database(registry->identity, outcome->identity))
		spool_disown(registry->spool);
	registry->follow.has_gap = false;
	if (!registry_take_model(registry, model))
		return;
	memcpy(registry->identity, outcome->identity,
	    sizeof(registry->identity));
	registry->bring_up.is_served = false;
	replica_copy(registry->replica, outcome->identity);
	replica_end_notes(registry->replica, registry->hears_notes);
	if (registry->hears_notes)
		protocol_load_done(registry->protocol, outcome->note_version);
	spool_play(registry->spool);
}

/* The server that took the place of another did not have them yet: what
 * it has is what everybody routes now. */
static void
note_lost_commits(struct registry *registry, const struct model *model)
{
	if (registry->model == NULL ||
	    model->generation >= registry->model->generation)
		return;
	log_warn("store: generation %llu is there, where %llu was: the "
		 "server has lost commits; the table goes back to it",
	    (unsigned long long)model->generation,
	    (unsigned long long)registry->model->generation);
}

static void
on_loaded(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct model *model = registry->loading;

	registry->loading = NULL;
	if (outcome->result == STORE_OK && registry->model != NULL &&
	    outcome->generation < registry->model->generation &&
	    !registry->is_load_alone) {
		model_free(&model);	/* a commit overtook the snapshot */
		retry_load(registry);
	} else if (outcome->result == STORE_OK) {
		model->generation = outcome->generation;
		model->generation_wall_ms = outcome->moment_wall_ms;
		note_lost_commits(registry, model);
		if (recover(registry, model)) {
			model_free(&model);
			return;
		}
		take_loaded(registry, model, outcome);
	} else {
		log_error("store: load: %s: trying again",
		    outcome->message == NULL ? "failed" : outcome->message);
		model_free(&model);
		retry_load(registry);
	}
	replica_end_notes(registry->replica, false);
	write_queue_hold(registry->writes, false);
	daemon_ready(registry->daemon);
}

const struct store_loader registry_loader = {
	.service = on_service,
	.backend = on_backend,
	.route = on_route,
	.note = on_note,
	.done = on_loaded,
};

int
registry_load_begin(struct registry *registry)
{
	if ((registry->loading = model_new()) == NULL)
		return -1;
	static_objects_apply(registry->loading, registry->daemon->settings,
	    registry->started_wall_ms);
	registry->is_load_alone = !write_queue_is_busy(registry->writes);
	write_queue_hold(registry->writes, true);
	/* What the spool did to sessions the store has not heard of. */
	registry->hears_notes = !registry->protocol->is_loaded ||
	    !spool_is_waiting(registry->spool);
	if (registry->hears_notes)
		protocol_load_begin(registry->protocol);
	return 0;
}

void
registry_load(struct registry *registry)
{
	struct store_loader loader = registry_loader;

	loader.context = registry;
	if (registry->loading != NULL || registry->is_leaving)
		return;
	if (registry_load_begin(registry) == -1) {
		retry_load(registry);
		return;
	}
	replica_begin_notes(registry->replica);
	if (store_load(registry->store, &loader) == 0)
		return;
	log_error("store: load: %m: trying again");
	model_free(&registry->loading);
	write_queue_hold(registry->writes, false);
	retry_load(registry);
	daemon_ready(registry->daemon);
}

static void
on_load_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	registry_load(timer->data);
}

void
registry_load_again(struct registry *registry)
{
	registry->is_stale = true;
	ev_timer_stop(registry->loop, &registry->load_again);
	ev_timer_set(&registry->load_again, 0.0, 0.0);
	ev_timer_start(registry->loop, &registry->load_again);
}

/* Opening ---------------------------------------------------------------- */

static void
on_up(void *context, bool is_up)
{
	struct registry *registry = context;
	struct store_figures figures;

	if (is_up) {
		log_notice("store: it is there");
		instances_up(registry);
		if (bring_up_database(registry, true))
			return;
		if (registry->model == NULL || registry->is_stale)
			registry_load(registry);
		else
			follow_now(registry);
		return;
	}
	store_figures(registry->store, &figures);
	log_error("store: %s: routes stand, writes are refused",
	    figures.error);
}

/* Writes stay refused, since the model is not the store's. */
void
registry_serve_static(struct registry *registry)
{
	struct problem problem;
	struct model *model;

	if (registry->model != NULL ||
	    route_table_generation(registry->table) != 0 ||
	    registry->daemon->settings->service_count == 0)
		return;
	if ((model = model_new()) == NULL)
		return;
	static_objects_apply(model, registry->daemon->settings,
	    registry->started_wall_ms);
	registry->model = model;
	if (publisher_reconcile(model, registry->daemon->settings,
		registry->table) == -1 ||
	    registry_publish(registry, 0, &problem) == -1)
		log_error("static sections: not published: %m");
	model_free(&registry->model);
}

static void
on_opened(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;

	registry->is_store_open = outcome->result == STORE_OK;
	if (outcome->result == STORE_OK) {
		if (!bring_up_database(registry, true) &&
		    registry->model == NULL)
			registry_load(registry);
		return;
	}
	log_error("store: %s: what is routed stands, writes are refused; "
		  "trying again",
	    outcome->message == NULL ? "cannot be opened" : outcome->message);
	if (bring_up_database(registry, false))
		return;
	registry_serve_static(registry);
	daemon_ready(registry->daemon);
}

static void
on_publish_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;
	struct problem problem;

	(void)loop;
	(void)events;
	if (registry->model != NULL &&
	    registry_publish(registry, registry->model->generation,
		&problem) == 0)
		log_notice("generation %llu: published after all",
		    (unsigned long long)registry->model->generation);
}

int
registry_load_start(struct registry *registry)
{
	ev_timer_init(&registry->load_again, on_load_again, AGAIN_S, 0.0);
	registry->load_again.data = registry;
	ev_timer_init(&registry->publish_again, on_publish_again, AGAIN_S,
	    AGAIN_S);
	registry->publish_again.data = registry;
	store_set_on_up(registry->store, on_up, registry);
	if (bring_up_start(registry) == -1)
		registry->bring_up.step = BRING_UP_NONE;
	if (store_open(registry->store, on_opened, registry) == 0)
		return 0;
	log_error("store: open: %m");
	return -1;
}

void
registry_load_static(struct registry *registry)
{
	struct static_snapshot before;

	static_snapshot_take(registry->model, &before);
	static_objects_apply(registry->model, registry->daemon->settings,
	    clock_wall_ms());
	publish_now(registry);
	static_audit(registry, &before);
	static_snapshot_clear(&before);
}
