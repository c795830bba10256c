/*
 * healthd/breaker.h - one backend's circuit breaker.
 *
 *	        a failure too many,     its time is over,
 *	        or ordered              or probes say it is back
 *	CLOSED ------------------> OPEN ------------------> HALF_OPEN
 *	  ^                         ^  \----- a trial failed ----/ |
 *	  \------- all trials of a round went well ----------------/
 *
 * Without a window, failures in a row count: a good answer in between,
 * as the workers' counters show it, begins the count anew.  With one,
 * the failures of the latest window_ms count, whatever is in between.
 * While it is open nothing counts; while half-open, the trials of its
 * round alone.
 *
 * Pure: no clock, no log, no shared memory.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_BREAKER_H
#define HEALTHD_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "shm/health.h"
#include "shm/route_spec.h"
#include "shm/worker_stats.h"

/* What opened it. */
enum breaker_cause {
	BREAKER_BY_NONE,
	BREAKER_BY_FAILURES,		/* of requests */
	BREAKER_BY_PROBES,		/* it is down; half-open when it is
					 * up */
	BREAKER_BY_ORDER,		/* until it is reset */
};

struct breaker {
	enum breaker_state state;
	enum breaker_cause cause;
	uint32_t failures, successes;
	uint64_t success_mark;		/* at the latest failure */
	uint32_t round;			/* of trials */
	int64_t *times_ns;		/* with a window: of the latest
					 * failures */
	uint32_t time_count, time_next;
};

void breaker_free(struct breaker *);

/* Each returns true when the state has changed. */
bool breaker_note(struct breaker *, const struct breaker_spec *,
    const struct failure *);
bool breaker_open(struct breaker *, enum breaker_cause);
bool breaker_half_open(struct breaker *);
bool breaker_close(struct breaker *);

/* A round whose trials came to nothing: another one. */
void breaker_next_round(struct breaker *);

/* The service asks for something else now. */
bool breaker_respec(struct breaker *, const struct breaker_spec *);

/* What the word is to say of it. */
uint32_t breaker_flags(const struct breaker *);

#endif
