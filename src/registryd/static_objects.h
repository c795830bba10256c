/*
 * registryd/static_objects.h - service and route sections of the settings.
 *
 * They are in the model with origin "file", never in the store, and the
 * API cannot change them.  Their ids are made of their names, with the
 * 53rd bit set (the store's are below it), so that they are the same
 * after each start.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STATIC_OBJECTS_H
#define REGISTRYD_STATIC_OBJECTS_H

#include "common/compat.h"
#include "conf/settings.h"
#include "registryd/model.h"

struct registry;

#define STATIC_ID_BIT (UINT64_C(1) << 52)

/*
 * Makes the model's static objects those of the settings: adds, changes,
 * removes.  What cannot be taken over (its name is taken in the store,
 * its path belongs to another) is logged with its line and left out.
 */
void static_objects_apply(struct model *, const struct settings *,
    int64_t now_wall_ms);

/* static_audit.c: the static objects of a model as text, to be compared. */
struct static_row {
	enum object_kind kind;
	char *key, *text;
};

struct static_snapshot {
	struct static_row *list;
	size_t count, size;
	bool is_failed;			/* out of memory: some are missing */
};

void static_snapshot_take(const struct model *, struct static_snapshot *);
void static_snapshot_clear(struct static_snapshot *);

/* Tells history what the sections brought, changed and took away since. */
void static_audit(struct registry *, const struct static_snapshot *before);

#endif
