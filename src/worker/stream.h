/*
 * worker/stream.h - the one small way in which bytes come and go.
 *
 * A connection knows its stream, not its socket, so that an encrypted
 * one is another row of operations and nothing else.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_STREAM_H
#define WORKER_STREAM_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "common/compat.h"

struct stream;

struct stream_ops {
	/* Each: bytes moved, or -1 with errno; EAGAIN: wait until the
	 * descriptor is ready.  read: 0 is the peer's orderly end. */
	ssize_t (*read)(struct stream *, void *data, size_t size);
	ssize_t (*writev)(struct stream *, const struct iovec *, int count);
	/* Says to the peer that no more will be written. */
	void (*shutdown)(struct stream *);
	void (*close)(struct stream *);
};

struct stream {
	const struct stream_ops *ops;
	int fd;				/* -1: closed */
};

/* A bare socket; fd becomes the stream's own. */
struct stream stream_plain(int fd);

static inline ssize_t
stream_read(struct stream *stream, void *data, size_t size)
{
	return stream->ops->read(stream, data, size);
}

static inline ssize_t
stream_writev(struct stream *stream, const struct iovec *iov, int count)
{
	return stream->ops->writev(stream, iov, count);
}

static inline void
stream_shutdown(struct stream *stream)
{
	stream->ops->shutdown(stream);
}

static inline void
stream_close(struct stream *stream)
{
	stream->ops->close(stream);
}

#endif
