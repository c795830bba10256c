/*
 * bench/floor.c - the floor of this design: a proxy that only copies.
 *
 * usage: bench-floor ADDRESS PORT ORIGIN-ADDRESS ORIGIN-PORT
 *
 * Pairs each client connection with one to the origin and copies bytes
 * both ways with recv and send on a libev loop: one read, one write a
 * direction, as any proxy on sockets must.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (64 * 1024)

struct side {
	ev_io reader, writer;
	struct side *peer;
	size_t len, sent;	/* what waits to go to the peer */
	char *waiting;		/* NULL: nothing */
};

static struct sockaddr_in origin;
static char buffer[BUFFER];

static void
close_side(struct ev_loop *loop, struct side *side)
{
	ev_io_stop(loop, &side->reader);
	ev_io_stop(loop, &side->writer);
	close(side->reader.fd);
	free(side->waiting);
	free(side);
}

static void
close_pair(struct ev_loop *loop, struct side *side)
{
	close_side(loop, side->peer);
	close_side(loop, side);
}

/* Keeps what the peer could not take, and stops reading until it can. */
static void
keep(struct ev_loop *loop, struct side *side, const char *data, size_t len)
{
	if ((side->waiting = malloc(len)) == NULL)
		err(1, "malloc");
	memcpy(side->waiting, data, len);
	side->len = len;
	side->sent = 0;
	ev_io_stop(loop, &side->reader);
	ev_io_start(loop, &side->peer->writer);
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct side *side = watcher->data;
	ssize_t got = recv(watcher->fd, buffer, sizeof(buffer), 0), sent;

	(void)events;
	if (got == -1 && errno == EAGAIN)
		return;
	if (got <= 0) {
		close_pair(loop, side);
		return;
	}
	sent = send(side->peer->reader.fd, buffer, (size_t)got, MSG_NOSIGNAL);
	if (sent == -1 && errno != EAGAIN && errno != ENOTCONN) {
		close_pair(loop, side);
		return;
	}
	if (sent < got)
		keep(loop, side, buffer + (sent < 0 ? 0 : sent),
		    (size_t)(got - (sent < 0 ? 0 : sent)));
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct side *side = watcher->data, *from = side->peer;
	ssize_t sent = send(watcher->fd, from->waiting + from->sent,
	    from->len - from->sent, MSG_NOSIGNAL);

	(void)events;
	if (sent == -1) {
		if (errno != EAGAIN)
			close_pair(loop, side);
		return;
	}
	from->sent += (size_t)sent;
	if (from->sent < from->len)
		return;
	free(from->waiting);
	from->waiting = NULL;
	ev_io_stop(loop, &side->writer);
	ev_io_start(loop, &from->reader);
}

static struct side *
new_side(int fd)
{
	struct side *side = calloc(1, sizeof(*side));
	int on = 1;

	if (side == NULL)
		err(1, "calloc");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ev_io_init(&side->reader, on_readable, fd, EV_READ);
	ev_io_init(&side->writer, on_writable, fd, EV_WRITE);
	side->reader.data = side->writer.data = side;
	return side;
}

static void
on_client(struct ev_loop *loop, ev_io *watcher, int events)
{
	int client_fd, origin_fd;

	(void)events;
	while ((client_fd = accept4(watcher->fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct side *client = new_side(client_fd), *server;

		origin_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(origin_fd, (struct sockaddr *)(void *)&origin,
		    sizeof(origin));
		server = new_side(origin_fd);
		client->peer = server;
		server->peer = client;
		ev_io_start(loop, &client->reader);
		ev_io_start(loop, &server->reader);
	}
}

static struct sockaddr_in
parse(const char *address, const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		errx(1, "%s: no address", address);
	return addr;
}

int
main(int argc, char **argv)
{
	struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
	struct sockaddr_in addr;
	ev_io listener;
	int fd, on = 1;

	if (argc != 5)
		errx(64, "usage: bench-floor ADDRESS PORT ORIGIN-ADDRESS "
			 "ORIGIN-PORT");
	addr = parse(argv[1], argv[2]);
	origin = parse(argv[3], argv[4]);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)(void *)&addr, sizeof(addr)) == -1 ||
	    listen(fd, 4096) == -1)
		err(1, "%s:%s", argv[1], argv[2]);
	ev_io_init(&listener, on_client, fd, EV_READ);
	ev_io_start(loop, &listener);
	ev_run(loop, 0);
	return 0;
}
