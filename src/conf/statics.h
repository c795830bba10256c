/*
 * conf/statics.h - sections with a title: listen, service, route.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_STATICS_H
#define CONF_STATICS_H

#include <confuse.h>

#include "conf/draft.h"

/* Takes them over from what was read; faults go to the draft. */
void statics_take(struct draft *, cfg_t *, const char *file);

/* Gives services and routes back.  (That a route's service exists is not
 * checked here: the store may know it.) */
void statics_free(struct settings *);

#endif
