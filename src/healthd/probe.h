/*
 * healthd/probe.h - from answers to a verdict: the state machine.
 *
 * Pure: no clock, no log, no I/O.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_PROBE_H
#define HEALTHD_PROBE_H

#include <stdbool.h>
#include <stdint.h>

enum probe_state {
	PROBE_UNKNOWN,			/* unproven: never judged */
	PROBE_UP,
	PROBE_DOWN,
};

struct probe_policy {
	uint32_t rise, fall;		/* outcomes in a row; at least 1 */
};

struct probe {
	enum probe_state state;
	bool answered;			/* the latest outcome */
	uint32_t streak;		/* outcomes like the latest, in a row */
};

/*
 *              answered                  missed
 * UNKNOWN      -> UP                     -> DOWN   first verdict: at once
 * UP           stay                      -> DOWN after policy->fall in a row
 * DOWN         -> UP after policy->rise  stay
 *
 * The caller acts on a changed result.
 */
enum probe_state probe_step(struct probe *, const struct probe_policy *,
    bool answered);

/* A miss that a worker's failure has announced: DOWN whatever fall says. */
enum probe_state probe_confirm_failure(struct probe *);

#endif
