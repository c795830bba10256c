/*
 * registryd/offline/digest.h - whether two tables hold the same rows.
 *
 * A table's digest is the sum of its rows' hashes, so the order in which
 * they come is nothing.  JSON is hashed by what it says: jsonb keeps
 * neither the order of members nor blanks.  No I/O here.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_OFFLINE_DIGEST_H
#define REGISTRYD_OFFLINE_DIGEST_H

#include "registryd/offline/sql.h"

struct digest {
	uint64_t count, sum;
};

/* types says which cells are JSON. */
void digest_add_row(struct digest *, const enum sql_type *types,
    const struct cell *, uint32_t count);

/* By what a JSON text says; by its bytes where it is none. */
uint64_t digest_json(struct bytes text);

#endif
