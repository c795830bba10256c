/*
 * daemon/stream.c - the one small way in which bytes come and go.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/stream.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t
plain_read(struct stream *stream, void *data, size_t size)
{
	ssize_t got;

	do
		got = recv(stream->fd, data, size, 0);
	while (got == -1 && errno == EINTR);
	return got;
}

static ssize_t
plain_writev(struct stream *stream, const struct iovec *iov, int count)
{
	int flags = MSG_NOSIGNAL | (stream->is_ending ? MSG_MORE : 0);
	ssize_t put;

	do {
		if (count == 1) {
			put = send(stream->fd, iov->iov_base, iov->iov_len,
			    flags);
		} else {
			struct msghdr message = { .msg_iovlen = (size_t)count };

			message.msg_iov = (struct iovec *)(uintptr_t)iov;
			put = sendmsg(stream->fd, &message, flags);
		}
	} while (put == -1 && errno == EINTR);
	return put;
}

static int
plain_shutdown(struct stream *stream)
{
	return shutdown(stream->fd, SHUT_WR);
}

static void
plain_close(struct stream *stream)
{
	if (stream->fd != -1)
		close(stream->fd);
	stream->fd = -1;
}

static bool
plain_has_more(const struct stream *stream)
{
	(void)stream;
	return false;
}

static const struct stream_ops plain_ops = {
	.read = plain_read,
	.writev = plain_writev,
	.shutdown = plain_shutdown,
	.close = plain_close,
	.has_more = plain_has_more,
};

struct stream
stream_plain(int fd)
{
	return (struct stream){
		.ops = &plain_ops,
		.fd = fd,
		.read_wants = EV_READ,
		.write_wants = EV_WRITE,
		.is_open = true,
	};
}
