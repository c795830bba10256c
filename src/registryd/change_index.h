/*
 * registryd/change_index.h - which change of a write is the latest about
 * an object.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_CHANGE_INDEX_H
#define REGISTRYD_CHANGE_INDEX_H

#include <stdint.h>

#include "common/compat.h"
#include "registryd/store/store.h"

struct write;

struct change_index {
	const struct write *write;
	uint32_t *slots;		/* position in the write, plus one */
	uint32_t slot_count;
};

/* An empty one, of a write that gets no more changes.  0 or -1. */
MUST_CHECK int change_index_init(struct change_index *, const struct write *);
void change_index_clear(struct change_index *);
/* The write's change there is the latest about its object now; one about
 * an object that has no id yet is about no other. */
void change_index_add(struct change_index *, uint32_t position);
/* NULL: none was added. */
const struct store_change *change_index_service(const struct change_index *,
    const char *name);
const struct store_change *change_index_id(const struct change_index *,
    enum object_kind, uint64_t id);

#endif
