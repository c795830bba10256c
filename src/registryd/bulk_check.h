/*
 * registryd/bulk_check.h - whether many changes at once leave a good table.
 *
 * model_check() looks at each change against the model as it is; here the
 * changes are carried out on a copy of it first, so that they may make
 * room for each other, in any number.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_BULK_CHECK_H
#define REGISTRYD_BULK_CHECK_H

#include "common/compat.h"
#include "registryd/model.h"
#include "registryd/problem.h"

struct write;

/* 0, or -1 with *problem. */
MUST_CHECK int bulk_check(const struct model *, struct write *,
    struct problem *);

#endif
