/*
 * conf/file.h - a configuration file, as a text.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include "common/buf.h"
#include "common/compat.h"

/* Appends a whole file, at most 16 MiB.  Returns 0, or -1 with errno: EFBIG,
 * EISDIR, EINVAL (a socket or the like), and as open(2). */
MUST_CHECK int file_load(const char *path, struct buf *);

#endif
