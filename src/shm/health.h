/*
 * shm/health.h - one status word a backend slot, and what is behind it.
 *
 * Writer:  healthd, alone.        Readers: every worker, registryd, ctl.
 *
 * A word is a single 64-bit atomic, so it needs no seqlock.  Its upper
 * half repeats the generation of the backend that owned the slot when
 * the verdict was formed; a reader that finds another generation there
 * treats the slot as unjudged.
 *
 * What does not fit a word stands in a detail record beside it: plain
 * relaxed atomics, each field true by itself; for figures, not for
 * decisions of the data plane.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_HEALTH_H
#define SHM_HEALTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "shm/segment.h"

enum health_flag {
	HEALTH_UP	   = 1u << 0,	/* the latest probes were answered */
	HEALTH_DOWN	   = 1u << 1,	/* the latest probes were missed */
	HEALTH_BREAKER	   = 1u << 2,	/* breaker open: take nothing */
	HEALTH_HALF_OPEN   = 1u << 3,	/* take what a trial token allows */
};					/* neither UP nor DOWN: unproven */

/* Above the flags, in the same word: the number of the round of trials,
 * which makes those of an earlier round worth nothing. */
#define HEALTH_FLAGS	   0xffffu
#define HEALTH_ROUND_SHIFT 16

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN,
};

struct health_detail {
	_Atomic uint64_t backend_id;	/* the store's; 0: none */
	_Atomic int64_t changed_wall_ms; /* when UP and DOWN last changed */
	_Atomic int64_t probed_wall_ms;	/* when the latest probe ended */
	_Atomic uint32_t probe_ms;	/* how long it took */
	_Atomic uint32_t probe_status;	/* HTTP status; 0: none */
	_Atomic uint32_t probe_errno;	/* 0: answered */
	_Atomic uint32_t streak;	/* equal outcomes in a row */
	_Atomic uint64_t probe_count, probe_failed_count;
	_Atomic uint64_t passive_count;	/* failures that workers reported */
	/* The breaker: what healthd needs to go on after its death. */
	_Atomic uint32_t breaker_state;	/* enum breaker_state */
	_Atomic uint32_t breaker_cause;	/* healthd's: what opened it */
	_Atomic uint32_t failures;	/* that count towards the threshold */
	_Atomic uint32_t successes;	/* of this round's trials */
	_Atomic uint64_t success_mark;	/* successes at the latest failure */
	_Atomic int64_t failed_wall_ms;	/* the latest failure; 0: none */
	_Atomic int64_t next_attempt_wall_ms; /* half-open then; 0: not by
					       * the clock */
	_Atomic uint64_t opened_count;
	uint64_t reserved[2];
};
_Static_assert(sizeof(struct health_detail) == 128, "layout of the segment");

struct health_map;			/* a mapped health region */

/* Read-only by path, or writable by descriptor (healthd). */
MUST_CHECK int health_open(const char *dir, struct health_map **map_r);
MUST_CHECK int health_open_writable(int fd, struct health_map **map_r);
void health_close(struct health_map **);

/* The flags of the slot, 0 ("unjudged") when of another generation or
 * when slot is out of range. */
uint32_t health_get(const struct health_map *, uint32_t slot,
    uint32_t generation);
/* The slot's round of trials, 0 likewise. */
uint32_t health_round(const struct health_map *, uint32_t slot,
    uint32_t generation);
/* healthd only; the round stays.  Returns 0, or -1 with ENOSPC or EINVAL
 * (slot). */
MUST_CHECK int health_put(struct health_map *, uint32_t slot,
    uint32_t generation, uint32_t flags);
/* The same with a round (of which 16 bits are kept). */
MUST_CHECK int health_put_round(struct health_map *, uint32_t slot,
    uint32_t generation, uint32_t flags, uint32_t round);

/* The detail record, NULL when slot is out of range or (writer) cannot be
 * allocated.  Readers see zeroes where nothing was written. */
const struct health_detail *health_detail(const struct health_map *,
    uint32_t slot);
struct health_detail *health_detail_writable(struct health_map *,
    uint32_t slot);

/* What healthd says of itself: proves that its words are fresh. */
struct health_beat {
	_Atomic int64_t wall_ms;	/* latest turn of its loop,
					 * each second */
	_Atomic uint32_t pid;
	_Atomic uint32_t backends_probed;
	_Atomic uint64_t ring_lost;	/* failures overwritten before read */
	_Atomic uint64_t table_generation; /* what it probes by */
};

/* How far healthd has read each worker's ring: its successor goes on
 * there, so that no failure counts twice. */
uint64_t health_ring_cursor(const struct health_map *, uint32_t k);
void health_ring_cursor_put(struct health_map *, uint32_t k, uint64_t cursor);

const struct health_beat *health_beat(const struct health_map *);
struct health_beat *health_beat_writable(struct health_map *);

#endif
