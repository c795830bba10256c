/*
 * shm/table_writer.h - changing and publishing the route table.
 *
 * registryd alone.  Changes are made in batches:
 *
 *	table_writer_begin, puts and removes, table_writer_commit
 *
 * begin starts on the copy that is not active; commit makes it active
 * and repeats the same changes in the other.  Until commit, readers see
 * nothing of it.  The work of a batch is in proportion to the batch.
 *
 * A put of a backend also gives its service (and the one it leaves) a new
 * version: a reader keeps a service together with its backends.
 *
 * If the writer dies: before the store of `active` the batch is as if it
 * had never been; after it, it is whole.  table_writer_open() of the
 * successor rebuilds the copy that is not active from the other one
 * when the last writer left it torn or behind.
 *
 * Slots: pass TABLE_NONE in *slot to have one allocated.  A slot stays
 * its record's until removed.  A backend slot whose address (kind, host,
 * port) changes gets a new generation, so that it inherits no verdict.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_TABLE_WRITER_H
#define SHM_TABLE_WRITER_H

#include <stdint.h>

#include "common/compat.h"
#include "shm/route_spec.h"

struct table_writer;

/*
 * Takes the writable descriptor of the routes region, which becomes the
 * writer's own (on failure it is closed).  Repairs what a dead writer left.
 * Returns 0, or -1 with errno as region_map_fd(), or ENOSPC, or EAGAIN:
 * another writer has the table.  Waits up to five seconds for that one to
 * end.
 */
MUST_CHECK int table_writer_open(int fd, struct table_writer **writer_r);
void table_writer_close(struct table_writer **);

void table_writer_begin(struct table_writer *);

/*
 * Each returns 0, or -1 with errno; the batch then can only be aborted:
 *   ENOSPC  memory of /dev/shm, or capacity, is exhausted
 *   EINVAL  over a TABLE_*_MAX, a slot that is out of range or empty, or
 *           a path_key that is not normalised
 * Order matters only in that slots named must exist when commit comes;
 * a record that others name must not be removed before they are.
 */
MUST_CHECK int table_writer_put_backend(struct table_writer *, uint32_t *slot,
    const struct backend_spec *);
MUST_CHECK int table_writer_put_service(struct table_writer *, uint32_t *slot,
    const struct service_spec *);
MUST_CHECK int table_writer_put_route(struct table_writer *, uint32_t *slot,
    const struct route_spec *);
/* Replaces what stood at that key. */
MUST_CHECK int table_writer_put_path(struct table_writer *,
    const struct path_key *, const struct path_spec *);

MUST_CHECK int table_writer_remove_backend(struct table_writer *,
    uint32_t slot);
MUST_CHECK int table_writer_remove_service(struct table_writer *,
    uint32_t slot);
MUST_CHECK int table_writer_remove_route(struct table_writer *, uint32_t slot);
/* ENOENT when nothing stands at that key; the batch stays good. */
MUST_CHECK int table_writer_remove_path(struct table_writer *,
    const struct path_key *);

/* Publishes the batch under the store's generation.  Cannot fail; a batch
 * of which a change failed must not come here. */
void table_writer_commit(struct table_writer *, uint64_t generation);

/* Undoes the batch, from the active copy.  Slots that it gave out are no
 * longer the caller's. */
void table_writer_abort(struct table_writer *);

#endif
