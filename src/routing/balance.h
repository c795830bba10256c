/*
 * routing/balance.h - one of several backends, by the service's policy.
 *
 * What is handed in may all be taken; weights are in WEIGHT_UNITs and
 * greater than 0.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_BALANCE_H
#define ROUTING_BALANCE_H

#include <stdint.h>

#include "common/random.h"
#include "routing/records.h"
#include "routing/router.h"

struct balance {
	const struct router_config *config; /* in_flight */
	struct random_stream *random;
	const struct route_query *query;
	const struct service_spec *spec;
	struct candidate *candidates;
	uint32_t count;			/* at least 1 */
};

struct routed_backend *balance_pick(const struct balance *);

#endif
