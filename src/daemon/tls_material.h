/*
 * daemon/tls_material.h - what a TLS listener shows and holds, as texts.
 *
 * master reads the files, as root where it is started by root, and hands
 * them to the one role that needs them in a sealed memfd of their own:
 * never by the environment, and not in the configuration, which every
 * role has.
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_TLS_MATERIAL_H
#define DAEMON_TLS_MATERIAL_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/compat.h"

/* Each in PEM. */
struct tls_material {
	struct buf certificate;		/* then those that signed it */
	struct buf key;			/* empty: beside the certificate */
	struct buf client_ca;		/* empty: clients need not show any */
};

/* Wipes and frees. */
void tls_material_clear(struct tls_material *);

bool tls_material_is_equal(const struct tls_material *,
    const struct tls_material *);

/* A new sealed memfd, or -1 with errno. */
MUST_CHECK int tls_material_seal(const struct tls_material *);
/* Reads it; fd stays the caller's.  0, or -1 with errno. */
MUST_CHECK int tls_material_read(int fd, struct tls_material *material_r);

#endif
