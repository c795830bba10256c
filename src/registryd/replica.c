/*
 * registryd/replica.c - what is routed here, kept in a local file.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/follow.h"
#include "registryd/registry.h"
#include "registryd/write_parts.h"

#define CHUNK_ROWS     1000		/* of a copy, in one transaction */
#define WAITING_MAX    100000		/* then a copy is cheaper */
#define RETRY_S	       5.0
#define CONFIRM_MS     10000

struct spool_wait {
	store_done_fn *done;		/* or NULL */
	void *context;
};

/* What goes into one transaction. */
struct gathered {
	struct object_changes changes;
	struct note_changes notes;
	bool replaces_notes;
	struct store_spooled *rows;	/* of the spool; texts borrowed */
	struct spool_wait *waits;	/* for each of them */
	uint32_t row_count, row_size;
	uint64_t forget_played, forget_dropped;
};

/* How far a copy of the model is; the range is the one under way. */
struct copying {
	bool is_on, has_more;
	enum object_kind kind;
	char *after_name, *upto_name;	/* NULL: from the first; to the last */
	uint64_t after_id, upto_id;
};

struct replica {
	struct registry *registry;
	struct store *store;
	struct gathered next, sent;
	struct copying copying;
	bool is_sending, is_range_sent;
	bool is_broken, is_copy_due;
	bool must_confirm;
	bool is_spool_due;		/* some of it may be lost */
	char identity[STORE_IDENTITY_SIZE];
	char sent_identity[STORE_IDENTITY_SIZE];
	bool is_begun_anew;		/* of another database, or of an
					 * earlier state of it: what is
					 * there is of no use */
	bool is_identity_due;		/* it is not in the file */
	struct replica_batch batch;	/* what was sent */
	struct replica_range range;
	struct note_changes all_notes;	/* between begin and end */
	bool is_reading_notes, are_notes_failed, are_notes_lost;
	char error[160];
	uint64_t generation;		/* of the file */
	int64_t confirmed_wall_ms;	/* of the file */
	uint64_t failed_count;
	ev_timer turn;
	void (*on_idle)(void *context);
	void *idle_context;
};

static void
clear_gathered(struct gathered *gathered)
{
	object_changes_clear(&gathered->changes);
	note_changes_clear(&gathered->notes);
	free(gathered->rows);
	free(gathered->waits);
	*gathered = (struct gathered){ 0 };
}

/* What waits while notes are read. */
static bool
has_rest(const struct gathered *gathered)
{
	return gathered->notes.count > 0 || gathered->replaces_notes ||
	    gathered->row_count > 0 || gathered->forget_played != 0 ||
	    gathered->forget_dropped != 0;
}

static void
turn_after(struct replica *replica, double seconds)
{
	if (replica->is_sending || (replica->is_broken && seconds == 0.0))
		return;
	ev_timer_stop(replica->registry->loop, &replica->turn);
	ev_timer_set(&replica->turn, seconds, 0.0);
	ev_timer_start(replica->registry->loop, &replica->turn);
}

static void
end_copy(struct replica *replica)
{
	free(replica->copying.after_name);
	free(replica->copying.upto_name);
	replica->copying = (struct copying){ .kind = OBJECT_SERVICE };
}

/* All that there is, as it is then; changes so far are among it. */
static void
begin_copy(struct replica *replica)
{
	object_changes_clear(&replica->next.changes);
	end_copy(replica);
	replica->copying.is_on = true;
	replica->is_copy_due = false;
}

/* Putting ---------------------------------------------------------------- */

/* result: of adding to what is gathered. */
static void
gather(struct replica *replica, int result)
{
	if (result == -1 || replica->next.changes.count > WAITING_MAX)
		replica->is_copy_due = true;
	if (replica->is_copy_due)	/* it will be among that */
		object_changes_clear(&replica->next.changes);
	turn_after(replica, 0.0);
}

static void
gather_notes(struct replica *replica, int result)
{
	if (result == -1 || replica->next.notes.count > WAITING_MAX) {
		note_changes_clear(&replica->next.notes);
		replica->are_notes_lost = true;
	}
	turn_after(replica, 0.0);
}

void
replica_put(struct replica *replica, const struct store_change *change)
{
	char key[24];

	if (replica == NULL)
		return;
	if (!change->is_removal)
		gather(replica,
		    object_changes_add(&replica->next.changes, change));
	else if (change->kind == OBJECT_SERVICE)
		replica_remove(replica, change->kind,
		    change->object.service->name);
	else
		replica_remove(replica, change->kind,
		    write_change_key(change, key, sizeof(key)));
}

void
replica_put_service(struct replica *replica, const struct service *service)
{
	if (replica != NULL)
		gather(replica, object_changes_put_service(
		    &replica->next.changes, service));
}

void
replica_put_backend(struct replica *replica, const struct backend *backend)
{
	if (replica != NULL)
		gather(replica, object_changes_put_backend(
		    &replica->next.changes, backend));
}

void
replica_put_route(struct replica *replica, const struct route *route)
{
	if (replica != NULL)
		gather(replica, object_changes_put_route(
		    &replica->next.changes, route));
}

void
replica_remove(struct replica *replica, enum object_kind kind,
    const char *key)
{
	struct object_changes *changes;

	if (replica == NULL)
		return;
	changes = &replica->next.changes;
	gather(replica, kind == OBJECT_SERVICE
		? object_changes_remove_service(changes, key)
		: object_changes_remove_id(changes, kind,
		    strtoull(key, NULL, 10)));
}

void
replica_put_notes(struct replica *replica, const struct note_changes *notes)
{
	int result = 0;

	if (replica == NULL)
		return;
	for (uint32_t i = 0; i < notes->count && result == 0; i++) {
		const struct note_change *note = &notes->list[i];

		if (note->op != NOTE_HOLD)
			result = note_changes_add(&replica->next.notes,
			    note->op, note->kind, note->key, note->seq,
			    note->body);
	}
	gather_notes(replica, result);
}

static int
add_row(struct gathered *gathered, const struct store_spooled *row,
    store_done_fn *done, void *context)
{
	uint32_t size = gathered->row_size == 0 ? 4 : 2 * gathered->row_size;
	struct store_spooled *rows;
	struct spool_wait *waits;

	if (gathered->row_count == gathered->row_size) {
		rows = realloc(gathered->rows, size * sizeof(*rows));
		if (rows == NULL)
			return -1;
		gathered->rows = rows;
		waits = realloc(gathered->waits, size * sizeof(*waits));
		if (waits == NULL)
			return -1;
		gathered->waits = waits;
		gathered->row_size = size;
	}
	gathered->rows[gathered->row_count] = *row;
	gathered->waits[gathered->row_count++] = (struct spool_wait){
		done, context };
	return 0;
}

int
replica_spool(struct replica *replica, const struct store_spooled *row,
    const struct note_changes *notes, store_done_fn *done, void *context)
{
	if (notes != NULL)
		replica_put_notes(replica, notes);
	if (add_row(&replica->next, row, done, context) == -1)
		return -1;
	if (replica->is_sending)
		return 0;
	/* It is tried at once, broken or not: somebody waits. */
	ev_timer_stop(replica->registry->loop, &replica->turn);
	ev_timer_set(&replica->turn, 0.0, 0.0);
	ev_timer_start(replica->registry->loop, &replica->turn);
	return 0;
}

void
replica_forget_spooled(struct replica *replica, uint64_t played,
    uint64_t dropped)
{
	replica->next.forget_played = played;
	replica->next.forget_dropped = dropped;
	turn_after(replica, 0.0);
}

bool
replica_wants_notes(const struct replica *replica)
{
	return replica != NULL && replica->are_notes_lost &&
	    !replica->is_broken && !spool_is_waiting(replica->registry->spool);
}

/* Those that come meanwhile may not be among what is read: they wait, and
 * come behind it. */
void
replica_begin_notes(struct replica *replica)
{
	if (replica == NULL)
		return;
	note_changes_clear(&replica->all_notes);
	replica->is_reading_notes = true;
	replica->are_notes_failed = false;
}

void
replica_add_note(struct replica *replica, const struct store_note *note)
{
	if (replica != NULL && replica->is_reading_notes &&
	    note_changes_add(&replica->all_notes, NOTE_PUT, note->kind,
		note->key, note->seq, note->body) == -1)
		replica->are_notes_failed = true;
}

void
replica_end_notes(struct replica *replica, bool is_good)
{
	if (replica == NULL || !replica->is_reading_notes)
		return;
	replica->is_reading_notes = false;
	if (is_good && !replica->are_notes_failed &&
	    note_changes_move(&replica->all_notes, &replica->next.notes) ==
		0) {
		note_changes_clear(&replica->next.notes);
		replica->next.notes = replica->all_notes;
		replica->next.replaces_notes = true;
		replica->are_notes_lost = false;
		replica->all_notes = (struct note_changes){ 0 };
	}
	note_changes_clear(&replica->all_notes);
	turn_after(replica, 0.0);
}

void
replica_copy(struct replica *replica, const char *identity)
{
	const struct model *model;

	if (replica == NULL)
		return;
	model = replica->registry->model;
	replica->is_begun_anew |=
	    !store_is_same_database(replica->identity, identity) ||
	    model->generation < replica->generation;
	replica->is_identity_due |= strcmp(replica->identity, identity) != 0;
	snprintf(replica->identity, sizeof(replica->identity), "%s", identity);
	/* Begun when what is under way is written. */
	object_changes_clear(&replica->next.changes);
	replica->is_copy_due = true;
	turn_after(replica, 0.0);
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
	turn_after(replica, 0.0);
}

/* Copying ---------------------------------------------------------------- */

/* Each puts objects behind the last key into what is sent; upto is the
 * last of them, if there may be more.  0, or -1 when out of memory. */
static int
copy_services(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	const struct model *model = replica->registry->model;
	const struct model_service *service;
	const char *last = NULL;
	uint32_t count = 0;

	for (service = model_next_service(model, copying->after_name);
	    service != NULL && count < CHUNK_ROWS;
	    service = model_next_service(model, last)) {
		last = service->object.name;
		count++;
		if (service->object.origin != ORIGIN_FILE &&
		    object_changes_put_service(&replica->sent.changes,
			&service->object) == -1)
			return -1;
	}
	copying->has_more = count == CHUNK_ROWS;
	if (copying->has_more && (copying->upto_name = strdup(last)) == NULL)
		return -1;
	return 0;
}

static int
copy_backends(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	const struct model *model = replica->registry->model;
	const struct model_backend *backend;
	uint32_t count = 0;

	for (backend = model_next_backend(model, copying->after_id);
	    backend != NULL && count < CHUNK_ROWS;
	    backend = model_next_backend(model, copying->upto_id)) {
		copying->upto_id = backend->object.id;
		count++;
		if (backend->object.origin != ORIGIN_FILE &&
		    object_changes_put_backend(&replica->sent.changes,
			&backend->object) == -1)
			return -1;
	}
	copying->has_more = count == CHUNK_ROWS;
	return 0;
}

static int
copy_routes(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	const struct model *model = replica->registry->model;
	const struct model_route *route;
	uint32_t count = 0;

	for (route = model_next_route(model, copying->after_id);
	    route != NULL && count < CHUNK_ROWS;
	    route = model_next_route(model, copying->upto_id)) {
		copying->upto_id = route->object.id;
		count++;
		if (route->object.origin != ORIGIN_FILE &&
		    object_changes_put_route(&replica->sent.changes,
			&route->object) == -1)
			return -1;
	}
	copying->has_more = count == CHUNK_ROWS;
	return 0;
}

/* The next range is what is sent; 0, or -1 when out of memory. */
static int
copy_range(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	int result = -1;

	switch (copying->kind) {
	case OBJECT_SERVICE:
		result = copy_services(replica);
		break;
	case OBJECT_BACKEND:
		result = copy_backends(replica);
		break;
	case OBJECT_ROUTE:
		result = copy_routes(replica);
		break;
	}
	replica->range = (struct replica_range){
		.kind = copying->kind,
		.after_name = copying->after_name == NULL
		    ? "" : copying->after_name,
		.upto_name = copying->upto_name,
		.after_id = copying->after_id,
		.upto_id = copying->has_more ? copying->upto_id : 0,
	};
	return result;
}

/* The range has been written.  Services come first, routes last: a load
 * leaves routes to nowhere out. */
static void
step_copy(struct replica *replica)
{
	struct copying *copying = &replica->copying;

	if (!copying->is_on)
		return;
	free(copying->after_name);
	copying->after_name = copying->upto_name;
	copying->after_id = copying->has_more ? copying->upto_id : 0;
	copying->upto_name = NULL;
	copying->upto_id = 0;
	if (copying->has_more)
		return;
	if (copying->kind != OBJECT_ROUTE) {
		copying->kind++;
		return;
	}
	end_copy(replica);
	replica->must_confirm = true;	/* says the generation, too */
}

/* Sending ---------------------------------------------------------------- */

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
		step_copy(replica);
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
	clear_gathered(&told);
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
		turn_after(replica, RETRY_S);
	else if (is_due(replica))
		turn_after(replica, 0.0);
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
		begin_copy(replica);
	replica->is_range_sent = replica->copying.is_on &&
	    (next->changes.count == 0 || !replica->is_range_sent);
	if (!replica->is_range_sent) {
		sent->changes = next->changes;
		next->changes = (struct object_changes){ 0 };
	} else if (copy_range(replica) == -1) {
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
	clear_gathered(&replica->next);
	clear_gathered(&replica->sent);
	note_changes_clear(&replica->all_notes);
	end_copy(replica);
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
