/*
 * registryd/replica.c - what is routed here, kept in a local file.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/replica_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/follow.h"

#define RETRY_S	   5.0
#define CONFIRM_MS 10000

void
replica_turn_after(struct replica *replica, double seconds)
{
	if (replica->is_sending || (replica->is_broken && seconds == 0.0))
		return;
	ev_timer_stop(replica->registry->loop, &replica->turn);
	ev_timer_set(&replica->turn, seconds, 0.0);
	ev_timer_start(replica->registry->loop, &replica->turn);
}

void
replica_adopt(struct replica *replica, const struct store_outcome *loaded)
{
	memcpy(replica->identity, loaded->identity,
	    sizeof(replica->identity));
	replica->generation = loaded->generation;
	replica->confirmed_wall_ms = loaded->at_wall_ms;
}

void
replica_confirm(struct replica *replica)
{
	if (replica == NULL ||
	    clock_wall_ms() - replica->confirmed_wall_ms < CONFIRM_MS)
		return;
	replica->must_confirm = true;
	replica_turn_after(replica, 0.0);
}

/* Sending ---------------------------------------------------------------- */

/* What waits while notes are read. */
static bool
has_rest(const struct gathered *gathered)
{
	return gathered->notes.count > 0 || gathered->replaces_notes ||
	    gathered->row_count > 0 || gathered->forget_played != 0 ||
	    gathered->forget_dropped != 0;
}

static bool
is_due(const struct replica *replica)
{
	return replica->next.changes.count > 0 || replica->must_confirm ||
	    (has_rest(&replica->next) && !replica->is_reading_notes) ||
	    replica->copying.is_on || replica->is_copy_due;
}

bool
replica_is_idle(const struct replica *replica)
{
	return replica == NULL || replica->is_broken ||
	    (!replica->is_sending && !is_due(replica));
}

static void
lose(struct replica *replica, const char *why)
{
	replica->failed_count++;
	replica->is_copy_due = true;
	if (replica->sent.notes.count > 0 || replica->sent.replaces_notes)
		replica->are_notes_lost = true;
	if (!replica->is_broken)
		log_error("store: replica: %s: it stays as it was; trying "
			  "again", why);
	snprintf(replica->error, sizeof(replica->error), "%s", why);
	replica->is_broken = true;
	object_changes_clear(&replica->next.changes);
}

static void
take_written(struct replica *replica)
{
	if (replica->is_broken)
		log_notice("store: replica: it can be written again");
	replica->is_spool_due = replica->is_broken;
	replica->is_broken = false;
	replica->error[0] = '\0';
	if (replica->batch.has_generation)
		replica->generation = replica->batch.generation;
	if (replica->batch.confirmed_wall_ms != 0)
		replica->confirmed_wall_ms = replica->batch.confirmed_wall_ms;
	/* Unless it became another meanwhile. */
	if (replica->batch.identity != NULL &&
	    strcmp(replica->batch.identity, replica->identity) == 0)
		replica->is_begun_anew = replica->is_identity_due = false;
	if (replica->batch.range != NULL)
		replica_step_copy(replica);
}

/* Those that wait for rows may put more. */
static void
tell_waits(struct replica *replica, const struct store_outcome *outcome)
{
	struct gathered told = replica->sent;

	replica->sent = (struct gathered){ 0 };
	for (uint32_t i = 0; i < told.row_count; i++)
		if (told.waits[i].done != NULL)
			told.waits[i].done(told.waits[i].context, outcome);
	replica_clear_gathered(&told);
	if (replica->is_spool_due) {
		replica->is_spool_due = false;
		spool_rewrite(replica->registry->spool);
	}
}

static void
on_written(void *context, const struct store_outcome *outcome)
{
	struct replica *replica = context;

	replica->is_sending = false;
	if (outcome->result == STORE_OK)
		take_written(replica);
	else
		lose(replica, outcome->message);
	tell_waits(replica, outcome);
	if (ev_is_active(&replica->turn))
		return;			/* for a row that came just now */
	if (replica->is_broken)
		replica_turn_after(replica, RETRY_S);
	else if (is_due(replica))
		replica_turn_after(replica, 0.0);
	if (replica_is_idle(replica) && replica->on_idle != NULL)
		replica->on_idle(replica->idle_context);
}

/* What the file may say of itself once this is written: nothing while it
 * is being copied, or the model lacks something. */
static void
describe_moment(struct replica *replica)
{
	const struct registry *registry = replica->registry;
	struct replica_batch *batch = &replica->batch;
	struct store_figures figures;

	memcpy(replica->sent_identity, replica->identity,
	    sizeof(replica->sent_identity));
	if (replica->is_begun_anew) {
		batch->identity = replica->sent_identity;
		batch->has_generation = true;
		return;			/* generation 0: not to be used yet */
	}
	if (replica->copying.is_on || registry->model == NULL ||
	    registry->is_stale)
		return;
	store_figures(registry->store, &figures);
	if (replica->is_identity_due)
		batch->identity = replica->sent_identity;
	batch->has_generation = true;
	batch->generation = follow_since(registry);
	if (figures.is_up && !registry->follow.has_gap)
		batch->confirmed_wall_ms = clock_wall_ms();
}

/* Changes and a range take turns, notes go with either. */
static int
gather_batch(struct replica *replica)
{
	struct gathered *next = &replica->next, *sent = &replica->sent;
	struct object_changes waiting;

	if (replica->is_copy_due)
		replica_begin_copy(replica);
	replica->is_range_sent = replica->copying.is_on &&
	    (next->changes.count == 0 || !replica->is_range_sent);
	if (!replica->is_range_sent) {
		sent->changes = next->changes;
		next->changes = (struct object_changes){ 0 };
	} else if (replica_copy_range(replica) == -1) {
		return -1;
	}
	if (replica->is_reading_notes)
		return 0;
	/* All the rest. */
	waiting = next->changes;
	next->changes = sent->changes;
	*sent = *next;
	*next = (struct gathered){ .changes = waiting };
	return 0;
}

static void
on_turn(struct ev_loop *loop, ev_timer *turn, int events)
{
	static const struct store_outcome out_of_memory = {
		.result = STORE_UNAVAILABLE,
		.message = "out of memory",
	};
	struct replica *replica = turn->data;

	(void)loop, (void)events;
	if (replica->is_sending || !is_due(replica) ||
	    replica->registry->model == NULL)
		return;
	replica->batch = (struct replica_batch){ 0 };
	replica->is_sending = true;
	if (gather_batch(replica) == 0) {
		replica->batch.range = replica->is_range_sent
		    ? &replica->range : NULL;
		replica->batch.changes = &replica->sent.changes;
		replica->batch.notes = &replica->sent.notes;
		replica->batch.replaces_notes = replica->sent.replaces_notes;
		replica->batch.spooled = replica->sent.rows;
		replica->batch.spooled_count = replica->sent.row_count;
		replica->batch.forget_played = replica->sent.forget_played;
		replica->batch.forget_dropped = replica->sent.forget_dropped;
		describe_moment(replica);
		replica->must_confirm = false;
		if (store_replicate(replica->store, &replica->batch,
			on_written, replica) == 0)
			return;
	}
	on_written(replica, &out_of_memory);
}

/* Life ------------------------------------------------------------------- */

struct replica *
replica_new(struct registry *registry)
{
	struct replica *replica;
	const char *error;

	if (registry->daemon->settings->store.driver != STORE_POSTGRES)
		return NULL;
	if ((replica = calloc(1, sizeof(*replica))) == NULL ||
	    store_replica_new(registry->loop, registry->daemon->settings,
		&replica->store, &error) == -1) {
		log_error("store: %s: there is no local file",
		    replica == NULL ? "replica: out of memory" : error);
		free(replica);
		return NULL;
	}
	replica->registry = registry;
	ev_timer_init(&replica->turn, on_turn, 0.0, 0.0);
	replica->turn.data = replica;
	return replica;
}

void
replica_free(struct replica **p)
{
	struct replica *replica = *p;

	*p = NULL;
	if (replica == NULL)
		return;
	ev_timer_stop(replica->registry->loop, &replica->turn);
	store_free(&replica->store);
	replica_clear_gathered(&replica->next);
	replica_clear_gathered(&replica->sent);
	note_changes_clear(&replica->all_notes);
	replica_end_copy(replica);
	free(replica);
}

struct store *
replica_store(const struct replica *replica)
{
	return replica == NULL ? NULL : replica->store;
}

void
replica_on_idle(struct replica *replica, void (*on_idle)(void *context),
    void *context)
{
	if (replica == NULL)
		return;
	replica->on_idle = on_idle;
	replica->idle_context = context;
}

void
replica_figures(const struct replica *replica,
    struct replica_figures *figures_r)
{
	struct store_figures figures;

	store_figures(replica->store, &figures);
	*figures_r = (struct replica_figures){
		.is_good = !replica->is_broken,
		.error = replica->error,
		.generation = replica->generation,
		.confirmed_wall_ms = replica->confirmed_wall_ms,
		.failed_count = replica->failed_count,
		.set_aside_count = figures.set_aside_count,
	};
}
