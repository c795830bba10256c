/*
 * shm/master_status.h - what the master says of its roles.
 *
 * Writer:  master.    Readers: registryd (/metrics, /v1/workers), ctl.
 *
 * A row for each role that runs or ran.  Relaxed atomics, each true by
 * itself.  The region exists so that nobody need ask the master, which
 * must not block.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_MASTER_STATUS_H
#define SHM_MASTER_STATUS_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/compat.h"
#include "shm/segment.h"

enum role_kind {
	ROLE_WORKER,
	ROLE_REGISTRYD,
	ROLE_HEALTHD,
};

enum role_state {
	ROLE_EMPTY,			/* the row was never used */
	ROLE_STARTING,
	ROLE_READY,
	ROLE_DRAINING,			/* finishes what it has, takes no new */
	ROLE_DEAD,			/* will be started again */
	ROLE_RETIRED,			/* ended as told */
};

struct role_status {
	_Atomic uint32_t kind;		/* enum role_kind */
	_Atomic uint32_t state;		/* enum role_state */
	_Atomic uint32_t pid;
	_Atomic uint32_t region;	/* K of worker.K */
	_Atomic uint32_t restarts;	/* since the master started */
	_Atomic uint32_t last_exit;	/* wait status of the last that ended */
	_Atomic int64_t started_wall_ms;
};

/* Rows 0 and 1 are registryd's and healthd's; worker.K's is 2 + K. */
#define MASTER_ROLES_MAX (SEGMENT_WORKERS_MAX + 2)

struct master_status {
	struct region_header header;
	_Atomic uint32_t pid;
	_Atomic uint32_t worker_count;	/* wanted */
	_Atomic int64_t started_wall_ms;
	_Atomic int64_t reloaded_wall_ms; /* last success; 0: never */
	_Atomic uint64_t reload_count, reload_failed_count;
	_Atomic uint32_t is_stopping;	/* readiness says 503 */
	_Atomic uint32_t is_reload_good; /* the last reload succeeded */
	struct role_status roles[MASTER_ROLES_MAX];
};

/* Maps the region; a pointer that is good until master_status_close(). */
MUST_CHECK int master_status_open(const char *dir,
    const struct master_status **status_r);
MUST_CHECK int master_status_open_writable(int fd,
    struct master_status **status_r);
void master_status_close(const struct master_status **);

#endif
