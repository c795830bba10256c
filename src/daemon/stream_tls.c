/*
 * daemon/stream_tls.c - an encrypted stream.
 *
 * The peers shake hands as the first read or write asks for it, one step
 * an event.  An end without a close_notify is a failure: somebody between
 * may have cut the rest off.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/tls.h"

/* A record holds no more, so neither does one write of several pieces. */
#define GATHER_BYTES SSL3_RT_MAX_PLAIN_LENGTH

static bool
is_cut_off(unsigned long error)
{
	return ERR_GET_LIB(error) == ERR_LIB_SSL &&
	    ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/* Nothing can be said on it any more. */
static void
fail(struct stream *stream, int err)
{
	unsigned long error = ERR_peek_error();

	stream->is_open = false;
	if (error == 0) {
		errno = err == 0 ? ECONNRESET : err;
		return;
	}
	stream->fault = ERR_reason_error_string(error);
	errno = is_cut_off(error) ? ECONNRESET : EPROTO;
	ERR_clear_error();
}

/* Takes down how an operation ended that moved nothing: 0 or -1. */
static int
judge(struct stream *stream, int result, uint8_t *wants)
{
	int err = errno;

	switch (SSL_get_error(stream->tls, result)) {
	case SSL_ERROR_WANT_READ:
		*wants = EV_READ;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*wants = EV_WRITE;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		fail(stream, err);
		return -1;
	default:
		fail(stream, EPROTO);
		return -1;
	}
}

static int
length(size_t size)
{
	return size > INT_MAX ? INT_MAX : (int)size;
}

static ssize_t
tls_read(struct stream *stream, void *data, size_t size)
{
	int got;

	ERR_clear_error();
	errno = 0;
	got = SSL_read(stream->tls, data, length(size));
	stream->is_open = SSL_is_init_finished(stream->tls) == 1;
	return got > 0 ? got : judge(stream, got, &stream->read_wants);
}

static ssize_t
tls_write(struct stream *stream, const void *data, size_t len)
{
	int put;

	if (len == 0)
		return 0;
	ERR_clear_error();
	errno = 0;
	put = SSL_write(stream->tls, data, length(len));
	stream->is_open = SSL_is_init_finished(stream->tls) == 1;
	if (put > 0)
		return put;
	if (judge(stream, put, &stream->write_wants) == 0)
		errno = EPIPE;
	return -1;
}

/* Small pieces leave in one record, not in one each. */
static ssize_t
tls_writev(struct stream *stream, const struct iovec *iov, int count)
{
	char gathered[GATHER_BYTES];
	size_t len = 0;

	if (count == 1 || (count > 1 && iov->iov_len >= sizeof(gathered)))
		return tls_write(stream, iov->iov_base, iov->iov_len);
	for (int i = 0; i < count && len < sizeof(gathered); i++) {
		size_t part = iov[i].iov_len;

		if (part > sizeof(gathered) - len)
			part = sizeof(gathered) - len;
		if (part > 0)
			memcpy(gathered + len, iov[i].iov_base, part);
		len += part;
	}
	return tls_write(stream, gathered, len);
}

static int
tls_shutdown(struct stream *stream)
{
	int result;

	ERR_clear_error();
	errno = 0;
	if (stream->is_open &&
	    (result = SSL_shutdown(stream->tls)) < 0 &&
	    judge(stream, result, &stream->write_wants) == -1 &&
	    errno == EAGAIN)
		return -1;
	return shutdown(stream->fd, SHUT_WR);
}

static void
tls_close(struct stream *stream)
{
	SSL_free(stream->tls);
	stream->tls = NULL;
	if (stream->fd != -1)
		close(stream->fd);
	stream->fd = -1;
}

static bool
tls_has_more(const struct stream *stream)
{
	return SSL_pending(stream->tls) > 0;
}

static const struct stream_ops tls_ops = {
	.read = tls_read,
	.writev = tls_writev,
	.shutdown = tls_shutdown,
	.close = tls_close,
	.has_more = tls_has_more,
};

int
stream_tls_accept(const struct tls_context *context, int fd,
    struct stream *stream_r)
{
	SSL *tls = tls_context_make(context);

	if (tls == NULL || SSL_set_fd(tls, fd) != 1) {
		SSL_free(tls);
		ERR_clear_error();
		return -1;
	}
	SSL_set_accept_state(tls);
	*stream_r = (struct stream){
		.ops = &tls_ops,
		.fd = fd,
		.read_wants = EV_READ,
		.write_wants = EV_READ,	/* the client speaks first */
		.tls = tls,
	};
	return 0;
}
