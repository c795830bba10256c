/*
 * worker/worker.h - what all parts of one worker share.
 *
 * One thread, one loop.  Everything of a request hangs on its exchange;
 * what is here outlives requests.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <ev.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/random.h"
#include "conf/settings.h"
#include "daemon/daemon.h"
#include "daemon/resolver.h"
#include "http/forward.h"
#include "routing/router.h"
#include "shm/limits.h"
#include "shm/worker_stats.h"
#include "worker/access_log.h"
#include "worker/buffer_pool.h"
#include "worker/poller.h"
#include "worker/retry_budget.h"
#include "worker/wheel.h"

struct client;
struct exchange;
struct listener;
struct neighbours;
struct pages;
struct trusted_proxies;
struct upstream;
struct upstream_pools;

TAILQ_HEAD(client_list, client);
TAILQ_HEAD(exchange_list, exchange);

struct worker {
	struct daemon *daemon;
	struct ev_loop *loop;
	struct poller poller;		/* of the sockets of traffic */
	const struct settings *settings;
	struct instant now;		/* of this turn of the loop */

	/* the segment */
	struct route_table *table;
	struct health_map *health;
	struct worker_stats *stats;
	struct worker_counters *counters;
	struct neighbours *neighbours;
	struct limits *limits;

	/* decisions */
	struct router *router;
	struct resolver *resolver;
	struct upstream_pools *pools;
	struct pages *pages;
	struct retry_budget retries;
	struct exchange_list queue;	/* wait for a backend that is busy */
	uint32_t queued_count;
	bool is_queue_due;		/* one of them may find a backend */

	/* clients */
	struct listener *listeners;
	uint32_t listener_count;
	struct client_list clients;
	uint32_t client_count;
	uint64_t drains_seen;		/* the table's change count then */
	bool has_drains;		/* something in flight drains */
	struct trusted_proxies *trusted;
	uint32_t trusted_version;	/* changes with the list */
	struct access_log *log;
	uint64_t log_dropped_seen;

	/* time */
	struct wheel wheel;
	ev_timer ticker;		/* runs while a timer is queued */
	ev_timer second;
	ev_check turn;
	ev_prepare turn_end;
	struct wheel_timer drain_timer;
	int64_t date_unix_s;
	char date[HTTP_DATE_SIZE];

	/* scratch and memory */
	struct random_stream ids[2];
	struct http_response response;	/* of the head being forwarded */
	struct forward_options forward;
	struct buffer_pool buffers;
	SLIST_HEAD(, client) unused_clients;
	SLIST_HEAD(, client) ended_clients; /* freed when the loop turns */
	SLIST_HEAD(, upstream) unused_upstreams, ended_upstreams;
	SLIST_HEAD(, exchange) unused_exchanges, ended_exchanges;
};

/* Arms a timer at now + span. */
void worker_set_timer(struct worker *, struct wheel_timer *, int64_t span_ms);
static inline void
worker_remove_timer(struct worker *worker, struct wheel_timer *timer)
{
	wheel_remove(&worker->wheel, timer);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", of this second. */
struct bytes worker_date(struct worker *);

/* Milliseconds since 1970, of this turn of the loop. */
int64_t worker_wall_ms(const struct worker *);

static inline bool
worker_is_draining(const struct worker *worker)
{
	return worker->daemon->is_draining;
}

/* Adds to the gauge of connections to a backend. */
void worker_count_connections(struct worker *, uint32_t backend_slot,
    uint64_t backend_id, int32_t change);

/* A client is gone: a drain may be over. */
void worker_client_left(struct worker *);

#endif
