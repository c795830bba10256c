/*
 * healthd/pace.h - when the next probe comes.
 *
 * Pure but for the random source passed in.  Probes are jittered, so
 * that thousands of backends that appeared together, or a service and
 * several sluices, do not march in step.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_PACE_H
#define HEALTHD_PACE_H

#include <stdint.h>

#include "common/random.h"
#include "healthd/probe.h"

#define PACE_JITTER_PERCENT 10		/* up or down */
#define PACE_DOWN_MAX_MS    1000	/* a DOWN backend is asked this often */
#define PACE_BURST	    64		/* so many new ones are asked at once */

/* From the start of one probe to the start of the next: the interval of
 * that state, give or take the jitter. */
int64_t pace_next_ms(enum probe_state, int64_t interval_ms,
    struct random_stream *);

/* Until the first probe of one among burst new backends: 0 for few, else
 * spread over a millisecond a backend, at most an interval. */
int64_t pace_first_ms(uint32_t burst, int64_t interval_ms,
    struct random_stream *);

#endif
