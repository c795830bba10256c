/*
 * master/pidfile.h - the pid file, which is also the lock of an instance.
 *
 * The lock is what counts (flock, held while the master lives); the
 * number in the file is for people and for -s.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_PIDFILE_H
#define MASTER_PIDFILE_H

#include <sys/types.h>

#include "common/compat.h"
#include "conf/settings.h"

#define PIDFILE_PATH_SIZE 512

/* RUNTIME_DIR/sluice.pid, unless the settings name another. */
void pidfile_path(const struct settings *, char path[PIDFILE_PATH_SIZE]);

/*
 * Locks the file and writes our pid.  Returns the descriptor that holds
 * the lock (close-on-exec), or -1 with errno; EWOULDBLOCK: another has
 * it, and *owner_r is its pid (0: not written yet).
 */
MUST_CHECK int pidfile_lock(const char *path, pid_t *owner_r);

/* Returns the pid of who holds the lock, or -1 with errno; ESRCH: nobody. */
MUST_CHECK pid_t pidfile_owner(const char *path);

/* Removes the file and lets go of the lock. */
void pidfile_remove(const char *path, int fd);

#endif
