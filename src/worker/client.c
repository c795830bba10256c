/*
 * worker/client.c - a connection of a client: its life and its times.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/exchange.h"
#include "worker/refusals.h"
#include "worker/trusted_proxies.h"

#define PROGRESS_MS 1000		/* how often progress is looked at */
#define LINGER_MS   5000

static watch_fn on_event;
static void take_input(struct client *);
static wheel_fn on_timer;

static void
enter_waiting(struct client *client, int64_t timeout_ms)
{
	struct worker *worker = client->worker;

	client->state = CLIENT_WAITING;
	stats_add(&worker->counters->connections_idle, 1);
	worker_set_timer(worker, &client->timer, timeout_ms);
}

static void
set_address(struct client *client, const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;

	if (address->ss_family == AF_INET) {
		client->address.s6_addr[10] = 0xff;
		client->address.s6_addr[11] = 0xff;
		memcpy(&client->address.s6_addr[12], &v4->sin_addr, 4);
	} else if (address->ss_family == AF_INET6) {
		client->address = v6->sin6_addr;
	}
}

void
client_open(struct worker *worker, const struct client_origin *origin)
{
	struct client *client = SLIST_FIRST(&worker->unused_clients);

	if (client != NULL) {
		SLIST_REMOVE_HEAD(&worker->unused_clients, unused);
	} else if ((client = malloc(sizeof(*client))) == NULL) {
		close(origin->fd);
		return;
	}
	memset(client, 0, sizeof(*client));
	client->worker = worker;
	client->space = origin->space;
	client->listen_port = origin->listen_port;
	client->trusted_version = worker->trusted_version - 1;
	client->is_first = true;
	set_address(client, origin->address);
	link_open(&client->link, &worker->poller, &worker->buffers,
	    stream_plain(origin->fd), on_event, client);
	wheel_timer_init(&client->timer, on_timer);
	TAILQ_INSERT_TAIL(&worker->clients, client, entry);
	worker->client_count++;
	stats_add(&worker->counters->connections_accepted, 1);
	stats_add(&worker->counters->connections_open, 1);
	enter_waiting(client, worker->settings->http.client_head_timeout_ms);
	/* Most have spoken by the time that they are let in. */
	take_input(client);
}

/*
 * A client whose first request came with it is not watched at first: most
 * have their answer soon, and many leave then, without ever having been
 * told to the kernel.  Those that are still here are watched from now on.
 */
void
client_watch_new(struct worker *worker)
{
	struct client *client = TAILQ_LAST(&worker->clients, client_list);

	for (; client != NULL && !client->is_seen;
	    client = TAILQ_PREV(client, client_list, entry)) {
		client->is_seen = true;
		if ((client->state == CLIENT_BUSY ||
		    client->state == CLIENT_ENDING) && !client->is_half_closed)
			link_start_reading(&client->link);
	}
}

void
client_close(struct client *client)
{
	struct worker *worker = client->worker;

	if (client->state == CLIENT_OVER)
		return;
	if (client->state == CLIENT_WAITING)
		stats_sub(&worker->counters->connections_idle, 1);
	client->state = CLIENT_OVER;
	worker_remove_timer(worker, &client->timer);
	link_close(&client->link);
	TAILQ_REMOVE(&worker->clients, client, entry);
	worker->client_count--;
	stats_sub(&worker->counters->connections_open, 1);
	SLIST_INSERT_HEAD(&worker->ended_clients, client, unused);
	worker_client_left(worker);
}

void
client_broken(struct client *client)
{
	struct exchange *exchange = client->exchange;

	client->exchange = NULL;
	if (exchange != NULL)
		exchange_client_gone(exchange);
	client_close(client);
}

/* Drops what comes until the client has ended too, or for a while. */
static void
linger(struct client *client)
{
	(void)stream_shutdown(&client->link.stream);
	client->state = CLIENT_LINGERING;
	worker_set_timer(client->worker, &client->timer, LINGER_MS);
	link_settle_input(&client->link);
	buffer_pool_give(client->link.pool, &client->link.in);
	link_start_reading(&client->link);
}

static void
end_connection(struct client *client)
{
	if (client->is_half_closed)
		client_close(client);
	else if (!client->is_body_complete || buffer_len(client->link.in) > 0)
		linger(client);
	else
		client_close(client);
}

void
client_answer_done(struct client *client)
{
	struct exchange *exchange = client->exchange;

	client->exchange = NULL;
	exchange_finish(exchange);
	if (!client->keeps_alive || client->worker->daemon->is_stopping ||
	    (client->is_half_closed && buffer_len(client->link.in) == 0)) {
		end_connection(client);
		return;
	}
	link_settle_input(&client->link);
	client->scan = (struct http_head_scan){ 0 };
	enter_waiting(client,
	    client->worker->settings->http.keepalive_timeout_ms);
	if (!client->is_half_closed)
		link_start_reading(&client->link);
	if (client->link.in != NULL)
		client_process(client);
}

/* The client has ended its side. */
static void
take_end(struct client *client)
{
	client->is_half_closed = true;
	link_stop_reading(&client->link);
	switch (client->state) {
	case CLIENT_BUSY:
		client_watch_progress(client);
		/* The rest of the body may have come before the end. */
		if (!client->is_body_complete)
			client_pump_body(client);
		break;
	case CLIENT_ENDING:
		client_watch_progress(client);
		break;
	case CLIENT_WAITING:
	case CLIENT_IN_HEAD:
	case CLIENT_LINGERING:
		client_close(client);
		break;
	case CLIENT_TUNNEL:
	case CLIENT_OVER:
		break;
	}
}

static void
take_input(struct client *client)
{
	ssize_t got = link_read(&client->link);

	if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		if (client->state == CLIENT_WAITING)
			link_drop_empty_input(&client->link);
		link_start_reading(&client->link);
		return;
	}
	if (got == -1 && errno == ENOBUFS)
		link_stop_reading(&client->link);
	else if (got == -1)
		client_broken(client);
	else if (got == 0)
		take_end(client);
	else if (client->state == CLIENT_LINGERING)
		buffer_pool_give(client->link.pool, &client->link.in);
	else
		client_process(client);
}

static void
write_on(struct client *client)
{
	enum link_flushed flushed = link_flush(&client->link);

	if (flushed == LINK_BROKEN)
		client_broken(client);
	else if (client->state == CLIENT_BUSY)
		exchange_answer_resume(client->exchange);
	else if (client->state == CLIENT_ENDING && flushed == LINK_FLUSHED)
		client_answer_done(client);
}

static void
on_event(struct watch *watch, int events)
{
	if ((events & EV_WRITE) != 0)
		write_on(watch->owner);
	else
		take_input(watch->owner);
}

/* Times ------------------------------------------------------------------ */

void
client_watch_progress(struct client *client)
{
	struct client_course *course = &client->exchange->course;
	struct worker *worker = client->worker;

	if (wheel_is_armed(&client->timer))
		return;
	course->progress_at = course->window_at = worker->now;
	course->progress_bytes = client->link.bytes_in +
	    client->link.bytes_out;
	course->window_bytes = client->link.bytes_in;
	worker_set_timer(worker, &client->timer, PROGRESS_MS);
}

/* Asks the kernel, since a client that has half closed is not read. */
static bool
has_left(const struct client *client)
{
	char byte;

	return recv(client->link.stream.fd, &byte, 1,
	    MSG_PEEK | MSG_DONTWAIT) == -1 &&
	    errno != EAGAIN && errno != EWOULDBLOCK;
}

static bool
is_body_awaited(const struct client *client)
{
	return client->state == CLIENT_BUSY && !client->is_body_complete &&
	    buffer_len(client->link.in) == 0 &&
	    exchange_request_room(client->exchange) > 0;
}

/* Whether the body trickles: too little came in a whole window. */
static bool
is_too_slow(struct client *client)
{
	struct client_course *course = &client->exchange->course;
	struct worker *worker = client->worker;
	uint32_t rate = worker->settings->http.min_rate_bytes;
	int64_t span_ms = worker->settings->http.min_rate_after_ms;
	int64_t passed_ms = instant_diff_ms(worker->now, course->window_at);
	uint32_t came = client->link.bytes_in - course->window_bytes;

	if (rate == 0 || passed_ms < span_ms)
		return false;
	course->window_at = worker->now;
	course->window_bytes = client->link.bytes_in;
	return came < rate * (uint64_t)passed_ms / 1000;
}

static void
look_at_progress(struct client *client)
{
	struct client_course *course = &client->exchange->course;
	struct worker *worker = client->worker;
	uint32_t bytes = client->link.bytes_in + client->link.bytes_out;
	bool awaits_body = is_body_awaited(client);
	bool awaits_room = link_is_writing(&client->link);
	int64_t limit_ms = worker->settings->http.client_body_timeout_ms;

	if (client->is_half_closed && has_left(client)) {
		client_broken(client);
		return;
	}
	if (bytes != course->progress_bytes || (!awaits_body && !awaits_room))
		course->progress_at = worker->now;
	if (!awaits_body) {
		course->window_at = worker->now;
		course->window_bytes = client->link.bytes_in;
	}
	course->progress_bytes = bytes;
	worker_set_timer(worker, &client->timer, PROGRESS_MS);
	if (instant_diff_ms(worker->now, course->progress_at) >= limit_ms) {
		if (awaits_room)
			client_broken(client);
		else
			exchange_refuse(client->exchange,
			    refusal_of(REFUSAL_BODY_TIMEOUT));
	} else if (awaits_body && is_too_slow(client)) {
		exchange_refuse(client->exchange,
		    refusal_of(REFUSAL_BODY_SLOW));
	}
}

static void
on_timer(struct wheel_timer *timer)
{
	struct client *client = CONTAINER_OF(timer, struct client, timer);

	switch (client->state) {
	case CLIENT_WAITING:
	case CLIENT_LINGERING:
		client_close(client);
		break;
	case CLIENT_IN_HEAD:
		client_refuse_unread(client, refusal_of(REFUSAL_HEAD_TIMEOUT));
		break;
	case CLIENT_BUSY:
	case CLIENT_ENDING:
		look_at_progress(client);
		break;
	case CLIENT_TUNNEL:
	case CLIENT_OVER:
		break;
	}
}

void
client_close_idle(struct worker *worker)
{
	struct client *client, *next;

	for (client = TAILQ_FIRST(&worker->clients); client != NULL;
	    client = next) {
		next = TAILQ_NEXT(client, entry);
		if (client->state == CLIENT_WAITING &&
		    buffer_len(client->link.in) == 0)
			client_close(client);
	}
}

void
client_cut_all(struct worker *worker)
{
	struct client *client;

	while ((client = TAILQ_FIRST(&worker->clients)) != NULL) {
		if (client->state == CLIENT_BUSY)
			exchange_refuse(client->exchange,
			    refusal_of(REFUSAL_SHUTDOWN));
		if (client->exchange != NULL)
			client->exchange->ops->cut(client);
		else
			client_close(client);
	}
}
