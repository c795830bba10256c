/*
 * daemon/stream.h - the one small way in which bytes come and go.
 *
 * A connection knows its stream, not its socket, so that an encrypted
 * one (stream_tls.c) is another row of operations and nothing else.
 *
 * What is surprising: an encrypted stream may have to write before it can
 * read, and the other way round.  Behind EAGAIN it says which event is
 * worth another try; whoever waits for the other one may wait for ever.
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_STREAM_H
#define DAEMON_STREAM_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "common/compat.h"

struct stream;

struct stream_ops {
	/*
	 * Each: bytes moved, or -1 with errno; EAGAIN: wait for the event
	 * of read_wants (write_wants).  read: 0 is the peer's orderly end.
	 * What a writev with EAGAIN was given must be given first again;
	 * it may stand elsewhere, and more may follow it.
	 */
	ssize_t (*read)(struct stream *, void *data, size_t size);
	ssize_t (*writev)(struct stream *, const struct iovec *, int count);
	/* Says to the peer that no more will be written, when all that was
	 * has been taken.  0, or -1 with errno; EAGAIN: to be said again
	 * behind write_wants. */
	int (*shutdown)(struct stream *);
	void (*close)(struct stream *);
	/* Whether a read would give bytes that no event announces. */
	bool (*has_more)(const struct stream *);
};

struct stream {
	const struct stream_ops *ops;
	int fd;				/* -1: closed */
	uint8_t read_wants, write_wants; /* EV_READ or EV_WRITE */
	bool is_ending;			/* set by its owner: a shutdown or close
					 * follows the next writev, and may
					 * share a segment with it */
	bool is_open;			/* false: peers still shake hands, which
					 * read and writev go on with */
	const char *fault;		/* why it failed, where errno does not
					 * say it; static */
	struct ssl_st *tls;		/* NULL: a bare socket */
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

static inline int
stream_shutdown(struct stream *stream)
{
	return stream->ops->shutdown(stream);
}

static inline void
stream_close(struct stream *stream)
{
	stream->ops->close(stream);
}

static inline bool
stream_has_more(const struct stream *stream)
{
	return stream->ops->has_more(stream);
}

#endif
