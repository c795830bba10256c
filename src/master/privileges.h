/*
 * master/privileges.h - who the roles run as, and what they may use.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_PRIVILEGES_H
#define MASTER_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/compat.h"
#include "conf/settings.h"

#define IDENTITY_GROUPS_MAX 64

struct identity {
	bool is_switched;		/* master is root, the roles are not */
	uid_t uid;			/* of the roles */
	gid_t gid;
	gid_t groups[IDENTITY_GROUPS_MAX];
	int group_count;
};

/*
 * Finds out who the roles run as.  Returns 0, or a sysexits status with
 * why filled.  With 0, why may hold a warning.
 */
MUST_CHECK int identity_find(const struct settings *, struct identity *,
    struct buf *why);

/*
 * Turns this process, a child about to exec, into the identity for good,
 * without new privileges by exec.  Returns 0, or -1 with errno.
 */
MUST_CHECK int identity_assume(const struct identity *);

/* Lets master open files as the identity would, and come back: a log
 * directory belongs to the roles, who must not lead root astray there. */
void identity_enter(const struct identity *);
void identity_leave(const struct identity *);

/* Raises the limit of open descriptors to what these settings may need,
 * for us and the roles that inherit it; warns where we may not. */
void descriptors_raise(const struct settings *);

#endif
