/*
 * healthd/monitor_verdicts.c - what is thought of a target, and why.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "common/log.h"
#include "healthd/monitor_parts.h"
#include "healthd/pace.h"
#include "healthd/verdict.h"

#define UNJUDGED_PAUSE_MS 1000		/* after a probe we could not make */

void
verdicts_publish(struct target *target, const char *reason)
{
	struct monitor *monitor = target->monitor;
	struct health_changed changed;

	if (verdict_publish(target, monitor->config.health, reason, &changed))
		monitor->config.changed(monitor->config.context, &changed);
}

/* A backend without probes that failed: its time of suspicion is over. */
void
verdicts_forgive(struct target *target)
{
	places_leave(target);
	if (target->probe.state == PROBE_UNKNOWN)
		return;
	target->probe = (struct probe){ .state = PROBE_UNKNOWN };
	verdicts_publish(target, "no longer suspect");
}

static void
suspect(struct target *target)
{
	if (target->probe.state == PROBE_DOWN)
		return;
	probe_confirm_failure(&target->probe);
	verdicts_publish(target, "a request failed");
	places_rest(target, target->monitor->settings->http.suspect_ms);
}

void
verdicts_on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct target *target = timer->data;
	struct monitor *monitor = target->monitor;

	(void)loop;
	(void)events;
	if (target->spec.kind == PROBE_OFF) {
		verdicts_forgive(target);
		return;
	}
	places_queue(target, target->is_urgent);
	places_fill(monitor);
}

/* Until the next probe, counted from the start of the latest. */
static int64_t
pause_after(struct target *target, int64_t took_ms)
{
	struct monitor *monitor = target->monitor;
	struct probe_spec spec =
	    target_effective_probe(target, monitor->settings);

	return pace_next_ms(target->probe.state, spec.interval_ms,
		   &monitor->random) - took_ms;
}

static void
warn_unjudged(struct monitor *monitor, const struct target *target,
    const struct attempt_outcome *outcome)
{
	struct instant now = clock_now();

	if (monitor->warned.ns != 0 &&
	    instant_diff_ms(now, monitor->warned) < 10000)
		return;
	monitor->warned = now;
	log_warn("backend %" PRIu64 ": not probed: %s; raise the limit of "
		 "open files", target->id, outcome->reason);
}

static void
judge(struct target *target, const struct attempt_outcome *outcome)
{
	struct monitor *monitor = target->monitor;
	struct probe_spec spec =
	    target_effective_probe(target, monitor->settings);
	const struct probe_policy policy = { spec.rise, spec.fall };
	enum probe_state before = target->probe.state;

	if (target->is_urgent && !outcome->is_answered)
		probe_confirm_failure(&target->probe);
	else
		probe_step(&target->probe, &policy, outcome->is_answered);
	verdicts_publish(target, outcome->is_answered ? "" : outcome->reason);
	if (target->probe.state != before)
		breakers_note_probe(target, target->probe.state == PROBE_UP,
		    outcome->reason);
}

/* The probe is over, the place still taken. */
void
verdicts_conclude(struct target *target, const struct attempt_outcome *outcome)
{
	struct monitor *monitor = target->monitor;
	int64_t took_ms = instant_diff_ms(clock_now(), target->started);
	bool is_again = target->is_again && outcome->is_answered;

	if (!outcome->is_judged) {
		warn_unjudged(monitor, target, outcome);
		places_rest(target, UNJUDGED_PAUSE_MS);
		places_fill(monitor);
		return;
	}
	judge(target, outcome);
	verdict_record(target, monitor->config.health, outcome, took_ms);
	target->is_again = false;
	target->is_urgent = is_again;
	places_rest(target, is_again ? MONITOR_URGENT_REST_MS - took_ms :
				pause_after(target, took_ms));
	places_fill(monitor);
}

/* Failures that workers saw -------------------------------------------- */

/* Probes it as soon as it may be. */
static void
hurry(struct target *target)
{
	struct monitor *monitor = target->monitor;
	int64_t since_ms = instant_diff_ms(clock_now(), target->started);

	switch (target->place) {
	case TARGET_RESOLVING:
	case TARGET_PROBED:
		target->is_urgent = target->is_again = true;
		return;
	case TARGET_QUEUED:
		if (target->is_urgent)
			return;
		break;
	case TARGET_RESTING:
		if (target->is_urgent)
			return;		/* its timer has been set for it */
		break;
	}
	if (target->started.ns != 0 && since_ms < MONITOR_URGENT_REST_MS) {
		places_rest(target, MONITOR_URGENT_REST_MS - since_ms);
		target->is_urgent = true;
		return;
	}
	places_queue(target, true);
	places_fill(monitor);
}

void
monitor_note_failure(struct monitor *monitor, const struct failure *failure)
{
	struct target *target = failure->backend < monitor->slot_count ?
	    monitor->targets[failure->backend] : NULL;

	if (target == NULL || target->generation != failure->generation)
		return;
	if (failure->kind != FAILURE_NONE)
		verdict_count_passive(target, monitor->config.health);
	breakers_note(target, failure);
	if (failure->kind == FAILURE_STATUS || failure->kind == FAILURE_NONE)
		return;
	if (target->spec.kind == PROBE_OFF) {
		/* A breaker judges better. */
		if (target->breaker_spec.threshold == 0)
			suspect(target);
	} else if (target->probe.state != PROBE_DOWN) {
		hurry(target);
	}
}
