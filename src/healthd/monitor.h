/*
 * healthd/monitor.h - the backends under watch, and what is thought of them.
 *
 * A target is a backend of the route table with the probe of its
 * service.  It waits on its timer, then in a queue for one of the places
 * among the probes under way (MONITOR_PROBES_MAX, so that thousands of
 * backends need no thousands of descriptors), is probed, judged, and
 * waits again.  A failure that a worker saw puts it into the queue out
 * of turn.
 *
 * Writes health words and details; nobody else does.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_MONITOR_H
#define HEALTHD_MONITOR_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/settings.h"
#include "ipc/health_msg.h"
#include "shm/health.h"
#include "shm/route_table.h"
#include "shm/worker_stats.h"

#define MONITOR_PROBES_MAX     512
#define MONITOR_URGENT_REST_MS 100	/* between probes out of turn */

struct monitor;
struct resolver;

/* A verdict changed; the message is for registryd. */
typedef void monitor_changed_fn(void *context, const struct health_changed *);

struct monitor_config {
	struct ev_loop *loop;
	struct health_map *health;	/* writable */
	struct resolver *resolver;
	const struct settings *settings; /* see monitor_set_settings() */
	monitor_changed_fn *changed;
	void *context;
	uint64_t seed;
};

/* NULL when out of memory. */
struct monitor *monitor_new(const struct monitor_config *);
void monitor_free(struct monitor **);

/* New presets; each target takes them over with its next probe. */
void monitor_set_settings(struct monitor *, const struct settings *);

/*
 * Taking the table in: begin, put for each backend there is, end.  With
 * is_whole, targets that were not put between begin and end are dropped.
 */
void monitor_begin(struct monitor *);
void monitor_put(struct monitor *, const struct backend_copy *,
    const struct service_spec *);
void monitor_end(struct monitor *, bool is_whole);
void monitor_drop(struct monitor *, uint32_t slot);

/* A worker saw a request fail at it, or a trial go well.  Of another
 * generation, or unknown: nothing happens. */
void monitor_note_failure(struct monitor *, const struct failure *);

/* 0, or -1 with ESRCH: there is no such tenant. */
MUST_CHECK int monitor_order_breaker(struct monitor *,
    const struct health_breaker_order *);

/* How many targets there are. */
uint32_t monitor_count(const struct monitor *);

#endif
