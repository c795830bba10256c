/*
 * healthd/attempt.c - one probe: a connection, and perhaps a request.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/attempt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/buf.h"
#include "http/head.h"

#define READ_STEP 2048

enum attempt_phase { ATTEMPT_CONNECT, ATTEMPT_SEND, ATTEMPT_ANSWER };

struct attempt {
	struct ev_loop *loop;
	ev_io io;
	ev_timer timer;			/* time-out, or the outcome's turn */
	int fd;
	enum attempt_phase phase;
	bool is_http, is_decided;
	uint16_t status_min, status_max;
	struct buf request, answer;
	struct http_head_scan scan;
	struct attempt_outcome outcome;
	attempt_done_fn *done;
	void *context;
};

static const char *const phase_names[] = {
	[ATTEMPT_CONNECT] = "connect",
	[ATTEMPT_SEND] = "request",
	[ATTEMPT_ANSWER] = "answer",
};

void
attempt_cancel(struct attempt **p)
{
	struct attempt *attempt = *p;

	*p = NULL;
	if (attempt == NULL)
		return;
	ev_io_stop(attempt->loop, &attempt->io);
	ev_timer_stop(attempt->loop, &attempt->timer);
	if (attempt->fd != -1)
		close(attempt->fd);
	buf_free(&attempt->request);
	buf_free(&attempt->answer);
	free(attempt);
}

static void
finish(struct attempt *attempt)
{
	struct attempt_outcome outcome = attempt->outcome;
	attempt_done_fn *done = attempt->done;
	void *context = attempt->context;

	attempt_cancel(&attempt);
	done(context, &outcome);
}

/* Are we at fault, and not the backend? */
static bool
is_our_fault(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	    error == ENOBUFS || error == EADDRNOTAVAIL || error == EAGAIN;
}

static void
decide_error(struct attempt *attempt, int error)
{
	struct attempt_outcome *outcome = &attempt->outcome;

	outcome->is_answered = false;
	outcome->is_judged = !is_our_fault(error);
	outcome->error = error;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s: %s",
	    phase_names[attempt->phase],
	    error == ETIMEDOUT ? "timed out" : strerror(error));
}

static void
decide_text(struct attempt *attempt, int error, const char *text)
{
	struct attempt_outcome *outcome = &attempt->outcome;

	outcome->is_answered = false;
	outcome->is_judged = true;
	outcome->error = error;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", text);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct attempt *attempt = timer->data;

	(void)loop;
	(void)events;
	if (!attempt->is_decided)
		decide_error(attempt, ETIMEDOUT);
	finish(attempt);
}

static void
wait_for(struct attempt *attempt, int events)
{
	ev_io_stop(attempt->loop, &attempt->io);
	ev_io_set(&attempt->io, attempt->fd, events);
	ev_io_start(attempt->loop, &attempt->io);
}

/* Each step returns true when the outcome is decided. */

static bool
judge_head(struct attempt *attempt, size_t head_end)
{
	struct http_response response;
	enum http_fault fault;

	fault = http_response_parse(bytes_slice(attempt->answer.data, head_end),
	    HTTP_METHOD_GET, &response);
	if (fault != HTTP_FAULT_NONE) {
		decide_text(attempt, EPROTO, http_fault_text(fault));
		return true;
	}
	if (response.status < 200) {	/* 1xx: the answer is behind it */
		buf_consume(&attempt->answer, head_end);
		memset(&attempt->scan, 0, sizeof(attempt->scan));
		return false;
	}
	attempt->outcome.status = response.status;
	attempt->outcome.is_judged = true;
	attempt->outcome.is_answered = response.status >=
	    attempt->status_min && response.status <= attempt->status_max;
	if (!attempt->outcome.is_answered)
		snprintf(attempt->outcome.reason,
		    sizeof(attempt->outcome.reason), "status %u",
		    response.status);
	return true;
}

/* Looks at what has arrived. */
static bool
scan_answer(struct attempt *attempt)
{
	for (;;) {
		enum http_fault fault;
		size_t head_end;

		if (attempt->answer.len == 0)
			return false;
		switch (http_head_scan(&attempt->scan, attempt->answer.data,
		    attempt->answer.len, false, &head_end, &fault)) {
		case HTTP_SCAN_MORE:
			return false;
		case HTTP_SCAN_FAULT:
			decide_text(attempt, EPROTO, http_fault_text(fault));
			return true;
		case HTTP_SCAN_DONE:
			if (judge_head(attempt, head_end))
				return true;
			break;
		}
	}
}

static bool
read_answer(struct attempt *attempt)
{
	ssize_t got;

	if (buf_reserve(&attempt->answer, READ_STEP) == -1) {
		decide_error(attempt, ENOMEM);
		return true;
	}
	got = recv(attempt->fd, attempt->answer.data + attempt->answer.len,
	    READ_STEP, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got == -1) {
		decide_error(attempt, errno);
		return true;
	}
	if (got == 0) {
		decide_text(attempt, ECONNRESET, "closed before an answer");
		return true;
	}
	attempt->answer.len += (size_t)got;
	return scan_answer(attempt);
}

static bool
send_request(struct attempt *attempt)
{
	ssize_t sent = send(attempt->fd, attempt->request.data,
	    attempt->request.len, MSG_NOSIGNAL);

	if (sent == -1 && (errno == EAGAIN || errno == EINTR)) {
		wait_for(attempt, EV_WRITE);
		return false;
	}
	if (sent == -1) {
		decide_error(attempt, errno);
		return true;
	}
	buf_consume(&attempt->request, (size_t)sent);
	if (attempt->request.len > 0)
		return false;
	attempt->phase = ATTEMPT_ANSWER;
	wait_for(attempt, EV_READ);
	return false;
}

static bool
take_connected(struct attempt *attempt)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		decide_error(attempt, error);
		return true;
	}
	attempt->outcome.is_connected = true;
	if (!attempt->is_http) {
		attempt->outcome.is_judged = true;
		attempt->outcome.is_answered = true;
		return true;
	}
	attempt->phase = ATTEMPT_SEND;
	return send_request(attempt);
}

static void
on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct attempt *attempt = io->data;
	bool is_decided = false;

	(void)loop;
	(void)events;
	switch (attempt->phase) {
	case ATTEMPT_CONNECT:
		is_decided = take_connected(attempt);
		break;
	case ATTEMPT_SEND:
		is_decided = send_request(attempt);
		break;
	case ATTEMPT_ANSWER:
		is_decided = read_answer(attempt);
		break;
	}
	if (is_decided)
		finish(attempt);
}

/* Opens the connection.  0, or the errno of a failure at once. */
static int
open_connection(struct attempt *attempt, const struct attempt_request *request)
{
	int family = request->address.ss_family;

	attempt->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (attempt->fd == -1)
		return errno;
	if (connect(attempt->fd, (const struct sockaddr *)&request->address,
	    request->address_len) == -1 && errno != EINPROGRESS) {
		/* A unix socket whose backlog is full says EAGAIN: busy is
		 * not our fault, and no sign of life either. */
		return errno == EAGAIN ? ECONNREFUSED : errno;
	}
	ev_io_set(&attempt->io, attempt->fd, EV_WRITE);
	ev_io_start(attempt->loop, &attempt->io);
	return 0;
}

struct attempt *
attempt_start(struct ev_loop *loop, const struct attempt_request *request,
    attempt_done_fn *done, void *context)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	int error;

	if (attempt == NULL)
		return NULL;
	attempt->loop = loop;
	attempt->fd = -1;
	attempt->is_http = request->is_http;
	attempt->status_min = request->status_min;
	attempt->status_max = request->status_max;
	attempt->done = done;
	attempt->context = context;
	ev_init(&attempt->io, on_io);
	ev_init(&attempt->timer, on_timer);
	attempt->io.data = attempt->timer.data = attempt;
	if (request->is_http)
		buf_printf(&attempt->request,
		    "GET %.*s HTTP/1.1\r\nHost: %.*s\r\n"
		    "User-Agent: sluice-healthd\r\nAccept: */*\r\n"
		    "Connection: close\r\n\r\n",
		    BYTES_ARGS(request->path), BYTES_ARGS(request->host));
	error = attempt->request.is_failed ? ENOMEM :
					     open_connection(attempt, request);
	if (error != 0) {
		decide_error(attempt, error);
		attempt->is_decided = true;
	}
	ev_timer_set(&attempt->timer,
	    error != 0 ? 0.0 : (double)request->timeout_ms / 1000.0, 0.0);
	ev_timer_start(loop, &attempt->timer);
	return attempt;
}
