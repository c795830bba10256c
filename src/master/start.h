/*
 * master/start.h - all that master opens before its first role starts.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_START_H
#define MASTER_START_H

#include "master/master.h"
#include "master/options.h"

/*
 * Reads the configuration; warnings and faults go to stderr.  Returns 0
 * with *settings_r the caller's, or EX_CONFIG.
 */
MUST_CHECK int start_read_settings(const struct options *,
    struct settings **settings_r);

/* Runs sluice with these settings, which become its own, to its end.
 * Returns the exit status. */
int start_run(const struct options *, struct settings *);

#endif
