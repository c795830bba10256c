/*
 * shm/worker_stats.h - what one worker counts, and the failures it saw.
 *
 * Writer:  worker K, alone.    Readers: registryd (/metrics), healthd (the
 * ring), sluicectl, and other workers (in-flight, for least connections).
 *
 * Counters are relaxed atomics that only their writer adds to: a plain
 * load, add and store, no locked instruction.  They outlive their
 * worker: its successor in region K goes on from where they stand, so a
 * sum over all regions is exact through deaths and reloads.  What tells
 * of the present (in flight, open connections) is set to zero by the
 * successor, since its owner is gone.
 *
 * Records of routes and backends are found by slot and tagged with the
 * store's id of their tenant.  A record whose tag is another's is zeroed
 * by its worker at the first use; readers skip it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_WORKER_STATS_H
#define SHM_WORKER_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "shm/segment.h"

/*
 * X(field, metric, help): one row makes the field, the line of /metrics
 * and the entry that sluice-metrics(7) must have.
 */
#define WORKER_COUNTERS(X)                                                     \
	X(connections_accepted, "sluice_connections_accepted_total",           \
	    "Client connections accepted.")                                    \
	X(connections_refused, "sluice_connections_refused_total",             \
	    "Client connections refused at the limit.")                        \
	X(requests, "sluice_requests_total",                                   \
	    "Requests answered, own error answers included.")                  \
	X(bytes_received, "sluice_received_bytes_total",                       \
	    "Bytes read from clients.")                                        \
	X(bytes_sent, "sluice_sent_bytes_total", "Bytes written to clients.")  \
	X(upstream_connects, "sluice_upstream_connects_total",                 \
	    "Connections opened to backends.")                                 \
	X(upstream_reuses, "sluice_upstream_reuses_total",                     \
	    "Requests sent on a kept-alive backend connection.")               \
	X(retries, "sluice_retries_total",                                     \
	    "Requests tried again on another backend.")                        \
	X(retries_denied, "sluice_retries_denied_total",                       \
	    "Retries that the retry budget did not allow.")                    \
	X(tunnels, "sluice_tunnels_total", "Upgrades that became tunnels.")    \
	X(log_lines_dropped, "sluice_log_lines_dropped_total",                 \
	    "Access log lines that could not be written.")                     \
	X(stats_lost, "sluice_stats_lost_total",                               \
	    "Requests not counted by route, for want of shared memory.")

#define WORKER_GAUGES(X)                                                       \
	X(connections_open, "sluice_connections_open",                         \
	    "Client connections open now.")                                    \
	X(connections_idle, "sluice_connections_idle",                         \
	    "Client connections kept alive and waiting.")                      \
	X(requests_in_flight, "sluice_requests_in_flight",                     \
	    "Requests being answered now.")                                    \
	X(tunnels_open, "sluice_tunnels_open", "Tunnels open now.")            \
	X(upstream_idle, "sluice_upstream_idle",                               \
	    "Kept-alive backend connections waiting.")

/* Status codes counted one by one; others fall to their class's "other". */
#define STATS_CODES_MAX 64
/* The counter's index for a status of 100 .. 599. */
uint32_t stats_code_index(unsigned int status);
/* The status for an index: 200, or 299 for "other 2xx"; 0: unused. */
unsigned int stats_code_status(uint32_t index);

/* Upper bounds of the latency buckets, in microseconds; the last is
 * without bound. */
#define STATS_BUCKETS 20
uint64_t stats_bucket_bound_us(uint32_t bucket); /* UINT64_MAX: unbounded */

struct latency_histogram {
	_Atomic uint64_t buckets[STATS_BUCKETS]; /* not cumulative */
	_Atomic uint64_t sum_us;
};

struct backend_stats {
	_Atomic uint64_t tag;		/* the backend's id */
	_Atomic uint32_t in_flight;	/* requests and tunnels now */
	_Atomic uint32_t connections;	/* open to it now */
	_Atomic uint64_t requests, failures, bytes_sent, bytes_received;
	_Atomic uint64_t class_codes[6]; /* [1] 1xx .. [5] 5xx; [0] none */
	struct latency_histogram latency; /* request sent to answer's head */
	_Atomic uint32_t tunnels;	/* of in_flight: open now */
	_Atomic uint32_t reserved_half;
	_Atomic int64_t oldest_ns;	/* began the oldest in flight, where it
					 * drains; CLOCK_MONOTONIC, 0: none */
	uint64_t reserved[5];
};
_Static_assert(sizeof(struct backend_stats) == 40 * 8, "layout of the segment");

/* Failures, for healthd ------------------------------------------------ */

enum failure_kind {
	FAILURE_CONNECT,		/* refused, unreachable, timed out */
	FAILURE_CLOSED,			/* closed or reset before an answer */
	FAILURE_TIMEOUT,		/* no answer in time */
	FAILURE_PROTOCOL,		/* an answer that is no HTTP */
	FAILURE_STATUS,			/* answered 5xx */
	FAILURE_NONE,			/* a trial that went well */
};

/*
 * What healthd is told of.  For its breakers: whether it was a trial,
 * and how many good answers of the backend all workers had counted by
 * then; that tells failures in a row from others.
 */
struct failure {
	uint32_t backend;		/* slot */
	uint32_t generation;		/* of the slot's tenant */
	enum failure_kind kind;
	bool is_trial;			/* of a half-open breaker */
	uint16_t trial_round;		/* the round it was of */
	uint64_t success_count;
	int64_t at_ns;			/* CLOCK_MONOTONIC */
};

/* A power of two. */
#define FAILURE_RING_SIZE 4096

/* ---------------------------------------------------------------------- */

struct worker_info {
	uint32_t pid;			/* 0: nobody owns the region now */
	int64_t started_wall_ms;
	uint64_t table_generation;	/* last used for a request */
	uint64_t beat_ns;		/* latest turn of the loop, coarse */
};

struct worker_stats;			/* a mapped worker.K */

/* Takes worker.K over: gauges to zero, pid and start set.  fd becomes the
 * map's own.  Errors: see region_map_fd(). */
MUST_CHECK int worker_stats_open_writable(int fd,
    struct worker_stats **stats_r);
/* Read-only, by path. */
MUST_CHECK int worker_stats_open(const char *dir, uint32_t k,
    struct worker_stats **stats_r);
void worker_stats_close(struct worker_stats **);

struct worker_counters {
#define X(field, metric, help) _Atomic uint64_t field;
	WORKER_COUNTERS(X)
	WORKER_GAUGES(X)
#undef X
};

/* The process-wide counters; written by stats_add() and friends only. */
struct worker_counters *worker_stats_counters(struct worker_stats *);
const struct worker_counters *worker_stats_read_counters(
    const struct worker_stats *);

/*
 * The record of a backend for its worker, zeroed first when its tag was
 * another's.  Never NULL: when the slot is out of range or no memory can
 * be had, a record that nobody reads (counted: stats_lost).
 *
 * For the start of a request, when the id is the slot's present tenant's.
 */
struct backend_stats *worker_stats_backend(struct worker_stats *, uint32_t slot,
    uint64_t backend_id);

/*
 * The same for what began earlier: a slot may get another tenant while
 * requests of the old one are in flight.  The record if it is still that
 * id's, else one that nobody reads, so that the new tenant's figures stay.
 */
struct backend_stats *worker_stats_kept_backend(struct worker_stats *,
    uint32_t slot, uint64_t backend_id);
/* For a record that was given out before; records do not move. */
struct backend_stats *worker_stats_keep_backend(struct worker_stats *,
    struct backend_stats *, uint64_t backend_id);

/* For readers: the record if its tag is the one given, else NULL. */
const struct backend_stats *worker_stats_read_backend(
    const struct worker_stats *, uint32_t slot, uint64_t backend_id);

/* Routes (worker_routes.c) ----------------------------------------------- */

/* One request that was answered. */
struct route_sample {
	unsigned int status;
	uint64_t us;			/* first byte in to last byte out */
	uint64_t bytes_received, bytes_sent; /* body and head */
};

/* At the start of a request: the slot's figures are this route's, zeroed
 * first when they were another's.  What cannot be is counted: stats_lost. */
void worker_stats_claim_route(struct worker_stats *, uint32_t slot,
    uint64_t route_id);

/* At its end, if the slot's figures are still this route's. */
void worker_stats_count_route(struct worker_stats *, uint32_t slot,
    uint64_t route_id, const struct route_sample *);

/* The limit of a claimed route refused, or would have refused, one. */
void worker_stats_count_limited(struct worker_stats *, uint32_t slot,
    uint64_t route_id);

/* A route's figures, of one worker or the sum of several. */
struct route_figures {
	uint64_t bytes_received, bytes_sent, rate_limited, sum_us;
	uint64_t buckets[STATS_BUCKETS]; /* not cumulative */
	uint64_t codes[STATS_CODES_MAX];
};

/* For readers: adds what this worker counted.  False, and nothing added,
 * when it does not know the route. */
bool worker_stats_add_route(const struct worker_stats *, uint32_t slot,
    uint64_t route_id, struct route_figures *sum);

/* Adds as the one writer of counter. */
static inline void
stats_add(_Atomic uint64_t *counter, uint64_t amount)
{
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + amount,
	    memory_order_relaxed);
}

static inline void
stats_sub(_Atomic uint64_t *gauge, uint64_t amount)
{
	atomic_store_explicit(gauge,
	    atomic_load_explicit(gauge, memory_order_relaxed) - amount,
	    memory_order_relaxed);
}

static inline uint64_t
stats_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

uint32_t stats_bucket_of(uint64_t us);
void latency_add(struct latency_histogram *, uint64_t us);

/* Says that the loop turns, and by which table. */
void worker_stats_beat(struct worker_stats *, uint64_t table_generation,
    int64_t now_ns);
void worker_stats_info(const struct worker_stats *, struct worker_info *info_r);

/* Pushes; the oldest is overwritten when nobody reads. */
void worker_stats_push_failure(struct worker_stats *, const struct failure *);

/*
 * Takes the next failure behind *cursor (0 at first: from the oldest
 * kept), moving it on.  Returns false when there is none.  Failures that
 * were overwritten unread are skipped and added to *lost_r.
 */
bool worker_stats_next_failure(const struct worker_stats *, uint64_t *cursor,
    struct failure *failure_r, uint64_t *lost_r);

#endif
