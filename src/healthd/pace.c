/*
 * healthd/pace.c - when the next probe comes.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/pace.h"

int64_t
pace_next_ms(enum probe_state state, int64_t interval_ms,
    struct random_stream *random)
{
	int64_t jitter_ms;

	if (state == PROBE_DOWN && interval_ms > PACE_DOWN_MAX_MS)
		interval_ms = PACE_DOWN_MAX_MS;
	jitter_ms = interval_ms * PACE_JITTER_PERCENT / 100;
	return interval_ms - jitter_ms +
	    (int64_t)random_below(random, (uint32_t)(2 * jitter_ms + 1));
}

int64_t
pace_first_ms(uint32_t burst, int64_t interval_ms,
    struct random_stream *random)
{
	int64_t window_ms = burst;

	if (burst <= PACE_BURST)
		return 0;
	if (window_ms > interval_ms)
		window_ms = interval_ms;
	return (int64_t)random_below(random, (uint32_t)window_ms + 1);
}
