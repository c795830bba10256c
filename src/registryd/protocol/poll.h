/*
 * registryd/protocol/poll.h - asking URLs each second until all answer.
 *
 * After MAINT_ENTER the page, after MAINT_EXIT the backends; then the
 * session hears MAINT_OK|target, or after the last round the error.
 *
 * A poll belongs to its session, and like the session it is in the store
 * (NOTE_WAITING) from the order on until its outcome is told: it goes on
 * when registryd is another, and who was away hears the outcome behind
 * the OK of RECONNECT.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_POLL_H
#define REGISTRYD_PROTOCOL_POLL_H

#include "registryd/protocol/session.h"

struct poll;

/* A poll that is not begun yet, of the page (empty: nobody is asked) or
 * of the backends.  NULL when out of memory. */
struct poll *poll_new(struct session *, bool is_page, struct bytes target,
    struct bytes page_url);
/* Ends it without a word.  *p becomes NULL, and may be. */
void poll_drop(struct poll **);

/* For the store: this one, in place of those of the same target. */
MUST_CHECK int poll_add_notes(const struct poll *, struct note_changes *);
/* Begins; those of the same target end without a word. */
void poll_start(struct poll *);

/* A row of the store, to be begun by poll_start_all(). */
void poll_load_note(struct session *, const struct store_note *);
/* Begins all, where they were. */
void poll_start_all(struct session *);

/* Tells the session what came out while it was away. */
void poll_tell_all(struct session *);
/* Ends all of the session, without a word. */
void poll_drop_all(struct session *);

#endif
