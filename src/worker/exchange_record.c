/*
 * worker/exchange_record.c - what is counted and logged of an exchange.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ipc/inherited.h"
#include "worker/exchange.h"
#include "worker/neighbours.h"
#include "worker/refusals.h"

/* The record that the try was counted in, or one that nobody reads when
 * it has another tenant by now. */
static struct backend_stats *
backend_stats_of(const struct exchange *exchange)
{
	return worker_stats_keep_backend(exchange->worker->stats,
	    exchange->stats, exchange->choice.backend->spec.id);
}

/* Makes the records of the choice its own, while it is the present one. */
static struct backend_stats *
claim_stats(struct exchange *exchange)
{
	const struct route_choice *choice = &exchange->choice;
	struct worker_stats *stats = exchange->worker->stats;

	worker_stats_claim_route(stats, choice->route->slot,
	    choice->route->spec.id);
	return worker_stats_backend(stats, choice->backend->slot,
	    choice->backend->spec.id);
}

static void
gauge_change(_Atomic uint32_t *gauge, int32_t change)
{
	uint32_t value = atomic_load_explicit(gauge, memory_order_relaxed);

	atomic_store_explicit(gauge, value + (uint32_t)change,
	    memory_order_relaxed);
}

void
exchange_count_try(struct exchange *exchange)
{
	const struct routed_backend *backend = exchange->choice.backend;
	struct backend_stats *stats = claim_stats(exchange);

	exchange->stats = stats;
	/* A replay at the same backend is not another try. */
	if (exchange->tries == 0 ||
	    exchange->tried[exchange->tries - 1] != backend->slot)
		exchange->tried[exchange->tries++] = backend->slot;
	exchange->is_trying = true;
	stats_add(&stats->requests, 1);
	gauge_change(&stats->in_flight, 1);
}

void
exchange_count_try_over(struct exchange *exchange)
{
	if (!exchange->is_trying)
		return;
	exchange->is_trying = false;
	gauge_change(&backend_stats_of(exchange)->in_flight, -1);
}

static enum failure_kind
failure_kind_of(enum upstream_failure failure)
{
	switch (failure) {
	case UPSTREAM_CONNECT_FAILED:
	case UPSTREAM_CONNECT_TIMEOUT:
	case UPSTREAM_UNRESOLVED:
		return FAILURE_CONNECT;
	case UPSTREAM_CLOSED:
		return FAILURE_CLOSED;
	case UPSTREAM_TIMEOUT:
		return FAILURE_TIMEOUT;
	case UPSTREAM_PROTOCOL:
		return FAILURE_PROTOCOL;
	}
	return FAILURE_PROTOCOL;
}

/* Wakes healthd; when the count is full it is awake already. */
static void
ring_failures(void)
{
	uint64_t one = 1;

	if (write(FD_FAILURES, &one, sizeof(one)) == -1 && errno != EAGAIN)
		log_debug("failures: %m");
}

/* Tells healthd, for its verdicts and breakers. */
static void
tell_outcome(struct exchange *exchange, enum failure_kind kind)
{
	struct worker *worker = exchange->worker;
	const struct route_choice *choice = &exchange->choice;
	const struct failure failure = {
		.backend = choice->backend->slot,
		.generation = choice->backend->generation,
		.kind = kind,
		.is_trial = exchange->is_trial_open,
		.trial_round = (uint16_t)choice->trial_round,
		.success_count =
		    choice->service->spec.breaker.threshold == 0 ? 0 :
		    neighbours_success_count(worker->neighbours,
		    choice->backend->slot, choice->backend->spec.id),
		.at_ns = clock_now().ns,
	};

	exchange->is_trial_open = false;
	worker_stats_push_failure(worker->stats, &failure);
	ring_failures();
}

void
exchange_return_trial(struct exchange *exchange)
{
	const struct route_choice *choice = &exchange->choice;
	struct limit_trial trial = { .round = choice->trial_round };

	if (!exchange->is_trial_open)
		return;
	exchange->is_trial_open = false;
	trial.slot = choice->backend->slot;
	trial.generation = choice->backend->generation;
	limits_return_trial(exchange->worker->limits, &trial);
}

void
exchange_count_tunnel(struct exchange *exchange, int32_t change)
{
	gauge_change(&backend_stats_of(exchange)->tunnels, change);
}

void
exchange_count_failure(struct exchange *exchange,
    enum upstream_failure upstream_failure)
{
	struct worker *worker = exchange->worker;
	const struct routed_backend *backend = exchange->choice.backend;
	struct backend_stats *stats = backend_stats_of(exchange);

	stats_add(&stats->failures, 1);
	stats_add(&stats->class_codes[0], 1);
	router_note_failure(worker->router, &exchange->choice, worker->now);
	tell_outcome(exchange, failure_kind_of(upstream_failure));
	log_info("backend %llu: %s",
	    (unsigned long long)backend->spec.id,
	    refusal_of_upstream(upstream_failure)->word);
}

void
exchange_count_answer(struct exchange *exchange,
    const struct http_response *response)
{
	struct worker *worker = exchange->worker;
	struct backend_stats *stats = backend_stats_of(exchange);
	/* The answer was there when this turn began, if not before. */
	int64_t now_ns = worker->now.ns;
	int64_t sent_ns = exchange->sent.ns;

	exchange->status = response->status;
	exchange->first_byte_us = (now_ns - exchange->started.ns) / 1000;
	latency_add(&stats->latency,
	    sent_ns == 0 || now_ns < sent_ns
		? 0
		: (uint64_t)(now_ns - sent_ns) / 1000);
	stats_add(&stats->class_codes[response->status / 100], 1);
	router_note_success(worker->router, &exchange->choice);
	if (response->status >= 500 &&
	    (exchange->is_trial_open ||
	    exchange->choice.service->spec.breaker.threshold > 0))
		tell_outcome(exchange, FAILURE_STATUS);
	else if (exchange->is_trial_open)
		tell_outcome(exchange, FAILURE_NONE);
}

static void
count_route(struct exchange *exchange, const struct route_sample *sample)
{
	struct worker_stats *stats = exchange->worker->stats;
	const struct routed_route *route = exchange->choice.route;

	if (exchange->tries == 0)
		worker_stats_claim_route(stats, route->slot, route->spec.id);
	worker_stats_count_route(stats, route->slot, route->spec.id, sample);
}

static void
count_request(struct exchange *exchange, int64_t total_us)
{
	struct worker_counters *counters = exchange->worker->counters;
	const struct route_sample sample = {
		.status = exchange->status,
		.us = (uint64_t)total_us,
		.bytes_received = exchange->head_in + exchange->body_in,
		.bytes_sent = exchange->head_out + exchange->body_out,
	};

	stats_add(&counters->requests, 1);
	stats_add(&counters->bytes_received, sample.bytes_received);
	stats_add(&counters->bytes_sent, sample.bytes_sent);
	if (exchange->choice.route != NULL)
		count_route(exchange, &sample);
}

static struct bytes
field_value(const struct exchange *exchange, enum http_field_id id)
{
	const struct http_field *field;

	field = http_field_find(&exchange->request.fields, id);
	return field == NULL ? bytes_slice(NULL, 0) : field->value;
}

static struct exchange_told
told_of(const struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;

	return (struct exchange_told){
		.method = request->method,
		.target = request->target,
		.host = request->authority,
		.referer = field_value(exchange, HTTP_FIELD_REFERER),
		.user_agent = field_value(exchange, HTTP_FIELD_USER_AGENT),
	};
}

static struct bytes
move_bytes(char **to, struct bytes from)
{
	struct bytes copy = bytes_slice(*to, from.len);

	if (from.len > 0)
		memcpy(*to, from.data, from.len);
	*to += from.len;
	return copy;
}

int
exchange_keep_told(struct exchange *exchange)
{
	struct exchange_told told = told_of(exchange), *kept;
	char *text;

	kept = malloc(sizeof(*kept) + told.method.len + told.target.len +
	    told.host.len + told.referer.len + told.user_agent.len);
	if (kept == NULL)
		return -1;
	text = (char *)(kept + 1);
	kept->method = move_bytes(&text, told.method);
	kept->target = move_bytes(&text, told.target);
	kept->host = move_bytes(&text, told.host);
	kept->referer = move_bytes(&text, told.referer);
	kept->user_agent = move_bytes(&text, told.user_agent);
	exchange->kept = kept;
	return 0;
}

/* What a line tells of the request's own bytes. */
static void
fill_told(const struct exchange *exchange, struct access_record *record)
{
	struct exchange_told told;

	if (!exchange->has_request && !exchange->has_line)
		return;
	told = exchange->kept != NULL ? *exchange->kept : told_of(exchange);
	record->minor_version = exchange->request.minor_version;
	record->method = told.method;
	record->target = told.target;
	record->host = told.host;
	record->referer = told.referer;
	record->user_agent = told.user_agent;
}

static void
log_exchange(const struct exchange *exchange, int64_t total_us)
{
	const struct route_choice *choice = &exchange->choice;
	struct access_record record = {
		.started_wall_ms = exchange->started_wall_ms,
		.request_id = exchange->request_id,
		.client = exchange->peer.address,
		.status = exchange->status,
		.bytes_in = exchange->body_in,
		.bytes_out = exchange->body_out,
		.tries = exchange->tries,
		.total_us = total_us,
		.connect_us = exchange->connect_us,
		.first_byte_us = exchange->first_byte_us,
		.reason = exchange->reason,
	};

	fill_told(exchange, &record);
	if (choice->route != NULL)
		record.route = choice->route->spec.label;
	if (choice->service != NULL)
		record.service = choice->service->spec.name;
	if (choice->backend != NULL && exchange->tries > 0)
		record.backend_id = choice->backend->spec.id;
	access_log_add(exchange->worker->log, &record);
}

void
exchange_record(struct exchange *exchange)
{
	int64_t total_us = (clock_now().ns - exchange->started.ns) / 1000;

	if (total_us < 0)
		total_us = 0;
	count_request(exchange, total_us);
	if (access_log_is_on(exchange->worker->log))
		log_exchange(exchange, total_us);
	free(exchange->kept);
	exchange->kept = NULL;
}
