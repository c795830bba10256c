/*
 * registryd/note_queue.h - notes on their way to the store, many at once.
 *
 * While one transaction is under way, what comes is gathered for the next
 * one, so that a thousand sessions cost a few transactions and not a
 * thousand.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_NOTE_QUEUE_H
#define REGISTRYD_NOTE_QUEUE_H

#include <ev.h>

#include "common/compat.h"
#include "registryd/store/store.h"

struct note_queue;

/* It is kept, or (false) it is not. */
typedef void note_done_fn(void *context, bool is_kept);

/* As store_write_notes(), of a commit without changes. */
typedef int note_write_fn(void *context, const struct store_commit *);

/* NULL when out of memory. */
struct note_queue *note_queue_new(struct ev_loop *, note_write_fn *,
    void *context);
/* Forgets who waits. */
void note_queue_free(struct note_queue **);

/* Takes the changes over, also on failure.  done (may be NULL) comes from
 * the loop.  0, or -1 when out of memory: it does not come. */
MUST_CHECK int note_queue_put(struct note_queue *, struct note_changes *,
    note_done_fn *done, void *context);

/* Called with what was kept, before done. */
void note_queue_on_kept(struct note_queue *,
    void (*)(void *context, const struct note_changes *), void *context);

bool note_queue_is_idle(const struct note_queue *);
/* Called whenever the queue becomes idle. */
void note_queue_on_idle(struct note_queue *, void (*)(void *context),
    void *context);

#endif
