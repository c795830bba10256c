/*
 * master/error_log.h - master's own error log.
 *
 * A log file is opened as the user of the roles, who write the same one:
 * its directory is theirs, so root must not follow what they put there.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_ERROR_LOG_H
#define MASTER_ERROR_LOG_H

#include "common/compat.h"
#include "master/master.h"

/* Each returns 0, or -1 with errno. */
MUST_CHECK int error_log_open(const struct master *);
MUST_CHECK int error_log_reopen(const struct master *);

#endif
