/*
 * routing/turns.h - taking turns by weight, smoothly.
 *
 * Smooth weighted round robin: each in turn gains its weight, the one
 * that has most is taken and pays the sum of the weights.  Of 5, 1, 1
 * that makes a a b a c a a, never a burst.  In two steps, so that one
 * that turns out to have nobody to serve neither gains nor pays: find
 * the best, and when it could serve, take it.
 *
 * Source: nginx, ngx_http_upstream_round_robin.c.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_TURNS_H
#define ROUTING_TURNS_H

#include <stdint.h>

#define TURNS_MAX 64
#define TURN_NONE UINT32_MAX

struct turn {
	uint32_t slot;			/* of the route or service */
	int64_t smooth;
};

/* Who comes next of those with a weight and not in the set excluded (bit
 * i: turn i); TURN_NONE when there is nobody. */
static inline uint32_t
turns_best(const struct turn *turns, const int64_t *weights, uint32_t count,
    uint64_t excluded)
{
	uint32_t best = TURN_NONE;

	for (uint32_t i = 0; i < count; i++) {
		if (weights[i] <= 0 || (excluded >> i & 1) != 0)
			continue;
		if (best == TURN_NONE || turns[i].smooth + weights[i] >
		    turns[best].smooth + weights[best])
			best = i;
	}
	return best;
}

/* Takes the one that turns_best() found with the same arguments. */
static inline void
turns_take(struct turn *turns, const int64_t *weights, uint32_t count,
    uint64_t excluded, uint32_t best)
{
	for (uint32_t i = 0; i < count; i++) {
		if (weights[i] <= 0 || (excluded >> i & 1) != 0)
			continue;
		turns[i].smooth += weights[i];
		turns[best].smooth -= weights[i];
	}
}

#endif
