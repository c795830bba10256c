/*
 * routing/standing.h - may this backend be taken now, and how gladly?
 *
 * Pure over the table, the health word, what this process saw, and the
 * clock.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_STANDING_H
#define ROUTING_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "routing/router.h"

/* Best first; a worse one is used only where there is no better. */
enum backend_tier {
	TIER_PROVEN,			/* its probes are answered */
	TIER_UNPROVEN,			/* nobody knows yet */
	TIER_SUSPECT,			/* this process saw it fail just now */
	TIER_COUNT
};

/* Weights count in this fraction, so that a drain can take them down
 * evenly. */
#define WEIGHT_UNIT 65536

struct standing {
	enum route_refusal refusal;	/* REFUSED_NOT: it may be taken */
	enum backend_tier tier;		/* when it may */
	uint32_t flags;			/* the health word's */
	int64_t weight;			/* units; after a drain's reduction */
	bool is_draining;
	bool is_half_open;		/* REFUSED_BREAKER, but for a trial */
};

/* What is asked of a backend: by whom (NULL: anybody) and when. */
struct standing_query {
	const struct in6_addr *client;
	struct instant now;
};

struct standing standing_of(const struct router_config *,
    const struct service_spec *, const struct routed_backend *,
    const struct standing_query *);

#endif
