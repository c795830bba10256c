/*
 * registryd/protocol/client.c - one client of the registration
 * protocol.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "registryd/protocol/protocol.h"
#include "registryd/registry.h"

#define READ_SIZE      16384
#define IN_MAX	       (4 * LINE_MAX_BYTES) /* then it is not read from */
#define OUT_MAX	       (1u << 20)	/* then nothing more is begun */
#define OUT_LOST       (16u << 20)	/* then it is given up */
#define LINGER_S       2.0
#define KEEP_ALIVE_S   30
#define WORD_MAX       100	/* of a word that is echoed */

static void
set_timer(struct client *client, double seconds)
{
	ev_timer_stop(client->protocol->loop, &client->timer);
	ev_timer_set(&client->timer, seconds, 0.0);
	ev_timer_start(client->protocol->loop, &client->timer);
}

static void
restart_idle(struct client *client)
{
	const struct settings *settings =
	    client->protocol->registry->daemon->settings;

	set_timer(client,
	    (double)settings->registration.idle_timeout_ms / 1000.0);
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

	if (client->fd == -1)
		return;
	ev_io_stop(protocol->loop, &client->readable);
	ev_io_stop(protocol->loop, &client->writable);
	ev_timer_stop(protocol->loop, &client->timer);
	close(client->fd);
	client->fd = -1;
	client->is_closing = true;
	protocol->client_count--;
	if (client->session != NULL)
		session_detach(client->session);
	if (client->is_waiting)
		client->is_busy = client->is_waiting = false;
	retire(client);
}

/* Ours is said: waits for their end, so that nothing of ours is lost by a
 * reset. */
static void
shut(struct client *client)
{
	client->is_shut = true;
	buf_free(&client->in);
	if (shutdown(client->fd, SHUT_WR) == -1) {
		client_close(client);
		return;
	}
	set_timer(client, LINGER_S);
	ev_io_start(client->protocol->loop, &client->readable);
}

/* Writing ---------------------------------------------------------------- */

static void
flush(struct client *client)
{
	struct ev_loop *loop = client->protocol->loop;
	ssize_t n;

	if (client->fd == -1)
		return;
	while (client->out.len > 0) {
		n = send(client->fd, client->out.data,
		    client->out.len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1) {
			client_close(client);
			return;
		}
		buf_consume(&client->out, (size_t)n);
	}
	if (client->out.len > 0)
		ev_io_start(loop, &client->writable);
	else
		ev_io_stop(loop, &client->writable);
	if (client->out.len > 0 || client->is_busy ||
	    client->is_shut)
		return;
	if (client->is_ended)
		client_close(client);
	else if (client->is_closing)
		shut(client);
}

void
client_send(struct client *client, struct bytes line)
{
	if (client->fd == -1 || client->is_shut)
		return;
	buf_append(&client->out, line);
	buf_append_char(&client->out, '\n');
	if (client->out.is_failed || client->out.len > OUT_LOST) {
		log_warn("registration: %s: does not read: closed",
		    client->from);
		client_close(client);
		return;
	}
	if (!client->is_advancing)
		flush(client);
}

static void
answered(struct client *client)
{
	client->is_busy = false;
	if (client->fd == -1)
		ev_timer_start(client->protocol->loop,
		    &client->protocol->sweep);
	else if (!client->is_advancing)
		client_advance(client);
}

void
client_answer(struct client *client, const char *format, ...)
{
	struct buf line = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	if (line.is_failed)
		client_close(client);
	else
		client_send(client, buf_bytes(&line));
	buf_free(&line);
	answered(client);
}

void
client_refuse(struct client *client, const char *fault)
{
	client_answer(client, "ERROR|%s", fault);
}

void
client_answer_json(struct client *client, const char *word,
    struct buf *json)
{
	if (json->is_failed)
		client_refuse(client, "store unavailable");
	else
		client_answer(client, "%s|%s", word, json->data);
	buf_free(json);
}

void
client_finish(struct client *client)
{
	client->is_closing = true;
	ev_io_stop(client->protocol->loop, &client->readable);
	if (!client->is_advancing)
		flush(client);
}

/* Lines ------------------------------------------------------------------ */

static void
take_line(struct client *client, struct bytes line, size_t used)
{
	buf_clear(&client->text);
	buf_append(&client->text, line);
	buf_consume(&client->in, used);
	if (client->text.is_failed) {
		client_close(client);
		return;
	}
	restart_idle(client);
	switch (line_parse(buf_bytes(&client->text), &client->line)) {
	case LINE_EMPTY:
		break;
	case LINE_UNKNOWN:
		client_answer(client,
		    "ERROR|unknown command: %.*s",
		    (int)(client->line.word.len > WORD_MAX ?
			    WORD_MAX :
			    client->line.word.len),
		    client->line.word.data);
		break;
	case LINE_FORMAT:
		if (client->session == NULL &&
		    client->line.command != COMMAND_REGISTER &&
		    client->line.command != COMMAND_RECONNECT)
			client_refuse(client, "no session");
		else
			client_refuse(client, "invalid format");
		break;
	case LINE_GOOD:
		client->is_busy = true;
		command_run(client);
		break;
	}
}

/* false: nothing more can be done now. */
static bool
next_line(struct client *client)
{
	struct bytes line;
	size_t used;

	switch (line_frame(buf_bytes(&client->in), &client->scanned,
	    &line, &used)) {
	case FRAME_MORE:
		return false;
	case FRAME_TOO_LONG:
		client_refuse(client, "line too long");
		client_finish(client);
		return false;
	case FRAME_LINE:
		take_line(client, line, used);
		return true;
	}
	return false;
}

void
client_advance(struct client *client)
{
	struct ev_loop *loop = client->protocol->loop;
	bool goes_on = true;

	if (client->is_advancing || client->fd == -1)
		return;
	client->is_advancing = true;
	if (client->is_waiting) {
		client->is_waiting = false;
		command_run(client);
	}
	while (goes_on && client->fd != -1 && !client->is_busy &&
	    !client->is_closing && client->out.len < OUT_MAX)
		goes_on = next_line(client);
	client->is_advancing = false;
	if (client->fd == -1)
		return;
	if (client->in.len >= IN_MAX || client->is_closing ||
	    client->is_ended)
		ev_io_stop(loop, &client->readable);
	else
		ev_io_start(loop, &client->readable);
	flush(client);
}

/* Events ----------------------------------------------------------------- */

/* What still comes after our end is thrown away. */
static void
discard(struct client *client)
{
	char scrap[READ_SIZE];
	ssize_t n = recv(client->fd, scrap, sizeof(scrap), 0);

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		client_close(client);
}

static void
on_readable(struct ev_loop *loop, ev_io *readable, int events)
{
	struct client *client = readable->data;
	ssize_t n;

	(void)loop;
	(void)events;
	if (client->is_shut) {
		discard(client);
		return;
	}
	if (buf_reserve(&client->in, READ_SIZE) == -1) {
		client_close(client);
		return;
	}
	n = recv(client->fd, client->in.data + client->in.len,
	    READ_SIZE, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		client_close(client);
		return;
	}
	client->is_ended = n == 0;	/* what it said is still done */
	client->in.len += (size_t)n;
	client_advance(client);
}

static void
on_writable(struct ev_loop *loop, ev_io *writable, int events)
{
	struct client *client = writable->data;

	(void)loop;
	(void)events;
	flush(client);
	if (client->fd != -1 && client->out.len == 0)
		client_advance(client);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct client *client = timer->data;

	(void)loop;
	(void)events;
	if (client->is_busy && !client->is_shut) {
		restart_idle(client);	/* it waits for us */
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
	if (getpeername(client->fd, (struct sockaddr *)&addr, &len) == -1)
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

void
client_open(struct protocol *protocol, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		log_warn("registration: a connection refused: out of memory");
		close(fd);
		return;
	}
	client->protocol = protocol;
	client->fd = fd;
	name_peer(client);
	if (strcmp(client->from, "unix") != 0)
		set_keep_alive(fd);
	ev_io_init(&client->readable, on_readable, fd, EV_READ);
	client->readable.data = client;
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	client->writable.data = client;
	ev_timer_init(&client->timer, on_timer, 0.0, 0.0);
	client->timer.data = client;
	restart_idle(client);
	ev_io_start(protocol->loop, &client->readable);
	LIST_INSERT_HEAD(&protocol->clients, client, of_protocol);
	protocol->client_count++;
}
