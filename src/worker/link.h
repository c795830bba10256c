/*
 * worker/link.h - one end of a connection: stream, watch, buffers.
 *
 * Reading: it is watched for input all the time, but for back-pressure.
 * Bytes land in `in`, which is lent when they arrive and given back when
 * it is empty.
 *
 * Writing: what is put waits in `out` until link_flush(), which writes
 * at once and has it watched for room only when the socket is full; so a
 * head, its body and its end leave in one write.
 *
 * The owner is told of room before it is told of input, and of one of
 * them at a time: what it does may give the link another owner, and what
 * is left to be told comes again in the next turn of the loop.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/compat.h"
#include "daemon/stream.h"
#include "worker/buffer_pool.h"
#include "worker/poller.h"

/* A run of at least this many bytes is written without being copied. */
#define LINK_DIRECT_BYTES 8192

struct link {
	struct watch watch;
	struct poller *poller;
	struct buffer_pool *pool;
	struct stream stream;
	struct buffer *in, *out;
	uint32_t keep;			/* `in` before this offset stays */
	bool retains_input;		/* also what was used up, if it fits */
	bool has_moved;			/* what was used up is overwritten */
	uint32_t bytes_in, bytes_out;	/* moved since it was opened, modulo
					 * 2^32: told by their differences */
};

/* Takes the stream over; nothing is watched for yet. */
void link_open(struct link *, struct poller *, struct buffer_pool *,
    struct stream, watch_fn *on_event, void *owner);

/* Stops, closes and gives the buffers back. May be called twice. */
void link_close(struct link *);

static inline bool
link_is_open(const struct link *link)
{
	return link->stream.fd != -1;
}

/* What it is watched for: EV_READ, EV_WRITE, both or none. */
static inline int
link_watched(const struct link *link)
{
	return link->watch.wanted;
}

/* Watches for these events from now on. */
static inline void
link_watch(struct link *link, int events)
{
	if (events != link_watched(link))
		poller_want(link->poller, &link->watch, events);
}

static inline void
link_start_reading(struct link *link)
{
	link_watch(link, link_watched(link) | EV_READ);
}

static inline void
link_stop_reading(struct link *link)
{
	link_watch(link, link_watched(link) & ~EV_READ);
}

static inline void
link_start_writing(struct link *link)
{
	link_watch(link, link_watched(link) | EV_WRITE);
}

static inline void
link_stop_writing(struct link *link)
{
	link_watch(link, link_watched(link) & ~EV_WRITE);
}

/* The socket is known to be full. */
static inline bool
link_is_writing(const struct link *link)
{
	return (link_watched(link) & EV_WRITE) != 0;
}

/*
 * Reads once, behind what waits in `in`.  Returns the bytes read, 0 at
 * the end, or -1 with errno: EAGAIN; ENOBUFS when `in` has no room (the
 * caller stops reading); anything else is the end of the connection.
 */
MUST_CHECK ssize_t link_read(struct link *);

/* Uses up len bytes of `in`. */
void link_consume(struct link *, uint32_t len);

/* Forgets what was used up and what was kept: the rest moves to the
 * front, and without a rest `in` is given back. */
void link_settle_input(struct link *);

/* Gives `in` back if nothing waits in it; for ends that keep nothing. */
static inline void
link_drop_empty_input(struct link *link)
{
	if (link->in != NULL && buffer_len(link->in) == 0)
		buffer_pool_give(link->pool, &link->in);
}

/* Room in `out`, which is lent for it; 0 also when out of memory. */
size_t link_room(struct link *);

/* The free part of `out`, for writing in place; then link_added(). */
char *link_tail(struct link *);
void link_added(struct link *, size_t len);

/* Copies into `out`; the caller has asked link_room(). */
void link_put(struct link *, struct bytes);

/*
 * Takes what it can of data: a long run is written at once behind what
 * waits in `out`, the rest (and a short run) is copied into `out` as far
 * as it has room.  Returns the bytes taken, or -1 with errno when the
 * connection is broken.
 */
MUST_CHECK ssize_t link_send(struct link *, struct bytes data);

/* The same, but what is short is written at once too: for data behind
 * which no more comes for now. */
MUST_CHECK ssize_t link_send_now(struct link *, struct bytes data);

enum link_flushed { LINK_FLUSHED, LINK_PENDING, LINK_BROKEN };

/* Writes what waits in `out`. */
MUST_CHECK enum link_flushed link_flush(struct link *);

static inline bool
link_has_output(const struct link *link)
{
	return link->out != NULL;
}

#endif
