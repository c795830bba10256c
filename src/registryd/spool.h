/*
 * registryd/spool.h - commits that are kept while PostgreSQL is away.
 *
 * With store.outage = "spool".  A commit that the store cannot take is
 * written to the local file, and on the disk before it is answered; takes
 * effect here at once; and is played into PostgreSQL, in its order, when
 * that is back.  From the first kept commit to the last played one all
 * commits go through the spool, so that none overtakes another.
 *
 * What is kept makes no generation here.  The model's generation goes on
 * to say what it has of the database, so that following from there is
 * right, and what is kept lies over that: objects with versions and ids
 * from STORE_SPOOLED_FIRST on.  Each kept commit becomes one commit, and
 * one generation, of PostgreSQL; that is when its objects get their
 * versions.  Ids stay.
 *
 * Exactly once: PostgreSQL records the id of each in the commit's own
 * transaction, so that one that was made, but of which this registryd was
 * not told or could not take note, is found made (store_commit.spool_id).
 *
 *	            store is back           all followed        made, or
 *	kept ------------------> followed -----------> played   refused
 *	                  ^                               |
 *	                  +------ it is away again -------+
 *
 * Conflicts are decided when a commit is played, with what others changed
 * in the model:
 *
 *	an object was changed or removed by others	dropped
 *	a (domain, prefix) went to another service	dropped, unless the
 *	    at equal priority				route is shared
 *	... at another priority				both: the higher wins
 *	it leans on what was dropped			dropped
 *
 * A commit is played or dropped as a whole.  What is dropped is said in
 * the log, counted, and listed until a thousand later ones; when all are
 * played the database is loaded, which takes it out of the model.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_SPOOL_H
#define REGISTRYD_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/compat.h"
#include "registryd/store/replica.h"
#include "registryd/store/spool_body.h"

struct model;
struct registry;
struct spool;

/* NULL when there is no replica to keep it in. */
struct spool *spool_new(struct registry *);
void spool_free(struct spool **);

/* For all below a NULL spool is none: empty. */

/*
 * As store_commit(), or, where there are no changes, store_write_notes():
 * to the store, or, when that is away and the settings say so, into the
 * spool; outcome.spooled_seq is then not 0.
 */
MUST_CHECK int spool_commit(struct registry *, const struct store_commit *);

bool spool_is_waiting(const struct spool *);
bool spool_is_playing(const struct spool *);

/* From the local file: forgets all, then row by row. */
void spool_load_begin(struct spool *);
void spool_load(struct spool *, const struct store_spooled *);

/* Puts what waits over what is in a model of the database. */
void spool_overlay(struct spool *, struct model *);

/* The model has all that the database has: what waits is played. */
void spool_play(struct spool *);
/* It belongs to another database: all that waits is dropped. */
void spool_disown(struct spool *);
/* The local file lost some of it: all is written again. */
void spool_rewrite(struct spool *);

/* For /v1/store/spool, in order: what was dropped, and what waits. */
struct spool_entry {
	TAILQ_ENTRY(spool_entry) entry;
	struct store_spooled row;	/* texts owned */
	struct spool_body body;
	bool *skips;			/* of each change: a later one is of
					 * the same object */
	bool is_kept;			/* it is in the file */
	/* until it is kept: */
	struct spool *spool;
	struct store_commit commit;
	struct change_backup *backup;
};
/* NULL: the first; NULL at the end. */
const struct spool_entry *spool_next(const struct spool *,
    const struct spool_entry *);

struct spool_figures {
	uint32_t waiting_count;
	uint64_t spooled_count, played_count, dropped_count; /* since the
					 * start of this registryd */
};
void spool_figures(const struct spool *, struct spool_figures *);

#endif
