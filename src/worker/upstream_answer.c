/*
 * worker/upstream_answer.c - HTTP/1 from a backend: answers come in.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "common/log.h"
#include "worker/exchange.h"
#include "worker/upstream.h"
#include "worker/upstream_pool.h"

/* Ending ----------------------------------------------------------------- */

void
upstream_fail(struct upstream *upstream, enum upstream_failure failure)
{
	struct exchange *exchange = upstream->exchange;
	struct upstream_report report = {
		.failure = failure,
		.some_sent =
		    upstream->link.bytes_out != upstream->bytes_out_before,
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
	    (upstream->exchange->request.upgrade.len == 0 ||
	    !upstream->exchange->is_request_complete)) {
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

static void
take_steps(struct upstream *upstream)
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
}

/*
 * Uses what has arrived.  A client that took no more may take all of it
 * once its output is written, and then nobody would wake us: so on it
 * goes while there is room.
 */
static void
process(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;

	for (;;) {
		take_steps(upstream);
		if (upstream->exchange == exchange &&
		    upstream->state == UPSTREAM_IN_BODY)
			exchange->ops->flush(exchange->client);
		if (upstream->exchange != exchange)
			return;
		if (!upstream->is_blocked ||
		    exchange->ops->room(exchange->client) == 0)
			break;
		upstream->is_blocked = false;
		link_start_reading(&upstream->link);
	}
	link_drop_empty_input(&upstream->link);
}

void
upstream_resume(struct upstream *upstream)
{
	if (!upstream->is_blocked)
		return;
	upstream->is_blocked = false;
	upstream_touch_timer(upstream);
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

static void
on_readable(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;
	ssize_t got;

	cache_prefetch(exchange, EXCHANGE_HOT_BYTES);
	got = link_read(&upstream->link);

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
	cache_prefetch(exchange->client, exchange->ops->client_bytes);
	exchange->is_answer_seen = true;
	upstream_touch_timer(upstream);
	process(upstream);
}

static void
on_writable(struct upstream *upstream)
{
	struct exchange *exchange = upstream->exchange;

	if (upstream->state == UPSTREAM_CONNECTING) {
		upstream_connect_writable(upstream);
		return;
	}
	upstream_touch_timer(upstream);
	upstream_write_waiting(upstream);
	if (!exchange->is_request_complete)
		exchange->ops->resume(exchange->client);
	if (upstream->exchange == exchange)
		upstream_request_flush(upstream);
}

void
upstream_on_event(struct watch *watch, int events)
{
	if ((events & EV_WRITE) != 0)
		on_writable(watch->owner);
	else
		on_readable(watch->owner);
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
			upstream_touch_timer(upstream);
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
