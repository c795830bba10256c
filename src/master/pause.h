/*
 * master/pause.h - how long a role that died stays dead.
 *
 * The first restart is at once; each further one waits longer, from
 * PAUSE_FIRST_MS doubling up to PAUSE_LONGEST_MS, until the role has
 * lived for PAUSE_FORGIVEN_MS.  The ceiling is low: while registryd is
 * gone nobody can register, and a start every two seconds costs next to
 * nothing.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_PAUSE_H
#define MASTER_PAUSE_H

#include <stdint.h>

#define PAUSE_FIRST_MS	  100
#define PAUSE_LONGEST_MS  2000
#define PAUSE_FORGIVEN_MS 30000

struct pause {
	uint32_t deaths;		/* in a row; 0 at first */
};

/* Takes note of a death after lived_ms of life, and returns the
 * milliseconds to wait before the restart.  Pure. */
int64_t pause_after_death(struct pause *, int64_t lived_ms);

#endif
