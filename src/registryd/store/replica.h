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

enum spool_state { SPOOL_WAITING, SPOOL_PLAYED, SPOOL_DROPPED };
const char *spool_state_name(enum spool_state);

/* A commit that is kept, as a row; the texts are borrowed. */
struct store_spooled {
	uint64_t seq;			/* the order, from 1 */
	const char *id;			/* store_commit.spool_id */
	enum spool_state state;
	uint64_t generation;		/* PLAYED: the commit it became */
	const char *reason;		/* DROPPED: why */
	int64_t at_wall_ms;
	const char *who, *from, *channel, *request_id;
	const char *body;		/* spool_body.h */
};

/* One transaction, in this order; all borrowed until it is done. */
struct replica_batch {
	const struct replica_range *range; /* goes first; or NULL.  Changes
					 * are then all there is in it */
	const struct object_changes *changes; /* as they are now; or NULL */
	bool replaces_notes;		/* those that are there go first */
	const struct note_changes *notes; /* or NULL */
	const struct store_spooled *spooled; /* rows to put, or to change the
					 * state of; with any, the batch is
					 * on the disk when it is done */
	uint32_t spooled_count;
	/* Rows of these states go, up to this seq. */
	uint64_t forget_played, forget_dropped;
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
