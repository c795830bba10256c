/*
 * registryd/model_check.h - whether changes fit the others.
 *
 * Pure.  The model is the one that the changes were planned by; changes
 * of one write see those before them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_MODEL_CHECK_H
#define REGISTRYD_MODEL_CHECK_H

#include "common/compat.h"
#include "registryd/model.h"
#include "registryd/problem.h"

struct write;

/*
 * Checks each object by itself, and against the model: services named
 * exist, nothing static is changed, a service that goes leaves nobody
 * behind, paths are not taken by another service at equal priority
 * (unless the route says on_conflict share).  Domains and prefixes of
 * the write's routes are made canonical.  0 or -1 with *problem.
 */
MUST_CHECK int model_check(const struct model *, struct write *,
    struct problem *);

/*
 * Checks what is played from the spool: paths that others than the spool
 * have taken meanwhile.  The model is further than the write, which was
 * checked when it was kept; what it leans on the store checks.
 */
MUST_CHECK int model_check_played(const struct model *, const struct write *,
    struct problem *);

/* The rule of paths alone, for a canonical route. */
MUST_CHECK int model_check_paths(const struct model *, const struct route *,
    struct problem *);

#endif
