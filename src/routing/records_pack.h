/*
 * routing/records_pack.h - a record of the table in a block of its own.
 *
 * The table's readers allocate in an arena; what is kept is packed into
 * one block of its own size, since there may be tens of thousands.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_RECORDS_PACK_H
#define ROUTING_RECORDS_PACK_H

#include "routing/records.h"

/* Each a copy with one reference, to be free()d whole, that remembers
 * nothing yet; slots and versions are the caller's to set.  NULL when out
 * of memory. */
struct cached_route *records_pack_route(const struct route_copy *);
struct cached_service *records_pack_service(const struct service_copy *);

/* How many turns a route keeps: one target needs none. */
static inline uint32_t
records_turn_count(const struct route_spec *spec)
{
	return spec->target_count > 1 ? spec->target_count : 0;
}

#endif
