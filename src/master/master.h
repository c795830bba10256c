/*
 * master/master.h - what the master holds.
 *
 * Its files, by subject: options and main (the command line), bind and
 * listeners (sockets), process and spawn (one role's life), supervise
 * (all of them: start, signals, stop), reload.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "conf/settings.h"
#include "master/listeners.h"
#include "master/options.h"
#include "master/pidfile.h"
#include "master/privileges.h"
#include "master/process.h"
#include "shm/master_status.h"
#include "shm/segment.h"

/* As enum master_phase goes up, so does the life of a master. */
enum master_phase {
	MASTER_STARTING,		/* not every role was ready yet */
	MASTER_RUNNING,
	MASTER_STOPPING_WORKERS,
	MASTER_STOPPING_OTHERS,
};

#define MASTER_RELOADS_MAX 16

/* Rows of processes, as in master_status. */
#define REGISTRYD_INDEX	   0
#define HEALTHD_INDEX	   1
#define WORKER_INDEX_FIRST 2

struct master {
	struct ev_loop *loop;
	const struct options *options;
	struct settings *settings;
	struct identity identity;
	char segment_dir[SEGMENT_DIR_SIZE];
	char pid_path[PIDFILE_PATH_SIZE];
	int pid_fd;
	int settings_fd;		/* sealed memfd of settings */
	int certificates_fd;		/* sealed, of TLS; -1: none */
	int failures_fd;		/* eventfd between workers and
					 * healthd */
	int report_fd;			/* to the shell that waits; -1: none */
	struct listeners traffic, admin;
	struct master_status *status;

	enum master_phase phase;
	int exit_status;
	struct instant deadline;	/* of the stop; ns 0: unbounded */
	bool is_reload_due;		/* asked for while starting */
	uint64_t reload_requests[MASTER_RELOADS_MAX]; /* to be answered then */
	uint32_t reload_request_count;
	bool has_bounded_stop;		/* a second signal kills */

	struct process processes[MASTER_ROLES_MAX];
	uint32_t worker_count;		/* wanted */
	uint32_t worker_set;		/* number of the newest set */
	bool are_workers_retired;	/* SIGWINCH; a reload ends it */
	bool has_orphans;		/* of a former master, at start */
	bool is_adopted;		/* the segment stood there */
};

/* Workers that these settings ask for: 0 means one a processor. */
uint32_t master_worker_count(const struct settings *);

#endif
