/*
 * master/trial.h - sluice -t: would it start, and find what it needs?
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_TRIAL_H
#define MASTER_TRIAL_H

#include "conf/settings.h"

/*
 * Tries what a start would do, without leaving anything behind, and
 * prints what would be in the way to stderr, each "conf_path: warning:
 * ...".  Nothing of it is a fault of the configuration itself.
 */
void trial_run(const struct settings *, const char *conf_path);

#endif
