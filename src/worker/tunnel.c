/*
 * worker/tunnel.c - raw bytes both ways, behind a 101.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/tunnel.h"

#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "worker/exchange.h"
#include "worker/link.h"

enum side { SIDE_CLIENT, SIDE_BACKEND, SIDE_COUNT };

struct tunnel {
	struct worker *worker;
	struct exchange *exchange;
	struct link *links[SIDE_COUNT];
	bool has_ended[SIDE_COUNT];	/* it sends no more */
	bool is_shut[SIDE_COUNT];	/* it was told that nothing comes */
	struct wheel_timer timer;
};

static void
touch_timer(struct tunnel *tunnel)
{
	worker_set_timer(tunnel->worker, &tunnel->timer,
	    tunnel->worker->settings->http.tunnel_timeout_ms);
}

/* The exchange's end frees the tunnel. */
static void
finish(struct tunnel *tunnel, const char *reason)
{
	struct exchange *exchange = tunnel->exchange;

	if (exchange->reason == NULL)
		exchange->reason = reason;
	exchange->ops->cut(exchange->client);
}

static void
count(struct tunnel *tunnel, enum side from, size_t len)
{
	if (from == SIDE_CLIENT)
		tunnel->exchange->body_in += len;
	else
		tunnel->exchange->body_out += len;
}

/* Passes an end on, once all that came before it is written. */
static void
pass_end(struct tunnel *tunnel, enum side from)
{
	enum side to = from == SIDE_CLIENT ? SIDE_BACKEND : SIDE_CLIENT;

	if (!tunnel->has_ended[from] || tunnel->is_shut[to] ||
	    buffer_len(tunnel->links[from]->in) > 0 ||
	    link_has_output(tunnel->links[to]))
		return;
	tunnel->is_shut[to] = true;
	stream_shutdown(&tunnel->links[to]->stream);
}

/* Moves what waits.  False: the tunnel is over. */
static bool
move(struct tunnel *tunnel, enum side from)
{
	enum side to = from == SIDE_CLIENT ? SIDE_BACKEND : SIDE_CLIENT;
	struct link *source = tunnel->links[from];
	struct link *target = tunnel->links[to];
	ssize_t taken = 0;

	if (buffer_len(source->in) > 0)
		taken = link_send(target, buffer_bytes(source->in));
	if (taken == -1 || (link_has_output(target) &&
	    !ev_is_active(&target->writer) &&
	    link_flush(target) == LINK_BROKEN)) {
		finish(tunnel, NULL);
		return false;
	}
	if (taken > 0)
		link_consume(source, (uint32_t)taken);
	count(tunnel, from, (size_t)taken);
	if (buffer_len(source->in) > 0)
		link_stop_reading(source);
	else
		link_drop_empty_input(source);
	pass_end(tunnel, from);
	if (tunnel->is_shut[SIDE_CLIENT] && tunnel->is_shut[SIDE_BACKEND]) {
		finish(tunnel, NULL);
		return false;
	}
	return true;
}

static enum side
side_of(const struct tunnel *tunnel, const ev_io *io)
{
	const struct link *client = tunnel->links[SIDE_CLIENT];

	return io == &client->reader || io == &client->writer ? SIDE_CLIENT
							      : SIDE_BACKEND;
}

static void
on_readable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct tunnel *tunnel = io->data;
	enum side side = side_of(tunnel, io);
	ssize_t got = link_read(tunnel->links[side]);

	if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		link_drop_empty_input(tunnel->links[side]);
		return;
	}
	if (got == -1) {
		finish(tunnel, NULL);
		return;
	}
	touch_timer(tunnel);
	if (got == 0) {
		tunnel->has_ended[side] = true;
		link_stop_reading(tunnel->links[side]);
	}
	(void)move(tunnel, side);
}

static void
on_writable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct tunnel *tunnel = io->data;
	enum side to = side_of(tunnel, io);
	enum side from = to == SIDE_CLIENT ? SIDE_BACKEND : SIDE_CLIENT;
	enum link_flushed flushed = link_flush(tunnel->links[to]);

	touch_timer(tunnel);
	if (flushed == LINK_BROKEN) {
		finish(tunnel, NULL);
		return;
	}
	if (flushed == LINK_PENDING || !move(tunnel, from))
		return;
	if (!tunnel->has_ended[from] &&
	    buffer_len(tunnel->links[from]->in) == 0)
		link_start_reading(tunnel->links[from]);
}

static void
on_timer(struct wheel_timer *timer)
{
	finish(CONTAINER_OF(timer, struct tunnel, timer), "tunnel_timeout");
}

static void
take_link(struct tunnel *tunnel, enum side side, struct link *link)
{
	tunnel->links[side] = link;
	link->keep = 0;
	link->retains_input = false;
	ev_set_cb(&link->reader, on_readable);
	ev_set_cb(&link->writer, on_writable);
	link->reader.data = link->writer.data = tunnel;
}

void
tunnel_begin(struct exchange *exchange, struct link *client,
    struct link *backend)
{
	struct worker *worker = exchange->worker;
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));

	if (tunnel == NULL) {
		exchange->ops->cut(exchange->client);
		return;
	}
	tunnel->worker = worker;
	tunnel->exchange = exchange;
	exchange->tunnel = tunnel;
	wheel_timer_init(&tunnel->timer, on_timer);
	take_link(tunnel, SIDE_CLIENT, client);
	take_link(tunnel, SIDE_BACKEND, backend);
	stats_add(&worker->counters->tunnels, 1);
	stats_add(&worker->counters->tunnels_open, 1);
	touch_timer(tunnel);
	link_start_reading(client);
	link_start_reading(backend);
	if (move(tunnel, SIDE_BACKEND))
		(void)move(tunnel, SIDE_CLIENT);
}

void
tunnel_end(struct tunnel **p)
{
	struct tunnel *tunnel = *p;
	struct worker *worker = tunnel->worker;

	*p = NULL;
	worker_remove_timer(worker, &tunnel->timer);
	stats_sub(&worker->counters->tunnels_open, 1);
	for (int side = 0; side < SIDE_COUNT; side++) {
		ev_io_stop(worker->loop, &tunnel->links[side]->reader);
		ev_io_stop(worker->loop, &tunnel->links[side]->writer);
	}
	free(tunnel);
}
