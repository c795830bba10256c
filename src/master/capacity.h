/*
 * master/capacity.h - how large the segment is made, and whose it is.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_CAPACITY_H
#define MASTER_CAPACITY_H

#include "conf/settings.h"
#include "master/privileges.h"
#include "shm/segment.h"

static inline struct segment_capacity
capacity_of(const struct settings *settings)
{
	return (struct segment_capacity){
		.routes = settings->segment.routes,
		.services = settings->segment.services,
		.backends = settings->segment.backends,
		.limit_cells = settings->segment.limit_cells,
	};
}

/* Where the roles are not master's user, their group may read. */
static inline gid_t
capacity_group(const struct identity *identity)
{
	return identity->is_switched ? identity->gid : (gid_t)-1;
}

#endif
