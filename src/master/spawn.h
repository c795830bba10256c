/*
 * master/spawn.h - a child that becomes a role: descriptors, identity, exec.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "common/compat.h"
#include "master/privileges.h"

#define SPAWN_MOVES_MAX 160

struct fd_move {
	int from, to;
};

struct spawn_plan {
	const char *program;		/* argv[0] */
	int program_fd;			/* O_PATH: exec'd by descriptor, so that
					 * its path may be closed to the role */
	uint32_t region;		/* K of -r K */
	const struct identity *identity;
	struct fd_move moves[SPAWN_MOVES_MAX];
	uint32_t move_count;
};

/* Adds a descriptor that the child shall find at `to`. */
void spawn_plan_add(struct spawn_plan *, int from, int to);

/*
 * Lays the descriptors out, in this process: each `from` at its `to`,
 * without close-on-exec.  The two may overlap.  program_fd is moved out
 * of the way.  Returns 0, or -1 with errno.
 */
MUST_CHECK int spawn_lay_out(struct spawn_plan *);

/* Forks and execs.  Returns the pid, or -1 with errno (of fork). What
 * fails in the child ends it with a sysexits status, logged. */
MUST_CHECK pid_t spawn(struct spawn_plan *);

#endif
