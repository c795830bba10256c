/*
 * worker/listener.c - accepting clients.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "ipc/inherited.h"
#include "worker/client.h"
#include "worker/refusals.h"

#define ACCEPT_BATCH 64			/* a turn of the loop */
#define PAUSE_MS     500		/* out of descriptors */

struct listener {
	struct worker *worker;
	ev_io io;
	int fd;
	uint32_t space;
	struct wheel_timer pause;
	char port_text[8];
	struct bytes port;
};

/* Over the limit: says so if it can be said at once, and closes. */
static void
refuse(struct worker *worker, int fd)
{
	const struct refusal *refusal = refusal_of(REFUSAL_CONNECTIONS);
	char text[1024], waste[4096];
	struct http_out out = { .data = text, .size = sizeof(text) };
	const struct own_answer answer = {
		.status = refusal->status,
		.reason_word = refusal->word,
		.detail = refusal->detail,
		.retry_after_s = refusal->retry_after_s,
		.date = worker_date(worker),
	};

	http_forward_own(&answer, &out);
	stats_add(&worker->counters->connections_refused, 1);
	if (!out.is_full)
		(void)!send(fd, out.data, out.len, MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	/* Unread bytes would turn the close into a reset. */
	(void)!recv(fd, waste, sizeof(waste), MSG_DONTWAIT);
	close(fd);
}

static void
on_pause_over(struct wheel_timer *timer)
{
	struct listener *listener = CONTAINER_OF(timer, struct listener, pause);

	if (!worker_is_draining(listener->worker))
		ev_io_start(listener->worker->loop, &listener->io);
}

static void
accept_failed(struct listener *listener, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS &&
	    error != ENOMEM)
		return;			/* the peer's own affair */
	log_warn("accept: %s; waiting a moment", strerror(error));
	ev_io_stop(listener->worker->loop, &listener->io);
	worker_set_timer(listener->worker, &listener->pause, PAUSE_MS);
}

/* Returns false when nobody waits any more. */
static bool
accept_one(struct listener *listener)
{
	struct worker *worker = listener->worker;
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(address);
	int fd = accept4(listener->fd, (struct sockaddr *)&address, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	const struct client_origin origin = {
		.fd = fd,
		.address = &address,
		.listen_port = &listener->port,
		.space = listener->space,
	};

	if (fd == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		accept_failed(listener, errno);
		return errno == ECONNABORTED || errno == EINTR;
	}
	if (worker->client_count >= worker->settings->max_connections)
		refuse(worker, fd);
	else
		client_open(worker, &origin);
	return true;
}

static void
on_acceptable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct listener *listener = io->data;

	for (int i = 0; i < ACCEPT_BATCH; i++)
		if (!accept_one(listener))
			return;
}

/* Clients inherit what their listener has; a unix socket has none. */
static void
set_no_delay(const struct listener *listener)
{
	int one = 1;

	(void)setsockopt(listener->fd, IPPROTO_TCP, TCP_NODELAY, &one,
	    sizeof(one));
}

static void
set_port(struct listener *listener)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(address);
	unsigned int port = 0;

	if (getsockname(listener->fd, (struct sockaddr *)&address, &len) == -1)
		return;
	if (address.ss_family == AF_INET)
		port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	else if (address.ss_family == AF_INET6)
		port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	if (port != 0)
		snprintf(listener->port_text, sizeof(listener->port_text),
		    "%u", port & 0xffff);
	listener->port = bytes_of(listener->port_text);
}

int
listeners_start(struct worker *worker)
{
	uint32_t count = worker->settings->listen_count;

	worker->listeners = calloc(count, sizeof(worker->listeners[0]));
	if (worker->listeners == NULL && count > 0)
		return -1;
	worker->listener_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct listener *listener = &worker->listeners[i];
		int flags;

		listener->worker = worker;
		listener->fd = FD_LISTEN_FIRST + (int)i;
		listener->space = worker->settings->listens[i].space;
		wheel_timer_init(&listener->pause, on_pause_over);
		set_port(listener);
		set_no_delay(listener);
		flags = fcntl(listener->fd, F_GETFL);
		if (flags == -1 ||
		    fcntl(listener->fd, F_SETFL, flags | O_NONBLOCK) == -1)
			return -1;
		ev_io_init(&listener->io, on_acceptable, listener->fd,
		    EV_READ);
		listener->io.data = listener;
		/* Those that wait for an answer come before new ones. */
		ev_set_priority(&listener->io, EV_MINPRI);
		ev_io_start(worker->loop, &listener->io);
	}
	return 0;
}

void
listeners_stop(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->listener_count; i++) {
		struct listener *listener = &worker->listeners[i];

		if (listener->fd == -1)
			continue;
		/* Who was let in by the kernel is not turned away. */
		while (accept_one(listener))
			;
		ev_io_stop(worker->loop, &listener->io);
		worker_remove_timer(worker, &listener->pause);
		/* The master's copy keeps the socket where it is to stay;
		 * else the kernel must not queue anybody here any more. */
		close(listener->fd);
		listener->fd = -1;
	}
}

void
listeners_free(struct worker *worker)
{
	free(worker->listeners);
	worker->listeners = NULL;
	worker->listener_count = 0;
}
