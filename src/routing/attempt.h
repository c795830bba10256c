/*
 * routing/attempt.h - an attempt to find a backend; for the router's own
 * files only.
 *
 * It goes over what may serve, from the outside in: tiers, the routes
 * that share the path, a route's targets, a service's backends.  Each
 * level takes turns, and passes on when the one whose turn it is has
 * nobody; what stood in the way is remembered as the refusal.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_ATTEMPT_H
#define ROUTING_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/compat.h"
#include "routing/records.h"
#include "routing/router.h"
#include "routing/standing.h"

struct attempt {
	struct router *router;
	const struct route_query *query;
	const uint32_t *tried;		/* slots that are out of the question */
	uint32_t tried_count;
	struct instant now;
	uint64_t serial;
	bool is_retry;			/* it was let through before */
	enum backend_tier tier;		/* looked for in this round */
	unsigned int tiers_seen;	/* bit: there was one of it */
	bool is_drained;		/* a drain refused it: only those that
					 * do not drain may take it over */
	struct route_choice *choice;	/* refusal: the first of those seen */
};

/* Fills attempt->choice. */
void attempt_choose(struct attempt *);

/*
 * Another of the same service, of the tiers that are not suspect.
 * Returns false when there is none, or when the route of old no longer
 * stands as it was.
 */
MUST_CHECK bool attempt_choose_same_service(struct attempt *,
    const struct route_choice *old);

/* A service of the tier looked for; true: the choice has a backend. */
MUST_CHECK bool attempt_try_service(struct attempt *, uint32_t slot);

/* Whether the condition of a route or service lets the request on. */
MUST_CHECK bool attempt_passes(struct attempt *,
    const struct condition_spec *, struct drain_draw *);

#endif
