/*
 * worker/neighbours.h - how much the other workers have in flight.
 *
 * Their regions are mapped read-only as they appear, and stay mapped: a
 * region outlives its worker, and its successor goes on in it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_NEIGHBOURS_H
#define WORKER_NEIGHBOURS_H

#include <stdint.h>

#include "common/compat.h"
#include "shm/worker_stats.h"

struct neighbours;

/* own is the region of this worker, already mapped; borrowed.  NULL with
 * errno. */
struct neighbours *neighbours_new(const char *segment_dir, uint32_t own_region,
    struct worker_stats *own);
void neighbours_free(struct neighbours **);

/* Maps what is new. */
void neighbours_look(struct neighbours *);

/* Requests and tunnels at the backend now, of all workers. */
uint32_t neighbours_in_flight(const struct neighbours *,
    uint32_t backend_slot, uint64_t backend_id);

/* Good answers of the backend so far, of all workers. */
uint64_t neighbours_success_count(const struct neighbours *,
    uint32_t backend_slot, uint64_t backend_id);

#endif
