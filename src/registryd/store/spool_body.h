/*
 * registryd/store/spool_body.h - the changes of a kept commit, as text.
 *
 * JSON, with objects as the cells of their rows (cells.h), so that what is
 * played is what was asked, whole:
 *
 *	{"cause",
 *	 "changes": [{"kind", "removal", "expected", "before", "cells"}],
 *	 "notes": [{"op", "kind", "key", "seq", "body"}]}
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_SPOOL_BODY_H
#define REGISTRYD_STORE_SPOOL_BODY_H

#include "common/buf.h"
#include "registryd/store/object_changes.h"
#include "registryd/store/replica.h"

struct spool_body {
	char *cause;			/* of struct store_actor; or NULL */
	struct object_changes changes;
	struct note_changes notes;
};

/* Appends the text.  0, or -1 when out of memory. */
MUST_CHECK int spool_body_write(struct buf *, const struct spool_body *);

/* Fills a zeroed body.  0, or -1: no such text, or out of memory; what was
 * read so far is for spool_body_clear(). */
MUST_CHECK int spool_body_read(struct bytes text, struct spool_body *body_r);
void spool_body_clear(struct spool_body *);

/* Copies of all texts; -1 when out of memory (nothing is copied then). */
MUST_CHECK int spooled_copy(const struct store_spooled *,
    struct store_spooled *copy_r);
/* Only of a copy. */
void spooled_clear(struct store_spooled *);

#endif
