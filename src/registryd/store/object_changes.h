/*
 * registryd/store/object_changes.h - objects on their way to somewhere.
 *
 * Copies, owned by the list: what became of objects, or (removals, of
 * which the key is enough) that they are gone.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_OBJECT_CHANGES_H
#define REGISTRYD_STORE_OBJECT_CHANGES_H

#include "registryd/store/store.h"

/* A zeroed one is empty. */
struct object_changes {
	struct store_change *list;
	uint32_t count, size;
};

/* Each 0, or -1 when out of memory. */
MUST_CHECK int object_changes_put_service(struct object_changes *,
    const struct service *);
MUST_CHECK int object_changes_put_backend(struct object_changes *,
    const struct backend *);
MUST_CHECK int object_changes_put_route(struct object_changes *,
    const struct route *);
MUST_CHECK int object_changes_remove_service(struct object_changes *,
    const char *name);
/* Of a backend or a route. */
MUST_CHECK int object_changes_remove_id(struct object_changes *,
    enum object_kind, uint64_t id);
/* With what is expected, and what was before. */
MUST_CHECK int object_changes_add(struct object_changes *,
    const struct store_change *);
void object_changes_clear(struct object_changes *);

#endif
