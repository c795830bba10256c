/*
 * shm/segment.c - making the segment, adopting it, removing it.
 *
 * A region's file is made under another name and renamed when it is
 * whole, so that a master that dies in between leaves no half region.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "shm/region_kinds.h"
#include "shm/route_layout.h"

struct segment_owner {
	uid_t uid;
	gid_t gid;
};

typedef uint64_t region_size_fn(const struct segment_capacity *);
typedef int region_prepare_fn(const struct region *);

static const struct {
	region_size_fn *size;
	region_prepare_fn *prepare;
} kinds[] = {
	[SEGMENT_ROUTES] = { route_layout_size, route_layout_prepare },
	[SEGMENT_HEALTH] = { health_region_size, health_region_prepare },
	[SEGMENT_LIMITS] = { limits_region_size, limits_region_prepare },
	[SEGMENT_MASTER] = { master_region_size, master_region_prepare },
	[SEGMENT_WORKER] = { worker_region_size, worker_region_prepare },
};

static bool
is_instance_name(const char *instance)
{
	size_t len = strlen(instance);

	return len > 0 && len <= SEGMENT_NAME_MAX &&
	    strspn(instance, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

int
segment_dir(const char *instance, char dir[SEGMENT_DIR_SIZE])
{
	const char *base = getenv("SLUICE_SHM_DIR");
	int len;

	if (!is_instance_name(instance)) {
		errno = EINVAL;
		return -1;
	}
	if (base == NULL || *base == '\0')
		base = "/dev/shm";
	len = snprintf(dir, SEGMENT_DIR_SIZE, "%s/sluice.%s", base, instance);
	if (len < 0 || len >= SEGMENT_DIR_SIZE) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* Whether the region stands there, of our layout and this capacity.  Says
 * why not, when something stands there. */
static bool
is_region_fit(const char *dir, enum segment_region region, uint32_t k,
    const struct segment_capacity *capacity)
{
	char path[REGION_PATH_SIZE];
	struct region_header header;
	bool is_fit = false;
	int fd;

	if (region_path(dir, region, k, path) == -1)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return false;
	if (region_check_header(fd, region, &header) == -1)
		log_warn("segment: %s: not adopted: %s", path,
		    errno == EPROTO ? "it has another layout version"
				    : "it is no region of ours");
	else if (memcmp(&header.capacity, capacity, sizeof(*capacity)) != 0 ||
	    header.size_bytes != kinds[region].size(capacity))
		log_warn("segment: %s: not adopted: it has another capacity",
		    path);
	else
		is_fit = true;
	close(fd);
	return is_fit;
}

static int
set_owner(int fd, const struct segment_owner *owner, mode_t mode)
{
	if (fchown(fd, owner->uid, owner->gid) == -1)
		return -1;
	return fchmod(fd, mode);
}

/* Gives a new file its size, header and first memory. */
static int
fill_region(int fd, enum segment_region kind,
    const struct segment_capacity *capacity)
{
	struct region_header header = {
		.magic = SEGMENT_MAGIC,
		.layout_version = SEGMENT_LAYOUT_VERSION,
		.region = (uint32_t)kind,
		.size_bytes = kinds[kind].size(capacity),
		.capacity = *capacity,
	};
	struct region region;
	int result, own_fd;

	if (ftruncate(fd, (off_t)header.size_bytes) == -1 ||
	    pwrite(fd, &header, sizeof(header), 0) != sizeof(header))
		return -1;
	if ((own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	if (region_map_fd(own_fd, kind, &region) == -1)
		return -1;
	result = kinds[kind].prepare(&region);
	region_unmap(&region);
	return result;
}

static int
make_region(const char *dir, enum segment_region kind, uint32_t k,
    const struct segment_capacity *capacity,
    const struct segment_owner *owner)
{
	char path[REGION_PATH_SIZE], temporary[REGION_PATH_SIZE + 8];
	int fd, saved_errno;

	if (region_path(dir, kind, k, path) == -1)
		return -1;
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
	(void)unlink(temporary);
	fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fill_region(fd, kind, capacity) == -1 ||
	    set_owner(fd, owner, 0640) == -1 ||
	    rename(temporary, path) == -1) {
		saved_errno = errno;
		close(fd);
		(void)unlink(temporary);
		errno = saved_errno;
		return -1;
	}
	close(fd);
	return 0;
}

/* Adopts or makes one region; *adopted_r says which.  Logs a failure. */
static int
provide_region(const char *dir, enum segment_region kind, uint32_t k,
    const struct segment_capacity *capacity,
    const struct segment_owner *owner, bool *adopted_r)
{
	*adopted_r = is_region_fit(dir, kind, k, capacity);
	if (*adopted_r)
		return 0;
	if (make_region(dir, kind, k, capacity, owner) == 0)
		return 0;
	log_error("segment: %s: cannot make region: %m", dir);
	return -1;
}

static int
provide_dir(const char *dir, const struct segment_owner *owner)
{
	int fd, result, saved_errno;

	if (mkdir(dir, 0750) == -1 && errno != EEXIST)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	result = set_owner(fd, owner, 0750);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return result;
}

int
segment_create(const char *dir, const struct segment_capacity *capacity,
    uid_t uid, gid_t gid, bool *adopted_r)
{
	const struct segment_owner owner = { uid, gid };
	bool adopted;

	/* Slots of health and statistics mean those of routes: without the
	 * routes that stood there, nothing of it is worth keeping. */
	if (!is_region_fit(dir, SEGMENT_ROUTES, 0, capacity))
		segment_remove(dir);
	if (provide_dir(dir, &owner) == -1) {
		log_error("segment: %s: %m", dir);
		return -1;
	}
	if (provide_region(dir, SEGMENT_ROUTES, 0, capacity, &owner,
		adopted_r) == -1)
		return -1;
	for (enum segment_region kind = SEGMENT_HEALTH; kind < SEGMENT_WORKER;
	     kind++)
		if (provide_region(dir, kind, 0, capacity, &owner, &adopted) ==
		    -1)
			return -1;
	return 0;
}

int
segment_create_worker(const char *dir, uint32_t k,
    const struct segment_capacity *capacity, uid_t uid, gid_t gid)
{
	const struct segment_owner owner = { uid, gid };
	bool adopted;

	return provide_region(dir, SEGMENT_WORKER, k, capacity, &owner,
	    &adopted);
}

int
segment_open_writable(const char *dir, enum segment_region region, uint32_t k)
{
	char path[REGION_PATH_SIZE];

	if (region_path(dir, region, k, path) == -1)
		return -1;
	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

/* Only names that we give, so that a wrong path costs nobody a file. */
static bool
is_our_file(const char *name)
{
	static const char *const starts[] = { "routes", "health", "limits",
		"master", "worker." };

	for (size_t i = 0; i < COUNT_OF(starts); i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

void
segment_remove(const char *dir)
{
	DIR *listing = opendir(dir);
	const struct dirent *entry;

	if (listing == NULL)
		return;
	while ((entry = readdir(listing)) != NULL)
		if (is_our_file(entry->d_name))
			(void)unlinkat(dirfd(listing), entry->d_name, 0);
	closedir(listing);
	(void)rmdir(dir);
}
