/*
 * ipc/role_msg.h - all that master and any role say to each other.
 *
 * Carrier: a channel on FD_MASTER.  Raise ROLE_MSG_VERSION with any
 * change in this file.
 */
/* SPDX-License-Identifier: ISC */
#ifndef IPC_ROLE_MSG_H
#define IPC_ROLE_MSG_H

#include <stdint.h>

#define ROLE_MSG_VERSION 3

enum to_role {				/* master speaks */
	TO_ROLE_RELOAD,			/* no body; fd: the new settings */
	TO_ROLE_DRAIN,			/* struct role_drain */
	TO_ROLE_REOPEN,			/* no body: log files were rotated */
	TO_ROLE_LOG_LEVEL,		/* struct role_log_level */
	TO_ROLE_PEER,			/* no body; fd: a new FD_PEER, since the
					 * process behind the old one died */
	TO_ROLE_RELOADED,		/* struct role_outcome; registryd only,
					 * answers FROM_ROLE_RELOAD_PLEASE */
	TO_ROLE_CERTIFICATES,		/* no body; fd: a new FD_CERTIFICATES;
					 * registryd only, behind a reload */
	TO_ROLE_COUNT
};

enum from_role {			/* the role speaks */
	FROM_ROLE_READY,		/* no body: it serves */
	FROM_ROLE_RELOAD_PLEASE,	/* struct role_request;
					 * registryd only */
	FROM_ROLE_LOG_LEVEL_PLEASE,	/* struct role_log_level;
					 * registryd only */
	FROM_ROLE_COUNT
};

struct role_drain {
	int64_t deadline_ns;		/* CLOCK_MONOTONIC; 0: no bound */
	uint32_t is_stop;		/* nobody takes over:
					 * all of sluice ends */
	uint32_t reserved;
};
_Static_assert(sizeof(struct role_drain) == 16, "layout of the message");

struct role_log_level {
	uint32_t level;			/* enum log_level */
};
_Static_assert(sizeof(struct role_log_level) == 4, "layout of the message");

struct role_request {
	uint64_t id;			/* echoed in the answer */
};
_Static_assert(sizeof(struct role_request) == 8, "layout of the message");

struct role_outcome {
	uint64_t id;
	uint32_t is_good;
	char text[1020];		/* NUL-terminated: errors,
					 * or what changed */
};
_Static_assert(sizeof(struct role_outcome) == 1032, "layout of the message");

#endif
