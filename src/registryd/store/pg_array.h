/*
 * registryd/store/pg_array.h - PostgreSQL's arrays as text.
 *
 * Source: PostgreSQL, "Array Input and Output Syntax".
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_ARRAY_H
#define REGISTRYD_STORE_PG_ARRAY_H

#include "common/buf.h"
#include "common/compat.h"

/* Appends a text as an element. */
void pg_array_append_text(struct buf *, struct bytes text);

/* Appends the array {"a","b"} of the JSON list ["a","b"].  0, or -1: it is
 * no list of texts, or out of memory. */
MUST_CHECK int pg_array_append_json(struct buf *, struct bytes json);

#endif
