/*
 * master/reload.h - taking a changed configuration over.
 *
 * A configuration with a fault changes nothing at all.  A good one goes
 * to the roles that run; listeners that differ cost a new set of workers;
 * what cannot change while running is named, and stays as it was.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include <stdint.h>

struct master;

/* By SIGHUP. */
void reload(struct master *);

/* By registryd, which is told how it went under this id. */
void reload_asked(struct master *, uint64_t request_id);

#endif
