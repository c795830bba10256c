/*
 * registryd/change_index.c - which change of a write is the latest about
 * an object.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/change_index.h"

#include <stdlib.h>
#include <string.h>

#include "registryd/write_queue.h"
#include "shm/route_hash.h"

struct key {
	enum object_kind kind;
	const char *name;		/* of a service */
	uint64_t id;			/* of others */
};

static struct key
key_of(const struct store_change *change)
{
	struct key key = { .kind = change->kind };

	switch (change->kind) {
	case OBJECT_SERVICE:
		key.name = change->object.service->name;
		break;
	case OBJECT_BACKEND:
		key.id = change->object.backend->id;
		break;
	case OBJECT_ROUTE:
		key.id = change->object.route->id;
		break;
	}
	return key;
}

static bool
is_about(const struct store_change *change, const struct key *key)
{
	struct key other = key_of(change);

	return other.kind == key->kind && other.id == key->id &&
	    (key->name == NULL || strcmp(other.name, key->name) == 0);
}

static uint32_t
hash(const struct key *key)
{
	if (key->name != NULL)
		return route_hash(0, key->kind, key->name, strlen(key->name));
	return route_hash(0, key->kind, (const char *)&key->id,
	    sizeof(key->id));
}

/* The slot that has it, or that it would be put into. */
static uint32_t *
find(const struct change_index *index, const struct key *key)
{
	uint32_t mask = index->slot_count - 1;
	uint32_t at = hash(key) & mask;

	while (index->slots[at] != 0 &&
	    !is_about(&index->write->changes[index->slots[at] - 1], key))
		at = (at + 1) & mask;
	return &index->slots[at];
}

static const struct store_change *
look_up(const struct change_index *index, const struct key *key)
{
	uint32_t slot = *find(index, key);

	return slot == 0 ? NULL : &index->write->changes[slot - 1];
}

int
change_index_init(struct change_index *index, const struct write *write)
{
	index->write = write;
	index->slot_count = 2;
	while (index->slot_count / 2 < write->change_count)
		index->slot_count *= 2;
	index->slots = calloc(index->slot_count, sizeof(*index->slots));
	return index->slots == NULL ? -1 : 0;
}

void
change_index_clear(struct change_index *index)
{
	free(index->slots);
	index->slots = NULL;
}

void
change_index_add(struct change_index *index, uint32_t position)
{
	struct key key = key_of(&index->write->changes[position]);

	if (key.name != NULL || key.id != 0)
		*find(index, &key) = position + 1;
}

const struct store_change *
change_index_service(const struct change_index *index, const char *name)
{
	return look_up(index, &(struct key){ OBJECT_SERVICE, name, 0 });
}

const struct store_change *
change_index_id(const struct change_index *index, enum object_kind kind,
    uint64_t id)
{
	return look_up(index, &(struct key){ kind, NULL, id });
}
