/*
 * shm/region.c - mapping one region of the segment.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/region_kinds.h"

int
region_path(const char *dir, enum segment_region region, uint32_t k,
    char path[REGION_PATH_SIZE])
{
	static const char *const names[] = {
		[SEGMENT_ROUTES] = "routes", [SEGMENT_HEALTH] = "health",
		[SEGMENT_LIMITS] = "limits", [SEGMENT_MASTER] = "master",
	};
	int len;

	if (region == SEGMENT_WORKER && k < SEGMENT_WORKERS_MAX)
		len = snprintf(path, REGION_PATH_SIZE, "%s/worker.%u", dir, k);
	else if (region != SEGMENT_WORKER)
		len = snprintf(path, REGION_PATH_SIZE, "%s/%s", dir,
		    names[region]);
	else
		len = -1;
	if (len < 0 || len >= REGION_PATH_SIZE) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
region_check_header(int fd, enum segment_region region,
    struct region_header *header)
{
	struct stat st;
	ssize_t count = pread(fd, header, sizeof(*header), 0);

	if (count == -1 || fstat(fd, &st) == -1)
		return -1;
	if (count == sizeof(*header) && header->magic == SEGMENT_MAGIC &&
	    header->layout_version != SEGMENT_LAYOUT_VERSION) {
		errno = EPROTO;
		return -1;
	}
	if (count != sizeof(*header) || header->magic != SEGMENT_MAGIC ||
	    header->region != (uint32_t)region ||
	    header->size_bytes != (uint64_t)st.st_size) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int
map(int fd, enum segment_region region, int protection, struct region *mapped)
{
	struct region_header header;
	void *base;

	if (region_check_header(fd, region, &header) == -1)
		return -1;
	base = mmap(NULL, header.size_bytes, protection, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -1;
	mapped->base = base;
	mapped->size_bytes = header.size_bytes;
	mapped->fd = -1;
	return 0;
}

int
region_map_path(const char *dir, enum segment_region region, uint32_t k,
    struct region *mapped)
{
	char path[REGION_PATH_SIZE];
	int fd, result, saved_errno;

	if (region_path(dir, region, k, path) == -1)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	result = map(fd, region, PROT_READ, mapped);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return result;
}

int
region_map_fd(int fd, enum segment_region region, struct region *mapped)
{
	int saved_errno;

	if (map(fd, region, PROT_READ | PROT_WRITE, mapped) == -1) {
		saved_errno = errno;
		close(fd);
		errno = saved_errno;
		return -1;
	}
	mapped->fd = fd;
	return 0;
}

void
region_unmap(struct region *region)
{
	if (region->base != NULL)
		munmap(region->base, region->size_bytes);
	if (region->fd != -1)
		close(region->fd);
	*region = (struct region){ .fd = -1 };
}

int
region_allocate(const struct region *region, uint64_t offset, uint64_t len)
{
	uint64_t first = offset / SEGMENT_PAGE * SEGMENT_PAGE;
	uint64_t end = region_round_up(offset + len);
	int result;

	if (end > region->size_bytes)
		end = region->size_bytes;
	if (end <= first)
		return 0;
	do
		result = fallocate(region->fd, 0, (off_t)first,
		    (off_t)(end - first));
	while (result == -1 && errno == EINTR);
	return result;
}
