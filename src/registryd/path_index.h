/*
 * registryd/path_index.h - paths of the model by (domain, prefix).
 *
 * An open hash with linear probing; each place keeps the hash beside the
 * pointer, so that a probe looks at a path only when it is the one.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PATH_INDEX_H
#define REGISTRYD_PATH_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"

struct model_path;

struct path_place {
	uint64_t hash;
	struct model_path *path;	/* NULL: free */
};

/* Zeroed, it is empty. */
struct path_index {
	struct path_place *places;
	size_t count, size;		/* size: a power of two */
};

uint64_t path_hash(struct bytes domain, struct bytes prefix);

/* NULL when there is none. */
struct model_path *path_index_find(const struct path_index *,
    struct bytes domain, struct bytes prefix);

/* A path that is not in yet; its hash is set.  0, or -1 with ENOMEM. */
MUST_CHECK int path_index_insert(struct path_index *, struct model_path *);
/* A path that is in. */
void path_index_remove(struct path_index *, const struct model_path *);

/* Any path, taken out, to free them all; the index is given back with the
 * last.  NULL when empty. */
struct model_path *path_index_take(struct path_index *);

#endif
