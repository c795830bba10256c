/*
 * registryd/replica_put.c - what the replica is told, until it is written.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/replica_parts.h"

#include <stdlib.h>

#include "registryd/write_parts.h"

#define WAITING_MAX 100000		/* then a copy is cheaper */

void
replica_clear_gathered(struct gathered *gathered)
{
	object_changes_clear(&gathered->changes);
	note_changes_clear(&gathered->notes);
	free(gathered->rows);
	free(gathered->waits);
	*gathered = (struct gathered){ 0 };
}

/* result: of adding to what is gathered. */
static void
gather(struct replica *replica, int result)
{
	if (result == -1 || replica->next.changes.count > WAITING_MAX)
		replica->is_copy_due = true;
	if (replica->is_copy_due)	/* it will be among that */
		object_changes_clear(&replica->next.changes);
	replica_turn_after(replica, 0.0);
}

static void
gather_notes(struct replica *replica, int result)
{
	if (result == -1 || replica->next.notes.count > WAITING_MAX) {
		note_changes_clear(&replica->next.notes);
		replica->are_notes_lost = true;
	}
	replica_turn_after(replica, 0.0);
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
	replica_turn_after(replica, 0.0);
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
	replica_turn_after(replica, 0.0);
}
