/*
 * worker/exchange_queue.c - requests that wait for a busy backend.
 *
 * First come, first served, but for those whose service is still busy.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/exchange.h"
#include "worker/refusals.h"

/* So many that still find none end a turn's search. */
#define QUEUE_MISSES_MAX 16

static void
on_queue_timeout(struct wheel_timer *timer)
{
	struct exchange *exchange = CONTAINER_OF(timer, struct exchange,
	    queue_timer);

	exchange_refuse(exchange, refusal_of(REFUSAL_QUEUE_TIMEOUT));
}

void
exchange_leave_queue(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;

	if (!exchange->is_queued)
		return;
	exchange->is_queued = false;
	TAILQ_REMOVE(&worker->queue, exchange, queue_entry);
	worker->queued_count--;
	worker_remove_timer(worker, &exchange->queue_timer);
}

bool
exchange_join_queue(struct exchange *exchange)
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

/* Tries it, or tells it why not, if anything has become of its wait. */
static bool
look_again(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;
	struct route_choice choice;

	router_choose(worker->router, &exchange->query, worker->now, &choice);
	if (choice.refusal == REFUSED_BUSY) {
		router_release(worker->router, &choice);
		return false;
	}
	exchange_leave_queue(exchange);
	router_release(worker->router, &exchange->choice);
	exchange->choice = choice;
	exchange->is_trial_open = choice.is_trial;
	if (choice.refusal == REFUSED_NOT)
		exchange_try(exchange, false);
	else
		exchange_refuse_route(exchange);
	return true;
}

void
exchange_serve_queue(struct worker *worker)
{
	struct exchange *exchange, *next;
	uint32_t misses = 0;

	for (exchange = TAILQ_FIRST(&worker->queue);
	    exchange != NULL && misses < QUEUE_MISSES_MAX; exchange = next) {
		next = TAILQ_NEXT(exchange, queue_entry);
		if (!look_again(exchange))
			misses++;
	}
}
