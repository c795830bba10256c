/*
 * master/supervise.h - all roles together: start, signals, stop.
 *
 * On start registryd and healthd come first, so that no worker answers
 * from an empty table; with a segment that stood there already, all come
 * at once.  On stop workers finish first, then the others.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_SUPERVISE_H
#define MASTER_SUPERVISE_H

#include "common/compat.h"
#include "ipc/channel.h"

struct master;
struct process;

/* Starts the roles and turns the loop until all of them have ended. */
void supervise_run(struct master *);

/* What process.c tells. */
void supervise_ready(struct process *);
void supervise_ended(struct process *, int wait_status);
MUST_CHECK int supervise_message(struct process *,
    const struct channel_message *);

#endif
