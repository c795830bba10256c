/*
 * master/trial.h - sluice -t: would it start, and find what it needs?
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_TRIAL_H
#define MASTER_TRIAL_H

#include "common/compat.h"
#include "conf/settings.h"

/*
 * Tries what a start would do, without leaving anything behind, and
 * prints what would be in the way to stderr, each "conf_path: warning:
 * ...".  Returns EX_CONFIG when the configuration itself names what is not
 * there or no good (a user, a certificate), else 0.
 */
MUST_CHECK int trial_run(const struct settings *, const char *conf_path);

#endif
