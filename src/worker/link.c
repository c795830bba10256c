/*
 * worker/link.c - one end of a connection: stream, watch, buffers.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/link.h"

#include <errno.h>

#include "common/log.h"

void
link_open(struct link *link, struct poller *poller, struct buffer_pool *pool,
    struct stream stream, watch_fn *on_event, void *owner)
{
	*link = (struct link){
		.poller = poller,
		.pool = pool,
		.stream = stream,
	};
	watch_init(&link->watch, stream.fd, on_event, owner);
}

void
link_close(struct link *link)
{
	if (!link_is_open(link))
		return;
	poller_forget(link->poller, &link->watch);
	stream_close(&link->stream);
	buffer_pool_give(link->pool, &link->in);
	buffer_pool_give(link->pool, &link->out);
}

/* Makes room behind what waits, when all of it is taken. */
static void
compact_input(struct link *link)
{
	struct buffer *in = link->in;
	uint32_t waiting = buffer_len(in);

	if (in->start == link->keep)
		return;
	if (waiting == 0 ? link->retains_input && in->end < BUFFER_BYTES
			 : in->end < BUFFER_BYTES)
		return;
	memmove(in->data + link->keep, in->data + in->start, waiting);
	in->start = link->keep;
	in->end = link->keep + waiting;
	link->has_moved = true;
}

ssize_t
link_read(struct link *link)
{
	size_t room;
	ssize_t got;

	if (link->in == NULL &&
	    (link->in = buffer_pool_take(link->pool)) == NULL)
		return -1;
	compact_input(link);
	if (link->in->end == BUFFER_BYTES) {
		errno = ENOBUFS;
		return -1;
	}
	room = BUFFER_BYTES - link->in->end;
	got = stream_read(&link->stream, link->in->data + link->in->end, room);
	watch_was_read(&link->watch, got, room);
	if (got > 0) {
		link->in->end += (uint32_t)got;
		link->bytes_in += (uint32_t)got;
	}
	return got;
}

void
link_consume(struct link *link, uint32_t len)
{
	invariant(len <= buffer_len(link->in));
	if (len > 0)
		link->in->start += len;
}

void
link_settle_input(struct link *link)
{
	struct buffer *in = link->in;
	uint32_t waiting = buffer_len(in);

	link->keep = 0;
	link->retains_input = link->has_moved = false;
	if (waiting == 0) {
		buffer_pool_give(link->pool, &link->in);
		return;
	}
	memmove(in->data, in->data + in->start, waiting);
	in->start = 0;
	in->end = waiting;
}

size_t
link_room(struct link *link)
{
	struct buffer *out = link->out;

	if (out == NULL) {
		out = link->out = buffer_pool_take(link->pool);
		return out == NULL ? 0 : BUFFER_BYTES;
	}
	if (out->start > BUFFER_BYTES / 2) {
		memmove(out->data, out->data + out->start, buffer_len(out));
		out->end -= out->start;
		out->start = 0;
	}
	return BUFFER_BYTES - out->end;
}

char *
link_tail(struct link *link)
{
	return link->out->data + link->out->end;
}

void
link_added(struct link *link, size_t len)
{
	link->out->end += (uint32_t)len;
}

void
link_put(struct link *link, struct bytes data)
{
	if (data.len == 0)
		return;
	invariant(data.len <= link_room(link));
	memcpy(link_tail(link), data.data, data.len);
	link_added(link, data.len);
}

/* Writes `out` and data behind it.  Returns the bytes of data written;
 * -1 with errno. */
static ssize_t
write_through(struct link *link, struct bytes data)
{
	struct buffer *out = link->out;
	uint32_t waiting = buffer_len(out);
	struct iovec iov[2];
	int count = 0;
	ssize_t put;

	if (waiting > 0)
		iov[count++] = (struct iovec){ out->data + out->start,
		    waiting };
	if (data.len > 0) {
		iov[count].iov_base = (void *)(uintptr_t)data.data;
		iov[count++].iov_len = data.len;
	}
	put = count == 0 ? 0 : stream_writev(&link->stream, iov, count);
	if (put == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
	link->bytes_out += (uint32_t)put;
	if ((uint64_t)put < waiting) {
		out->start += (uint32_t)put;
		return 0;
	}
	buffer_pool_give(link->pool, &link->out);
	return put - (ssize_t)waiting;
}

/* Takes what it can of data; is_direct: written at once as far as it goes. */
static ssize_t
send_data(struct link *link, struct bytes data, bool is_direct)
{
	ssize_t put = 0;
	size_t rest, room;

	/* While the socket is known to be full, only `out` can take more. */
	if (is_direct && !link_is_writing(link)) {
		if ((put = write_through(link, data)) == -1)
			return -1;
		if ((size_t)put < data.len)
			link_start_writing(link);
	}
	rest = data.len - (size_t)put;
	if (rest == 0)
		return put;
	room = link_room(link);
	if (rest > room)
		rest = room;
	link_put(link, bytes_slice(data.data + put, rest));
	return put + (ssize_t)rest;
}

ssize_t
link_send(struct link *link, struct bytes data)
{
	return send_data(link, data, data.len >= LINK_DIRECT_BYTES);
}

ssize_t
link_send_now(struct link *link, struct bytes data)
{
	return send_data(link, data, true);
}

enum link_flushed
link_flush(struct link *link)
{
	if (write_through(link, bytes_slice(NULL, 0)) == -1)
		return LINK_BROKEN;
	if (link->out != NULL && buffer_len(link->out) == 0)
		buffer_pool_give(link->pool, &link->out);
	if (link->out == NULL) {
		link_stop_writing(link);
		return LINK_FLUSHED;
	}
	link_start_writing(link);
	return LINK_PENDING;
}
