/*
 * worker/tunnel.c - raw bytes both ways, behind a 101.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/tunnel.h"

#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "worker/exchange.h"
#include "worker/frames.h"
#include "worker/link.h"

/* Ends are spread over a tenth of what is left of the drain when it is
 * seen, and no more than this. */
#define END_SPREAD_MAX_MS 2000
#define END_PAUSE_MS	  100		/* who counts, counts before */
#define GOODBYE_MS	  2000		/* for the answer to a Close */

enum side { SIDE_CLIENT, SIDE_BACKEND, SIDE_COUNT };

struct tunnel {
	struct worker *worker;
	struct exchange *exchange;
	struct link *links[SIDE_COUNT];
	bool has_ended[SIDE_COUNT];	/* it sends no more */
	bool is_shut[SIDE_COUNT];	/* it was told that nothing comes */
	struct wheel_timer timer;
	struct wheel_timer end_timer;
	struct instant end;		/* of the drain; ns 0: none */
	bool is_websocket;
	bool is_closing;
	bool is_told[SIDE_COUNT];	/* it was sent a Close */
	struct frame_track frames[SIDE_COUNT]; /* that come from there */
	uint64_t bytes[SIDE_COUNT];	/* that came from there */
};

static void
touch_timer(struct tunnel *tunnel)
{
	if (tunnel->is_closing)
		return;			/* it has its moment, and no more */
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
	(void)stream_shutdown(&tunnel->links[to]->stream);
}

static struct bytes
waiting(const struct link *link)
{
	return buffer_len(link->in) > 0 ? buffer_bytes(link->in)
					: bytes_slice(NULL, 0);
}

/* Puts a Close between two frames, once there is room for it. */
static void
tell(struct tunnel *tunnel, enum side to)
{
	struct link *target = tunnel->links[to];
	char frame[FRAME_CLOSE_MAX];
	uint32_t mask;

	if (link_room(target) < sizeof(frame))
		return;
	mask = (uint32_t)random_next(&tunnel->worker->ids[0]);
	link_put(target, bytes_slice(frame,
	    frame_close(frame, to == SIDE_BACKEND, mask)));
	tunnel->is_told[to] = true;
}

/*
 * Of what waits, what may go on: while closing, the rest of the frame
 * that is under way; behind it comes our Close, and what still comes is
 * dropped.
 */
static struct bytes
take_closing(struct tunnel *tunnel, enum side from)
{
	enum side to = from == SIDE_CLIENT ? SIDE_BACKEND : SIDE_CLIENT;
	struct bytes data = waiting(tunnel->links[from]);

	if (!tunnel->is_told[to] && frame_is_boundary(&tunnel->frames[from]))
		tell(tunnel, to);
	if (!tunnel->is_told[to]) {
		data.len = frame_rest(&tunnel->frames[from], data);
		return data;
	}
	frame_follow(&tunnel->frames[from], data);
	if (data.len > 0)
		link_consume(tunnel->links[from], (uint32_t)data.len);
	return bytes_slice(NULL, 0);
}

/* Both sides are told, and have answered or left. */
static bool
is_goodbye_over(const struct tunnel *tunnel)
{
	for (int side = 0; tunnel->is_closing && side < SIDE_COUNT; side++)
		if (!tunnel->is_told[side] ||
		    link_has_output(tunnel->links[side]) ||
		    (!tunnel->frames[side].has_closed &&
		    !tunnel->has_ended[side]))
			return false;
	return tunnel->is_closing;
}

/* Moves what waits.  False: the tunnel is over. */
static bool
move(struct tunnel *tunnel, enum side from)
{
	enum side to = from == SIDE_CLIENT ? SIDE_BACKEND : SIDE_CLIENT;
	struct link *source = tunnel->links[from];
	struct link *target = tunnel->links[to];
	struct bytes data = tunnel->is_closing ? take_closing(tunnel, from)
					       : waiting(source);
	ssize_t taken = 0;

	if (data.len > 0)
		taken = link_send_now(target, data);
	if (taken == -1 || (link_has_output(target) &&
	    !link_is_writing(target) &&
	    link_flush(target) == LINK_BROKEN)) {
		finish(tunnel, NULL);
		return false;
	}
	if (taken > 0 && tunnel->is_websocket)
		frame_follow(&tunnel->frames[from],
		    bytes_slice(data.data, (size_t)taken));
	if (taken > 0)
		link_consume(source, (uint32_t)taken);
	tunnel->bytes[from] += (uint64_t)taken;
	if (taken > 0 && tunnel->is_closing && !tunnel->is_told[to] &&
	    frame_is_boundary(&tunnel->frames[from]))
		return move(tunnel, from);
	if (buffer_len(source->in) > 0)
		link_stop_reading(source);
	else
		link_drop_empty_input(source);
	pass_end(tunnel, from);
	if (is_goodbye_over(tunnel)) {
		finish(tunnel, "draining");
		return false;
	}
	if (tunnel->is_shut[SIDE_CLIENT] && tunnel->is_shut[SIDE_BACKEND]) {
		finish(tunnel, NULL);
		return false;
	}
	return true;
}

static enum side
side_of(const struct tunnel *tunnel, const struct watch *watch)
{
	return watch == &tunnel->links[SIDE_CLIENT]->watch ? SIDE_CLIENT
							   : SIDE_BACKEND;
}

static void
on_readable(struct tunnel *tunnel, enum side side)
{
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
on_writable(struct tunnel *tunnel, enum side to)
{
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
on_event(struct watch *watch, int events)
{
	struct tunnel *tunnel = watch->owner;

	if ((events & EV_WRITE) != 0)
		on_writable(tunnel, side_of(tunnel, watch));
	else
		on_readable(tunnel, side_of(tunnel, watch));
}

static void
on_timer(struct wheel_timer *timer)
{
	struct tunnel *tunnel = CONTAINER_OF(timer, struct tunnel, timer);

	finish(tunnel, tunnel->is_closing ? "draining" : "tunnel_timeout");
}

/* The drain is complete. */
static void
on_end(struct wheel_timer *timer)
{
	struct tunnel *tunnel = CONTAINER_OF(timer, struct tunnel, end_timer);

	if (!tunnel->is_websocket) {
		finish(tunnel, "draining");
		return;
	}
	worker_set_timer(tunnel->worker, &tunnel->timer, GOODBYE_MS);
	tunnel->is_closing = true;
	if (move(tunnel, SIDE_BACKEND))
		(void)move(tunnel, SIDE_CLIENT);
}

void
tunnel_set_end(struct tunnel *tunnel, struct instant end)
{
	struct worker *worker = tunnel->worker;
	int64_t left_ms = instant_diff_ms(end, worker->now), spread_ms;

	if (tunnel->is_closing || tunnel->end.ns == end.ns)
		return;
	worker_remove_timer(worker, &tunnel->end_timer);
	tunnel->end = end;
	if (end.ns == 0)
		return;
	if (left_ms < 0)
		left_ms = 0;
	spread_ms = left_ms / 10 < END_SPREAD_MAX_MS ? left_ms / 10 :
	    END_SPREAD_MAX_MS;
	worker_set_timer(worker, &tunnel->end_timer, left_ms + END_PAUSE_MS +
	    (int64_t)random_below(&worker->ids[1], (uint32_t)spread_ms + 1));
}

static void
take_link(struct tunnel *tunnel, enum side side, struct link *link)
{
	tunnel->links[side] = link;
	link->keep = 0;
	link->retains_input = false;
	link->watch.on_event = on_event;
	link->watch.owner = tunnel;
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
	wheel_timer_init(&tunnel->end_timer, on_end);
	tunnel->is_websocket = bytes_equal_nocase(exchange->request.upgrade,
	    bytes_of("websocket"));
	take_link(tunnel, SIDE_CLIENT, client);
	take_link(tunnel, SIDE_BACKEND, backend);
	stats_add(&worker->counters->tunnels, 1);
	stats_add(&worker->counters->tunnels_open, 1);
	exchange_count_tunnel(exchange, 1);
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
	worker_remove_timer(worker, &tunnel->end_timer);
	tunnel->exchange->body_in += tunnel->bytes[SIDE_CLIENT];
	tunnel->exchange->body_out += tunnel->bytes[SIDE_BACKEND];
	exchange_count_tunnel(tunnel->exchange, -1);
	stats_sub(&worker->counters->tunnels_open, 1);
	for (int side = 0; side < SIDE_COUNT; side++)
		link_watch(tunnel->links[side], EV_NONE);
	free(tunnel);
}
