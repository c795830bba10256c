/*
 * registryd/store/secret.h - what is kept of a secret: its SHA-256.
 *
 * Secrets here are random and long, so that nothing slower is needed.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_SECRET_H
#define REGISTRYD_STORE_SECRET_H

#include "common/bytes.h"

#define SECRET_HASH_SIZE 65		/* hex and a NUL */

void secret_hash(struct bytes secret, char hash_r[SECRET_HASH_SIZE]);

#endif
