/*
 * ipc/health_msg.h - all that registryd and healthd say to each other.
 *
 * Carrier: a channel on FD_PEER.  Raise HEALTH_MSG_VERSION with any
 * change in this file.
 *
 * healthd reads what to probe from the route table itself; it is only
 * told that there is something new, so that a lost message costs a
 * second (healthd looks at the table's change count by itself), and a
 * healthd without a registryd goes on.
 */
/* SPDX-License-Identifier: ISC */
#ifndef IPC_HEALTH_MSG_H
#define IPC_HEALTH_MSG_H

#include <stdint.h>

#define HEALTH_MSG_VERSION 2
#define HEALTH_MSG_SLOTS   256

enum to_healthd {			/* registryd speaks */
	TO_HEALTHD_PUBLISHED,		/* struct health_published */
	TO_HEALTHD_BREAKER,		/* struct health_breaker_order */
	TO_HEALTHD_COUNT
};

enum from_healthd {			/* healthd speaks */
	FROM_HEALTHD_CHANGED,		/* struct health_changed */
	FROM_HEALTHD_OBEYED,		/* struct health_obeyed:
					 * the word says it */
	FROM_HEALTHD_COUNT
};

struct health_published {
	uint64_t generation;
	uint32_t slot_count;		/* over HEALTH_MSG_SLOTS: look at all */
	uint32_t reserved;
	uint32_t slots[HEALTH_MSG_SLOTS]; /* backends put or removed, or whose
					   * service's probe changed */
};
_Static_assert(sizeof(struct health_published) == 16 + 4 * HEALTH_MSG_SLOTS,
    "layout of the message");

struct health_changed {
	uint64_t backend_id;
	uint32_t flags_before, flags_after; /* enum health_flag */
	int64_t at_wall_ms;
	char reason[64];		/* "connect refused", "status 503" */
};
_Static_assert(sizeof(struct health_changed) == 88, "layout of the message");

enum breaker_action {
	BREAKER_TRIP,			/* open until it is reset */
	BREAKER_RESET,			/* closed, and the count is 0 */
};

struct health_breaker_order {
	uint64_t id;			/* comes back with the answer */
	uint32_t slot, generation;	/* the tenant meant */
	uint32_t action;		/* enum breaker_action */
	uint32_t reserved;
};
_Static_assert(sizeof(struct health_breaker_order) == 24,
    "layout of the message");

struct health_obeyed {
	uint64_t id;
	uint32_t is_done;		/* 0: there is no such tenant */
	uint32_t reserved;
};
_Static_assert(sizeof(struct health_obeyed) == 16, "layout of the message");

#endif
