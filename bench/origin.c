/*
 * bench/origin.c - an HTTP/1.1 origin that costs as little as can be.
 *
 * usage: bench-origin ADDRESS PORT
 *
 * /N answers with N bytes and a Content-Length, /c/N with N bytes in
 * chunks of 4 KiB; what stands before /N is skipped.  A request's body is
 * read and dropped.  An upgrade to a WebSocket is taken, and what comes
 * on it goes back.  One process, epoll; trusts what it is sent, as only a
 * benchmark may.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 4096
#define EVENTS 256

struct connection {
	int fd;
	size_t len;		/* bytes of head in buf */
	size_t body_left;	/* of the request, to be dropped */
	char *out;		/* NULL: nothing to send */
	size_t out_len, out_sent;
	bool is_echo;
	char buf[16384];
};

static int epoll;

/* Makes the answer for a path; whole, head and body. */
static void
make_answer(struct connection *connection, const char *path)
{
	bool is_chunked = strncmp(path, "/c/", 3) == 0;
	size_t size = strtoul(strrchr(path, '/') + 1, NULL, 10);
	char *out = malloc(256 + size + size / CHUNK * 16);
	size_t len;

	if (out == NULL)
		err(1, "malloc");
	len = (size_t)sprintf(out, "HTTP/1.1 200 OK\r\nServer: origin\r\n"
	    "Content-Type: application/octet-stream\r\n");
	if (is_chunked) {
		len += (size_t)sprintf(out + len,
		    "Transfer-Encoding: chunked\r\n\r\n");
		while (size > 0) {
			size_t piece = size < CHUNK ? size : CHUNK;

			len += (size_t)sprintf(out + len, "%zx\r\n", piece);
			memset(out + len, 'x', piece);
			len += piece;
			len += (size_t)sprintf(out + len, "\r\n");
			size -= piece;
		}
		len += (size_t)sprintf(out + len, "0\r\n\r\n");
	} else {
		len += (size_t)sprintf(out + len, "Content-Length: %zu\r\n\r\n",
		    size);
		memset(out + len, 'x', size);
		len += size;
	}
	connection->out = out;
	connection->out_len = len;
	connection->out_sent = 0;
}

/* Of the key that bench-messages sends (RFC 6455, section 1.3). */
static const char switching[] =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/* Sends a copy of data. */
static void
make_copy(struct connection *connection, const char *data, size_t len)
{
	if ((connection->out = malloc(len)) == NULL)
		err(1, "malloc");
	memcpy(connection->out, data, len);
	connection->out_len = len;
	connection->out_sent = 0;
}

static void
drop(struct connection *connection)
{
	close(connection->fd);
	free(connection->out);
	free(connection);
}

static void
watch(struct connection *connection, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = connection };

	epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Returns false when the connection is gone. */
static bool
flush_answer(struct connection *connection)
{
	while (connection->out_sent < connection->out_len) {
		ssize_t sent = send(connection->fd,
		    connection->out + connection->out_sent,
		    connection->out_len - connection->out_sent, MSG_NOSIGNAL);

		if (sent == -1 && errno == EAGAIN) {
			watch(connection, EPOLLOUT);
			return true;
		}
		if (sent == -1) {
			drop(connection);
			return false;
		}
		connection->out_sent += (size_t)sent;
	}
	free(connection->out);
	connection->out = NULL;
	return true;
}

static size_t
body_length(const char *head)
{
	const char *field = strcasestr(head, "\r\nContent-Length:");

	return field == NULL ? 0 : strtoul(field + 17, NULL, 10);
}

/* Drops the bytes at the front of the buffer. */
static void
consume(struct connection *connection, size_t len)
{
	connection->len -= len;
	memmove(connection->buf, connection->buf + len, connection->len);
	connection->buf[connection->len] = '\0';
}

/* Takes a request's head off the buffer and makes its answer.  Returns
 * false when there is none, or none that can be read. */
static bool
take_request(struct connection *connection)
{
	char *end = strstr(connection->buf, "\r\n\r\n"), path[64];

	if (end == NULL)
		return false;
	*end = '\0';
	if (sscanf(connection->buf, "%*s %63s", path) != 1 || *path != '/')
		return false;
	connection->body_left = body_length(connection->buf);
	connection->is_echo =
	    strcasestr(connection->buf, "\r\nUpgrade:") != NULL;
	if (connection->is_echo)
		make_copy(connection, switching, sizeof(switching) - 1);
	else
		make_answer(connection, path);
	consume(connection, (size_t)(end - connection->buf) + 4);
	return true;
}

/* Sends back what has come. */
static void
echo(struct connection *connection)
{
	if (connection->out != NULL &&
	    (!flush_answer(connection) || connection->out != NULL))
		return;
	if (connection->len == 0)
		return;
	make_copy(connection, connection->buf, connection->len);
	connection->len = 0;
	(void)flush_answer(connection);
}

/* Answers every whole request that is in the buffer. */
static void
serve(struct connection *connection)
{
	while (!connection->is_echo) {
		size_t skip = connection->body_left < connection->len
				  ? connection->body_left
				  : connection->len;

		connection->body_left -= skip;
		consume(connection, skip);
		if (connection->body_left > 0)
			return;
		if (connection->out != NULL &&
		    (!flush_answer(connection) || connection->out != NULL))
			return;
		if (!take_request(connection))
			return;
	}
	echo(connection);
}

static void
on_readable(struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->buf + connection->len,
	    sizeof(connection->buf) - 1 - connection->len, 0);

	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			drop(connection);
		return;
	}
	connection->len += (size_t)got;
	serve(connection);
}

static void
on_writable(struct connection *connection)
{
	if (!flush_answer(connection) || connection->out != NULL)
		return;
	watch(connection, EPOLLIN);
	serve(connection);
}

static void
accept_all(int listener)
{
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct connection *connection = malloc(sizeof(*connection));
		struct epoll_event event = { .events = EPOLLIN,
			.data.ptr = connection };

		if (connection == NULL)
			err(1, "malloc");
		connection->fd = fd;
		connection->len = connection->body_left = 0;
		connection->out = NULL;
		connection->out_len = connection->out_sent = 0;
		connection->is_echo = false;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static int
listen_on(const char *address, const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	if (inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		errx(1, "%s: no address", address);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)(void *)&addr, sizeof(addr)) == -1 ||
	    listen(fd, 4096) == -1)
		err(1, "%s:%s", address, port);
	return fd;
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS], event = { .events = EPOLLIN };
	int listener;

	if (argc != 3)
		errx(64, "usage: bench-origin ADDRESS PORT");
	listener = listen_on(argv[1], argv[2]);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL)
				accept_all(listener);
			else if (events[i].events & EPOLLOUT)
				on_writable(events[i].data.ptr);
			else
				on_readable(events[i].data.ptr);
		}
	}
}
