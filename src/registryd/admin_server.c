/*
 * registryd/admin_server.c - the listeners of the admin API.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "registryd/admin_parts.h"

#define ACCEPT_AT_ONCE 64
#define BODY_LIMIT_BYTES (UINT64_C(16) << 20)
#define ACCEPT_PAUSE_S 0.1

static void
start_listeners(struct admin_server *server)
{
	for (uint32_t i = 0; i < server->listener_count; i++)
		ev_io_start(server->loop, &server->listeners[i].readable);
}

static void
stop_listeners(struct admin_server *server)
{
	for (uint32_t i = 0; i < server->listener_count; i++)
		ev_io_stop(server->loop, &server->listeners[i].readable);
}

static void
on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	start_listeners(timer->data);
}

static void
refuse(int fd)
{
	static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
				     "Content-Length: 0\r\n"
				     "Connection: close\r\n\r\n";

	if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) == -1)
		log_debug("admin: refusing a connection: %m");
	close(fd);
}

/* false: there is nobody more to accept now. */
static bool
accept_one(struct admin_server *server, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 && server->connection_count >= ADMIN_CONNECTIONS_MAX) {
		log_warn("admin: more than %d connections: one refused",
		    ADMIN_CONNECTIONS_MAX);
		refuse(fd);
		return true;
	}
	if (fd >= 0) {
		connection_open(server, fd);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		log_warn("admin: accept: %m: pausing");
		stop_listeners(server);
		ev_timer_set(&server->accept_again, ACCEPT_PAUSE_S, 0.0);
		ev_timer_start(server->loop, &server->accept_again);
		return false;
	}
	return errno == ECONNABORTED || errno == EINTR;
}

static void
on_readable(struct ev_loop *loop, ev_io *readable, int events)
{
	struct admin_listener *listener = readable->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++)
		if (!accept_one(listener->server, readable->fd))
			return;
}

static void
on_sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct admin_server *server = timer->data;
	struct admin_connection *connection;

	(void)loop;
	(void)events;
	while ((connection = LIST_FIRST(&server->closed)) != NULL) {
		LIST_REMOVE(connection, of_server);
		buf_free(&connection->in);
		buf_free(&connection->out);
		free(connection);
	}
	if (server->is_draining && admin_server_is_idle(server) &&
	    server->on_idle != NULL)
		server->on_idle(server->idle_context);
}

void
admin_server_set_body_limit(struct admin_server *server, uint64_t bytes)
{
	server->body_limit_bytes = bytes;
}

int
admin_server_new(struct ev_loop *loop, admin_handle_fn *handle, void *context,
    struct admin_server **server_r)
{
	struct admin_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return -1;
	server->loop = loop;
	server->handle = handle;
	server->context = context;
	server->body_limit_bytes = BODY_LIMIT_BYTES;
	LIST_INIT(&server->connections);
	LIST_INIT(&server->closed);
	ev_timer_init(&server->sweep, on_sweep, 0.0, 0.0);
	server->sweep.data = server;
	ev_timer_init(&server->accept_again, on_accept_again, ACCEPT_PAUSE_S,
	    0.0);
	server->accept_again.data = server;
	*server_r = server;
	return 0;
}

void
admin_server_free(struct admin_server **p)
{
	struct admin_server *server = *p;
	struct admin_connection *connection;

	*p = NULL;
	if (server == NULL)
		return;
	server->on_idle = NULL;
	while ((connection = LIST_FIRST(&server->connections)) != NULL)
		connection_close(connection);
	on_sweep(server->loop, &server->sweep, 0);
	ev_timer_stop(server->loop, &server->sweep);
	ev_timer_stop(server->loop, &server->accept_again);
	stop_listeners(server);
	for (uint32_t i = 0; i < server->listener_count; i++)
		close(server->listeners[i].readable.fd);
	free(server);
}

int
admin_server_listen(struct admin_server *server, int fd)
{
	struct admin_listener *listener;

	if (server->listener_count == ADMIN_LISTENERS_MAX) {
		errno = ENOSPC;
		return -1;
	}
	listener = &server->listeners[server->listener_count++];
	listener->server = server;
	ev_io_init(&listener->readable, on_readable, fd, EV_READ);
	listener->readable.data = listener;
	ev_io_start(server->loop, &listener->readable);
	return 0;
}

void
admin_server_drain(struct admin_server *server)
{
	struct admin_connection *connection, *next;

	server->is_draining = true;
	ev_timer_stop(server->loop, &server->accept_again);
	stop_listeners(server);
	for (connection = LIST_FIRST(&server->connections); connection != NULL;
	    connection = next) {
		next = LIST_NEXT(connection, of_server);
		if ((connection->state == ADMIN_HEAD &&
			connection->out.len == 0) ||
		    (connection->request != NULL &&
			connection->request->gone != NULL))
			connection_close(connection);
	}
	ev_timer_start(server->loop, &server->sweep);
}

bool
admin_server_is_idle(const struct admin_server *server)
{
	return server->connection_count == 0;
}

void
admin_server_on_idle(struct admin_server *server,
    void (*on_idle)(void *context), void *context)
{
	server->on_idle = on_idle;
	server->idle_context = context;
}
