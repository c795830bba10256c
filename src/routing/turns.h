/*
 * routing/turns.h - taking turns by weight, smoothly.
 *
 * Smooth weighted round robin: each in turn gains its weight, the one
 * that has most is taken and pays the sum of the weights.  Of 5, 1, 1
 * that makes a a b a c a a, never a burst.
 *
 * In two steps, so that one that turns out to have nobody to serve
 * neither gains nor pays: find the best, and when it could serve, take
 * it.  The others then share its gain, so that a turn costs the same
 * whoever is left out.  One that could serve in each nth of its turns
 * thus gets what it would at an nth of its weight, and the others what
 * is left, by their weights.
 *
 * Source: nginx, ngx_http_upstream_round_robin.c.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_TURNS_H
#define ROUTING_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/route_spec.h"

#define TURNS_MAX TABLE_SHARED_MAX
#define TURN_NONE UINT32_MAX
#define TURN_UNIT 65536			/* of a weight of 1 */

_Static_assert(TURNS_MAX <= 64 && TABLE_TARGETS_MAX <= TURNS_MAX,
    "turn_set.excluded is 64 bits");

struct turn {
	uint32_t slot;			/* of the route or service */
	int64_t smooth;
};

/* Those who take turns now. */
struct turn_set {
	struct turn *turns;
	const int64_t *weights;
	uint32_t count;
	uint64_t excluded;		/* bit i: turn i is left out */
};

static inline bool
turns_has(const struct turn_set *set, uint32_t i)
{
	return set->weights[i] > 0 && (set->excluded >> i & 1) == 0;
}

/* What a weight of 1 gains. */
static inline int64_t
turns_unit(const struct turn_set *set)
{
	int64_t all = 0, left = 0;

	if (set->excluded == 0)
		return TURN_UNIT;
	for (uint32_t i = 0; i < set->count; i++) {
		all += set->weights[i];
		left += turns_has(set, i) ? set->weights[i] : 0;
	}
	return left == 0 ? TURN_UNIT :
	    (int64_t)(TURN_UNIT * ((double)all / (double)left));
}

/* Who comes next; TURN_NONE when there is nobody. */
static inline uint32_t
turns_best(const struct turn_set *set)
{
	int64_t unit = turns_unit(set), most = 0;
	uint32_t best = TURN_NONE;

	for (uint32_t i = 0; i < set->count; i++) {
		int64_t smooth;

		if (!turns_has(set, i))
			continue;
		smooth = set->turns[i].smooth + set->weights[i] * unit;
		if (best == TURN_NONE || smooth > most) {
			best = i;
			most = smooth;
		}
	}
	return best;
}

/* Takes the one that turns_best() found in the same set. */
static inline void
turns_take(const struct turn_set *set, uint32_t best)
{
	int64_t unit = turns_unit(set);

	for (uint32_t i = 0; i < set->count; i++) {
		if (!turns_has(set, i))
			continue;
		set->turns[i].smooth += set->weights[i] * unit;
		set->turns[best].smooth -= set->weights[i] * unit;
	}
}

#endif
