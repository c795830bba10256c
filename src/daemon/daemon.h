/*
 * daemon/daemon.h - what every role does before and after its own work.
 *
 * daemon_run() takes over what master left open, reads the settings,
 * starts the log, attaches the segment, makes the loop, ignores the
 * signals that are the master's business (a terminal's ^C reaches the
 * whole group), calls start, says READY and turns the loop until the
 * role is done.  Privileges were dropped by master before exec.
 *
 * When master dies, its channel closes: the role then drains as if told
 * to, within shutdown_timeout.
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "conf/settings.h"
#include "ipc/channel.h"
#include "ipc/role_msg.h"
#include "shm/segment.h"

struct daemon {
	struct ev_loop *loop;
	const struct settings *settings; /* replaced before reload is called;
					  * the old one is good until it
					  * returns */
	char segment_dir[SEGMENT_DIR_SIZE];
	uint32_t region;		/* K of -r K */
	struct channel *master;
	bool is_draining;
	bool is_stopping;		/* draining, and nobody takes over */
	void *state;			/* the role's own */
};

struct daemon_role {
	const char *name;		/* "worker", for the log */
	unsigned int loop_backend;	/* EVBACKEND_POLL where the loop has few
					 * descriptors; 0: EVBACKEND_EPOLL */

	/* Begins its work.  Returns 0, or a sysexits status (logged). */
	int (*start)(struct daemon *);

	/* start only begins to start: the role calls daemon_ready(). */
	bool is_ready_later;

	/* Takes new settings in place; daemon->settings is the new one. */
	void (*reload)(struct daemon *, const struct settings *old);

	/* Finishes what it has by the deadline (ns 0: unbounded), then
	 * calls daemon_done().  May be called again, with a nearer one. */
	void (*drain)(struct daemon *, struct instant deadline);

	/* Log files were rotated; the error log is done already. NULL: none. */
	void (*reopen)(struct daemon *);

	/* Other messages of master (TO_ROLE_PEER, TO_ROLE_RELOADED,
	 * TO_ROLE_CERTIFICATES).  NULL: none.  Returns as
	 * channel_message_fn. */
	int (*message)(struct daemon *, const struct channel_message *);
};

/* main() of a role. Returns its exit status. */
int daemon_run(const struct daemon_role *, int argc, char **argv);

/* Says READY to master, once, for a role that is_ready_later. */
void daemon_ready(struct daemon *);

/* The role's work is over: the loop ends, daemon_run() returns. */
void daemon_done(struct daemon *);

#endif
