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

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "worker/pages.h"
#include "worker/refusals.h"
#include "worker/tunnel.h"

struct exchange *
exchange_new(struct worker *worker)
{
	struct exchange *exchange = SLIST_FIRST(&worker->unused_exchanges);

	if (exchange != NULL) {
		SLIST_REMOVE_HEAD(&worker->unused_exchanges, unused);
		cache_prefetch(SLIST_FIRST(&worker->unused_exchanges),
		    EXCHANGE_HOT_BYTES);
	} else if ((exchange = malloc(sizeof(*exchange))) == NULL) {
		return NULL;
	}
	bytes_clear(exchange, offsetof(struct exchange, limit));
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
	struct random_stream *ids = exchange->worker->ids;
	char *text = exchange->request_id_text;

	bytes_write_hex(random_next(&ids[0]), text);
	bytes_write_hex(random_next(&ids[1]), text + 16);
	exchange->request_id = bytes_slice(text, 32);
}

void
exchange_take_request_id(struct exchange *exchange)
{
	const struct http_field *field;

	if (exchange->has_request && exchange->peer.is_trusted) {
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

/* Whether the route's limit refuses the client's request. */
static bool
is_limited(struct exchange *exchange, struct limit_verdict *verdict)
{
	struct worker *worker = exchange->worker;
	const struct routed_route *route = exchange->choice.route;
	enum route_refusal refusal = exchange->choice.refusal;

	if (route == NULL || route->spec.rate_limit.requests == 0 ||
	    (refusal != REFUSED_NOT && refusal != REFUSED_BUSY))
		return false;
	limits_take(worker->limits,
	    limits_key(route->spec.id, &exchange->client_address),
	    &route->spec.rate_limit, worker->now.ns, verdict);
	exchange->tells_limit = route->spec.rate_limit.is_told;
	exchange->limit = (struct limit_told){ route->spec.rate_limit.requests,
		verdict->remaining, verdict->reset_ms };
	if (verdict->is_allowed)
		return false;
	worker_stats_claim_route(worker->stats, route->slot, route->spec.id);
	worker_stats_count_limited(worker->stats, route->slot,
	    route->spec.id);
	return !route->spec.rate_limit.is_dry_run;
}

/* Whether the client wants a WebSocket where the route takes none. */
static bool
refuses_websocket(const struct exchange *exchange)
{
	const struct bytes upgrade = exchange->request.upgrade;
	const struct route_choice *choice = &exchange->choice;

	return upgrade.len > 0 && (choice->refusal == REFUSED_NOT ||
		choice->refusal == REFUSED_BUSY) &&
	    choice->route->spec.refuses_websocket &&
	    bytes_equal_nocase(upgrade, bytes_of("websocket"));
}

static void
choose_and_try(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;
	struct route_choice *choice = &exchange->choice;
	const struct http_request *request = &exchange->request;
	struct limit_verdict verdict;

	router_choose(worker->router, &exchange->query, worker->now, choice);
	exchange->is_trial_open = choice->is_trial;
	if (is_limited(exchange, &verdict))
		exchange_refuse_limited(exchange, &verdict);
	else if (refuses_websocket(exchange))
		exchange_refuse(exchange, refusal_of(REFUSAL_WEBSOCKET));
	else if (request->body == HTTP_BODY_LENGTH &&
	    is_over_limit(exchange, request->content_length))
		exchange_refuse(exchange, refusal_of(REFUSAL_BODY_LARGE));
	else if (choice->refusal == REFUSED_NOT)
		exchange_try(exchange, false);
	else if (choice->refusal != REFUSED_BUSY ||
	    !exchange_join_queue(exchange))
		exchange_refuse_route(exchange);
}

void
exchange_begin(struct exchange *exchange)
{
	exchange->has_request = true;
	exchange_take_request_id(exchange);
	fill_query(exchange);
	exchange->is_request_complete =
	    exchange->request.body == HTTP_BODY_NONE;
	if (http_forward_is_loop(&exchange->request)) {
		exchange_refuse(exchange, refusal_of(REFUSAL_LOOP));
		return;
	}
	choose_and_try(exchange);
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
	exchange_leave_queue(exchange);
	pages_leave(exchange);
	if (exchange->tunnel != NULL)
		tunnel_end(&exchange->tunnel);
	exchange_drop_upstream(exchange);
	if (exchange->holds_retry)
		retry_budget_give(&worker->retries);
	exchange_return_trial(exchange);
	exchange_record(exchange);
	router_release(worker->router, &exchange->choice);
	stats_sub(&worker->counters->requests_in_flight, 1);
	SLIST_INSERT_HEAD(&worker->ended_exchanges, exchange, unused);
	worker->is_queue_due = worker->queued_count > 0;
}
