/*
 * master/workers.h - the workers: a set of them, and its successor.
 *
 * A worker serves a slot, which is a socket of each listener.  A reload
 * that changes listeners starts a new set on all slots, in regions that
 * are free; the old set goes once the new one is ready.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_WORKERS_H
#define MASTER_WORKERS_H

#include <stdbool.h>

#include "common/clock.h"

struct master;

/* Starts a new set of worker_count; the old one is not restarted. */
void workers_begin_set(struct master *);

/* Starts the workers that slots lack, drains those over worker_count. */
void workers_fit(struct master *);

/* True when a worker of the newest set is ready in every slot. */
bool workers_are_ready(const struct master *);

/* Drains what is left of older sets. */
void workers_drain_old(struct master *);

/* True while workers run that may hold sockets which master has closed. */
bool workers_have_old(const struct master *);

void workers_drain_all(struct master *, struct instant deadline);
bool workers_are_gone(const struct master *);

#endif
