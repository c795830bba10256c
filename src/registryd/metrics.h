/*
 * registryd/metrics.h - the figures of /metrics, in Prometheus' text form.
 *
 * Names, types and sentences stand in rows (metrics_rows.c, and the X
 * rows of shm/worker_stats.h), and sluice-metrics(7) must name each; a
 * test compares.  Labels are bounded: routes by their label, backends by
 * service and id; never a path or a client's address.
 *
 * Source: Prometheus text exposition format 0.0.4.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_METRICS_H
#define REGISTRYD_METRICS_H

#include <stdint.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/compat.h"

enum metric_id {
	METRIC_HTTP_REQUESTS,
	METRIC_HTTP_SECONDS,
	METRIC_ROUTE_RECEIVED,
	METRIC_ROUTE_SENT,
	METRIC_RATE_LIMITED,
	METRIC_BACKEND_REQUESTS,
	METRIC_BACKEND_FAILURES,
	METRIC_BACKEND_RESPONSES,
	METRIC_BACKEND_SECONDS,
	METRIC_BACKEND_RECEIVED,
	METRIC_BACKEND_SENT,
	METRIC_BACKEND_IN_FLIGHT,
	METRIC_BACKEND_CONNECTIONS,
	METRIC_BACKEND_UP,
	METRIC_BACKEND_STATE,
	METRIC_CIRCUIT_STATE,
	METRIC_CIRCUIT_OPENED,
	METRIC_BACKEND_PROBES,
	METRIC_BACKEND_PROBES_FAILED,
	METRIC_DRAIN_REMAINING,
	METRIC_HEALTH_AGE,
	METRIC_HEALTH_STALE,
	METRIC_TABLE_GENERATION,
	METRIC_TABLE_AGE,
	METRIC_TABLE_ROUTES,
	METRIC_TABLE_SERVICES,
	METRIC_TABLE_BACKENDS,
	METRIC_TABLE_BYTES,
	METRIC_STORE_UP,
	METRIC_STORE_SIZE,
	METRIC_STORE_OPEN,
	METRIC_STORE_IDLE,
	METRIC_STORE_IN_USE,
	METRIC_STORE_WAITING,
	METRIC_STORE_QUERIES,
	METRIC_STORE_QUERIES_FAILED,
	METRIC_STORE_QUERY_SECONDS,
	METRIC_STORE_CONNECTS,
	METRIC_STORE_HELD,
	METRIC_STORE_HELD_ROUTES,
	METRIC_HISTORY_ROWS,
	METRIC_HISTORY_AGE,
	METRIC_HISTORY_PRUNED,
	METRIC_STORE_LISTENING,
	METRIC_PROPAGATION,
	METRIC_INSTANCE_BEHIND,
	METRIC_INSTANCE_STALE,
	METRIC_CERTIFICATE_END,
	METRIC_HANDSHAKES_FAILED,
	METRIC_REPLICA_GENERATION,
	METRIC_REPLICA_AGE,
	METRIC_REPLICA_SERVED,
	METRIC_REPLICA_GOOD,
	METRIC_REPLICA_FAILED,
	METRIC_REPLICA_SET_ASIDE,
	METRIC_SPOOL_WAITING,
	METRIC_SPOOL_SPOOLED,
	METRIC_SPOOL_PLAYED,
	METRIC_SPOOL_DROPPED,
	METRIC_RELOAD_TIME,
	METRIC_RELOAD_GOOD,
	METRIC_RELOADS,
	METRIC_RELOADS_FAILED,
	METRIC_RESTARTS,
	METRIC_WORKERS,
	METRIC_LOG_DROPPED,
	METRIC_BUILD,
	METRIC_CPU,
	METRIC_RESIDENT,
	METRIC_VIRTUAL,
	METRIC_FDS,
	METRIC_FDS_MAX,
	METRIC_START,
	METRIC_COUNT
};

struct metric_row {
	const char *name, *type, *help;
};

const struct metric_row *metric_row(enum metric_id);

/* Calls back for every metric, those of workers too, in the order of the
 * page. */
typedef void metric_row_fn(void *context, const struct metric_row *);
void metrics_each_row(metric_row_fn *, void *context);

/* Writing ---------------------------------------------------------------- */

/* HELP and TYPE. */
void metric_begin(struct buf *, const struct metric_row *);

/* A label with its value escaped: name="value". */
struct metric_label {
	const char *name;
	struct bytes value;
};

/* One line: name, suffix ("" or "_bucket"), labels, value. */
void metric_integer(struct buf *, const struct metric_row *,
    const char *suffix, const struct metric_label *, uint32_t label_count,
    uint64_t value);
void metric_number(struct buf *, const struct metric_row *,
    const char *suffix, const struct metric_label *, uint32_t label_count,
    double value);

/* A histogram that is not cumulative, of STATS_BUCKETS, as lines of
 * _bucket, _sum and _count. */
void metric_histogram(struct buf *, const struct metric_row *,
    const struct metric_label *, uint32_t label_count,
    const uint64_t *buckets, uint64_t sum_us);

#endif
