/*
 * master/certificates.h - the files of TLS listeners, read and checked.
 *
 * Only root may be able to read the key, so master reads all of them, at
 * start and at each reload, and hands them to the role that accepts
 * (daemon/tls_material.h).  A file that is bad is told before anything of
 * it is taken over.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_CERTIFICATES_H
#define MASTER_CERTIFICATES_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/compat.h"
#include "conf/settings.h"

/*
 * Reads what registration.tls_* names.
 *
 * conf_path   stands in messages where a setting is in no file.
 * lines       gets "file:line: what" for each fault or warning.
 * fd_r        a sealed memfd; -1: there is no such listener.
 *
 * Returns 0, or -1 when one cannot be used.
 */
MUST_CHECK int certificates_read(const struct settings *,
    const char *conf_path, struct buf *lines, int *fd_r);

/* Whether what two of these descriptors hold is not the same; -1: nothing. */
bool certificates_differ(int old_fd, int new_fd);

#endif
