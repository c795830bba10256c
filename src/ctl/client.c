/*
 * ctl/client.c - one request to the admin API, one answer, blocking.
 */
/* SPDX-License-Identifier: ISC */
#include "ctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "http/head.h"
#include "http/url.h"

#define FOREVER_MS (INT64_C(20) * 24 * 3600 * 1000) /* fits poll(2) */

struct exchange {
	int fd;
	struct instant deadline;
	struct client_answer *answer;
};

static enum client_result
fail(struct exchange *exchange, enum client_result result, const char *what)
{
	snprintf(exchange->answer->error, sizeof(exchange->answer->error),
	    "%s: %s", what,
	    result == CLIENT_TIMED_OUT ? "timed out" : strerror(errno));
	return result;
}

/* Waits for the socket until the deadline. */
static enum client_result
wait_for(struct exchange *exchange, short events, const char *what)
{
	struct pollfd pollfd = { .fd = exchange->fd, .events = events };

	for (;;) {
		int64_t left_ms =
		    instant_diff_ms(exchange->deadline, clock_now());
		int ready;

		if (left_ms <= 0)
			return fail(exchange, CLIENT_TIMED_OUT, what);
		ready = poll(&pollfd, 1, (int)left_ms);
		if (ready > 0)
			return CLIENT_ANSWERED;
		if (ready == -1 && errno != EINTR)
			return fail(exchange, CLIENT_UNREACHABLE, what);
	}
}

/* Connects to one address.  Leaves errno when it cannot. */
static enum client_result
connect_to(struct exchange *exchange, const struct sockaddr *addr,
    socklen_t addr_len)
{
	enum client_result result;
	socklen_t len = sizeof(int);
	int error = 0;

	exchange->fd = socket(addr->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (exchange->fd == -1)
		return fail(exchange, CLIENT_UNREACHABLE, "socket");
	if (connect(exchange->fd, addr, addr_len) == 0)
		return CLIENT_ANSWERED;
	if (errno != EINPROGRESS)
		return fail(exchange, CLIENT_UNREACHABLE, "connect");
	if ((result = wait_for(exchange, POLLOUT, "connect")) !=
	    CLIENT_ANSWERED)
		return result;
	getsockopt(exchange->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0)
		return CLIENT_ANSWERED;
	errno = error;
	return fail(exchange, CLIENT_UNREACHABLE, "connect");
}

static enum client_result
connect_unix(struct exchange *exchange, struct bytes path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (path.len >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(exchange, CLIENT_UNREACHABLE, "connect");
	}
	memcpy(addr.sun_path, path.data, path.len);
	return connect_to(exchange, (const struct sockaddr *)(void *)&addr,
	    sizeof(addr));
}

static enum client_result
connect_inet(struct exchange *exchange, const struct listen_address *address)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char host[256], port[8];
	enum client_result result = CLIENT_UNREACHABLE;
	struct addrinfo *found, *at;
	int error;

	snprintf(host, sizeof(host), "%.*s", BYTES_ARGS(address->host));
	snprintf(port, sizeof(port), "%u", address->port);
	if ((error = getaddrinfo(host, port, &hints, &found)) != 0) {
		snprintf(exchange->answer->error,
		    sizeof(exchange->answer->error), "%.100s: %s", host,
		    gai_strerror(error));
		return CLIENT_UNREACHABLE;
	}
	for (at = found; at != NULL; at = at->ai_next) {
		if (exchange->fd != -1)
			close(exchange->fd);
		result = connect_to(exchange, at->ai_addr, at->ai_addrlen);
		if (result != CLIENT_UNREACHABLE)
			break;
	}
	freeaddrinfo(found);
	return result;
}

static enum client_result
connect_address(struct exchange *exchange, const char *text)
{
	struct listen_address address;
	const char *why;

	if (text[0] == '/')
		return connect_unix(exchange, bytes_of(text));
	if ((why = url_parse_listen(bytes_of(text), &address)) != NULL) {
		snprintf(exchange->answer->error,
		    sizeof(exchange->answer->error), "%s", why);
		return CLIENT_UNREACHABLE;
	}
	return address.is_unix ? connect_unix(exchange, address.host)
			       : connect_inet(exchange, &address);
}

static enum client_result
send_all(struct exchange *exchange, struct bytes data)
{
	while (data.len > 0) {
		ssize_t sent =
		    send(exchange->fd, data.data, data.len, MSG_NOSIGNAL);
		enum client_result result;

		if (sent >= 0) {
			data.data += sent;
			data.len -= (size_t)sent;
			continue;
		}
		/* It may have answered before it had all, and said why. */
		if (errno == EPIPE || errno == ECONNRESET)
			return CLIENT_ANSWERED;
		if (errno != EAGAIN && errno != EINTR)
			return fail(exchange, CLIENT_UNREACHABLE, "send");
		if ((result = wait_for(exchange, POLLOUT, "send")) !=
		    CLIENT_ANSWERED)
			return result;
	}
	return CLIENT_ANSWERED;
}

/* Reads until the peer closes: the request asked for that. */
static enum client_result
receive_all(struct exchange *exchange, struct buf *text)
{
	for (;;) {
		enum client_result result;
		ssize_t got;

		if (buf_reserve(text, 65536) == -1) {
			errno = ENOMEM;
			return fail(exchange, CLIENT_UNREACHABLE, "receive");
		}
		got = recv(exchange->fd, text->data + text->len, 65536, 0);
		if (got == 0)
			return CLIENT_ANSWERED;
		if (got > 0) {
			text->len += (size_t)got;
			continue;
		}
		if (errno == ECONNRESET && text->len > 0)
			return CLIENT_ANSWERED;
		if (errno != EAGAIN && errno != EINTR)
			return fail(exchange, CLIENT_UNREACHABLE, "receive");
		if ((result = wait_for(exchange, POLLIN, "receive")) !=
		    CLIENT_ANSWERED)
			return result;
	}
}

/* Some more bytes; the end is a failure. */
static enum client_result
receive_some(struct exchange *exchange, struct buf *text)
{
	enum client_result result;
	ssize_t got;

	for (;;) {
		if (buf_reserve(text, 4096) == -1) {
			errno = ENOMEM;
			return fail(exchange, CLIENT_UNREACHABLE, "receive");
		}
		got = recv(exchange->fd, text->data + text->len, 4096, 0);
		if (got > 0) {
			text->len += (size_t)got;
			return CLIENT_ANSWERED;
		}
		if (got == 0)
			errno = ECONNRESET;
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return fail(exchange, CLIENT_UNREACHABLE, "receive");
		if ((result = wait_for(exchange, POLLIN, "receive")) !=
		    CLIENT_ANSWERED)
			return result;
	}
}

/* Takes the answer apart.  The admin API never sends chunks to us. */
static enum client_result
read_answer(struct exchange *exchange, struct buf *text)
{
	struct http_head_scan scan = { 0 };
	struct http_response response;
	const struct http_field *stale;
	enum http_fault fault;
	size_t head_end;

	errno = EPROTO;
	if (http_head_scan(&scan, text->data, text->len, false, &head_end,
		&fault) != HTTP_SCAN_DONE)
		return fail(exchange, CLIENT_UNREACHABLE, "answer");
	if (http_response_parse(bytes_slice(text->data, head_end),
		HTTP_METHOD_GET, &response) != HTTP_FAULT_NONE)
		return fail(exchange, CLIENT_UNREACHABLE, "answer");
	if (response.body == HTTP_BODY_LENGTH &&
	    text->len - head_end < response.content_length)
		return fail(exchange, CLIENT_UNREACHABLE, "answer cut short");

	exchange->answer->status = response.status;
	stale = http_field_find_name(&response.fields,
	    bytes_of("sluice-stale"));
	if (stale != NULL)
		snprintf(exchange->answer->stale,
		    sizeof(exchange->answer->stale), "%.*s",
		    BYTES_ARGS(stale->value));
	buf_append(&exchange->answer->body,
	    bytes_slice(text->data + head_end, text->len - head_end));
	return CLIENT_ANSWERED;
}

static void
write_request(const struct client_request *request, struct buf *text)
{
	buf_printf(text,
	    "%s %s HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n"
	    "User-Agent: sluicectl\r\nAccept: application/json\r\n",
	    request->method, request->target);
	if (request->body.len > 0)
		buf_printf(text,
		    "Content-Type: application/json\r\n"
		    "Content-Length: %zu\r\n",
		    request->body.len);
	buf_append_text(text, "\r\n");
	buf_append(text, request->body);
}

enum client_result
client_ask(const struct client_request *request,
    struct client_answer *answer_r)
{
	struct exchange exchange = {
		.fd = -1,
		.deadline = instant_after_ms(clock_now(), request->timeout_ms),
		.answer = answer_r,
	};
	struct buf outgoing = { 0 }, incoming = { 0 };
	enum client_result result;

	*answer_r = (struct client_answer){ 0 };
	write_request(request, &outgoing);
	result = connect_address(&exchange, request->address);
	if (result == CLIENT_ANSWERED)
		result = send_all(&exchange, buf_bytes(&outgoing));
	if (result == CLIENT_ANSWERED)
		result = receive_all(&exchange, &incoming);
	if (result == CLIENT_ANSWERED)
		result = read_answer(&exchange, &incoming);
	if (exchange.fd != -1)
		close(exchange.fd);
	buf_free(&outgoing);
	buf_free(&incoming);
	return result;
}

/* Reads until the head is whole; what is behind it stays in text. */
static enum client_result
receive_head(struct exchange *exchange, struct buf *text)
{
	struct http_head_scan scan = { 0 };
	struct http_response response;
	enum client_result result;
	enum http_fault fault;
	size_t head_end;

	for (;;) {
		switch (http_head_scan(&scan, text->data, text->len, false,
		    &head_end, &fault)) {
		case HTTP_SCAN_MORE:
			break;
		case HTTP_SCAN_FAULT:
			errno = EPROTO;
			return fail(exchange, CLIENT_UNREACHABLE, "answer");
		case HTTP_SCAN_DONE:
			errno = EPROTO;
			if (http_response_parse(bytes_slice(text->data,
				head_end), HTTP_METHOD_GET, &response) !=
			    HTTP_FAULT_NONE)
				return fail(exchange, CLIENT_UNREACHABLE,
				    "answer");
			exchange->answer->status = response.status;
			buf_consume(text, head_end);
			return CLIENT_ANSWERED;
		}
		if ((result = receive_some(exchange, text)) !=
		    CLIENT_ANSWERED)
			return result;
	}
}

/* For ever, or until enough. */
static enum client_result
follow_body(struct exchange *exchange, struct buf *text,
    client_take_fn *take, void *context)
{
	enum client_result result = CLIENT_ANSWERED;

	exchange->deadline = instant_after_ms(clock_now(), FOREVER_MS);
	while (result == CLIENT_ANSWERED) {
		if (!take(context, buf_bytes(text)))
			return CLIENT_ANSWERED;
		buf_consume(text, text->len);
		result = receive_some(exchange, text);
	}
	return result;
}

enum client_result
client_follow(const struct client_request *request, client_take_fn *take,
    void *context, struct client_answer *answer_r)
{
	struct exchange exchange = {
		.fd = -1,
		.deadline = instant_after_ms(clock_now(), request->timeout_ms),
		.answer = answer_r,
	};
	struct buf outgoing = { 0 }, incoming = { 0 };
	enum client_result result;

	*answer_r = (struct client_answer){ 0 };
	write_request(request, &outgoing);
	result = connect_address(&exchange, request->address);
	if (result == CLIENT_ANSWERED)
		result = send_all(&exchange, buf_bytes(&outgoing));
	if (result == CLIENT_ANSWERED && buf_reserve(&incoming, 1) == -1)
		result = CLIENT_UNREACHABLE;
	if (result == CLIENT_ANSWERED)
		result = receive_head(&exchange, &incoming);
	if (result == CLIENT_ANSWERED && answer_r->status == 200)
		result = follow_body(&exchange, &incoming, take, context);
	else if (result == CLIENT_ANSWERED)
		buf_append(&answer_r->body, buf_bytes(&incoming));
	if (exchange.fd != -1)
		close(exchange.fd);
	buf_free(&outgoing);
	buf_free(&incoming);
	return result;
}

void
client_encode(struct buf *buf, struct bytes text)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._~";

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c != '\0' && strchr(plain, c) != NULL)
			buf_append_char(buf, c);
		else
			buf_printf(buf, "%%%02X", (unsigned char)c);
	}
}
