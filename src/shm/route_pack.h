/*
 * shm/route_pack.h - the bodies of records, as runs of bytes.
 *
 * Private to src/shm.  What a lookup does not need of a backend, a
 * service or a route is packed into one block of the heap: numbers of 32
 * and 64 bits and texts with their length before them, in the machine's
 * byte order.  The reader copies a block out, checks the sequence, and
 * unpacks from its own memory.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_ROUTE_PACK_H
#define SHM_ROUTE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "shm/route_spec.h"

struct packer {
	char *data;			/* NULL at first; pack_free() it */
	size_t len, size;
	bool has_failed;		/* out of memory */
};

void pack_reset(struct packer *);
void pack_free(struct packer *);
/* Fills up with zeroes to a whole number of words. */
void pack_finish(struct packer *);

void pack_backend(struct packer *, const struct backend_spec *);
void pack_service(struct packer *, const struct service_spec *);
void pack_route(struct packer *, const struct route_spec *);

/* Whether a route says more than its record holds. */
bool route_needs_body(const struct route_spec *);

struct unpacker {
	const char *data;
	size_t left;
	bool has_failed;		/* ran out of bytes, or of memory */
};

/*
 * Each fills in what its pack_ put in; texts point into the packed
 * bytes.  unpack_route allocates its header edits in the arena.  On
 * has_failed the spec is of no use.
 */
void unpack_backend(struct unpacker *, struct backend_spec *);
void unpack_service(struct unpacker *, struct service_spec *);
void unpack_route(struct unpacker *, struct arena *, struct route_spec *);

#endif
