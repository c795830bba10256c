/*
 * master/equip.h - the descriptors that a role is given for its start.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_EQUIP_H
#define MASTER_EQUIP_H

#include <stdint.h>

#include "common/compat.h"
#include "master/process.h"
#include "master/spawn.h"

/* What master holds only until the child has it. */
struct temporary_fds {
	int list[8];
	uint32_t count;
};

/* Gives the child fd, which is closed here by equip_close().  Returns 0,
 * or -1 when fd is -1, keeping errno. */
MUST_CHECK int equip_add(struct spawn_plan *, struct temporary_fds *, int fd,
    int to);

/* Adds all that ipc/inherited.h says, but the channel.  0, or -1 with
 * errno. */
MUST_CHECK int equip_role(struct process *, struct spawn_plan *,
    struct temporary_fds *);

/* Keeps errno. */
void equip_close(struct temporary_fds *);

#endif
