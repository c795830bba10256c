/*
 * routing/condition.h - what an order of maintenance or drain means now.
 *
 * Pure over the table's words and the clock.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_CONDITION_H
#define ROUTING_CONDITION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "shm/route_spec.h"

/* Whether anything is ordered at all. */
static inline bool
condition_is_set(const struct condition_spec *condition)
{
	return condition->in_maintenance || condition->drain_start_ns != 0;
}

/* Whether it is in maintenance for this client: not over, and the client
 * not on the list of those who pass.  client may be NULL: anybody. */
bool condition_keeps_out(const struct condition_spec *,
    const struct in6_addr *client, struct instant now);

/* What a drain leaves of the share, 1 to 0 on a straight line; 1 without
 * a drain. */
double condition_share_left(const struct condition_spec *,
    struct instant now);

/* When the drain is complete; ns 0: there is none. */
struct instant condition_drain_end(const struct condition_spec *);

/* Whether a list of addresses and blocks, separated by commas, has it.
 * What is no address is nobody's. */
bool address_list_has(struct bytes list, const struct in6_addr *);

/* The first word of a list that is no address and no block; empty when
 * all are. */
struct bytes address_list_fault(struct bytes list);

#endif
