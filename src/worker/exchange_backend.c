/*
 * worker/exchange_backend.c - what becomes of an exchange at its backend:
 * tried, connected, answered, failed, tried again.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/exchange.h"
#include "worker/refusals.h"
#include "worker/tunnel.h"

void
exchange_try(struct exchange *exchange, bool is_fresh)
{
	const struct http_request *request = &exchange->request;

	exchange->is_request_complete = request->body == HTTP_BODY_NONE;
	exchange->is_answer_seen = false;
	exchange->opened = exchange->worker->now;
	exchange->sent = (struct instant){ 0 };
	exchange_count_try(exchange);
	upstream_begin(exchange, is_fresh);
}

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
	exchange->is_trial_open = exchange->choice.is_trial;
	stats_add(&worker->counters->retries, 1);
	exchange_try(exchange, false);
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
		exchange_try(exchange, true);
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
