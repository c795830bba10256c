/*
 * registryd/store/replica.h - the local file that follows a database.
 *
 * A SQLite file, worked on by a thread of its own, as the store of driver
 * sqlite is; and a struct store: store_load(), store_ping(), figures and
 * store_free() are its.  It holds what was routed here last, and never
 * less: a generation that it names is complete in it, and what is newer
 * than that may be there as well, so that whoever loads it and follows the
 * database from that generation has all.
 *
 * One that cannot be read is renamed to PATH.broken and begun anew; a file
 * that is the store of another sluice is left alone.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_REPLICA_H
#define REGISTRYD_STORE_REPLICA_H

#include "registryd/store/object_changes.h"
#include "registryd/store/store.h"

/* Of the objects of a kind all that are behind one key and not behind
 * another.  Keys are of the kind: names of services, else ids. */
struct replica_range {
	enum object_kind kind;
	const char *after_name, *upto_name;	/* upto NULL: the last */
	uint64_t after_id, upto_id;		/* upto 0: the last */
};

/* One transaction, in this order; all borrowed until it is done. */
struct replica_batch {
	const struct replica_range *range; /* goes first; or NULL.  Changes
					 * are then all there is in it */
	const struct object_changes *changes; /* as they are now; or NULL */
	bool replaces_notes;		/* those that are there go first */
	const struct note_changes *notes; /* or NULL */
	const char *identity;		/* NULL: as it was */
	bool has_generation;
	uint64_t generation;
	int64_t confirmed_wall_ms;	/* 0: as it was */
};

/* 0, or -1 with *error_r a sentence in static memory. */
MUST_CHECK int store_replica_new(struct ev_loop *, const struct settings *,
    struct store **store_r, const char **error_r);

MUST_CHECK int store_replicate(struct store *, const struct replica_batch *,
    store_done_fn *, void *context);

#endif
