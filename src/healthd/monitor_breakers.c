/*
 * healthd/monitor_breakers.c - the targets' circuit breakers.
 *
 * What a breaker is goes into the detail record first and then into the
 * word, so that a healthd that died in between is made good by the next.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "healthd/monitor_parts.h"

#define BREAKER_FLAGS (HEALTH_BREAKER | HEALTH_HALF_OPEN)
/* Trials that nobody tells of: their worker died.  Others go then. */
#define ROUND_PATIENCE_MS 30000

#define NO_BREAKER "its service has no breaker"	/* any more */

#define PUT(field, value)                                                      \
	atomic_store_explicit(&(field), (value), memory_order_relaxed)
#define GET(field) atomic_load_explicit(&(field), memory_order_relaxed)

static void
put_detail(const struct target *target, struct health_detail *detail)
{
	const struct breaker *breaker = &target->breaker;

	PUT(detail->failures, breaker->failures);
	PUT(detail->successes, breaker->successes);
	PUT(detail->success_mark, breaker->success_mark);
	PUT(detail->failed_wall_ms, target->failed_wall_ms);
	PUT(detail->next_attempt_wall_ms, target->next_attempt_wall_ms);
	PUT(detail->opened_count, target->opened_count);
	PUT(detail->breaker_cause, (uint32_t)breaker->cause);
	PUT(detail->breaker_state, (uint32_t)breaker->state);
}

/* Makes detail and word say what the breaker is; tells of a change. */
static void
publish(struct target *target, const char *reason)
{
	struct monitor *monitor = target->monitor;
	struct health_map *health = monitor->config.health;
	struct health_detail *detail =
	    health_detail_writable(health, target->slot);
	uint32_t before = health_get(health, target->slot, target->generation);
	uint32_t after = (before & ~(uint32_t)BREAKER_FLAGS) |
	    breaker_flags(&target->breaker);
	struct health_changed changed = {
		.backend_id = target->id,
		.flags_before = before,
		.flags_after = after,
		.at_wall_ms = clock_wall_ms(),
	};

	if (detail != NULL)
		put_detail(target, detail);
	if (health_put_round(health, target->slot, target->generation, after,
		target->breaker.round) == -1) {
		log_error("backend %" PRIu64 ": health word: %m", target->id);
		return;
	}
	if (before == after)
		return;
	snprintf(changed.reason, sizeof(changed.reason), "%s", reason);
	monitor->config.changed(monitor->config.context, &changed);
}

static void
wait_for(struct target *target, int64_t span_ms)
{
	struct ev_loop *loop = target->monitor->config.loop;

	ev_timer_stop(loop, &target->breaker_timer);
	ev_timer_set(&target->breaker_timer,
	    span_ms <= 0 ? 0.0 : (double)span_ms / 1000.0, 0.0);
	ev_timer_start(loop, &target->breaker_timer);
}

/* Just opened: half-open again by the clock, unless ordered. */
static void
begin_open(struct target *target, const char *reason)
{
	int64_t open_ms = target->breaker_spec.open_ms;

	ev_now_update(target->monitor->config.loop);
	ev_timer_stop(target->monitor->config.loop, &target->breaker_timer);
	target->opened_count++;
	target->next_attempt_wall_ms = 0;
	if (target->breaker.cause != BREAKER_BY_ORDER) {
		target->next_attempt_wall_ms = clock_wall_ms() + open_ms;
		wait_for(target, open_ms);
	}
	publish(target, reason);
	log_notice("backend %" PRIu64 ": breaker open: %s", target->id,
	    reason);
}

static void
begin_half_open(struct target *target, const char *reason)
{
	/* Without probes, nobody else would take its word back. */
	if (target->spec.kind == PROBE_OFF)
		verdicts_forgive(target);
	target->next_attempt_wall_ms = 0;
	wait_for(target, ROUND_PATIENCE_MS);
	publish(target, reason);
	log_notice("backend %" PRIu64 ": breaker half-open: %s", target->id,
	    reason);
}

static void
begin_closed(struct target *target, const char *reason)
{
	ev_timer_stop(target->monitor->config.loop, &target->breaker_timer);
	target->next_attempt_wall_ms = 0;
	publish(target, reason);
	log_notice("backend %" PRIu64 ": breaker closed: %s", target->id,
	    reason);
}

void
breakers_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct target *target = timer->data;

	(void)loop;
	(void)events;
	if (breaker_half_open(&target->breaker)) {
		begin_half_open(target, "its time is over");
	} else if (target->breaker.state == BREAKER_HALF_OPEN) {
		breaker_next_round(&target->breaker);
		wait_for(target, ROUND_PATIENCE_MS);
		publish(target, "");
	}
}

static void
describe_failures(const struct target *target, bool was_trial, char *text,
    size_t size)
{
	const struct breaker_spec *spec = &target->breaker_spec;

	if (was_trial)
		snprintf(text, size, "a trial failed");
	else if (spec->window_ms > 0)
		snprintf(text, size, "%" PRIu32 " failures within %" PRIu32
		    " ms", target->breaker.failures, spec->window_ms);
	else
		snprintf(text, size, "%" PRIu32 " failures in a row",
		    target->breaker.failures);
}

void
breakers_note(struct target *target, const struct failure *failure)
{
	struct breaker *breaker = &target->breaker;
	enum breaker_state before = breaker->state;
	char reason[64];

	if (failure->kind != FAILURE_NONE)
		target->failed_wall_ms = clock_wall_ms();
	if (!breaker_note(breaker, &target->breaker_spec, failure)) {
		struct health_detail *detail = health_detail_writable(
		    target->monitor->config.health, target->slot);

		if (detail != NULL)
			put_detail(target, detail);
		return;
	}
	if (breaker->state == BREAKER_CLOSED) {
		begin_closed(target, "its trials went well");
		return;
	}
	describe_failures(target, before == BREAKER_HALF_OPEN, reason,
	    sizeof(reason));
	begin_open(target, reason);
}

void
breakers_note_probe(struct target *target, bool is_up, const char *reason)
{
	struct breaker *breaker = &target->breaker;

	if (is_up) {
		if (breaker->state == BREAKER_OPEN &&
		    breaker->cause == BREAKER_BY_PROBES &&
		    breaker_half_open(breaker))
			begin_half_open(target, "its probes are answered");
		return;
	}
	if (target->breaker_spec.threshold > 0 &&
	    breaker->state != BREAKER_OPEN &&
	    breaker_open(breaker, BREAKER_BY_PROBES))
		begin_open(target, reason);
}

void
breakers_respec(struct target *target, const struct breaker_spec *spec)
{
	if (memcmp(spec, &target->breaker_spec, sizeof(*spec)) == 0)
		return;
	target->breaker_spec = *spec;
	if (breaker_respec(&target->breaker, spec))
		begin_closed(target, NO_BREAKER);
}

/* A state of the detail record that healthd could have written. */
static bool
is_state(uint32_t state)
{
	return state <= BREAKER_HALF_OPEN;
}

void
breakers_restore(struct target *target)
{
	struct health_map *health = target->monitor->config.health;
	const struct health_detail *detail =
	    health_detail(health, target->slot);
	struct breaker *breaker = &target->breaker;
	int64_t left_ms;

	if (detail == NULL || GET(detail->backend_id) != target->id ||
	    !is_state(GET(detail->breaker_state)))
		return;
	breaker->state = (enum breaker_state)GET(detail->breaker_state);
	breaker->cause = (enum breaker_cause)GET(detail->breaker_cause);
	breaker->failures = GET(detail->failures);
	breaker->successes = GET(detail->successes);
	breaker->success_mark = GET(detail->success_mark);
	breaker->round =
	    health_round(health, target->slot, target->generation);
	target->failed_wall_ms = GET(detail->failed_wall_ms);
	target->next_attempt_wall_ms = GET(detail->next_attempt_wall_ms);
	target->opened_count = GET(detail->opened_count);
	left_ms = target->next_attempt_wall_ms - clock_wall_ms();
	if (left_ms > (int64_t)target->breaker_spec.open_ms)
		left_ms = target->breaker_spec.open_ms;
	if (target->breaker_spec.threshold == 0 &&
	    breaker->cause != BREAKER_BY_ORDER && breaker_close(breaker)) {
		begin_closed(target, NO_BREAKER);
		return;
	}
	if (breaker->state == BREAKER_OPEN &&
	    breaker->cause != BREAKER_BY_ORDER)
		wait_for(target, left_ms);
	if (breaker->state == BREAKER_HALF_OPEN)
		wait_for(target, ROUND_PATIENCE_MS);
	if ((health_get(health, target->slot, target->generation) &
		BREAKER_FLAGS) != breaker_flags(breaker))
		publish(target, "as it was");
}

int
monitor_order_breaker(struct monitor *monitor,
    const struct health_breaker_order *order)
{
	struct target *target = order->slot < monitor->slot_count ?
	    monitor->targets[order->slot] : NULL;

	if (target == NULL || target->generation != order->generation) {
		errno = ESRCH;
		return -1;
	}
	if (order->action == BREAKER_TRIP) {
		if (breaker_open(&target->breaker, BREAKER_BY_ORDER))
			begin_open(target, "ordered");
	} else if (breaker_close(&target->breaker)) {
		begin_closed(target, "ordered");
	} else {
		publish(target, "");	/* the count is 0 */
	}
	return 0;
}
