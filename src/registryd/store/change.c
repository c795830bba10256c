/*
 * registryd/store/change.c - what the store gives to the changes of a commit.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool
change_is_creation(const struct store_change *change)
{
	return !change->is_removal && change->before_json == NULL;
}

const char *
change_action(const struct store_change *change)
{
	if (change->is_removal)
		return "delete";
	return change->before_json == NULL ? "create" : "update";
}

static uint64_t *
id_of(const struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		return NULL;
	case OBJECT_BACKEND:
		return &change->object.backend->id;
	case OBJECT_ROUTE:
		return &change->object.route->id;
	}
	return NULL;
}

static struct object_times *
times_of(const struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		return &change->object.service->times;
	case OBJECT_BACKEND:
		return &change->object.backend->times;
	case OBJECT_ROUTE:
		return &change->object.route->times;
	}
	return NULL;
}

uint64_t
change_id(const struct store_change *change)
{
	const uint64_t *id = id_of(change);

	return id == NULL ? 0 : *id;
}

const char *
change_key(const struct store_change *change, char buf[CHANGE_KEY_SIZE])
{
	if (change->kind == OBJECT_SERVICE)
		return change->object.service->name;
	snprintf(buf, CHANGE_KEY_SIZE, "%" PRIu64, change_id(change));
	return buf;
}

struct change_ids
change_ids_needed(const struct store_commit *commit, enum object_kind kind)
{
	struct change_ids ids = { 0 };

	for (uint32_t i = 0; i < commit->change_count; i++) {
		const struct store_change *change = &commit->changes[i];
		uint64_t id = change_id(change);

		if (change->kind != kind || !change_is_creation(change))
			continue;
		if (id == 0)
			ids.count++;
		else if (id > ids.highest && id < STORE_SPOOLED_FIRST)
			ids.highest = id;
	}
	return ids;
}

void
change_stamp(struct store_change *change, struct commit_stamp *stamp)
{
	struct object_times *times = times_of(change);
	uint64_t *id = id_of(change);

	if (change->is_removal)
		return;
	if (id != NULL && *id == 0)
		*id = change->kind == OBJECT_BACKEND ? stamp->next_backend_id++
						     : stamp->next_route_id++;
	times->version = stamp->generation;
	times->updated_wall_ms = stamp->at_wall_ms;
	if (change_is_creation(change))
		times->created_wall_ms = stamp->at_wall_ms;
}

bool
change_is_expected(const struct store_commit *commit,
    const struct commit_stamp *stamp)
{
	return commit->expected_generation == 0 ||
	    stamp->generation == commit->expected_generation + 1;
}

void
change_fail_generation(struct store_request *request)
{
	request_fail(request, STORE_CONFLICT,
	    "another change came between; try again");
}

struct backup_row {
	uint64_t id;
	struct object_times times;
};

struct change_backup {
	size_t count;
	struct backup_row rows[];
};

int
change_backup_new(const struct store_commit *commit,
    struct change_backup **backup_r)
{
	struct change_backup *backup;

	backup = malloc(sizeof(*backup) +
	    commit->change_count * sizeof(backup->rows[0]));
	if (backup == NULL)
		return -1;
	backup->count = commit->change_count;
	for (uint32_t i = 0; i < commit->change_count; i++) {
		backup->rows[i].id = change_id(&commit->changes[i]);
		backup->rows[i].times = *times_of(&commit->changes[i]);
	}
	*backup_r = backup;
	return 0;
}

void
change_backup_restore(const struct change_backup *backup,
    const struct store_commit *commit)
{
	for (size_t i = 0; i < backup->count; i++) {
		uint64_t *id = id_of(&commit->changes[i]);

		if (id != NULL)
			*id = backup->rows[i].id;
		*times_of(&commit->changes[i]) = backup->rows[i].times;
	}
}

void
change_backup_free(struct change_backup **p)
{
	free(*p);
	*p = NULL;
}

void
change_fail_conflict(struct store_request *request,
    const struct store_change *change)
{
	char key[CHANGE_KEY_SIZE];

	request_fail(request, STORE_CONFLICT, "%s %s: %s",
	    object_kind_name(change->kind), change_key(change, key),
	    change_is_creation(change)
		? "exists already; read it and try again"
		: "was changed meanwhile; read it and try again");
}
