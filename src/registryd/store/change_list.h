/*
 * registryd/store/change_list.h - objects on their way to somewhere.
 *
 * Copies, owned by the list: what became of objects, or (removals, of
 * which the key is enough) that they are gone.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_CHANGE_LIST_H
#define REGISTRYD_STORE_CHANGE_LIST_H

#include "registryd/store/store.h"

/* A zeroed one is empty. */
struct change_list {
	struct store_change *list;
	uint32_t count, size;
};

/* Each 0, or -1 when out of memory. */
MUST_CHECK int change_list_put_service(struct change_list *,
    const struct service *);
MUST_CHECK int change_list_put_backend(struct change_list *,
    const struct backend *);
MUST_CHECK int change_list_put_route(struct change_list *,
    const struct route *);
MUST_CHECK int change_list_remove_service(struct change_list *,
    const char *name);
/* Of a backend or a route. */
MUST_CHECK int change_list_remove_id(struct change_list *, enum object_kind,
    uint64_t id);
/* With what is expected, and what was before. */
MUST_CHECK int change_list_add(struct change_list *,
    const struct store_change *);
void change_list_clear(struct change_list *);

#endif
