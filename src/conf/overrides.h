/*
 * conf/overrides.h - what goes over the file: the environment, then -o.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_OVERRIDES_H
#define CONF_OVERRIDES_H

#include "conf/draft.h"

/* DB_DRIVER, DATABASE_*: a bad value is a warning, and not taken.
 * SLUICE_SECTION_KEY: a bad value is a fault. */
void overrides_take_environment(struct draft *);

void overrides_take(struct draft *, const struct setting_override *,
    uint32_t count);

#endif
