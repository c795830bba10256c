/*
 * shm/segment.h - the shared-memory segment: a directory, a file a region.
 *
 * /dev/shm/sluice.INSTANCE/{routes,health,limits,master,worker.K}
 *
 * master creates the files (owner: the roles' group may read, only the
 * creator may open for writing) and hands each role a writable
 * descriptor for the regions it owns, and for no other.  Whoever reads
 * maps by path, read-only: a stray store is a SIGSEGV.
 *
 * Every region starts with a struct region_header.  The files are large
 * and sparse: capacity is address space, not memory.  A writer allocates
 * (fallocate) before it touches, so that a full tmpfs is an error code
 * and never a SIGBUS.
 *
 * Regions outlive their writers and the master: a successor adopts a
 * segment whose layout version and capacity fit.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_SEGMENT_H
#define SHM_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/compat.h"

/* Raise with any change of any layout under src/shm. */
#define SEGMENT_LAYOUT_VERSION 4
#define SEGMENT_MAGIC	       UINT64_C(0x746765732d6c7300) /* "\0sl-segt" */

/* Regions of workers, counted over all sets that a reload may overlap. */
#define SEGMENT_WORKERS_MAX 256

#define SEGMENT_PAGE 4096		/* regions are laid out in these */

#define SEGMENT_NAME_MAX 64		/* of an instance */
#define SEGMENT_DIR_SIZE 96		/* of the directory's path, with NUL */

enum segment_region {
	SEGMENT_ROUTES,
	SEGMENT_HEALTH,
	SEGMENT_LIMITS,
	SEGMENT_MASTER,
	SEGMENT_WORKER,			/* worker.K; needs K */
};

/* What the regions are sized for; fixed for the life of a segment. */
struct segment_capacity {
	uint32_t routes;		/* routes, and path entries of each
					 * copy */
	uint32_t services;
	uint32_t backends;
	uint32_t limit_cells;
};

struct region_header {
	uint64_t magic;			/* SEGMENT_MAGIC */
	uint32_t layout_version;
	uint32_t region;		/* enum segment_region */
	uint64_t size_bytes;		/* of the file */
	struct segment_capacity capacity;
	uint8_t reserved[24];
};
_Static_assert(sizeof(struct region_header) == 64, "layout of the segment");

/* Writes "/dev/shm/sluice.INSTANCE" (or $SLUICE_SHM_DIR in place of
 * /dev/shm, for tests). Returns 0, or -1 when instance is empty, too long
 * or has a byte outside [A-Za-z0-9_-]. */
MUST_CHECK int segment_dir(const char *instance, char dir[SEGMENT_DIR_SIZE]);

/*
 * Creates, or adopts, the directory and all regions but the workers'.
 *
 * uid, gid     of the directory and the files, which are 0750 and 0640;
 *              (uid_t)-1 and (gid_t)-1 leave them alone.
 * *adopted_r   true: routes stood there and fit; false: made new (also
 *              when an old one had another version or capacity, which is
 *              logged and removed first).
 *
 * Returns 0, or -1 with errno (EACCES, ENOSPC, ...), logged.
 */
MUST_CHECK int segment_create(const char *dir,
    const struct segment_capacity *capacity, uid_t uid, gid_t gid,
    bool *adopted_r);

/* Creates or adopts worker.K; as segment_create(). */
MUST_CHECK int segment_create_worker(const char *dir, uint32_t k,
    const struct segment_capacity *capacity, uid_t uid, gid_t gid);

/* Opens a region for its writer (O_RDWR, O_CLOEXEC).  fd, or -1 and errno. */
MUST_CHECK int segment_open_writable(const char *dir, enum segment_region,
    uint32_t k);

/* Removes the directory and all in it; for a clean stop. */
void segment_remove(const char *dir);

/* A mapped region. */
struct region {
	char *base;
	uint64_t size_bytes;
	int fd;				/* writers: to allocate; readers: -1 */
};

/*
 * Maps a region, checking its header.  By path read-only, or by a
 * descriptor that is writable and becomes the region's own (on failure
 * it is closed).
 * Returns 0, or -1 with errno: ENOENT, EACCES, EINVAL (no region of
 * ours), EPROTO (another layout version).
 */
MUST_CHECK int region_map_path(const char *dir, enum segment_region, uint32_t k,
    struct region *region_r);
MUST_CHECK int region_map_fd(int fd, enum segment_region,
    struct region *region_r);
void region_unmap(struct region *);

static inline const struct region_header *
region_header(const struct region *region)
{
	return (const struct region_header *)(const void *)region->base;
}

/*
 * Makes sure that bytes [offset, offset + len) are backed by memory.
 * Returns 0, or -1 with errno ENOSPC.  Cheap when called in growing
 * steps; callers keep their own watermark.
 */
MUST_CHECK int region_allocate(const struct region *, uint64_t offset,
    uint64_t len);

#endif
