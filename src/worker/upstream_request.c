/*
 * worker/upstream_request.c - HTTP/1 to a backend: requests go out.
 *
 * A backend that no longer reads may still have answered (413, say), so
 * a failed write only stops the writing: what was answered is read.
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward.h"
#include "worker/exchange.h"
#include "worker/refusals.h"
#include "worker/upstream.h"

void
upstream_touch_timer(struct upstream *upstream)
{
	const struct exchange *exchange = upstream->exchange;
	const struct routed_service *service = exchange->choice.service;
	int64_t span_ms = upstream->worker->settings->http.backend_timeout_ms;

	if (service->spec.response_timeout_ms > 0)
		span_ms = service->spec.response_timeout_ms;
	worker_set_timer(upstream->worker, &upstream->timer, span_ms);
}

static struct bytes
host_field(const struct exchange *exchange)
{
	const struct routed_route *route = exchange->choice.route;
	const struct http_request *request = &exchange->request;

	if (route->spec.host_rewrite.len > 0)
		return route->spec.host_rewrite;
	if (request->authority.len > 0)
		return request->authority;
	return exchange->choice.backend->spec.host;	/* 1.0 without Host */
}

static bool
put_request_head(struct upstream *upstream)
{
	const struct exchange *exchange = upstream->exchange;
	const struct route_choice *choice = &exchange->choice;
	const struct http_request *request = &exchange->request;
	struct forward_request forward = {
		.request = request,
		.peer = &exchange->peer,
		.options = &upstream->worker->forward,
		.host = host_field(exchange),
		.base_path = choice->backend->spec.base_path,
		.request_id = exchange->request_id,
		.edits = choice->route->spec.headers,
		.edit_count = choice->route->spec.header_count,
		.is_upgrade = request->upgrade.len > 0,
		.continues = request->expects_continue,
	};
	struct http_out out = { .size = link_room(&upstream->link) };

	if (out.size == 0)
		return false;
	if (choice->route->spec.strip_prefix) {
		forward.strip_len = choice->match.prefix_len;
		forward.stripped_prefix = bytes_slice(request->path.data,
		    choice->match.prefix_len);
	}
	out.data = link_tail(&upstream->link);
	http_forward_request(&forward, &out);
	if (out.is_full)
		return false;
	link_added(&upstream->link, out.len);
	return true;
}

static void
start_exchange(struct upstream *upstream)
{
	upstream->state = UPSTREAM_AWAITS_HEAD;
	upstream->is_write_broken = upstream->is_blocked = false;
	upstream->has_trailers = false;
	upstream->bytes_out_before = upstream->link.bytes_out;
	upstream->scan = (struct http_head_scan){ 0 };
	upstream->chunked = (struct http_chunked){ 0 };
	upstream->body = HTTP_BODY_NONE;
}

void
upstream_send_request(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;

	start_exchange(upstream);
	upstream_touch_timer(upstream);
	if (!put_request_head(upstream)) {
		exchange_refuse(exchange, refusal_of(REFUSAL_HEAD_OVERFLOW));
		return;
	}
	exchange->sent = clock_now();
	if (!exchange->is_request_complete)
		exchange->ops->resume(exchange->client);
	if (upstream->exchange == exchange)
		upstream_request_flush(upstream);
}

void
upstream_write_waiting(struct upstream *upstream)
{
	if (upstream->is_write_broken || !link_has_output(&upstream->link) ||
	    link_flush(&upstream->link) != LINK_BROKEN)
		return;
	upstream->is_write_broken = true;
	link_stop_writing(&upstream->link);
}

/* While the socket is known to be full, its writer goes on. */
void
upstream_request_flush(struct upstream *upstream)
{
	if (upstream->state >= UPSTREAM_AWAITS_HEAD &&
	    !link_is_writing(&upstream->link))
		upstream_write_waiting(upstream);
}

/* Room that is left for data when a chunk's frame is around it. */
#define CHUNK_FRAME_MAX (HTTP_CHUNK_HEAD_MAX + 2)
#define CHUNKED_RESERVE (CHUNK_FRAME_MAX + HTTP_TRAILERS_MAX + 16)

size_t
upstream_request_room(struct upstream *upstream)
{
	size_t room;

	if (upstream->state < UPSTREAM_AWAITS_HEAD)
		return 0;
	if (upstream->is_write_broken)
		return BUFFER_BYTES;	/* taken, to nowhere */
	room = link_room(&upstream->link);
	if (upstream->exchange->request.body != HTTP_BODY_CHUNKED)
		return room;
	return room <= CHUNKED_RESERVE ? 0 : room - CHUNKED_RESERVE;
}

static void
put_chunk(struct link *link, struct bytes data)
{
	char head[HTTP_CHUNK_HEAD_MAX];

	link_put(link, bytes_slice(head, http_chunk_head(head, data.len)));
	link_put(link, data);
	link_put(link, bytes_of("\r\n"));
}

size_t
upstream_request_data(struct upstream *upstream, struct bytes data)
{
	size_t room = upstream_request_room(upstream);
	ssize_t taken;

	if (upstream->state < UPSTREAM_AWAITS_HEAD)
		return 0;
	upstream_touch_timer(upstream);
	if (upstream->is_write_broken)
		return data.len;
	if (upstream->exchange->request.body == HTTP_BODY_CHUNKED) {
		if (data.len > room)
			data.len = room;
		if (data.len > 0)
			put_chunk(&upstream->link, data);
		return data.len;
	}
	taken = link_send(&upstream->link, data);
	if (taken == -1) {
		upstream->is_write_broken = true;
		return data.len;
	}
	return (size_t)taken;
}

void
upstream_request_trailer(struct upstream *upstream, struct bytes line)
{
	if (upstream->is_write_broken)
		return;
	if (!upstream->has_trailers)
		link_put(&upstream->link, bytes_of("0\r\n"));
	upstream->has_trailers = true;
	link_put(&upstream->link, line);
}

void
upstream_request_end(struct upstream *upstream)
{
	if (upstream->is_write_broken ||
	    upstream->exchange->request.body != HTTP_BODY_CHUNKED)
		return;
	link_put(&upstream->link,
	    bytes_of(upstream->has_trailers ? "\r\n" : HTTP_CHUNK_END));
	upstream->has_trailers = false;
}
