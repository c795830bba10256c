/*
 * registryd/follow_parts.h - what the files of following share.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_FOLLOW_PARTS_H
#define REGISTRYD_FOLLOW_PARTS_H

#include "registryd/follow.h"

/* follow_apply.c: takes what was read into the model, and publishes it.
 * 0, or -1 when all must be loaded again. */
MUST_CHECK int follow_apply(struct registry *);

#endif
