/*
 * worker/wheel.h - many deadlines, coarse, without a system call.
 *
 * A ring of slots, one a tick of 100 ms.  A timer that is moved to a
 * later deadline stays in its slot and is looked at again when that slot
 * comes: moving it costs one store.  So a deadline may be late by a
 * tick, and is never early.  Deadlines past the ring's horizon wait in
 * its last slot and go round.  Ticks are counted from the clock's zero,
 * and fit into 32 bits for 13 years.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_WHEEL_H
#define WORKER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/clock.h"

#define WHEEL_TICK_MS 100
#define WHEEL_SLOTS   512		/* a power of two */

struct wheel_timer;
typedef void wheel_fn(struct wheel_timer *);

struct wheel_timer {
	LIST_ENTRY(wheel_timer) entry;
	wheel_fn *fire;
	uint32_t deadline;		/* its tick; 0: disarmed */
	uint32_t tick;			/* of the slot it waits in; 0: none */
};

struct wheel {
	LIST_HEAD(wheel_slot, wheel_timer) slots[WHEEL_SLOTS];
	uint32_t tick;			/* the latest one that was served */
	uint32_t count;			/* timers queued */
};

void wheel_init(struct wheel *, struct instant now);

void wheel_timer_init(struct wheel_timer *, wheel_fn *fire);

/* Arms the timer, or moves its deadline. */
void wheel_set(struct wheel *, struct wheel_timer *, struct instant now,
    struct instant deadline);

/* Disarms the timer, which may stay in its slot: for the hot path. */
static inline void
wheel_disarm(struct wheel_timer *timer)
{
	timer->deadline = 0;
}

static inline bool
wheel_is_armed(const struct wheel_timer *timer)
{
	return timer->deadline != 0;
}

/* Disarms the timer and takes it out, before its memory goes. */
void wheel_remove(struct wheel *, struct wheel_timer *);

/* Fires what is due at now.  A callback may set and remove any timer. */
void wheel_advance(struct wheel *, struct instant now);

#endif
