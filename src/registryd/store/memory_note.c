/*
 * registryd/store/memory_note.c - notes in plain memory.
 *
 * What is there is a list of NOTE_PUT changes.  Copies are made first, so
 * that nothing can fail half-way.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "registryd/store/memory_db.h"

static void
drop(struct memory_db *db, const struct note_change *change)
{
	struct note_changes *notes = &db->notes;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < notes->count; i++) {
		struct note_change *note = &notes->list[i];

		if (note->kind == change->kind &&
		    strcmp(note->key, change->key) == 0 &&
		    (change->op == NOTE_REMOVE_ALL ||
			note->seq == change->seq)) {
			free(note->key);
			free(note->body);
		} else {
			notes->list[kept++] = *note;
		}
	}
	notes->count = kept;
}

static int
copy_puts(const struct note_changes *changes, struct note_changes *copies)
{
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct note_change *change = &changes->list[i];

		if (change->op == NOTE_PUT &&
		    note_changes_add(copies, NOTE_PUT, change->kind,
			change->key, change->seq, change->body) == -1) {
			note_changes_clear(copies);
			return -1;
		}
	}
	return 0;
}

int
memory_notes_apply(struct memory_db *db, const struct note_changes *changes)
{
	struct note_changes copies = { 0 };
	uint32_t next = 0;

	if (changes == NULL)
		return 0;
	if (copy_puts(changes, &copies) == -1 ||
	    note_changes_reserve(&db->notes, copies.count) == -1) {
		note_changes_clear(&copies);
		return -1;
	}
	for (uint32_t i = 0; i < changes->count; i++) {
		drop(db, &changes->list[i]);
		if (changes->list[i].op == NOTE_PUT)
			db->notes.list[db->notes.count++] =
			    copies.list[next++];
	}
	free(copies.list);
	return 0;
}

void
memory_db_write_notes(struct memory_db *db, struct store_request *request)
{
	if (memory_notes_apply(db, request->ask.notes) == -1)
		request_fail(request, STORE_UNAVAILABLE, "out of memory");
}
