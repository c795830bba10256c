/*
 * registryd/protocol/fetch.c - one GET of a service's URL, on the loop.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/fetch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "http/head.h"
#include "http/url.h"

#define READ_STEP 2048

enum fetch_phase { FETCH_RESOLVE, FETCH_CONNECT, FETCH_SEND, FETCH_ANSWER };

struct fetch {
	struct ev_loop *loop;
	struct resolver *resolver;
	struct resolver_name *name;
	struct resolver_wait *wait;
	ev_io io;
	ev_timer timer;			/* time-out, or the outcome's turn */
	int fd;
	enum fetch_phase phase;
	bool is_decided;
	char *url_text;
	struct backend_url url;		/* slices of url_text */
	struct buf request, answer;
	struct http_head_scan scan;
	struct instant started;
	unsigned int status;
	char error[160];
	fetch_done_fn *done;
	void *context;
};

void
fetch_cancel(struct fetch **p)
{
	struct fetch *fetch = *p;

	*p = NULL;
	if (fetch == NULL)
		return;
	if (fetch->wait != NULL)
		resolver_cancel(&fetch->wait);
	if (fetch->name != NULL)
		resolver_release(fetch->resolver, &fetch->name);
	ev_io_stop(fetch->loop, &fetch->io);
	ev_timer_stop(fetch->loop, &fetch->timer);
	if (fetch->fd != -1)
		close(fetch->fd);
	buf_free(&fetch->request);
	buf_free(&fetch->answer);
	free(fetch->url_text);
	free(fetch);
}

static void
finish(struct fetch *fetch)
{
	char error[sizeof(fetch->error)];
	const struct fetch_outcome outcome = {
		.status = fetch->status,
		.error = error,
		.took_ms = instant_diff_ms(clock_now(), fetch->started),
	};
	fetch_done_fn *done = fetch->done;
	void *context = fetch->context;

	memcpy(error, fetch->error, sizeof(error));
	fetch_cancel(&fetch);
	done(context, &outcome);
}

/* The outcome stands; done is called from the loop. */
static void
decide(struct fetch *fetch, const char *error)
{
	static const char *const phases[] = { "resolve", "connect", "request",
		"answer" };

	ev_io_stop(fetch->loop, &fetch->io);
	fetch->is_decided = true;
	snprintf(fetch->error, sizeof(fetch->error), "%s: %s",
	    phases[fetch->phase], error);
	ev_timer_stop(fetch->loop, &fetch->timer);
	ev_timer_set(&fetch->timer, 0.0, 0.0);
	ev_timer_start(fetch->loop, &fetch->timer);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct fetch *fetch = timer->data;

	(void)loop;
	(void)events;
	if (!fetch->is_decided)
		snprintf(fetch->error, sizeof(fetch->error), "timed out");
	finish(fetch);
}

static void
wait_for(struct fetch *fetch, int events)
{
	ev_io_stop(fetch->loop, &fetch->io);
	ev_io_set(&fetch->io, fetch->fd, events);
	ev_io_start(fetch->loop, &fetch->io);
}

/* The answer ------------------------------------------------------------- */

static void
judge_head(struct fetch *fetch, size_t head_end)
{
	struct http_response response;
	enum http_fault fault = http_response_parse(
	    bytes_slice(fetch->answer.data, head_end), HTTP_METHOD_GET,
	    &response);

	if (fault != HTTP_FAULT_NONE) {
		decide(fetch, http_fault_text(fault));
	} else if (response.status < 200) {
		buf_consume(&fetch->answer, head_end);
		memset(&fetch->scan, 0, sizeof(fetch->scan));
	} else {
		fetch->status = response.status;
		decide(fetch, "answered");
	}
}

static void
scan_answer(struct fetch *fetch)
{
	enum http_fault fault;
	size_t head_end;

	while (!fetch->is_decided && fetch->answer.len > 0) {
		switch (http_head_scan(&fetch->scan, fetch->answer.data,
		    fetch->answer.len, false, &head_end, &fault)) {
		case HTTP_SCAN_MORE:
			return;
		case HTTP_SCAN_FAULT:
			decide(fetch, http_fault_text(fault));
			break;
		case HTTP_SCAN_DONE:
			judge_head(fetch, head_end);
			break;
		}
	}
}

static void
read_answer(struct fetch *fetch)
{
	ssize_t got;

	if (buf_reserve(&fetch->answer, READ_STEP) == -1) {
		decide(fetch, "out of memory");
		return;
	}
	got = recv(fetch->fd, fetch->answer.data + fetch->answer.len,
	    READ_STEP, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		decide(fetch, got == 0 ? "closed before an answer" :
					 strerror(errno));
		return;
	}
	fetch->answer.len += (size_t)got;
	scan_answer(fetch);
}

static void
send_request(struct fetch *fetch)
{
	ssize_t sent = send(fetch->fd, fetch->request.data,
	    fetch->request.len, MSG_NOSIGNAL);

	if (sent == -1 && errno != EAGAIN && errno != EINTR) {
		decide(fetch, strerror(errno));
		return;
	}
	if (sent > 0)
		buf_consume(&fetch->request, (size_t)sent);
	if (fetch->request.len > 0) {
		wait_for(fetch, EV_WRITE);
		return;
	}
	fetch->phase = FETCH_ANSWER;
	wait_for(fetch, EV_READ);
}

static void
take_connected(struct fetch *fetch)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fetch->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		decide(fetch, strerror(error));
		return;
	}
	fetch->phase = FETCH_SEND;
	send_request(fetch);
}

static void
on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct fetch *fetch = io->data;

	(void)loop;
	(void)events;
	switch (fetch->phase) {
	case FETCH_RESOLVE:
		break;
	case FETCH_CONNECT:
		take_connected(fetch);
		break;
	case FETCH_SEND:
		send_request(fetch);
		break;
	case FETCH_ANSWER:
		read_answer(fetch);
		break;
	}
}

/* The connection --------------------------------------------------------- */

static void
connect_to(struct fetch *fetch, const struct sockaddr *addr, socklen_t len)
{
	fetch->phase = FETCH_CONNECT;
	fetch->fd = socket(addr->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fetch->fd == -1 ||
	    (connect(fetch->fd, addr, len) == -1 && errno != EINPROGRESS))
		decide(fetch, strerror(errno));
	else
		wait_for(fetch, EV_WRITE);
}

static void
connect_unix(struct fetch *fetch)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (fetch->url.host.len >= sizeof(addr.sun_path)) {
		decide(fetch, strerror(ENAMETOOLONG));
		return;
	}
	memcpy(addr.sun_path, fetch->url.host.data, fetch->url.host.len);
	connect_to(fetch, (const struct sockaddr *)(const void *)&addr,
	    sizeof(addr));
}

static void
on_resolved(void *context, const struct resolver_answer *answer)
{
	struct fetch *fetch = context;
	struct sockaddr_storage addr;

	fetch->wait = NULL;
	if (answer == NULL || answer->count == 0) {
		decide(fetch, answer == NULL || answer->error == NULL ?
			"no address" :
			answer->error);
		return;
	}
	addr = answer->addresses[0];
	if (addr.ss_family == AF_INET6) {
		((struct sockaddr_in6 *)(void *)&addr)->sin6_port =
		    htons(fetch->url.port);
		connect_to(fetch, (const void *)&addr,
		    sizeof(struct sockaddr_in6));
	} else {
		((struct sockaddr_in *)(void *)&addr)->sin_port =
		    htons(fetch->url.port);
		connect_to(fetch, (const void *)&addr,
		    sizeof(struct sockaddr_in));
	}
}

static int
begin(struct fetch *fetch)
{
	if (fetch->url.is_unix) {
		connect_unix(fetch);
		return 0;
	}
	fetch->name = resolver_hold(fetch->resolver, fetch->url.host);
	if (fetch->name == NULL)
		return -1;
	fetch->wait = resolver_wait(fetch->name, on_resolved, fetch);
	return 0;
}

static void
write_request(struct fetch *fetch)
{
	const struct backend_url *url = &fetch->url;
	bool is_v6 = memchr(url->host.data, ':', url->host.len) != NULL;

	buf_printf(&fetch->request, "GET %.*s HTTP/1.1\r\nHost: ",
	    BYTES_ARGS(url->base_path.len > 0 ? url->base_path :
						bytes_of("/")));
	if (url->is_unix)
		buf_append_text(&fetch->request, "localhost");
	else
		buf_printf(&fetch->request, "%s%.*s%s:%u", is_v6 ? "[" : "",
		    BYTES_ARGS(url->host), is_v6 ? "]" : "", url->port);
	buf_append_text(&fetch->request,
	    "\r\nUser-Agent: sluice-registryd\r\nAccept: */*\r\n"
	    "Connection: close\r\n\r\n");
}

struct fetch *
fetch_start(struct ev_loop *loop, struct resolver *resolver,
    struct bytes url, int64_t timeout_ms, fetch_done_fn *done, void *context)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	fetch->loop = loop;
	fetch->resolver = resolver;
	fetch->fd = -1;
	fetch->done = done;
	fetch->context = context;
	fetch->started = clock_now();
	ev_init(&fetch->io, on_io);
	ev_timer_init(&fetch->timer, on_timer, (double)timeout_ms / 1000.0,
	    0.0);
	fetch->io.data = fetch->timer.data = fetch;
	ev_timer_start(loop, &fetch->timer);
	errno = ENOMEM;
	if ((fetch->url_text = bytes_duplicate(url)) == NULL)
		goto fail;
	errno = EINVAL;
	if (url_parse_backend(bytes_of(fetch->url_text), &fetch->url) != NULL)
		goto fail;
	write_request(fetch);
	errno = ENOMEM;
	if (!fetch->request.is_failed && begin(fetch) == 0)
		return fetch;
fail:
	fetch_cancel(&fetch);
	return NULL;
}
