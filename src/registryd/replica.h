/*
 * registryd/replica.h - what is routed here, kept in a local file.
 *
 * With driver postgres.  Each change that was applied to the model is put
 * into the file some moments later, many in one transaction, by a thread
 * of the file's own (store/replica.h): no answer waits for it, and a disk
 * that is slow, full or broken costs nothing but the file's age.  So the
 * file may be behind; it never claims to be further than it is.
 *
 * What came otherwise than change by change (the whole database was read,
 * or the file could not be written for a while) is copied whole: key range
 * by key range, each in a transaction, with the model standing as it is
 * meanwhile; the file is of use at each moment of that.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_REPLICA_H
#define REGISTRYD_REPLICA_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "registryd/store/replica.h"

struct registry;
struct replica;

/* NULL when the driver has none, or, logged, it cannot be had. */
struct replica *replica_new(struct registry *);
/* What has not been written is lost; the next start catches up. */
void replica_free(struct replica **);

/* For all below a NULL replica is none, and nothing happens. */

/* The file itself, for store_load(); NULL: there is none. */
struct store *replica_store(const struct replica *);

/* Copies of what became of an object that the model has now. */
void replica_put(struct replica *, const struct store_change *);
void replica_put_service(struct replica *, const struct service *);
void replica_put_backend(struct replica *, const struct backend *);
void replica_put_route(struct replica *, const struct route *);
/* The key of what is gone. */
void replica_remove(struct replica *, enum object_kind, const char *key);
void replica_put_notes(struct replica *, const struct note_changes *);

/* Whether notes have been missed: the next time that the database is asked,
 * all are to be told. */
bool replica_wants_notes(const struct replica *);
/*
 * Puts a row of the spool, or changes its state, together with notes (NULL:
 * none); done (may be NULL) comes when it is on the disk, or when it cannot
 * be.  The row's texts are borrowed until then.  0, or -1 when out of
 * memory: it does not come.
 */
MUST_CHECK int replica_spool(struct replica *, const struct store_spooled *,
    const struct note_changes *, store_done_fn *done, void *context);
/* Rows that were played, dropped, go up to these. */
void replica_forget_spooled(struct replica *, uint64_t played,
    uint64_t dropped);

/* All notes of the database: those between begin and end, and no others.
 * is_good false: they are not all, and nothing is changed. */
void replica_begin_notes(struct replica *);
void replica_add_note(struct replica *, const struct store_note *);
void replica_end_notes(struct replica *, bool is_good);

/* The model was read from that database: all of it is copied. */
void replica_copy(struct replica *, const char *identity);
/* The file is of that database and is followed from now on. */
void replica_adopt(struct replica *, const struct store_outcome *loaded);

/* The database was asked, and the model has all that it has. */
void replica_confirm(struct replica *);

/* All that was put has been written, or cannot be. */
bool replica_is_idle(const struct replica *);
void replica_on_idle(struct replica *, void (*)(void *context),
    void *context);

struct replica_figures {
	bool is_good;			/* it can be written */
	const char *error;		/* why not; "" */
	uint64_t generation;		/* that is in the file */
	int64_t confirmed_wall_ms;	/* the file was as the database; 0:
					 * never */
	uint64_t failed_count, set_aside_count;
};
void replica_figures(const struct replica *, struct replica_figures *);

#endif
