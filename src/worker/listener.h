/*
 * worker/listener.h - accepting clients.
 *
 * The sockets are the master's: bound, listening, one of each a worker
 * slot, so that what waits in one survives its worker.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_LISTENER_H
#define WORKER_LISTENER_H

#include "common/compat.h"
#include "worker/worker.h"

/* Starts accepting on all inherited sockets.  0, or -1 with errno. */
MUST_CHECK int listeners_start(struct worker *);

/* Takes in what waits, then stops accepting; may be called twice. */
void listeners_stop(struct worker *);

void listeners_free(struct worker *);

#endif
