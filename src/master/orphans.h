/*
 * master/orphans.h - the roles of a master that died.
 *
 * They stop accepting, finish what they have and leave by themselves.
 * Until then each writes its region.  registryd and healthd are waited
 * for, since their regions have one place; workers may take their time,
 * since a new one can be put into another region.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_ORPHANS_H
#define MASTER_ORPHANS_H

#include <stdbool.h>

struct master;

/*
 * Looks in the segment for roles that the last master has written down
 * and that live.  All are asked to finish (SIGTERM).  Waits for registryd
 * and healthd, killing them after shutdown_timeout; workers are put down
 * in the rows that they block.  Returns true if there were any.
 */
bool orphans_take_over(struct master *);

/* True when the row's worker of the former master has ended. */
bool orphan_has_left(int *pidfd);

#endif
