/*
 * healthd/outbox.h - changes on their way to registryd, a few at a time.
 *
 * Thousands of verdicts may change in one moment, and a channel whose
 * peer does not keep up is closed.  So they wait here, and are sent at a
 * pace that a busy registryd can follow.  Bounded: what is past that is
 * dropped, since the health words tell the same.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_OUTBOX_H
#define HEALTHD_OUTBOX_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "ipc/health_msg.h"

#define OUTBOX_MAX	65536		/* waiting */
#define OUTBOX_BATCH	32		/* sent at a time */
#define OUTBOX_PAUSE_MS 5		/* between two batches */

struct outbox;

/* Sends one, if there is somebody to be told. */
typedef void outbox_send_fn(void *context, const struct health_changed *);

/* NULL when out of memory. */
struct outbox *outbox_new(struct ev_loop *, outbox_send_fn *, void *context);
void outbox_free(struct outbox **);

/* Sends at once when nothing waits, else in its turn. */
void outbox_put(struct outbox *, const struct health_changed *);

#endif
