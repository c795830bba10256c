/*
 * shm/master_status.c - mapping what the master says of its roles.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/master_status.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shm/region_kinds.h"

uint64_t
master_region_size(const struct segment_capacity *capacity)
{
	(void)capacity;
	return region_round_up(sizeof(struct master_status));
}

int
master_region_prepare(const struct region *region)
{
	return region_allocate(region, 0, region->size_bytes);
}

static int
check_size(struct region *region)
{
	if (region->size_bytes == master_region_size(NULL))
		return 0;
	region_unmap(region);
	errno = EINVAL;
	return -1;
}

int
master_status_open(const char *dir, const struct master_status **status_r)
{
	struct region region;

	if (region_map_path(dir, SEGMENT_MASTER, 0, &region) == -1 ||
	    check_size(&region) == -1)
		return -1;
	*status_r = (const struct master_status *)(const void *)region.base;
	return 0;
}

int
master_status_open_writable(int fd, struct master_status **status_r)
{
	struct region region;

	if (region_map_fd(fd, SEGMENT_MASTER, &region) == -1 ||
	    check_size(&region) == -1)
		return -1;
	/* All of it is allocated: the descriptor is not needed again. */
	close(region.fd);
	*status_r = (struct master_status *)(void *)region.base;
	return 0;
}

void
master_status_close(const struct master_status **p)
{
	union {
		const struct master_status *constant;
		void *mapping;
	} status = { .constant = *p };

	*p = NULL;
	if (status.mapping != NULL)
		munmap(status.mapping, master_region_size(NULL));
}
