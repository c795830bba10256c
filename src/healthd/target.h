/*
 * healthd/target.h - one backend under watch.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_TARGET_H
#define HEALTHD_TARGET_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "conf/settings.h"
#include "healthd/attempt.h"
#include "healthd/breaker.h"
#include "healthd/probe.h"
#include "shm/route_table.h"

struct monitor;
struct resolver_name;
struct resolver_wait;

/* Where a target is; monitor.c's move functions alone change it. */
enum target_place {
	TARGET_RESTING,			/* its timer runs */
	TARGET_QUEUED,			/* for a place */
	TARGET_RESOLVING,		/* holds a place */
	TARGET_PROBED,			/* holds a place */
};

struct target {
	struct monitor *monitor;
	uint32_t slot, generation;
	uint64_t id;			/* the store's */

	enum backend_kind kind;
	uint16_t port;
	char *host;			/* name, address or path */
	char *base_path;
	struct sockaddr_storage address; /* when host is no name */
	socklen_t address_len;		/* 0: host is a name */
	struct resolver_name *name;
	struct resolver_wait *wait;
	uint32_t next_address;		/* of the name's */
	uint32_t tried_count;		/* of them, by this probe */

	struct probe_spec spec;		/* as the table has it, zeros too */
	char *path, *host_field;	/* the strings of spec */

	struct breaker_spec breaker_spec;
	struct breaker breaker;
	ev_timer breaker_timer;		/* open: until half-open */
	int64_t failed_wall_ms, next_attempt_wall_ms; /* 0: none */
	uint64_t opened_count;

	struct probe probe;
	enum target_place place;
	ev_timer timer;
	TAILQ_ENTRY(target) link;
	struct attempt *attempt;
	struct instant started;		/* of the latest probe; 0: none yet */
	bool is_urgent;			/* a failure asked for this probe */
	bool is_again;			/* and another came while it ran */
	uint32_t round;			/* of the table's taking in */
};

TAILQ_HEAD(target_queue, target);

/* Copies; NULL when out of memory.  The timer is not set up yet. */
struct target *target_new(const struct backend_copy *,
    const struct probe_spec *);
/* Frees what is its own memory; all else was given back before. */
void target_free(struct target **);

/* Is it the tenant of that copy, at the same address? */
bool target_is(const struct target *, const struct backend_copy *);

/* Takes another probe over.  Returns 1 when it differs, 0 when not, -1
 * when out of memory (the old one stays). */
MUST_CHECK int target_set_probe(struct target *, const struct probe_spec *);

/* The probe with the presets in place of zeros. */
struct probe_spec target_effective_probe(const struct target *,
    const struct settings *);

/* Writes "host:port", with brackets where needed, or "localhost". */
void target_print_authority(const struct target *, struct buf *);

#endif
