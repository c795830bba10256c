/*
 * daemon/ares_loop.c - c-ares, turned by libev.
 */
/* SPDX-License-Identifier: ISC */
#include "daemon/ares_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

#define QUERY_TIMEOUT_MS 2000
#define QUERY_TRIES	 3

struct ares_socket {
	LIST_ENTRY(ares_socket) link;
	struct ares_loop *ares;
	ev_io io;
};

void
ares_loop_schedule(struct ares_loop *ares)
{
	struct timeval tv;

	if (ares_timeout(ares->channel, NULL, &tv) == NULL) {
		ev_timer_stop(ares->loop, &ares->timeout);
		return;
	}
	ares->timeout.repeat = (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
	if (ares->timeout.repeat < 0.001)
		ares->timeout.repeat = 0.001;
	ev_timer_again(ares->loop, &ares->timeout);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct ares_loop *ares = timer->data;

	(void)loop;
	(void)events;
	ares_process_fd(ares->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	ares_loop_schedule(ares);
}

static void
on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	struct ares_socket *socket = io->data;
	struct ares_loop *ares = socket->ares;
	int fd = io->fd;

	(void)loop;
	/* May free the socket. */
	ares_process_fd(ares->channel,
	    (events & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
	    (events & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
	ares_loop_schedule(ares);
}

static struct ares_socket *
find_socket(struct ares_loop *ares, int fd)
{
	struct ares_socket *socket;

	LIST_FOREACH (socket, &ares->sockets, link)
		if (socket->io.fd == fd)
			return socket;
	return NULL;
}

static struct ares_socket *
add_socket(struct ares_loop *ares, int fd)
{
	struct ares_socket *socket = calloc(1, sizeof(*socket));

	if (socket == NULL) {
		log_error("resolver: out of memory");
		return NULL;		/* the question will time out */
	}
	socket->ares = ares;
	ev_io_init(&socket->io, on_socket, fd, EV_READ);
	socket->io.data = socket;
	LIST_INSERT_HEAD(&ares->sockets, socket, link);
	return socket;
}

/* c-ares tells what it wants to know of a socket; nothing: it closes it. */
static void
on_socket_state(void *context, ares_socket_t fd, int wants_read,
    int wants_write)
{
	struct ares_loop *ares = context;
	struct ares_socket *socket = find_socket(ares, fd);

	if (socket == NULL && !wants_read && !wants_write)
		return;
	if (socket == NULL && (socket = add_socket(ares, fd)) == NULL)
		return;
	ev_io_stop(ares->loop, &socket->io);
	if (!wants_read && !wants_write) {
		LIST_REMOVE(socket, link);
		free(socket);
		return;
	}
	ev_io_set(&socket->io, fd,
	    (wants_read ? EV_READ : 0) | (wants_write ? EV_WRITE : 0));
	ev_io_start(ares->loop, &socket->io);
}

int
ares_loop_init(struct ares_loop *ares, struct ev_loop *loop)
{
	char lookups[] = "fb";		/* the hosts file, then DNS */
	struct ares_options options;
	int status;

	memset(&options, 0, sizeof(options));
	options.timeout = QUERY_TIMEOUT_MS;
	options.tries = QUERY_TRIES;
	options.lookups = lookups;
	options.sock_state_cb = on_socket_state;
	options.sock_state_cb_data = ares;
	status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&ares->channel, &options,
		    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
		    ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		log_error("resolver: %s", ares_strerror(status));
		errno = status == ARES_ENOMEM ? ENOMEM : EIO;
		return -1;
	}
	ares->loop = loop;
	ev_timer_init(&ares->timeout, on_timeout, 0, 0);
	ares->timeout.data = ares;
	LIST_INIT(&ares->sockets);
	return 0;
}

void
ares_loop_clear(struct ares_loop *ares)
{
	ares_destroy(ares->channel);	/* ends all questions and sockets */
	ev_timer_stop(ares->loop, &ares->timeout);
	ares_library_cleanup();
}
