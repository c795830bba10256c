/*
 * registryd/store/history.h - rows of history that are kept for a while.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_HISTORY_H
#define REGISTRYD_STORE_HISTORY_H

#include "registryd/store/store.h"

/* A deep copy; 0, or -1 when out of memory (*copy_r is cleared). */
MUST_CHECK int history_copy(const struct store_history *,
    struct store_history *copy_r);
/* Only of a copy. */
void history_clear(struct store_history *);

#endif
