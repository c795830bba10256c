/*
 * shm/table_change.h - the changes that a batch is made of.
 *
 * Private to the writer of the table.  Each changes the target copy, and
 * returns 0, or -1 with errno as shm/table_writer.h says; EINVAL and
 * ENOENT come before anything was changed.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_TABLE_CHANGE_H
#define SHM_TABLE_CHANGE_H

#include "shm/route_pack.h"
#include "shm/route_spec.h"
#include "shm/table_store.h"

MUST_CHECK int change_put_path(struct table_store *, const struct path_key *,
    const struct path_spec *);
MUST_CHECK int change_remove_path(struct table_store *,
    const struct path_key *);

/* The packer is room for bodies, used again from call to call. */
MUST_CHECK int change_put_backend(struct table_store *, struct packer *,
    uint32_t *slot, const struct backend_spec *);
MUST_CHECK int change_put_service(struct table_store *, struct packer *,
    uint32_t *slot, const struct service_spec *);
MUST_CHECK int change_put_route(struct table_store *, struct packer *,
    uint32_t *slot, const struct route_spec *);

MUST_CHECK int change_remove_backend(struct table_store *, uint32_t slot);
MUST_CHECK int change_remove_service(struct table_store *, uint32_t slot);
MUST_CHECK int change_remove_route(struct table_store *, uint32_t slot);

#endif
