/*
 * worker/upstream_h1.c - HTTP/1 towards a backend.
 *
 * A backend that no longer reads may still have answered (413, say), so
 * a failed write only stops the writing: what was answered is read.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "common/log.h"
#include "http/forward.h"
#include "worker/exchange.h"
#include "worker/refusals.h"
#include "worker/upstream.h"
#include "worker/upstream_pool.h"

static void
touch_timer(struct upstream *upstream)
{
	const struct exchange *exchange = upstream->exchange;
	const struct routed_service *service = exchange->choice.service;
	int64_t span_ms = upstream->worker->settings->http.backend_timeout_ms;

	if (service->spec.response_timeout_ms > 0)
		span_ms = service->spec.response_timeout_ms;
	worker_set_timer(upstream->worker, &upstream->timer, span_ms);
}

/* Sending ---------------------------------------------------------------- */

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
		.peer = exchange->peer,
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
	touch_timer(upstream);
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
upstream_request_flush(struct upstream *upstream)
{
	if (upstream->state < UPSTREAM_AWAITS_HEAD ||
	    upstream->is_write_broken || !link_has_output(&upstream->link))
		return;
	if (link_flush(&upstream->link) != LINK_BROKEN)
		return;
	upstream->is_write_broken = true;
	ev_io_stop(upstream->worker->loop, &upstream->link.writer);
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
	touch_timer(upstream);
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

/* Ending ----------------------------------------------------------------- */

void
upstream_fail(struct upstream *upstream, enum upstream_failure failure)
{
	struct exchange *exchange = upstream->exchange;
	struct upstream_report report = {
		.failure = failure,
		.some_sent =
		    upstream->link.bytes_out > upstream->bytes_out_before,
		.was_stale = upstream->is_reused &&
		    failure == UPSTREAM_CLOSED && !exchange->is_answer_seen,
	};

	upstream->exchange = NULL;
	upstream_close(upstream);
	exchange_upstream_failed(exchange, &report);
}

void
upstream_abort(struct upstream *upstream)
{
	upstream->exchange = NULL;
	upstream_close(upstream);
}

struct link *
upstream_lend_link(struct upstream *upstream)
{
	worker_remove_timer(upstream->worker, &upstream->timer);
	upstream->state = UPSTREAM_TUNNEL;
	return &upstream->link;
}

/* The answer is complete: the connection goes to its pool if it can be
 * used again, and the exchange goes on without it. */
static void
finish_answer(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;
	struct link *link = &upstream->link;
	bool may_keep = upstream->keeps_alive && !upstream->is_write_broken &&
	    exchange->is_request_complete && !link_has_output(link) &&
	    buffer_len(link->in) == 0;

	upstream->exchange = NULL;
	if (may_keep) {
		link_settle_input(link);
		link_start_reading(link);
		upstream_pool_keep(upstream->worker, upstream);
	} else {
		upstream_close(upstream);
	}
	exchange_answer_end(exchange);
}

/* Receiving -------------------------------------------------------------- */

enum step { STEP_ON, STEP_WAIT };	/* go on, or wait (or it is over) */

static enum step
take_final_head(struct upstream *upstream,
    const struct http_response *response)
{
	upstream->state = UPSTREAM_IN_BODY;
	upstream->body = response->body;
	upstream->body_left = response->content_length;
	upstream->keeps_alive = response->keeps_alive;
	upstream->chunked = (struct http_chunked){ 0 };
	if (!exchange_answer_head(upstream->exchange, response))
		return STEP_WAIT;
	if (upstream->state != UPSTREAM_IN_BODY)
		return STEP_WAIT;
	if (response->body == HTTP_BODY_NONE ||
	    (response->body == HTTP_BODY_LENGTH && upstream->body_left == 0)) {
		finish_answer(upstream);
		return STEP_WAIT;
	}
	return STEP_ON;
}

static enum step
take_informational(struct upstream *upstream,
    const struct http_response *response)
{
	upstream->scan = (struct http_head_scan){ 0 };
	if (response->status == 101 &&
	    upstream->exchange->request.upgrade.len == 0) {
		upstream_fail(upstream, UPSTREAM_PROTOCOL);
		return STEP_WAIT;
	}
	if (!exchange_answer_head(upstream->exchange, response) ||
	    upstream->state != UPSTREAM_AWAITS_HEAD)
		return STEP_WAIT;
	return STEP_ON;
}

static enum step
take_head(struct upstream *upstream)
{
	struct http_response *response = &upstream->worker->response;
	struct exchange *exchange = upstream->exchange;
	struct bytes input = buffer_bytes(upstream->link.in);
	enum http_fault fault = HTTP_FAULT_NONE;
	size_t end = 0;

	switch (http_head_scan(&upstream->scan, input.data, input.len, false,
	    &end, &fault)) {
	case HTTP_SCAN_MORE:
		return STEP_WAIT;
	case HTTP_SCAN_DONE:
		fault = http_response_parse(bytes_slice(input.data, end),
		    exchange->request.method_id, response);
		break;
	case HTTP_SCAN_FAULT:
		break;
	}
	if (fault != HTTP_FAULT_NONE) {
		log_notice("backend %llu: answer: %s",
		    (unsigned long long)upstream->pool->backend_id,
		    http_fault_text(fault));
		upstream_fail(upstream, UPSTREAM_PROTOCOL);
		return STEP_WAIT;
	}
	/* Slices of the head stay good until the next read. */
	link_consume(&upstream->link, (uint32_t)end);
	return response->status < 200 ? take_informational(upstream, response)
				      : take_final_head(upstream, response);
}

/* Blocked: the client takes no more until upstream_resume(). */
static enum step
block(struct upstream *upstream)
{
	upstream->is_blocked = true;
	link_stop_reading(&upstream->link);
	return STEP_WAIT;
}

static enum step
take_plain_body(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;
	struct bytes input = buffer_bytes(upstream->link.in);
	size_t taken;

	if (upstream->body == HTTP_BODY_LENGTH &&
	    input.len > upstream->body_left)
		input.len = upstream->body_left;
	if (input.len == 0)
		return STEP_WAIT;
	taken = exchange->ops->data(exchange->client, input);
	if (upstream->exchange != exchange)
		return STEP_WAIT;
	exchange->body_out += taken;
	link_consume(&upstream->link, (uint32_t)taken);
	if (upstream->body == HTTP_BODY_LENGTH &&
	    (upstream->body_left -= taken) == 0) {
		finish_answer(upstream);
		return STEP_WAIT;
	}
	return taken < input.len ? block(upstream) : STEP_WAIT;
}

static enum step
take_decoded(struct upstream *upstream, enum http_chunked_result result,
    struct bytes data)
{
	struct exchange *exchange = upstream->exchange;

	switch (result) {
	case HTTP_CHUNKED_MORE:
		return STEP_WAIT;
	case HTTP_CHUNKED_DATA:
		(void)exchange->ops->data(exchange->client, data);
		exchange->body_out += data.len;
		break;
	case HTTP_CHUNKED_TRAILER:
		exchange->ops->trailer(exchange->client, data);
		break;
	case HTTP_CHUNKED_DONE:
		finish_answer(upstream);
		return STEP_WAIT;
	case HTTP_CHUNKED_FAULT:
		log_notice("backend %llu: answer: malformed chunk",
		    (unsigned long long)upstream->pool->backend_id);
		upstream_fail(upstream, UPSTREAM_PROTOCOL);
		return STEP_WAIT;
	}
	return upstream->exchange == exchange ? STEP_ON : STEP_WAIT;
}

static enum step
take_chunked_body(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;
	struct bytes input = buffer_bytes(upstream->link.in), data;
	size_t room = exchange->ops->room(exchange->client), used = 0;
	enum http_chunked_result result;
	bool is_all = true;

	if (room == 0)
		return block(upstream);
	if (input.len > room) {
		input.len = room;
		is_all = false;
	}
	result = http_chunked_decode(&upstream->chunked, input.data,
	    input.len, &used, &data);
	link_consume(&upstream->link, (uint32_t)used);
	/* A part of the input may be too little, where all is not. */
	if (result == HTTP_CHUNKED_MORE && !is_all)
		return used > 0 ? STEP_ON : block(upstream);
	return take_decoded(upstream, result, data);
}

/* Uses what has arrived. */
static void
process(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;
	enum step step = STEP_ON;

	while (step == STEP_ON && upstream->exchange == exchange) {
		if (upstream->state == UPSTREAM_AWAITS_HEAD)
			step = take_head(upstream);
		else if (upstream->body == HTTP_BODY_CHUNKED)
			step = take_chunked_body(upstream);
		else
			step = take_plain_body(upstream);
	}
	if (upstream->exchange == exchange &&
	    upstream->state == UPSTREAM_IN_BODY)
		exchange->ops->flush(exchange->client);
	if (upstream->exchange == exchange)
		link_drop_empty_input(&upstream->link);
}

void
upstream_resume(struct upstream *upstream)
{
	if (!upstream->is_blocked)
		return;
	upstream->is_blocked = false;
	touch_timer(upstream);
	link_start_reading(&upstream->link);
	process(upstream);
}

/* The backend has ended its side, or broken the connection. */
static void
take_end(struct upstream *upstream, bool is_orderly)
{
	if (upstream->state == UPSTREAM_IDLE) {
		upstream_pool_forget(upstream->worker, upstream);
		upstream_close(upstream);
	} else if (is_orderly && upstream->state == UPSTREAM_IN_BODY &&
	    upstream->body == HTTP_BODY_CLOSE) {
		upstream->keeps_alive = false;
		finish_answer(upstream);
	} else {
		upstream_fail(upstream, UPSTREAM_CLOSED);
	}
}

void
upstream_on_readable(struct ev_loop *loop UNUSED, ev_io *io,
    int events UNUSED)
{
	struct upstream *upstream = io->data;
	ssize_t got = link_read(&upstream->link);

	if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		link_drop_empty_input(&upstream->link);
		return;
	}
	if (got <= 0) {
		take_end(upstream, got == 0);
		return;
	}
	if (upstream->state == UPSTREAM_IDLE) {
		/* Bytes that nobody asked for. */
		take_end(upstream, false);
		return;
	}
	upstream->exchange->is_answer_seen = true;
	touch_timer(upstream);
	process(upstream);
}

void
upstream_on_writable(struct ev_loop *loop UNUSED, ev_io *io,
    int events UNUSED)
{
	struct upstream *upstream = io->data;
	struct exchange *exchange = upstream->exchange;

	if (upstream->state == UPSTREAM_CONNECTING) {
		upstream_connect_writable(upstream);
		return;
	}
	touch_timer(upstream);
	upstream_request_flush(upstream);
	if (!exchange->is_request_complete)
		exchange->ops->resume(exchange->client);
	if (upstream->exchange == exchange)
		upstream_request_flush(upstream);
}

/* Whether it is the backend that is waited for. */
static bool
is_waiting_for_backend(const struct upstream *upstream)
{
	return !upstream->is_blocked &&
	    (upstream->exchange->is_request_complete ||
	    link_has_output(&upstream->link));
}

void
upstream_on_timer(struct wheel_timer *timer)
{
	struct upstream *upstream = CONTAINER_OF(timer, struct upstream, timer);

	switch (upstream->state) {
	case UPSTREAM_RESOLVING:
	case UPSTREAM_CONNECTING:
		upstream_fail(upstream, UPSTREAM_CONNECT_TIMEOUT);
		break;
	case UPSTREAM_AWAITS_HEAD:
	case UPSTREAM_IN_BODY:
		if (is_waiting_for_backend(upstream))
			upstream_fail(upstream, UPSTREAM_TIMEOUT);
		else
			touch_timer(upstream);
		break;
	case UPSTREAM_IDLE:
		upstream_pool_forget(upstream->worker, upstream);
		upstream_close(upstream);
		break;
	case UPSTREAM_TUNNEL:
	case UPSTREAM_OVER:
		break;
	}
}
