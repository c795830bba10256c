/*
 * registryd/recover.h - what the table shows, as objects again.
 *
 * For the memory store, which dies with registryd while the table
 * stands: the successor puts back what is still routed.  What the table
 * does not have (routes hidden by a higher priority, times, origins) is
 * lost or guessed.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_RECOVER_H
#define REGISTRYD_RECOVER_H

#include "common/compat.h"
#include "registryd/write_queue.h"
#include "shm/route_table.h"

/* Fills the write with everything that the table has, but for what
 * belongs to static sections.  0, or -1 with write->problem. */
MUST_CHECK int recover_read(const struct route_table *, const struct model *,
    struct write *);

#endif
