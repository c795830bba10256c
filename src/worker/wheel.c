/*
 * worker/wheel.c - many deadlines, coarse, without a system call.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/wheel.h"

#include <stddef.h>

#define TICK_NS (WHEEL_TICK_MS * NS_PER_MS)

/* The first tick that is not before the instant. */
static uint32_t
tick_of(struct instant at)
{
	return (uint32_t)((at.ns + TICK_NS - 1) / TICK_NS);
}

/* The latest tick that has begun. */
static uint32_t
ticks_until(struct instant now)
{
	return (uint32_t)(now.ns / TICK_NS);
}

void
wheel_init(struct wheel *wheel, struct instant now)
{
	for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
		LIST_INIT(&wheel->slots[i]);
	wheel->tick = ticks_until(now);
	wheel->count = 0;
}

void
wheel_timer_init(struct wheel_timer *timer, wheel_fn *fire)
{
	*timer = (struct wheel_timer){ .fire = fire };
}

static void
enqueue(struct wheel *wheel, struct wheel_timer *timer)
{
	uint32_t tick = timer->deadline;

	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	if (tick >= wheel->tick + WHEEL_SLOTS)
		tick = wheel->tick + WHEEL_SLOTS - 1;
	timer->tick = tick;
	LIST_INSERT_HEAD(&wheel->slots[tick % WHEEL_SLOTS], timer, entry);
	wheel->count++;
}

static void
dequeue(struct wheel *wheel, struct wheel_timer *timer)
{
	LIST_REMOVE(timer, entry);
	timer->tick = 0;
	wheel->count--;
}

void
wheel_set(struct wheel *wheel, struct wheel_timer *timer, struct instant now,
    struct instant deadline)
{
	timer->deadline = tick_of(deadline);
	if (timer->tick != 0) {
		if (timer->deadline >= timer->tick)
			return;
		dequeue(wheel, timer);
	}
	if (wheel->count == 0)		/* it may have stood still */
		wheel->tick = ticks_until(now);
	enqueue(wheel, timer);
}

void
wheel_remove(struct wheel *wheel, struct wheel_timer *timer)
{
	wheel_disarm(timer);
	if (timer->tick != 0)
		dequeue(wheel, timer);
}

static void
serve_slot(struct wheel *wheel, uint32_t due)
{
	struct wheel_slot *slot = &wheel->slots[wheel->tick % WHEEL_SLOTS];
	struct wheel_timer *timer;

	/* What is queued again goes to a later slot, so this ends. */
	while ((timer = LIST_FIRST(slot)) != NULL) {
		dequeue(wheel, timer);
		if (timer->deadline == 0)
			continue;
		if (timer->deadline > due) {
			enqueue(wheel, timer);
			continue;
		}
		wheel_disarm(timer);
		timer->fire(timer);
	}
}

void
wheel_advance(struct wheel *wheel, struct instant now)
{
	uint32_t due = ticks_until(now);

	/* After a long pause one round meets every slot. */
	if (due > wheel->tick + WHEEL_SLOTS)
		wheel->tick = due - WHEEL_SLOTS;
	while (wheel->tick < due && wheel->count > 0) {
		wheel->tick++;
		serve_slot(wheel, due);
	}
	if (wheel->count == 0)
		wheel->tick = due;
}
