/*
 * registryd/protocol/client_io.c - one client of the registration
 * protocol: its stream, opened, read, written and closed.
 *
 * An encrypted stream may wait for either event with either direction, so
 * that there is one watcher, set anew whenever something changes.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/tls.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

#define READ_SIZE      16384
#define LINGER_S       2.0
#define KEEP_ALIVE_S   30
#define HANDSHAKES_MAX 1024		/* then the oldest is given up */

static void
set_timer(struct client *client, double seconds)
{
	ev_timer_stop(client->protocol->loop, &client->timer);
	ev_timer_set(&client->timer, seconds, 0.0);
	ev_timer_start(client->protocol->loop, &client->timer);
}

static const struct settings *
settings_of(const struct client *client)
{
	return client->protocol->registry->daemon->settings;
}

void
client_restart_idle(struct client *client)
{
	set_timer(client,
	    (double)settings_of(client)->registration.idle_timeout_ms /
		1000.0);
}

/* Waits for what is worth another try. */
static void
watch(struct client *client)
{
	struct ev_loop *loop = client->protocol->loop;
	int events = 0;

	if (client->is_reading)
		events |= client->stream.read_wants;
	if (client->out.len > 0 || client->is_shutting)
		events |= client->stream.write_wants;
	if (events != (client->io.events & (EV_READ | EV_WRITE)) ||
	    !ev_is_active(&client->io)) {
		ev_io_stop(loop, &client->io);
		ev_io_set(&client->io, client->stream.fd, events);
		if (events != 0)
			ev_io_start(loop, &client->io);
	}
	if (client->is_reading && stream_has_more(&client->stream))
		ev_feed_event(loop, &client->io, client->stream.read_wants);
}

void
client_read(struct client *client, bool is_reading)
{
	client->is_reading = is_reading;
	watch(client);
}

/* Handshakes ------------------------------------------------------------- */

/* The peer has done its part, or is given up. */
static void
leave_handshakes(struct client *client)
{
	struct protocol *protocol = client->protocol;

	if (!client->is_shaking_hands)
		return;
	client->is_shaking_hands = false;
	TAILQ_REMOVE(&protocol->handshakes, client, of_handshakes);
	protocol->handshake_count--;
}

static void
give_up_handshake(struct client *client, const char *why)
{
	client->protocol->handshake_failed_count++;
	log_info("registration: %s: TLS handshake: %s: closed", client->from,
	    why);
	client_close(client);
}

/* Whoever opens connections and is silent must not keep others out: they
 * need a moment, and he has had his. */
static void
join_handshakes(struct client *client)
{
	struct protocol *protocol = client->protocol;

	if (protocol->handshake_count == HANDSHAKES_MAX)
		give_up_handshake(TAILQ_FIRST(&protocol->handshakes),
		    "too many at once");
	client->is_shaking_hands = true;
	TAILQ_INSERT_TAIL(&protocol->handshakes, client, of_handshakes);
	protocol->handshake_count++;
	set_timer(client,
	    (double)settings_of(client)->registration.tls
		    .handshake_timeout_ms / 1000.0);
}

static void
note_handshake(struct client *client)
{
	if (!client->is_shaking_hands || !client->stream.is_open)
		return;
	leave_handshakes(client);
	client_restart_idle(client);
}

/* Closing ---------------------------------------------------------------- */

void
client_free(struct client *client)
{
	LIST_REMOVE(client, of_protocol);
	buf_free(&client->in);
	buf_free(&client->out);
	buf_free(&client->text);
	free(client);
}

/* To be freed by the sweep, when no command is under way. */
static void
retire(struct client *client)
{
	struct protocol *protocol = client->protocol;

	LIST_REMOVE(client, of_protocol);
	LIST_INSERT_HEAD(&protocol->closed, client, of_protocol);
	ev_timer_start(protocol->loop, &protocol->sweep);
}

void
client_close(struct client *client)
{
	struct protocol *protocol = client->protocol;

	if (!client_is_connected(client))
		return;
	leave_handshakes(client);
	ev_io_stop(protocol->loop, &client->io);
	ev_timer_stop(protocol->loop, &client->timer);
	stream_close(&client->stream);
	client->is_closing = true;
	protocol->client_count--;
	if (client->session != NULL)
		session_detach(client->session);
	if (client->is_waiting)
		client->is_busy = client->is_waiting = false;
	retire(client);
}

/* It failed; errno and the stream say why. */
static void
lose(struct client *client)
{
	const char *why = client->stream.fault;

	if (client->is_shaking_hands) {
		give_up_handshake(client, why == NULL ? strerror(errno) : why);
		return;
	}
	if (why != NULL)
		log_info("registration: %s: TLS: %s: closed", client->from,
		    why);
	client_close(client);
}

/* Ours is said: waits for their end, so that nothing of ours is lost by a
 * reset. */
static void
shut(struct client *client)
{
	buf_free(&client->in);
	client->is_shutting = false;
	if (stream_shutdown(&client->stream) == 0) {
		client->is_shut = true;
		set_timer(client, LINGER_S);
		client_read(client, true);
	} else if (errno == EAGAIN) {
		client->is_shutting = true;
		watch(client);
	} else {
		client_close(client);
	}
}

/* Writing ---------------------------------------------------------------- */

/* -1: the connection is gone. */
static int
write_out(struct client *client)
{
	while (client->out.len > 0) {
		const struct iovec piece = { client->out.data,
			client->out.len };
		ssize_t put = stream_writev(&client->stream, &piece, 1);

		if (put == -1 && errno == EAGAIN)
			return 0;
		if (put == -1) {
			lose(client);
			return -1;
		}
		buf_consume(&client->out, (size_t)put);
	}
	return 0;
}

void
client_flush(struct client *client)
{
	if (!client_is_connected(client) || write_out(client) == -1)
		return;
	watch(client);
	if (client->out.len > 0 || client->is_busy || client->is_shut)
		return;
	if (client->is_ended)
		client_close(client);
	else if (client->is_closing)
		shut(client);
}

/* Events ----------------------------------------------------------------- */

/* What still comes after our end is thrown away. */
static void
discard(struct client *client)
{
	char scrap[READ_SIZE];
	ssize_t got = stream_read(&client->stream, scrap, sizeof(scrap));

	if (got > 0 || (got == -1 && errno == EAGAIN))
		watch(client);
	else
		client_close(client);
}

static void
take_input(struct client *client)
{
	ssize_t got;

	if (buf_reserve(&client->in, READ_SIZE) == -1) {
		client_close(client);
		return;
	}
	got = stream_read(&client->stream, client->in.data + client->in.len,
	    READ_SIZE);
	note_handshake(client);
	if (got == -1 && errno == EAGAIN) {
		watch(client);
		return;
	}
	if (got == -1) {
		lose(client);
		return;
	}
	client->is_ended = got == 0;	/* what it said is still done */
	client->in.len += (size_t)got;
	client_advance(client);
}

static void
on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct client *client = io->data;

	(void)loop;
	if (client->is_shut) {
		discard(client);
		return;
	}
	if (client->is_reading && (events & client->stream.read_wants) != 0)
		take_input(client);
	if (!client_is_connected(client) ||
	    (client->out.len == 0 && !client->is_shutting))
		return;
	client_flush(client);
	if (client_is_connected(client) && client->out.len == 0)
		client_advance(client);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct client *client = timer->data;

	(void)loop;
	(void)events;
	if (client->is_shaking_hands) {
		give_up_handshake(client, "not finished in time");
		return;
	}
	if (client->is_busy && !client->is_shut) {
		client_restart_idle(client);	/* it waits for us */
		return;
	}
	if (!client->is_shut)
		log_info("registration: %s: idle: closed", client->from);
	client_close(client);
}

/* Opening ---------------------------------------------------------------- */

static bool
is_loopback6(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_LOOPBACK(addr) ||
	    (IN6_IS_ADDR_V4MAPPED(addr) && addr->s6_addr[12] == 127);
}

static void
name_peer(struct client *client)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);
	const struct sockaddr_in *in = (const void *)&addr;
	const struct sockaddr_in6 *in6 = (const void *)&addr;

	snprintf(client->from, sizeof(client->from), "unknown");
	if (getpeername(client->stream.fd, (struct sockaddr *)&addr,
		&len) == -1)
		return;
	switch (addr.ss_family) {
	case AF_UNIX:
		snprintf(client->from, sizeof(client->from), "unix");
		client->is_local = true;
		break;
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, client->from,
		    sizeof(client->from));
		client->is_local =
		    (ntohl(in->sin_addr.s_addr) >> 24) == 127;
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, client->from,
		    sizeof(client->from));
		client->is_local = is_loopback6(&in6->sin6_addr);
		break;
	}
}

/* The peer may be gone without a word: the kernel asks. */
static void
set_keep_alive(int fd)
{
	int on = 1, seconds = KEEP_ALIVE_S;

	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds,
		sizeof(seconds)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds,
		sizeof(seconds)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1)
		log_debug("registration: socket options: %m");
}

/* 0, or -1 when out of memory, with fd the caller's. */
static int
open_stream(struct client *client, int fd, const struct tls_context *tls)
{
	if (tls != NULL)
		return stream_tls_accept(tls, fd, &client->stream);
	client->stream = stream_plain(fd);
	return 0;
}

void
client_open(struct protocol *protocol, int fd, const struct tls_context *tls)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL || open_stream(client, fd, tls) == -1) {
		log_warn("registration: a connection refused: out of memory");
		close(fd);
		free(client);
		return;
	}
	client->protocol = protocol;
	name_peer(client);
	if (strcmp(client->from, "unix") != 0)
		set_keep_alive(fd);
	ev_io_init(&client->io, on_io, fd, 0);
	client->io.data = client;
	ev_timer_init(&client->timer, on_timer, 0.0, 0.0);
	client->timer.data = client;
	LIST_INSERT_HEAD(&protocol->clients, client, of_protocol);
	protocol->client_count++;
	if (tls != NULL)
		join_handshakes(client);
	else
		client_restart_idle(client);
	client_read(client, true);
}
