/*
 * registryd/store/note.c - what is kept but makes no generation.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/note.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[NOTE_SESSION] = "session",
	[NOTE_ACTIVE] = "active",
	[NOTE_STAGED] = "staged",
	[NOTE_TOKEN] = "token",
	[NOTE_WAITING] = "waiting",
	[NOTE_CONDITION] = "condition",
	[NOTE_GONE] = "gone",
};

const char *
note_kind_name(enum note_kind kind)
{
	return kind_names[kind];
}

int
note_kind_parse(const char *word, enum note_kind *kind_r)
{
	for (size_t i = 0; i < COUNT_OF(kind_names); i++) {
		if (strcmp(word, kind_names[i]) != 0)
			continue;
		*kind_r = (enum note_kind)i;
		return 0;
	}
	return -1;
}

int
note_changes_reserve(struct note_changes *changes, uint32_t more)
{
	uint32_t size = changes->size == 0 ? 4 : changes->size;
	struct note_change *longer;

	while (size < changes->count + more)
		size *= 2;
	if (size == changes->size)
		return 0;
	longer = realloc(changes->list, size * sizeof(*longer));
	if (longer == NULL)
		return -1;
	changes->list = longer;
	changes->size = size;
	return 0;
}

int
note_changes_add(struct note_changes *changes, enum note_op op,
    enum note_kind kind, const char *key, uint32_t seq, const char *body)
{
	struct note_change change = { op, kind, seq, strdup(key), NULL };

	if (body != NULL)
		change.body = strdup(body);
	if (change.key == NULL || (body != NULL && change.body == NULL) ||
	    note_changes_reserve(changes, 1) == -1) {
		free(change.key);
		free(change.body);
		return -1;
	}
	changes->list[changes->count++] = change;
	return 0;
}

int
note_changes_copy(struct note_changes *to, const struct note_changes *from)
{
	int result = 0;

	for (uint32_t i = 0; i < from->count && result == 0; i++) {
		const struct note_change *note = &from->list[i];

		result = note_changes_add(to, note->op, note->kind, note->key,
		    note->seq, note->body);
	}
	return result;
}

int
note_changes_move(struct note_changes *to, struct note_changes *from)
{
	if (from->count == 0)
		return 0;
	if (note_changes_reserve(to, from->count) == -1)
		return -1;
	memcpy(to->list + to->count, from->list,
	    from->count * sizeof(*from->list));
	to->count += from->count;
	from->count = 0;
	return 0;
}

void
note_changes_clear(struct note_changes *changes)
{
	for (uint32_t i = 0; i < changes->count; i++) {
		free(changes->list[i].key);
		free(changes->list[i].body);
	}
	free(changes->list);
	*changes = (struct note_changes){ 0 };
}
