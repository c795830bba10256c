/*
 * worker/client_answer.c - HTTP/1 to a client: answers go out.
 */
/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include "common/log.h"
#include "worker/client.h"
#include "worker/exchange.h"
#include "worker/refusals.h"

/* A chunk's head and end; and room that stays for trailers and the end. */
#define CHUNK_FRAME_MAX (HTTP_CHUNK_HEAD_MAX + 2)
#define CHUNKED_RESERVE (CHUNK_FRAME_MAX + HTTP_TRAILERS_MAX + 16)

/* Whether another request may follow this one, as far as we can say. */
static bool
may_keep(const struct client *client)
{
	return client->exchange->has_request &&
	    client->exchange->request.keeps_alive &&
	    client->is_body_complete && !worker_is_draining(client->worker) &&
	    client->worker->settings->http.keepalive_timeout_ms > 0;
}

static bool
put_head(struct client *client, const struct http_response *response,
    bool is_tunnel)
{
	struct exchange *exchange = client->exchange;
	const struct routed_route *route = exchange->choice.route;
	char limit[EXCHANGE_LIMIT_FIELDS_SIZE];
	struct forward_response forward = {
		.response = response,
		.client_minor = exchange->request.minor_version,
		.keeps_alive = client->keeps_alive,
		.is_chunked = client->is_chunked,
		.is_tunnel = is_tunnel,
		.request_id = exchange->request_id,
		.date = worker_date(client->worker),
		.proxy_status = bytes_slice(NULL, 0),
		.extra_fields = exchange->tells_limit
				    ? exchange_limit_fields(exchange, limit)
				    : bytes_slice(NULL, 0),
		.edits = route->spec.headers,
		.edit_count = route->spec.header_count,
	};
	struct http_out out = { .size = link_room(&client->link) };

	if (out.size == 0)
		return false;
	out.data = link_tail(&client->link);
	http_forward_response(&forward, &out);
	if (out.is_full)
		return false;
	link_added(&client->link, out.len);
	exchange->head_out += out.len;
	return true;
}

static void
answer_flush(void *context)
{
	struct client *client = context;

	if (!link_has_output(&client->link) ||
	    link_is_writing(&client->link))
		return;
	switch (link_flush(&client->link)) {
	case LINK_FLUSHED:
		break;
	case LINK_PENDING:
		client_watch_progress(client);
		break;
	case LINK_BROKEN:
		client_broken(client);
		break;
	}
}

static void
answer_informational(void *context, const struct http_response *response)
{
	struct client *client = context;

	if (put_head(client, response, false))
		answer_flush(client);
}

static void
answer_head(void *context, const struct http_response *response)
{
	struct client *client = context;
	struct exchange *exchange = client->exchange;
	bool is_unknown = response->body == HTTP_BODY_CHUNKED ||
	    response->body == HTTP_BODY_CLOSE;
	bool is_old = exchange->request.minor_version == 0;

	client->is_chunked = is_unknown && !is_old;
	client->keeps_alive = may_keep(client) && !(is_unknown && is_old);
	if (put_head(client, response, false))
		return;
	exchange->is_answer_started = false;
	exchange_refuse(exchange, refusal_of(REFUSAL_HEAD_OVERFLOW));
}

static size_t
answer_room(void *context)
{
	struct client *client = context;
	size_t room = link_room(&client->link);

	return room <= CHUNKED_RESERVE ? 0 : room - CHUNKED_RESERVE;
}

static size_t
answer_chunk(struct client *client, struct bytes data)
{
	char head[HTTP_CHUNK_HEAD_MAX];
	size_t room = answer_room(client);

	if (data.len > room)
		data.len = room;
	if (data.len == 0)
		return 0;
	link_put(&client->link,
	    bytes_slice(head, http_chunk_head(head, data.len)));
	link_put(&client->link, data);
	link_put(&client->link, bytes_of("\r\n"));
	return data.len;
}

static size_t
answer_data(void *context, struct bytes data)
{
	struct client *client = context;
	ssize_t taken;

	if (client->is_chunked)
		return answer_chunk(client, data);
	taken = link_send(&client->link, data);
	if (taken == -1) {
		client_broken(client);
		return 0;
	}
	if (link_is_writing(&client->link))
		client_watch_progress(client);
	return (size_t)taken;
}

static void
answer_trailer(void *context, struct bytes line)
{
	struct client *client = context;

	if (!client->is_chunked)
		return;
	if (!client->has_trailers)
		link_put(&client->link, bytes_of("0\r\n"));
	client->has_trailers = true;
	link_put(&client->link, line);
}

/* Writes the rest, now or when there is room. */
static void
finish(struct client *client)
{
	client->state = CLIENT_ENDING;
	client->link.stream.is_ending = !client->keeps_alive;
	if (link_is_writing(&client->link)) {
		client_watch_progress(client);
		return;
	}
	switch (link_flush(&client->link)) {
	case LINK_FLUSHED:
		client_answer_done(client);
		break;
	case LINK_PENDING:
		client_watch_progress(client);
		break;
	case LINK_BROKEN:
		client_broken(client);
		break;
	}
}

static void
answer_end(void *context)
{
	struct client *client = context;

	if (client->is_chunked)
		link_put(&client->link, bytes_of(
		    client->has_trailers ? "\r\n" : HTTP_CHUNK_END));
	if (!client->is_body_complete)
		client->keeps_alive = false;
	finish(client);
}

static void
count_own(struct exchange *exchange, struct bytes answer)
{
	const char *end = memmem(answer.data, answer.len, "\r\n\r\n", 4);
	size_t head_len = answer.len;

	if (end != NULL)
		head_len = (size_t)(end - answer.data) + 4;
	exchange->head_out += head_len;
	exchange->body_out += answer.len - head_len;
}

static void
answer_own(void *context, struct own_answer *answer)
{
	struct client *client = context;
	struct exchange *exchange = client->exchange;
	struct http_out out = { .size = link_room(&client->link) };

	client->is_chunked = false;
	client->keeps_alive = client_discard_body(client) && may_keep(client);
	answer->keeps_alive = client->keeps_alive;
	if (out.size == 0) {
		client_broken(client);
		return;
	}
	out.data = link_tail(&client->link);
	http_forward_own(answer, &out);
	link_added(&client->link, out.len);
	count_own(exchange, bytes_slice(out.data, out.len));
	finish(client);
}

/*
 * What was forwarded is not the whole answer, and the client must see
 * that.  A missing last chunk or byte shows it; where only the close
 * would have said "complete", it has to be a reset.
 */
static void
answer_cut(void *context)
{
	struct client *client = context;
	struct exchange *exchange = client->exchange;
	const struct linger reset = { .l_onoff = 1 };
	enum link_flushed flushed = LINK_FLUSHED;

	client->exchange = NULL;
	if (client->state != CLIENT_TUNNEL && link_has_output(&client->link))
		flushed = link_flush(&client->link);
	if (flushed == LINK_FLUSHED && exchange->request.minor_version == 0 &&
	    client->state == CLIENT_BUSY)
		(void)setsockopt(client->link.stream.fd, SOL_SOCKET,
		    SO_LINGER, &reset, sizeof(reset));
	exchange_finish(exchange);
	client_close(client);
}

static void
answer_resume(void *context)
{
	struct client *client = context;

	if (client->state == CLIENT_BUSY && !client->is_body_complete)
		client_pump_body(client);
}

static bool
answer_rewind(void *context)
{
	return client_rewind_body(context);
}

static struct link *
answer_tunnel(void *context, const struct http_response *response)
{
	struct client *client = context;

	client->keeps_alive = false;
	if (!put_head(client, response, true)) {
		client_broken(client);
		return NULL;
	}
	worker_remove_timer(client->worker, &client->timer);
	client->state = CLIENT_TUNNEL;
	return &client->link;
}

static const struct client_ops h1_ops = {
	.client_bytes = sizeof(struct client),
	.informational = answer_informational,
	.head = answer_head,
	.room = answer_room,
	.data = answer_data,
	.trailer = answer_trailer,
	.end = answer_end,
	.flush = answer_flush,
	.own = answer_own,
	.cut = answer_cut,
	.resume = answer_resume,
	.rewind = answer_rewind,
	.tunnel = answer_tunnel,
};

const struct client_ops *
client_h1_ops(void)
{
	return &h1_ops;
}
