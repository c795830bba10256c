/*
 * worker/drains.h - what is in flight where a drain is on.
 *
 * Looked at each second: when a drain of a tunnel's backend, service or
 * route is complete, and since when the oldest request at a draining
 * backend has been there.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_DRAINS_H
#define WORKER_DRAINS_H

struct worker;

void drains_look(struct worker *);

#endif
