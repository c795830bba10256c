/*
 * routing/router_state.h - what a router holds; for its own files only.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_ROUTER_STATE_H
#define ROUTING_ROUTER_STATE_H

#include "common/random.h"
#include "routing/records.h"
#include "routing/router.h"

struct router {
	struct router_config config;
	struct records records;
	struct random_stream random;
	uint64_t serial;		/* of attempts; see struct drain_draw */
};

#endif
