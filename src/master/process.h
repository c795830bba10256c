/*
 * master/process.h - one role's life: start, orders, death, restart.
 *
 *              started   ready     drain       end
 * EMPTY     -> STARTING
 * STARTING            -> READY  -> DRAINING -> DEAD, or RETIRED if not wanted
 * READY                         -> DRAINING -> the same
 * DRAINING                                  -> the same
 * DEAD      -> STARTING after its pause
 * RETIRED   -> STARTING with another tenant
 *
 * A process tells supervise.h of what happens to it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_PROCESS_H
#define MASTER_PROCESS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/clock.h"
#include "ipc/channel.h"
#include "master/pause.h"
#include "shm/master_status.h"

struct master;
struct role_row;

struct process {
	struct master *master;
	uint32_t index;			/* of its row in master_status */
	enum role_kind kind;
	enum role_state state;
	uint32_t region;		/* K; workers */
	uint32_t slot;			/* its sockets; workers */
	uint32_t set;			/* which a reload replaces; workers */
	bool is_wanted;			/* comes back when it dies */
	pid_t pid;			/* 0: does not run */
	struct instant started;
	struct pause pause;
	struct channel *channel;
	int peer_fd;			/* for its next start; -1: none waits */
	int orphan_fd;			/* pidfd of a former master's worker
					 * that writes this region; -1: none */
	ev_child child;
	ev_timer restart, kill;
};

/* Makes the row ready for its first tenant. */
void process_init(struct process *, struct master *, uint32_t index);

/* Gives the row to a role and starts it. */
void process_begin(struct process *, enum role_kind, uint32_t slot,
    uint32_t set);

/* Starts it again after the pause that its deaths have earned. */
void process_restart_later(struct process *);

bool process_is_running(const struct process *);

/* Says something to it, if it runs; a failure ends its channel. */
void process_order(struct process *, uint16_t type, const void *body,
    size_t body_len, int fd);

/* Tells it to finish by the deadline (ns 0: unbounded), and not to come
 * back.  It is killed when it does not. */
void process_drain(struct process *, struct instant deadline);

/* SIGKILL, now; it does not come back. */
void process_kill(struct process *);

/* Lets go of what it holds here; the process itself is not touched. */
void process_release(struct process *);

#endif
