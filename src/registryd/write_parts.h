/*
 * registryd/write_parts.h - what a write is made of; for write_queue.c,
 * model_check.c and tests.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_WRITE_PARTS_H
#define REGISTRYD_WRITE_PARTS_H

#include "registryd/write_queue.h"

void write_free(struct write *);

/* The name or id of what changes; of id 0 "new". */
const char *write_change_key(const struct store_change *, char *text,
    size_t size);

/* Carries a committed change into the model; as model_put_*(). */
MUST_CHECK int write_change_apply(struct model *, const struct store_change *);

#endif
