/*
 * registryd/admin_connection.c - one client of the admin API.
 *
 *	HEAD -> BODY -> ANSWERING -> HEAD, or CLOSING
 *
 * A request is read whole before it is handed over.  While it is being
 * answered nothing more is read, so that a client that pipelines without
 * end waits in its own socket.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "registryd/admin_parts.h"

#define IDLE_TIMEOUT_S	75.0
#define WRITE_TIMEOUT_S 60.0
#define READ_SIZE	16384
#define OUT_MAX		(1u << 20)	/* pipelined answers wait past it */

void
connection_set_timer(struct admin_connection *connection, double span_s)
{
	ev_timer_stop(connection->server->loop, &connection->timer);
	if (span_s <= 0.0)
		return;
	ev_timer_set(&connection->timer, span_s, 0.0);
	ev_timer_start(connection->server->loop, &connection->timer);
}

/* The request is left to its handler; one that is streamed is over. */
static void
leave_request(struct admin_connection *connection)
{
	struct admin_request *request = connection->request;

	connection->request = NULL;
	if (request == NULL)
		return;
	request->connection = NULL;
	if (request->gone != NULL)
		request->gone(request->gone_context);
	if (request->gone != NULL || connection->state == ADMIN_BODY)
		request_free(request);
}

void
connection_close(struct admin_connection *connection)
{
	struct admin_server *server = connection->server;

	ev_io_stop(server->loop, &connection->readable);
	ev_io_stop(server->loop, &connection->writable);
	ev_timer_stop(server->loop, &connection->timer);
	close(connection->fd);
	connection->fd = -1;
	leave_request(connection);
	LIST_REMOVE(connection, of_server);
	LIST_INSERT_HEAD(&server->closed, connection, of_server);
	server->connection_count--;
	ev_timer_start(server->loop, &server->sweep);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct admin_connection *connection = timer->data;

	(void)loop;
	(void)events;
	if (connection->state == ADMIN_BODY) {
		connection->keeps_alive = false;
		request_free(connection->request);
		connection->request = NULL;
		reply_fault(connection, 408, "body_timeout",
		    "the body did not arrive in time");
		return;
	}
	connection_close(connection);
}

/* Writing ---------------------------------------------------------------- */

/* false: the connection was closed. */
static bool
flush(struct admin_connection *connection)
{
	struct ev_loop *loop = connection->server->loop;

	while (connection->out.len > 0) {
		ssize_t n = send(connection->fd, connection->out.data,
		    connection->out.len, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			ev_io_start(loop, &connection->writable);
			connection_set_timer(connection, WRITE_TIMEOUT_S);
			return true;
		}
		if (n == -1) {
			connection_close(connection);
			return false;
		}
		buf_consume(&connection->out, (size_t)n);
	}
	ev_io_stop(loop, &connection->writable);
	if (connection->state == ADMIN_CLOSING) {
		connection_close(connection);
		return false;
	}
	return true;
}

void
connection_stream(struct admin_connection *connection)
{
	if (connection->out.is_failed || connection->out.len > OUT_MAX) {
		connection_close(connection);
		return;
	}
	/* What a client says while it listens is its end, or nothing. */
	ev_io_start(connection->server->loop, &connection->readable);
	if (flush(connection) && connection->out.len == 0)
		connection_set_timer(connection, 0.0);
}

/* Reading ---------------------------------------------------------------- */

/* Does what can be done with what has arrived. */
static void
advance(struct admin_connection *connection)
{
	bool goes_on = true;

	if (connection->is_busy)
		return;
	connection->is_busy = true;
	while (goes_on && connection->fd != -1 &&
	    connection->out.len < OUT_MAX)
		goes_on = connection_read_request(connection);
	connection->is_busy = false;
	if (connection->fd != -1)
		flush(connection);
}

void
connection_answered(struct admin_connection *connection)
{
	struct admin_server *server = connection->server;

	connection->request = NULL;
	if (!connection->keeps_alive || server->is_draining ||
	    connection->out.is_failed) {
		connection->state = ADMIN_CLOSING;
		ev_io_stop(server->loop, &connection->readable);
	} else {
		connection->state = ADMIN_HEAD;
		ev_io_start(server->loop, &connection->readable);
		connection_set_timer(connection, IDLE_TIMEOUT_S);
	}
	advance(connection);
}

static void
on_readable(struct ev_loop *loop, ev_io *readable, int events)
{
	struct admin_connection *connection = readable->data;
	ssize_t n;

	(void)events;
	if (buf_reserve(&connection->in, READ_SIZE) == -1) {
		connection_close(connection);
		return;
	}
	n = recv(connection->fd, connection->in.data + connection->in.len,
	    READ_SIZE, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0 && connection->out.len > 0) {
		connection->state = ADMIN_CLOSING;
		ev_io_stop(loop, &connection->readable);
		return;
	}
	if (n <= 0) {
		connection_close(connection);
		return;
	}
	if (connection->state == ADMIN_ANSWERING)
		return;			/* a stream's: not asked for */
	connection->in.len += (size_t)n;
	if (connection->state == ADMIN_BODY)
		connection_set_timer(connection, ADMIN_BODY_TIMEOUT_S);
	advance(connection);
}

static void
on_writable(struct ev_loop *loop, ev_io *writable, int events)
{
	struct admin_connection *connection = writable->data;

	(void)loop;
	(void)events;
	if (!flush(connection) || connection->out.len > 0)
		return;
	if (connection->state == ADMIN_HEAD)
		connection_set_timer(connection, IDLE_TIMEOUT_S);
	else if (connection->state == ADMIN_ANSWERING)
		connection_set_timer(connection, 0.0);
	advance(connection);
}

/* Opening ---------------------------------------------------------------- */

static void
name_unix_peer(struct admin_connection *connection)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	snprintf(connection->from, sizeof(connection->from), "unix");
	if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &cred,
		&len) == 0)
		snprintf(connection->who, sizeof(connection->who),
		    "uid %" PRIu32, (uint32_t)cred.uid);
}

static void
name_peer(struct admin_connection *connection)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);
	const void *host;
	int on = 1;

	snprintf(connection->who, sizeof(connection->who), "anonymous");
	snprintf(connection->from, sizeof(connection->from), "unknown");
	if (getpeername(connection->fd, (struct sockaddr *)&addr, &len) == -1)
		return;
	if (addr.ss_family == AF_UNIX) {
		name_unix_peer(connection);
		return;
	}
	if (setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on,
		sizeof(on)) == -1)
		log_debug("admin: TCP_NODELAY: %m");
	host = addr.ss_family == AF_INET ?
	    (const void *)&((struct sockaddr_in *)&addr)->sin_addr :
	    (const void *)&((struct sockaddr_in6 *)&addr)->sin6_addr;
	inet_ntop(addr.ss_family, host, connection->from,
	    sizeof(connection->from));
}

void
connection_open(struct admin_server *server, int fd)
{
	struct admin_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		log_warn("admin: a connection refused: out of memory");
		close(fd);
		return;
	}
	connection->server = server;
	connection->fd = fd;
	name_peer(connection);
	ev_io_init(&connection->readable, on_readable, fd, EV_READ);
	connection->readable.data = connection;
	ev_io_init(&connection->writable, on_writable, fd, EV_WRITE);
	connection->writable.data = connection;
	ev_timer_init(&connection->timer, on_timer, IDLE_TIMEOUT_S, 0.0);
	connection->timer.data = connection;
	ev_timer_start(server->loop, &connection->timer);
	ev_io_start(server->loop, &connection->readable);
	LIST_INSERT_HEAD(&server->connections, connection, of_server);
	server->connection_count++;
}
