/*
 * common/clock.h - points in time and wall-clock text.
 *
 * A point in time is monotonic and wrapped, so that none is compared
 * with a span.  Spans are int64_t with their unit in the name.  The
 * monotonic clock is the same for every process of the machine, so an
 * instant may stand in shared memory; it means nothing after a reboot.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct instant {
	int64_t ns;			/* CLOCK_MONOTONIC; 0 is "never" */
};

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

struct instant clock_now(void);

static inline struct instant
instant_after_ms(struct instant from, int64_t span_ms)
{
	return (struct instant){ from.ns + span_ms * NS_PER_MS };
}

static inline int64_t
instant_diff_ms(struct instant later, struct instant earlier)
{
	return (later.ns - earlier.ns) / NS_PER_MS;
}

static inline bool
instant_is_before(struct instant a, struct instant b)
{
	return a.ns < b.ns;
}

/* Milliseconds since 1970, UTC. */
int64_t clock_wall_ms(void);

/* "2026-01-31T12:00:00.250Z" with its NUL. */
#define CLOCK_RFC3339_SIZE 25

/* Writes wall_ms as RFC 3339 UTC with milliseconds. */
void clock_format_rfc3339(int64_t wall_ms, char text[CLOCK_RFC3339_SIZE]);

#endif
