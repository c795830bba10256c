/*
 * worker/exchange.c - one request and its answer, from end to end.
 *
 *	new -> begin -> [queued] -> tried -> answered -> finished
 *	                              ^  |
 *	                              +--+ failed, and may be tried again
 *
 * Where a step fails for good it becomes an own answer (exchange_refuse),
 * or, behind the first byte of an answer, a cut connection.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/exchange.h"

#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "worker/refusals.h"
#include "worker/tunnel.h"

struct exchange *
exchange_new(struct worker *worker)
{
	struct exchange *exchange = SLIST_FIRST(&worker->unused_exchanges);

	if (exchange != NULL)
		SLIST_REMOVE_HEAD(&worker->unused_exchanges, unused);
	else if ((exchange = malloc(sizeof(*exchange))) == NULL)
		return NULL;
	/* The request behind it is large, and filled by its parser. */
	memset(exchange, 0, offsetof(struct exchange, request));
	exchange->worker = worker;
	exchange->started = worker->now;
	exchange->started_wall_ms = worker_wall_ms(worker);
	exchange->connect_us = exchange->first_byte_us = -1;
	stats_add(&worker->counters->requests_in_flight, 1);
	return exchange;
}

static struct bytes
query_field(const void *request, struct bytes name)
{
	const struct http_field *field;

	field = http_field_find_name(
	    &((const struct http_request *)request)->fields, name);
	return field == NULL ? bytes_slice(NULL, 0) : field->value;
}

/* Visible ASCII of a bounded length: good for a log and a header. */
static bool
is_good_id(struct bytes id)
{
	if (id.len == 0 || id.len > EXCHANGE_REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (id.data[i] <= ' ' || id.data[i] > '~')
			return false;
	return true;
}

static void
make_request_id(struct exchange *exchange)
{
	static const char hex[] = "0123456789abcdef";
	char *text = exchange->request_id_text;

	for (int half = 0; half < 2; half++) {
		uint64_t bits = random_next(&exchange->worker->ids[half]);

		for (int i = 0; i < 16; i++, bits >>= 4)
			*text++ = hex[bits & 15];
	}
	*text = '\0';
	exchange->request_id = bytes_slice(exchange->request_id_text, 32);
}

static void
take_request_id(struct exchange *exchange)
{
	const struct http_field *field;

	if (exchange->has_request && exchange->peer->is_trusted) {
		field = http_field_find(&exchange->request.fields,
		    HTTP_FIELD_X_REQUEST_ID);
		if (field != NULL && is_good_id(field->value)) {
			memcpy(exchange->request_id_text, field->value.data,
			    field->value.len);
			exchange->request_id = bytes_slice(
			    exchange->request_id_text, field->value.len);
			return;
		}
	}
	make_request_id(exchange);
}

static void
fill_query(struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;
	struct bytes path = request->path;

	if (path.len == 0 || path.data[0] != '/')
		path = bytes_of("/");	/* OPTIONS * */
	exchange->query = (struct route_query){
		.space = exchange->space,
		.host = request->host,
		.path = path,
		.client = exchange->client_address,
		.field = query_field,
		.request = request,
	};
}

static uint64_t
body_limit(const struct exchange *exchange)
{
	const struct routed_route *route = exchange->choice.route;

	if (route != NULL && route->spec.max_body_bytes > 0)
		return route->spec.max_body_bytes;
	return exchange->worker->settings->http.max_body_bytes;
}

static bool
is_over_limit(const struct exchange *exchange, uint64_t bytes)
{
	uint64_t limit = body_limit(exchange);

	return limit > 0 && bytes > limit;
}

/* Asks the chosen backend. */
static void
try_backend(struct exchange *exchange, bool is_fresh)
{
	const struct http_request *request = &exchange->request;

	exchange->is_request_complete = request->body == HTTP_BODY_NONE;
	exchange->is_answer_seen = false;
	exchange->opened = exchange->worker->now;
	exchange->sent = (struct instant){ 0 };
	exchange_count_try(exchange);
	upstream_begin(exchange, is_fresh);
}

static void
on_queue_timeout(struct wheel_timer *timer)
{
	struct exchange *exchange = CONTAINER_OF(timer, struct exchange,
	    queue_timer);

	exchange_refuse(exchange, refusal_of(REFUSAL_QUEUE_TIMEOUT));
}

static void
leave_queue(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;

	if (!exchange->is_queued)
		return;
	exchange->is_queued = false;
	TAILQ_REMOVE(&worker->queue, exchange, queue_entry);
	worker->queued_count--;
	worker_remove_timer(worker, &exchange->queue_timer);
}

/* All backends are at their limit: waits for one, for a while. */
static bool
join_queue(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;
	const struct routed_service *service = exchange->choice.service;
	int64_t timeout_ms = worker->settings->http.queue_timeout_ms;

	if (service != NULL && service->spec.queue_timeout_ms > 0)
		timeout_ms = service->spec.queue_timeout_ms;
	if (timeout_ms <= 0)
		return false;
	wheel_timer_init(&exchange->queue_timer, on_queue_timeout);
	worker_set_timer(worker, &exchange->queue_timer, timeout_ms);
	TAILQ_INSERT_TAIL(&worker->queue, exchange, queue_entry);
	worker->queued_count++;
	exchange->is_queued = true;
	return true;
}

static void
choose_and_try(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;
	struct route_choice *choice = &exchange->choice;
	const struct http_request *request = &exchange->request;

	router_choose(worker->router, &exchange->query, worker->now, choice);
	if (request->body == HTTP_BODY_LENGTH &&
	    is_over_limit(exchange, request->content_length))
		exchange_refuse(exchange, refusal_of(REFUSAL_BODY_LARGE));
	else if (choice->refusal == REFUSED_NOT)
		try_backend(exchange, false);
	else if (choice->refusal != REFUSED_BUSY || !join_queue(exchange))
		exchange_refuse(exchange, refusal_of_route(choice->refusal));
}

/* A backend has become free: whoever waits longest and finds one goes. */
static void
serve_queue(struct worker *worker)
{
	struct exchange *exchange, *next;
	struct route_choice choice;
	uint32_t looks = 16;		/* bounded work */

	for (exchange = TAILQ_FIRST(&worker->queue);
	    exchange != NULL && looks > 0; exchange = next, looks--) {
		next = TAILQ_NEXT(exchange, queue_entry);
		router_choose(worker->router, &exchange->query, worker->now,
		    &choice);
		if (choice.refusal == REFUSED_BUSY) {
			router_release(worker->router, &choice);
			continue;
		}
		leave_queue(exchange);
		router_release(worker->router, &exchange->choice);
		exchange->choice = choice;
		if (choice.refusal == REFUSED_NOT)
			try_backend(exchange, false);
		else
			exchange_refuse(exchange,
			    refusal_of_route(choice.refusal));
		return;
	}
}

void
exchange_begin(struct exchange *exchange)
{
	exchange->has_request = true;
	take_request_id(exchange);
	fill_query(exchange);
	exchange->is_request_complete =
	    exchange->request.body == HTTP_BODY_NONE;
	if (http_forward_is_loop(&exchange->request)) {
		exchange_refuse(exchange, refusal_of(REFUSAL_LOOP));
		return;
	}
	choose_and_try(exchange);
}

/* Lets the backend go, whatever it is doing. */
static void
drop_upstream(struct exchange *exchange)
{
	if (exchange->upstream != NULL)
		upstream_abort(exchange->upstream);
	exchange->upstream = NULL;
	exchange_count_try_over(exchange);
}

static void
answer_own(struct exchange *exchange, const struct refusal *refusal)
{
	const struct http_request *request = &exchange->request;
	struct worker *worker = exchange->worker;
	bool has_request = exchange->has_request;
	bool wants_json = has_request && http_wants_json(&request->fields);
	struct refusal_page page = refusal_page(refusal, wants_json);
	char extra[256];
	struct own_answer answer = {
		.status = refusal->status,
		.reason_word = refusal->word,
		.detail = refusal->detail,
		.retry_after_s = refusal->retry_after_s,
		.wants_json = wants_json,
		.is_head = has_request &&
		    request->method_id == HTTP_METHOD_HEAD,
		.request_id = exchange->request_id,
		.date = worker_date(worker),
		.extra_fields = refusal_extra_fields(refusal),
		.body = page.body,
		.content_type = page.content_type,
	};

	if (worker->settings->http.proxy_status) {
		int len = snprintf(extra, sizeof(extra),
		    "Proxy-Status: sluice; error=%s\r\n%.*s",
		    refusal->proxy_error, BYTES_ARGS(answer.extra_fields));

		answer.extra_fields = bytes_slice(extra, (size_t)len);
	}
	exchange->status = refusal->status;
	exchange->reason = refusal->word;
	exchange->is_answer_started = exchange->is_answer_complete = true;
	exchange->ops->own(exchange->client, &answer);
}

void
exchange_refuse(struct exchange *exchange, const struct refusal *refusal)
{
	leave_queue(exchange);
	drop_upstream(exchange);
	if (exchange->is_answer_started) {
		exchange->reason = refusal->word;
		exchange->ops->cut(exchange->client);
		return;
	}
	answer_own(exchange, refusal);
}

void
exchange_refuse_fault(struct exchange *exchange, enum http_fault fault)
{
	const struct refusal refusal = {
		.status = http_fault_status(fault),
		.word = http_fault_word(fault),
		.detail = http_fault_text(fault),
		.proxy_error = "http_request_error",
	};

	take_request_id(exchange);
	answer_own(exchange, &refusal);
}

void
exchange_refuse_unread(struct exchange *exchange,
    const struct refusal *refusal)
{
	take_request_id(exchange);
	answer_own(exchange, refusal);
}

/* From the client's side ----------------------------------------------- */

size_t
exchange_request_room(struct exchange *exchange)
{
	return exchange->upstream == NULL ? 0 :
	    upstream_request_room(exchange->upstream);
}

size_t
exchange_request_data(struct exchange *exchange, struct bytes data)
{
	size_t taken;

	if (exchange->upstream == NULL)
		return 0;
	taken = upstream_request_data(exchange->upstream, data);
	exchange->body_in += taken;
	if (is_over_limit(exchange, exchange->body_in)) {
		exchange_refuse(exchange, refusal_of(REFUSAL_BODY_LARGE));
		return 0;
	}
	return taken;
}

void
exchange_request_trailer(struct exchange *exchange, struct bytes line)
{
	if (exchange->upstream != NULL)
		upstream_request_trailer(exchange->upstream, line);
}

void
exchange_request_end(struct exchange *exchange)
{
	exchange->is_request_complete = true;
	if (exchange->upstream != NULL)
		upstream_request_end(exchange->upstream);
}

void
exchange_request_flush(struct exchange *exchange)
{
	if (exchange->upstream != NULL)
		upstream_request_flush(exchange->upstream);
}

void
exchange_answer_resume(struct exchange *exchange)
{
	if (exchange->upstream != NULL)
		upstream_resume(exchange->upstream);
}

void
exchange_client_gone(struct exchange *exchange)
{
	if (!exchange->is_answer_complete) {
		exchange->status = 499;
		exchange->reason = "client_left";
	}
	exchange_finish(exchange);
}

void
exchange_finish(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;

	if (exchange->is_over)
		return;
	exchange->is_over = true;
	leave_queue(exchange);
	if (exchange->tunnel != NULL)
		tunnel_end(&exchange->tunnel);
	drop_upstream(exchange);
	if (exchange->holds_retry)
		retry_budget_give(&worker->retries);
	exchange_record(exchange);
	router_release(worker->router, &exchange->choice);
	stats_sub(&worker->counters->requests_in_flight, 1);
	SLIST_INSERT_HEAD(&worker->ended_exchanges, exchange, unused);
	if (worker->queued_count > 0)
		serve_queue(worker);
}

/* From the backend's side ---------------------------------------------- */

void
exchange_upstream_connected(struct exchange *exchange)
{
	int64_t ns = clock_now().ns - exchange->opened.ns;

	exchange->connect_us = ns / 1000;
}

/* Whether the request may be sent once more (RFC 9110, section 9.2.2). */
static bool
may_replay(struct exchange *exchange, const struct upstream_report *report)
{
	if (exchange->is_answer_seen || exchange->is_answer_started)
		return false;
	if (report->some_sent &&
	    !http_method_is_idempotent(exchange->request.method_id))
		return false;
	if (exchange->request.body == HTTP_BODY_NONE)
		return true;
	if (!exchange->ops->rewind(exchange->client))
		return false;
	exchange->body_in = 0;
	return true;
}

static bool
may_retry(struct exchange *exchange, const struct upstream_report *report)
{
	struct worker *worker = exchange->worker;
	const struct routed_service *service = exchange->choice.service;

	if (exchange->tries >= EXCHANGE_TRIES_MAX ||
	    service->spec.retries == 0 || !may_replay(exchange, report))
		return false;
	if (retry_budget_take(&worker->retries,
	    stats_read(&worker->counters->requests_in_flight),
	    worker->settings->http.retry_budget_percent)) {
		exchange->holds_retry = true;
		return true;
	}
	stats_add(&worker->counters->retries_denied, 1);
	return false;
}

/* Tries one other backend. Returns false when there is none. */
static bool
retry_elsewhere(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;

	if (!router_choose_other(worker->router, &exchange->query,
	    exchange->tried, exchange->tries, worker->now,
	    &exchange->choice)) {
		retry_budget_give(&worker->retries);
		exchange->holds_retry = false;
		return false;
	}
	stats_add(&worker->counters->retries, 1);
	try_backend(exchange, false);
	return true;
}

void
exchange_upstream_failed(struct exchange *exchange,
    const struct upstream_report *report)
{
	exchange->upstream = NULL;
	exchange_count_try_over(exchange);
	if (report->was_stale && !exchange->is_stale_replayed &&
	    may_replay(exchange, report)) {
		/* Not the backend's fault: it closed what was idle. */
		exchange->is_stale_replayed = true;
		try_backend(exchange, true);
		return;
	}
	exchange_count_failure(exchange, report->failure);
	if (may_retry(exchange, report) && retry_elsewhere(exchange))
		return;
	exchange_refuse(exchange, refusal_of_upstream(report->failure));
}

static bool
begin_tunnel(struct exchange *exchange, const struct http_response *response)
{
	struct link *client;

	exchange->is_answer_started = exchange->is_answer_complete = true;
	if (exchange_keep_told(exchange) == -1) {
		exchange->ops->cut(exchange->client);
		return false;
	}
	client = exchange->ops->tunnel(exchange->client, response);
	if (client == NULL)
		return false;
	tunnel_begin(exchange, client, upstream_lend_link(exchange->upstream));
	return false;
}

bool
exchange_answer_head(struct exchange *exchange,
    const struct http_response *response)
{
	if (response->status == 101) {
		exchange_count_answer(exchange, response);
		return begin_tunnel(exchange, response);
	}
	if (response->status < 200) {
		if (exchange->request.minor_version >= 1)
			exchange->ops->informational(exchange->client,
			    response);
		return !exchange->is_over;
	}
	exchange_count_answer(exchange, response);
	exchange->is_answer_started = true;
	exchange->ops->head(exchange->client, response);
	return !exchange->is_over;
}

void
exchange_answer_end(struct exchange *exchange)
{
	exchange->upstream = NULL;
	exchange->is_answer_complete = true;
	exchange_count_try_over(exchange);
	exchange->ops->end(exchange->client);
}
