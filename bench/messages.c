/*
 * bench/messages.c - WebSocket messages to and fro, for bench/compare.
 *
 * usage: bench-messages ADDRESS PORT CONNECTIONS SECONDS BYTES
 *
 * Upgrades so many connections; each then sends a message of BYTES, waits
 * until it is back, and sends the next.  Prints what wrk would: how many
 * came back, and how long the middle and the slowest hundredth took.
 * Trusts what it is sent, as only a benchmark may.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS	      256
#define MESSAGE_MAX   32768
#define LATENCIES_MAX 10000000
#define NS_PER_S      INT64_C(1000000000)

struct connection {
	int fd;
	size_t left;		/* bytes of the message on its way back */
	int64_t sent_ns;
};

static const char upgrade[] =
    "GET /echo HTTP/1.1\r\n"
    "Host: bench\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static char frame[MESSAGE_MAX + 8];
static size_t frame_len;
static uint32_t *latencies_us;
static size_t latency_count;

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* A text message, masked with zeroes, so that it comes back as it is. */
static void
make_frame(size_t len)
{
	size_t at = 2;

	frame[0] = (char)0x81;
	if (len < 126) {
		frame[1] = (char)(0x80 | len);
	} else {
		frame[1] = (char)(0x80 | 126);
		frame[at++] = (char)(len >> 8);
		frame[at++] = (char)(len & 0xff);
	}
	at += 4;
	memset(frame + at, 'x', len);
	frame_len = at + len;
}

static void
send_message(struct connection *connection)
{
	size_t sent = 0;

	connection->sent_ns = now_ns();
	connection->left = frame_len;
	while (sent < frame_len) {
		ssize_t put = send(connection->fd, frame + sent,
		    frame_len - sent, MSG_NOSIGNAL);

		if (put == -1)
			err(1, "send");
		sent += (size_t)put;
	}
}

/* Waits for the answer's head; nothing may come behind it yet. */
static void
upgrade_connection(struct connection *connection)
{
	char answer[4096];
	size_t len = 0;

	if (send(connection->fd, upgrade, sizeof(upgrade) - 1,
		MSG_NOSIGNAL) != (ssize_t)sizeof(upgrade) - 1)
		err(1, "send");
	do {
		ssize_t got = recv(connection->fd, answer + len,
		    sizeof(answer) - 1 - len, 0);

		if (got <= 0)
			err(1, "no answer to the upgrade");
		len += (size_t)got;
		answer[len] = '\0';
	} while (strstr(answer, "\r\n\r\n") == NULL);
	if (strncmp(answer, "HTTP/1.1 101", 12) != 0)
		errx(1, "upgrade refused: %.12s", answer);
}

static void
open_connection(struct connection *connection,
    const struct sockaddr_in *address, int epoll)
{
	struct epoll_event event = { .events = EPOLLIN,
		.data.ptr = connection };
	int on = 1;

	connection->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(connection->fd, (const struct sockaddr *)address,
		sizeof(*address)) == -1)
		err(1, "connect");
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	upgrade_connection(connection);
	epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void
on_readable(struct connection *connection)
{
	static char waste[MESSAGE_MAX + 8];
	ssize_t got = recv(connection->fd, waste, connection->left,
	    MSG_DONTWAIT);

	if (got == -1 && errno == EAGAIN)
		return;
	if (got <= 0)
		err(1, "closed");
	connection->left -= (size_t)got;
	if (connection->left > 0)
		return;
	if (latency_count < LATENCIES_MAX)
		latencies_us[latency_count++] =
		    (uint32_t)((now_ns() - connection->sent_ns) / 1000);
	send_message(connection);
}

static int
compare(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return first < second ? -1 : first > second;
}

static void
report(int seconds)
{
	qsort(latencies_us, latency_count, sizeof(latencies_us[0]), compare);
	if (latency_count > 0)
		printf("50%% %uus\n99%% %uus\n",
		    latencies_us[latency_count / 2],
		    latencies_us[latency_count / 100 * 99]);
	printf("%zu requests in %ds\n", latency_count, seconds);
}

static void
run(int epoll, int seconds)
{
	int64_t end_ns = now_ns() + seconds * NS_PER_S;
	struct epoll_event events[EVENTS];

	while (now_ns() < end_ns) {
		int count = epoll_wait(epoll, events, EVENTS, 100);

		for (int i = 0; i < count; i++)
			on_readable(events[i].data.ptr);
	}
	report(seconds);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct connection *connections;
	int epoll = epoll_create1(0), count;

	if (argc != 6)
		errx(64, "usage: bench-messages ADDRESS PORT CONNECTIONS "
			 "SECONDS BYTES");
	if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1)
		errx(1, "%s: no address", argv[1]);
	address.sin_port = htons((uint16_t)atoi(argv[2]));
	count = atoi(argv[3]);
	if (count < 1 || atoi(argv[5]) < 1 || atoi(argv[5]) > MESSAGE_MAX)
		errx(64, "at least one connection, messages of 1 to %d bytes",
		    MESSAGE_MAX);
	make_frame((size_t)atoi(argv[5]));
	connections = calloc((size_t)count, sizeof(*connections));
	latencies_us = malloc(LATENCIES_MAX * sizeof(*latencies_us));
	if (connections == NULL || latencies_us == NULL)
		err(1, "malloc");
	for (int i = 0; i < count; i++)
		open_connection(&connections[i], &address, epoll);
	for (int i = 0; i < count; i++)
		send_message(&connections[i]);
	run(epoll, atoi(argv[4]));
	return 0;
}
