/*
 * daemon/settings_fd.h - the configuration as it goes from master to roles.
 *
 * A sealed memfd, shared between all roles, so it is read with pread()
 * and its offset means nothing.  master writes it, roles read it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_SETTINGS_FD_H
#define DAEMON_SETTINGS_FD_H

#include "common/buf.h"
#include "common/compat.h"
#include "conf/settings.h"

/* Seals the settings, secrets and all, into a new memfd (close-on-exec).
 * Returns it, or -1 with errno. */
MUST_CHECK int settings_fd_new(const struct settings *);

/* Reads what settings_fd_new() sealed.  Returns 0, or -1 with errors
 * filled; fd stays the caller's. */
MUST_CHECK int settings_fd_read(int fd, struct settings **settings_r,
    struct buf *errors);

#endif
