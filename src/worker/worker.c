/*
 * worker/worker.c - the role: accepts clients, brings them to backends.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/log.h"
#include "ipc/inherited.h"
#include "worker/client.h"
#include "worker/drains.h"
#include "worker/exchange.h"
#include "worker/listener.h"
#include "worker/neighbours.h"
#include "worker/pages.h"
#include "worker/trusted_proxies.h"
#include "worker/upstream.h"
#include "worker/upstream_pool.h"

#define OBJECTS_KEPT 64			/* unused ones of each kind, at least */

static struct worker the_worker;

void
worker_set_timer(struct worker *worker, struct wheel_timer *timer,
    int64_t span_ms)
{
	wheel_set(&worker->wheel, timer, worker->now,
	    instant_after_ms(worker->now, span_ms));
	if (!ev_is_active(&worker->ticker))
		ev_timer_again(worker->loop, &worker->ticker);
}

int64_t
worker_wall_ms(const struct worker *worker)
{
	return (int64_t)(ev_now(worker->loop) * 1000.0);
}

struct bytes
worker_date(struct worker *worker)
{
	int64_t unix_s = (int64_t)ev_now(worker->loop);

	if (unix_s != worker->date_unix_s) {
		worker->date_unix_s = unix_s;
		http_format_date(unix_s, worker->date);
	}
	return bytes_slice(worker->date, HTTP_DATE_SIZE - 1);
}

void
worker_count_connections(struct worker *worker, uint32_t backend_slot,
    uint64_t backend_id, int32_t change)
{
	struct backend_stats *stats =
	    change > 0 ? worker_stats_backend(worker->stats, backend_slot,
			     backend_id)
		       : worker_stats_kept_backend(worker->stats, backend_slot,
			     backend_id);
	uint32_t value = atomic_load_explicit(&stats->connections,
	    memory_order_relaxed);

	atomic_store_explicit(&stats->connections, value + (uint32_t)change,
	    memory_order_relaxed);
}

void
worker_client_left(struct worker *worker)
{
	if (worker_is_draining(worker) && worker->client_count == 0)
		daemon_done(worker->daemon);
}

/* The turn of the loop --------------------------------------------------- */

/* Keeps what is over, to be used again. */
#define REUSE(ended, unused_ones, type)                                        \
	do {                                                                   \
		struct type *object;                                           \
		while ((object = SLIST_FIRST(ended)) != NULL) {                \
			SLIST_REMOVE_HEAD(ended, unused);                      \
			if (HAS_ADDRESS_SANITIZER)                             \
				free(object);                                  \
			else                                                   \
				SLIST_INSERT_HEAD(unused_ones, object,         \
				    unused);                                   \
		}                                                              \
	} while (0)

static void
free_ended(struct worker *worker)
{
	REUSE(&worker->ended_clients, &worker->unused_clients, client);
	REUSE(&worker->ended_upstreams, &worker->unused_upstreams, upstream);
	REUSE(&worker->ended_exchanges, &worker->unused_exchanges, exchange);
}

/* Frees what a burst has left behind. */
#define TRIM(list, type)                                                       \
	do {                                                                   \
		struct type *last = SLIST_FIRST(list), *more;                  \
		for (uint32_t i = 1; last != NULL && i < OBJECTS_KEPT; i++)    \
			last = SLIST_NEXT(last, unused);                       \
		while (last != NULL &&                                         \
		    (more = SLIST_NEXT(last, unused)) != NULL) {               \
			SLIST_NEXT(last, unused) = SLIST_NEXT(more, unused);   \
			free(more);                                            \
		}                                                              \
	} while (0)

static void
trim_memory(struct worker *worker)
{
	TRIM(&worker->unused_clients, client);
	TRIM(&worker->unused_upstreams, upstream);
	TRIM(&worker->unused_exchanges, exchange);
	buffer_pool_trim(&worker->buffers,
	    worker->buffers.lent_count + OBJECTS_KEPT);
}

/* Before anything else of a turn. */
static void
on_turn(struct ev_loop *loop UNUSED, ev_check *check, int events UNUSED)
{
	struct worker *worker = check->data;

	worker->now = clock_now();
}

/* When all of a round is done: nobody up the stack looks any more. */
static void
finish_round(struct worker *worker)
{
	if (worker->is_queue_due) {
		worker->is_queue_due = false;
		exchange_serve_queue(worker);
	}
	free_ended(worker);
}

static void
on_turn_end(struct ev_loop *loop UNUSED, ev_prepare *prepare,
    int events UNUSED)
{
	finish_round(prepare->data);
}

/* Another round of traffic in the same turn. */
static void
on_round(void *context)
{
	struct worker *worker = context;

	finish_round(worker);
	worker->now = clock_now();
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events UNUSED)
{
	struct worker *worker = timer->data;

	wheel_advance(&worker->wheel, worker->now);
	client_watch_new(worker);
	/* Other workers may have let a backend go. */
	worker->is_queue_due = worker->queued_count > 0;
	if (worker->wheel.count == 0)
		ev_timer_stop(loop, timer);
}

static void
count_dropped_lines(struct worker *worker)
{
	uint64_t dropped = access_log_dropped_count(worker->log);

	if (dropped > worker->log_dropped_seen)
		stats_add(&worker->counters->log_lines_dropped,
		    dropped - worker->log_dropped_seen);
	worker->log_dropped_seen = dropped;
}

static void
on_second(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct worker *worker = timer->data;

	worker_stats_beat(worker->stats,
	    route_table_generation(worker->table), worker->now.ns);
	access_log_flush(worker->log);
	count_dropped_lines(worker);
	neighbours_look(worker->neighbours);
	drains_look(worker);
	upstream_pools_sweep(worker->pools, worker->now);
	pages_sweep(worker->pages, worker->now);
	trim_memory(worker);
}

static void
start_turning(struct worker *worker)
{
	worker->now = clock_now();
	wheel_init(&worker->wheel, worker->now);
	ev_init(&worker->ticker, on_tick);
	worker->ticker.repeat = WHEEL_TICK_MS / 1000.0;
	worker->ticker.data = worker;
	ev_timer_init(&worker->second, on_second, 1.0, 1.0);
	worker->second.data = worker;
	ev_timer_start(worker->loop, &worker->second);
	ev_check_init(&worker->turn, on_turn);
	ev_set_priority(&worker->turn, EV_MAXPRI);
	worker->turn.data = worker;
	ev_check_start(worker->loop, &worker->turn);
	ev_prepare_init(&worker->turn_end, on_turn_end);
	worker->turn_end.data = worker;
	ev_prepare_start(worker->loop, &worker->turn_end);
}

/* Settings --------------------------------------------------------------- */

/* Takes what is kept in another form than the settings have it.  0, or
 * -1, logged, with all as it was. */
static int
take_settings(struct worker *worker, const struct settings *settings)
{
	struct trusted_proxies *trusted;
	const char *bad = "";

	trusted = trusted_proxies_new(&settings->http.trusted_proxies, &bad);
	if (trusted == NULL) {
		log_error("trusted_proxies: \"%s\": %m; write an address or "
		    "a block such as 10.0.0.0/8", bad);
		return -1;
	}
	trusted_proxies_free(&worker->trusted);
	worker->trusted = trusted;
	worker->trusted_version++;
	worker->settings = settings;
	worker->forward = (struct forward_options){
		.forwarded = settings->http.forwarded,
		.traceparent = settings->http.traceparent,
	};
	return 0;
}

static bool
is_same_log(const struct settings *a, const struct settings *b)
{
	return strcmp(a->log.access, b->log.access) == 0 &&
	    a->log.format == b->log.format &&
	    strcmp(a->log.custom, b->log.custom) == 0;
}

static void
change_log(struct worker *worker)
{
	struct access_log *log;

	if (access_log_open(worker->settings, &log) == -1)
		return;			/* logged; the old one goes on */
	count_dropped_lines(worker);
	access_log_close(&worker->log);
	worker->log = log;
	worker->log_dropped_seen = 0;
}

static void
worker_reload(struct daemon *daemon, const struct settings *old)
{
	struct worker *worker = daemon->state;

	worker->settings = daemon->settings;
	(void)take_settings(worker, daemon->settings);
	if (!is_same_log(old, daemon->settings))
		change_log(worker);
}

static void
worker_reopen(struct daemon *daemon)
{
	struct worker *worker = daemon->state;

	access_log_reopen(worker->log);
}

/* Starting --------------------------------------------------------------- */

static uint32_t
in_flight(void *context, uint32_t backend_slot, uint64_t backend_id)
{
	const struct worker *worker = context;

	return neighbours_in_flight(worker->neighbours, backend_slot,
	    backend_id);
}

static bool
take_trial(void *context, const struct limit_trial *trial, uint32_t max)
{
	const struct worker *worker = context;

	return limits_take_trial(worker->limits, trial, max);
}

static int
attach_segment(struct worker *worker)
{
	const char *dir = worker->daemon->segment_dir;

	if (route_table_open(dir, &worker->table) == -1 ||
	    health_open(dir, &worker->health) == -1) {
		log_error("segment %s: %m", dir);
		return -1;
	}
	if (worker_stats_open_writable(FD_REGION, &worker->stats) == -1) {
		log_error("region worker.%u: %m", worker->daemon->region);
		return -1;
	}
	if (limits_open_writable(FD_LIMITS, &worker->limits) == -1) {
		log_error("segment %s: limits: %m", dir);
		return -1;
	}
	worker->counters = worker_stats_counters(worker->stats);
	worker->neighbours = neighbours_new(dir, worker->daemon->region,
	    worker->stats);
	if (worker->neighbours == NULL) {
		log_error("neighbours: %m");
		return -1;
	}
	neighbours_look(worker->neighbours);
	return 0;
}

static int
make_router(struct worker *worker)
{
	struct router_config config = {
		.table = worker->table,
		.health = worker->health,
		.in_flight = in_flight,
		.take_trial = take_trial,
		.context = worker,
		.suspect_ms = worker->settings->http.suspect_ms,
	};

	random_fill(&config.seed, sizeof(config.seed));
	random_fill(worker->ids, sizeof(worker->ids));
	if (router_new(&config, &worker->router) == -1 ||
	    (worker->resolver = resolver_new(worker->loop)) == NULL ||
	    (worker->pools = upstream_pools_new(worker)) == NULL ||
	    (worker->pages = pages_new(worker)) == NULL) {
		log_error("start: %m");
		return -1;
	}
	return 0;
}

static int
worker_start(struct daemon *daemon)
{
	struct worker *worker = &the_worker;

	daemon->state = worker;
	worker->daemon = daemon;
	worker->loop = daemon->loop;
	TAILQ_INIT(&worker->clients);
	TAILQ_INIT(&worker->queue);
	buffer_pool_init(&worker->buffers);
	if (take_settings(worker, daemon->settings) == -1)
		return EX_CONFIG;
	if (access_log_open(daemon->settings, &worker->log) == -1)
		return EX_CANTCREAT;
	if (attach_segment(worker) == -1 || make_router(worker) == -1)
		return EX_OSERR;
	start_turning(worker);
	if (poller_open(&worker->poller, worker->loop, on_round,
	    worker) == -1) {
		log_error("epoll: %m");
		return EX_OSERR;
	}
	if (listeners_start(worker) == -1) {
		log_error("listeners: %m");
		return EX_OSERR;
	}
	return 0;
}

/* Draining --------------------------------------------------------------- */

static void
on_drain_deadline(struct wheel_timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker,
	    drain_timer);

	log_notice("drain: cutting %u connections at the deadline",
	    worker->client_count);
	client_cut_all(worker);
}

static void
worker_drain(struct daemon *daemon, struct instant deadline)
{
	struct worker *worker = daemon->state;

	listeners_stop(worker);
	upstream_pools_close_idle(worker->pools);
	if (daemon->is_stopping)
		client_close_idle(worker);
	if (worker->client_count == 0) {
		daemon_done(daemon);
		return;
	}
	wheel_remove(&worker->wheel, &worker->drain_timer);
	wheel_timer_init(&worker->drain_timer, on_drain_deadline);
	if (deadline.ns != 0)
		worker_set_timer(worker, &worker->drain_timer,
		    instant_diff_ms(deadline, worker->now));
}

static const struct daemon_role role = {
	.name = "worker",
	.loop_backend = EVBACKEND_POLL,	/* see worker/poller.h */
	.start = worker_start,
	.reload = worker_reload,
	.drain = worker_drain,
	.reopen = worker_reopen,
};

int
main(int argc, char **argv)
{
	int status = daemon_run(&role, argc, argv);

	/* What is left is the kernel's to take back. */
	if (the_worker.log != NULL)
		access_log_close(&the_worker.log);
	worker_stats_close(&the_worker.stats);
	return status;
}
