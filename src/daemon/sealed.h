/*
 * daemon/sealed.h - a text that goes from master to a role, unchanged.
 *
 * A sealed memfd: it is in no file system and nobody can change it.  It
 * may be shared between roles, so it is read with pread() and its offset
 * means nothing.
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_SEALED_H
#define DAEMON_SEALED_H

#include "common/buf.h"
#include "common/compat.h"

/* Seals the text into a new memfd (close-on-exec) of that name.  Returns
 * it, or -1 with errno. */
MUST_CHECK int sealed_new(const char *name, struct bytes text);

/* Adds what is in fd, which stays the caller's, to the text.  0, or -1
 * with errno. */
MUST_CHECK int sealed_read(int fd, struct buf *text);

#endif
