/*
 * shm/region_kinds.h - what segment_create() must know of each region.
 *
 * Private to src/shm.  The module that owns a layout gives the size of
 * its file, and allocates what its reader touches without asking.  All
 * other bytes of a new file are zero, and valid so.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_REGION_KINDS_H
#define SHM_REGION_KINDS_H

#include "shm/segment.h"

uint64_t health_region_size(const struct segment_capacity *);
MUST_CHECK int health_region_prepare(const struct region *);

uint64_t limits_region_size(const struct segment_capacity *);
MUST_CHECK int limits_region_prepare(const struct region *);

uint64_t master_region_size(const struct segment_capacity *);
MUST_CHECK int master_region_prepare(const struct region *);

uint64_t worker_region_size(const struct segment_capacity *);
MUST_CHECK int worker_region_prepare(const struct region *);

static inline uint64_t
region_round_up(uint64_t bytes)
{
	return (bytes + SEGMENT_PAGE - 1) / SEGMENT_PAGE * SEGMENT_PAGE;
}

/* Writes "DIR/routes", "DIR/worker.K" and so on.  0, or -1 with EINVAL. */
#define REGION_PATH_SIZE (SEGMENT_DIR_SIZE + 16)
MUST_CHECK int region_path(const char *dir, enum segment_region, uint32_t k,
    char path[REGION_PATH_SIZE]);

/* Reads and checks the header of an open region; errno as
 * region_map_path(). */
MUST_CHECK int region_check_header(int fd, enum segment_region,
    struct region_header *header_r);

#endif
