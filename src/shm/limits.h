/*
 * shm/limits.h - what all workers count together: rate limits and trials.
 *
 * Writers: every worker.    Readers: registryd, ctl.
 *
 * The one region with many writers, so everything here is a single
 * 64-bit word that is changed by compare-and-swap, and whatever
 * instruction kills a worker, each word is whole.
 *
 * Rate limits: a cell for each (route, client address), IPv6 by /64,
 * found by a hash of both in a set of LIMIT_WAYS cells.  Memory is
 * bounded: a cell whose time is over belongs to whoever comes next, and
 * where all of a set are busy the one that counted least is taken, so a
 * flood of addresses pushes out itself and nobody who is at a limit.
 *
 * A client that was quiet may have its requests at once: they count in a
 * window that begins with the first.  One that goes on beyond them is
 * paced from the window's end: its requests are spaced evenly, a theory
 * of arrival times (GCRA) without tolerance, until it was quiet for a
 * quarter of the window.  So whoever hammers gets exactly the rate, and
 * whoever does not is never made to wait within it.
 *
 * Trials: a word for each slot of a backend says how many requests were
 * let through in this round of a half-open breaker.  A round is healthd's
 * (shm/health.h); a word of another round or tenant counts as none.
 *
 * Source of GCRA: ITU-T I.371, 2004, annex A.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_LIMITS_H
#define SHM_LIMITS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "shm/route_spec.h"
#include "shm/segment.h"

#define LIMIT_WAYS	   4		/* cells of a set: a cache line */
#define LIMIT_REQUESTS_MAX 1000000	/* of a window */
#define LIMIT_WINDOW_MS_MAX 86400000	/* a day */

struct limits;				/* a mapped limits region */

/* Read-only by path, or writable by descriptor (which becomes the map's
 * own).  Errors: see region_map_path(). */
MUST_CHECK int limits_open(const char *dir, struct limits **limits_r);
MUST_CHECK int limits_open_writable(int fd, struct limits **limits_r);
void limits_close(struct limits **);

/* What tells one client of a route from another. */
uint64_t limits_key(uint64_t route_id, const struct in6_addr *client);

struct limit_verdict {
	bool is_allowed;
	uint32_t remaining;		/* requests that would pass now */
	int64_t reset_ms;		/* until all of them would */
	int64_t retry_ms;		/* refused: until the next one would */
};

/* Counts a request, if it may pass.  spec->requests > 0. */
void limits_take(struct limits *, uint64_t key, const struct rate_limit_spec *,
    int64_t now_ns, struct limit_verdict *verdict_r);

/* What limits_take() would say; changes nothing. */
void limits_look(const struct limits *, uint64_t key,
    const struct rate_limit_spec *, int64_t now_ns,
    struct limit_verdict *verdict_r);

/* One trial of a backend, as of which round. */
struct limit_trial {
	uint32_t slot, generation;	/* of the backend */
	uint32_t round;			/* 16 bits count */
};

/* Takes one of max trials of the round.  False: there is none left. */
bool limits_take_trial(struct limits *, const struct limit_trial *,
    uint32_t max);
/* Gives one back that led to nothing. */
void limits_return_trial(struct limits *, const struct limit_trial *);
/* How many were taken. */
uint32_t limits_trials_taken(const struct limits *,
    const struct limit_trial *);

#endif
