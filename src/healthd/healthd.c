/*
 * healthd/healthd.c - the health daemon: a role.
 *
 * Reads the route table and the workers' rings of failures, probes the
 * backends, and is the only writer of health words.  Goes on without
 * registryd, whose channel it only tells of changes.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/random.h"
#include "daemon/daemon.h"
#include "daemon/resolver.h"
#include "healthd/failures.h"
#include "healthd/monitor.h"
#include "healthd/outbox.h"
#include "healthd/roster.h"
#include "ipc/health_msg.h"
#include "ipc/inherited.h"

struct healthd {
	struct daemon *daemon;
	struct route_table *table;
	struct health_map *health;
	struct resolver *resolver;
	struct monitor *monitor;
	struct roster *roster;
	struct failures *failures;
	struct outbox *outbox;
	struct channel *peer;		/* registryd; NULL while it is away */
	ev_io woken;			/* FD_FAILURES */
	ev_timer second;
};

/* registryd ------------------------------------------------------------ */

/* A registryd that is away reads the words when it is back. */
static void
send_changed(void *context, const struct health_changed *changed)
{
	struct healthd *healthd = context;

	if (healthd->peer != NULL &&
	    channel_send(healthd->peer, FROM_HEALTHD_CHANGED, changed,
		sizeof(*changed), NULL, 0) == -1)
		log_debug("registryd: not told of a change: %m");
}

static void
on_changed(void *context, const struct health_changed *changed)
{
	struct healthd *healthd = context;

	outbox_put(healthd->outbox, changed);
}

static int
on_published(struct healthd *healthd, const void *body)
{
	const struct health_published *published = body;

	roster_take_slots(healthd->roster, published->slots,
	    published->slot_count);
	return 0;
}

static int
on_breaker(struct healthd *healthd, const void *body)
{
	const struct health_breaker_order *order = body;
	struct health_obeyed obeyed = { .id = order->id };

	if (order->action > BREAKER_RESET) {
		errno = EPROTO;
		return -1;
	}
	obeyed.is_done = monitor_order_breaker(healthd->monitor, order) == 0;
	if (channel_send(healthd->peer, FROM_HEALTHD_OBEYED, &obeyed,
		sizeof(obeyed), NULL, 0) == -1)
		log_debug("registryd: not told of an order obeyed: %m");
	return 0;
}

typedef int peer_order_fn(struct healthd *, const void *body);

static const struct {
	size_t body_len;		/* exact; else a violation */
	peer_order_fn *handle;
} peer_orders[TO_HEALTHD_COUNT] = {
	[TO_HEALTHD_PUBLISHED] = { sizeof(struct health_published),
		on_published },
	[TO_HEALTHD_BREAKER] = { sizeof(struct health_breaker_order),
		on_breaker },
};

static int
on_peer_message(void *context, const struct channel_message *message)
{
	if (message->type >= TO_HEALTHD_COUNT ||
	    message->body_len != peer_orders[message->type].body_len) {
		errno = EPROTO;
		return -1;
	}
	return peer_orders[message->type].handle(context, message->body);
}

static void
on_peer_closed(void *context)
{
	struct healthd *healthd = context;

	if (!healthd->daemon->is_draining)
		log_info("registryd is away: probes go on");
	channel_free(&healthd->peer);
}

static void
take_peer(struct healthd *healthd, int fd)
{
	const struct channel_handlers handlers = { on_peer_message,
		on_peer_closed, healthd };

	if (healthd->peer != NULL)
		channel_free(&healthd->peer);
	healthd->peer = channel_new(healthd->daemon->loop, fd,
	    HEALTH_MSG_VERSION, &handlers);
	if (healthd->peer == NULL)
		log_error("registryd: channel: %m: changes are not told");
}

/* Failures of workers --------------------------------------------------- */

static void
on_failure(void *context, const struct failure *failure)
{
	struct healthd *healthd = context;

	monitor_note_failure(healthd->monitor, failure);
}

static void
on_woken(struct ev_loop *loop, ev_io *io, int events)
{
	struct healthd *healthd = io->data;
	uint64_t count;

	(void)events;
	if (read(io->fd, &count, sizeof(count)) == -1 && errno != EAGAIN &&
	    errno != EINTR) {
		log_error("failures: %m: looked for each second only");
		ev_io_stop(loop, io);
	}
	/* Nothing in any ring that we know: from a worker that is new. */
	if (failures_read(healthd->failures) == 0) {
		failures_scan(healthd->failures);
		(void)failures_read(healthd->failures);
	}
}

/* Each second ----------------------------------------------------------- */

static void
beat(struct healthd *healthd)
{
	struct health_beat *beat = health_beat_writable(healthd->health);

	atomic_store_explicit(&beat->wall_ms, clock_wall_ms(),
	    memory_order_relaxed);
	atomic_store_explicit(&beat->pid, (uint32_t)getpid(),
	    memory_order_relaxed);
	atomic_store_explicit(&beat->backends_probed,
	    monitor_count(healthd->monitor), memory_order_relaxed);
	atomic_store_explicit(&beat->ring_lost,
	    failures_lost_count(healthd->failures), memory_order_relaxed);
	atomic_store_explicit(&beat->table_generation,
	    route_table_generation(healthd->table), memory_order_relaxed);
}

static void
on_second(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct healthd *healthd = timer->data;

	(void)loop;
	(void)events;
	roster_take_changes(healthd->roster);
	failures_scan(healthd->failures);
	(void)failures_read(healthd->failures);
	beat(healthd);
}

/* The role -------------------------------------------------------------- */

static void
healthd_free(struct healthd *healthd)
{
	ev_io_stop(healthd->daemon->loop, &healthd->woken);
	ev_timer_stop(healthd->daemon->loop, &healthd->second);
	if (healthd->peer != NULL)
		channel_free(&healthd->peer);
	failures_free(&healthd->failures);
	roster_free(&healthd->roster);
	monitor_free(&healthd->monitor);
	outbox_free(&healthd->outbox);
	if (healthd->resolver != NULL)
		resolver_free(&healthd->resolver);
	if (healthd->health != NULL)
		health_close(&healthd->health);
	if (healthd->table != NULL)
		route_table_close(&healthd->table);
	free(healthd);
}

/* Maps what it reads and writes.  0, or a sysexits status. */
static int
open_segment(struct healthd *healthd)
{
	const char *dir = healthd->daemon->segment_dir;

	if (route_table_open(dir, &healthd->table) == -1) {
		log_error("%s/routes: %m", dir);
		return EX_UNAVAILABLE;
	}
	if (health_open_writable(FD_REGION, &healthd->health) == -1) {
		log_error("%s/health: %m", dir);
		return EX_UNAVAILABLE;
	}
	return 0;
}

static int
make_parts(struct healthd *healthd)
{
	struct monitor_config config = {
		.loop = healthd->daemon->loop,
		.health = healthd->health,
		.settings = healthd->daemon->settings,
		.changed = on_changed,
		.context = healthd,
	};

	random_fill(&config.seed, sizeof(config.seed));
	healthd->resolver = resolver_new(healthd->daemon->loop);
	if (healthd->resolver == NULL) {
		log_error("resolver: %m");
		return EX_OSERR;
	}
	config.resolver = healthd->resolver;
	healthd->outbox = outbox_new(config.loop, send_changed, healthd);
	healthd->monitor = monitor_new(&config);
	healthd->failures = failures_new(healthd->daemon->segment_dir,
	    healthd->health, on_failure, healthd);
	if (healthd->monitor != NULL)
		healthd->roster = roster_new(healthd->table, healthd->monitor);
	if (healthd->roster == NULL || healthd->failures == NULL ||
	    healthd->outbox == NULL) {
		log_error("out of memory");
		return EX_OSERR;
	}
	return 0;
}

static int
healthd_start(struct daemon *daemon)
{
	struct healthd *healthd = calloc(1, sizeof(*healthd));
	int status;

	if (healthd == NULL)
		return EX_OSERR;
	healthd->daemon = daemon;
	ev_io_init(&healthd->woken, on_woken, FD_FAILURES, EV_READ);
	ev_timer_init(&healthd->second, on_second, 0.0, 1.0);
	healthd->woken.data = healthd->second.data = healthd;
	if ((status = open_segment(healthd)) != 0 ||
	    (status = make_parts(healthd)) != 0) {
		healthd_free(healthd);
		return status;
	}
	daemon->state = healthd;
	take_peer(healthd, FD_PEER);
	ev_io_start(daemon->loop, &healthd->woken);
	ev_timer_start(daemon->loop, &healthd->second);
	return 0;
}

static void
healthd_reload(struct daemon *daemon, const struct settings *old)
{
	struct healthd *healthd = daemon->state;

	(void)old;
	monitor_set_settings(healthd->monitor, daemon->settings);
}

static void
healthd_drain(struct daemon *daemon, struct instant deadline)
{
	(void)deadline;
	if (daemon->state != NULL)
		healthd_free(daemon->state);
	daemon->state = NULL;
	daemon_done(daemon);
}

static int
healthd_message(struct daemon *daemon, const struct channel_message *message)
{
	if (message->type != TO_ROLE_PEER) {
		errno = EPROTO;
		return -1;
	}
	if (daemon->state == NULL)
		return 0;
	take_peer(daemon->state, message->fds[0]);
	message->fds[0] = -1;
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct daemon_role role = {
		.name = "healthd",
		.start = healthd_start,
		.reload = healthd_reload,
		.drain = healthd_drain,
		.message = healthd_message,
	};

	return daemon_run(&role, argc, argv);
}
