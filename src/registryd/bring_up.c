/*
 * registryd/bring_up.c - from the local file and the database to a model.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/bring_up.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"
#include "registryd/static_orders.h"

/* So long a database that does not say no is waited for. */
#define PATIENCE_S 2.0

static void
finish(struct registry *registry)
{
	struct bring_up *bring_up = &registry->bring_up;

	ev_timer_stop(registry->loop, &bring_up->patience);
	model_free(&bring_up->model);
	follow_forget(&registry->follow);
	bring_up->step = BRING_UP_OVER;
	write_queue_hold(registry->writes, false);
}

/* The replica is of no use: all comes from the database. */
static void
give_up(struct registry *registry)
{
	struct bring_up *bring_up = &registry->bring_up;

	finish(registry);
	if (bring_up->database == DATABASE_UP) {
		registry_load(registry);
	} else if (bring_up->database == DATABASE_AWAY) {
		registry_serve_static(registry);
		daemon_ready(registry->daemon);
	}
}

/* true: it is published, too. */
static bool
take(struct registry *registry)
{
	struct model *model = registry->bring_up.model;
	bool is_taken;

	registry->bring_up.model = NULL;
	is_taken = registry_take_model(registry, model);
	finish(registry);
	daemon_ready(registry->daemon);
	return is_taken;
}

/* The database is away ---------------------------------------------------- */

/* Why the replica is not to be routed from unasked; NULL: it may. */
static const char *
fault_of(const struct registry *registry)
{
	const struct bring_up *bring_up = &registry->bring_up;

	if (bring_up->outcome.is_elsewhere)
		return "it followed another server than store.url names";
	if (route_table_generation(registry->table) >
	    bring_up->model->generation)
		return "the table that stands is newer";
	return NULL;
}

static void
serve(struct registry *registry)
{
	struct bring_up *bring_up = &registry->bring_up;
	const char *fault = fault_of(registry);
	int64_t age_ms = clock_wall_ms() - bring_up->outcome.at_wall_ms;

	ev_timer_stop(registry->loop, &bring_up->patience);
	if (fault != NULL) {
		log_error("store: replica: %s: it waits for the database",
		    fault);
		write_queue_hold(registry->writes, false);
		registry_serve_static(registry);
		daemon_ready(registry->daemon);
		return;
	}
	log_warn("store: the database is away: routing from the replica, "
		 "generation %llu, which was as the database is %lld s ago",
	    (unsigned long long)bring_up->model->generation,
	    (long long)age_ms / 1000);
	bring_up->is_served = true;
	if (take(registry))		/* all notes are news, then */
		protocol_load_done(registry->protocol, 0);
}

static void
on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct registry *registry = timer->data;

	(void)loop, (void)events;
	if (registry->bring_up.step == BRING_UP_WAITING)
		serve(registry);
}

/* The database answers ---------------------------------------------------- */

static int read_replica(struct registry *);

static void
on_note(void *context, const struct store_note *note)
{
	struct registry *registry = context;

	if (note->kind == NOTE_CONDITION)
		static_order_load(registry, registry->bring_up.model, note);
	else
		protocol_load_note(registry->protocol, note);
	replica_add_note(registry->replica, note);
}

/* What is there cannot be followed from what the replica has.  That is
 * taken first all the same, unless it is another's, for the guard to
 * compare with. */
static void
reload(struct registry *registry, const struct store_outcome *outcome)
{
	if (!store_is_same_database(outcome->identity, registry->identity)) {
		log_warn("store: replica: %s: not used", outcome->message);
		spool_disown(registry->spool);
		registry->identity[0] = '\0';
		give_up(registry);
		return;
	}
	log_notice("store: %s: loading all", outcome->message == NULL
		? "too much is gone" : outcome->message);
	(void)take(registry);
	if (!registry->bring_up.hears_notes)
		protocol_load_done(registry->protocol, 0);
	registry_load_again(registry);
}

static void
on_followed(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct bring_up *bring_up = &registry->bring_up;
	struct model *model = bring_up->model;
	uint64_t since = model->generation;

	replica_end_notes(registry->replica, outcome->result == STORE_OK);
	registry->follow.outcome = *outcome;
	if (outcome->result == STORE_OK &&
	    follow_take(registry, model, since) == 0) {
		log_notice("store: replica: followed from generation %llu "
			   "to %llu", (unsigned long long)since,
		    (unsigned long long)model->generation);
		if (take(registry))
			protocol_load_done(registry->protocol,
			    bring_up->hears_notes ? outcome->note_version :
						    0);
		replica_confirm(registry->replica);
		spool_play(registry->spool);
	} else if (outcome->result == STORE_OK ||
	    outcome->result == STORE_CONFLICT) {
		reload(registry, outcome);
	} else {
		/* The notes of the replica are gone from where they were. */
		log_warn("store: replica: not followed: %s",
		    outcome->message);
		model_free(&bring_up->model);
		bring_up->database = DATABASE_AWAY;
		if (read_replica(registry) == -1)
			give_up(registry);
	}
}

static void
follow(struct registry *registry)
{
	struct bring_up *bring_up = &registry->bring_up;

	/* The database has not heard of what the spool did to sessions. */
	bring_up->hears_notes = !spool_is_waiting(registry->spool);
	ev_timer_stop(registry->loop, &bring_up->patience);
	write_queue_hold(registry->writes, true);
	if (bring_up->hears_notes) {
		protocol_load_begin(registry->protocol);
		replica_begin_notes(registry->replica);
	}
	follow_forget(&registry->follow);
	bring_up->step = BRING_UP_FOLLOWING;
	if (follow_read(registry, bring_up->model->generation,
		bring_up->hears_notes ? on_note : NULL, on_followed) == 0)
		return;
	log_warn("store: replica: not followed: %m");
	give_up(registry);
}

static void
go_on(struct registry *registry)
{
	switch (registry->bring_up.database) {
	case DATABASE_UNKNOWN:
		break;
	case DATABASE_UP:
		follow(registry);
		break;
	case DATABASE_AWAY:
		serve(registry);
		break;
	}
}

bool
bring_up_database(struct registry *registry, bool is_up)
{
	struct bring_up *bring_up = &registry->bring_up;

	if (bring_up->step == BRING_UP_NONE ||
	    bring_up->step == BRING_UP_OVER)
		return false;
	bring_up->database = is_up ? DATABASE_UP : DATABASE_AWAY;
	if (bring_up->step == BRING_UP_WAITING)
		go_on(registry);
	return true;
}

/* The replica ------------------------------------------------------------- */

static void
on_own_note(void *context, const struct store_note *note)
{
	struct registry *registry = context;

	if (note->kind == NOTE_CONDITION)
		static_order_load(registry, registry->loading, note);
	else
		protocol_load_note(registry->protocol, note);
}

static void
on_spooled(void *context, const struct store_spooled *row)
{
	struct registry *registry = context;

	spool_load(registry->spool, row);
}

static void
on_read(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct bring_up *bring_up = &registry->bring_up;
	struct model *model = registry->loading;

	registry->loading = NULL;
	bring_up->outcome = *outcome;
	bring_up->outcome.message = NULL;	/* is gone with the call */
	if (outcome->result != STORE_OK || (outcome->generation == 0 &&
		!spool_is_waiting(registry->spool))) {
		if (outcome->result != STORE_OK)
			log_error("store: replica: %s", outcome->message);
		model_free(&model);
		give_up(registry);
		return;
	}
	model->generation = outcome->generation;
	memcpy(registry->identity, outcome->identity,
	    sizeof(registry->identity));
	replica_adopt(registry->replica, outcome);
	bring_up->model = model;
	bring_up->step = BRING_UP_WAITING;
	go_on(registry);
}

static int
read_replica(struct registry *registry)
{
	struct store_loader loader = registry_loader;

	loader.note = on_own_note;
	loader.spooled = on_spooled;
	loader.done = on_read;
	loader.context = registry;
	if (registry_load_begin(registry) == -1)
		return -1;
	registry->bring_up.step = BRING_UP_READING;
	spool_load_begin(registry->spool);
	if (store_load(replica_store(registry->replica), &loader) == 0)
		return 0;
	model_free(&registry->loading);
	return -1;
}

int
bring_up_start(struct registry *registry)
{
	struct bring_up *bring_up = &registry->bring_up;

	ev_timer_init(&bring_up->patience, on_patience, PATIENCE_S, 0.0);
	bring_up->patience.data = registry;
	if (registry->replica == NULL)
		return -1;
	if (read_replica(registry) == -1) {
		log_error("store: replica: %m");
		finish(registry);
		return -1;
	}
	ev_timer_start(registry->loop, &bring_up->patience);
	return 0;
}

void
bring_up_stop(struct registry *registry)
{
	ev_timer_stop(registry->loop, &registry->bring_up.patience);
	model_free(&registry->bring_up.model);
}
