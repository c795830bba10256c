/*
 * healthd/monitor.c - the backends under watch, and what is thought of them.
 *
 * A target's place says where it is: resting (its timer runs), queued,
 * or with a place among the probes (resolving, probed).  rest(), queue()
 * and begin_probe() alone move it.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/random.h"
#include "daemon/resolver.h"
#include "healthd/pace.h"
#include "healthd/target.h"
#include "healthd/verdict.h"

#define UNJUDGED_PAUSE_MS 1000		/* after a probe we could not make */

struct monitor {
	struct monitor_config config;
	const struct settings *settings;
	struct target **targets;	/* by slot */
	uint32_t slot_count, target_count;
	struct target_queue urgent, regular;
	uint32_t probe_count;		/* places taken */
	uint32_t round;
	struct target_queue fresh;	/* put since monitor_begin() */
	uint32_t fresh_count;
	struct random_stream random;
	struct instant warned;		/* of probes that could not be made */
	bool is_filling;		/* fill_places() is at work below us */
};

static void begin_probe(struct target *);
static attempt_done_fn on_outcome;
static resolver_fn on_resolved;

/* Moving --------------------------------------------------------------- */

/* Out of where it is, and from no place to another: to be followed by one
 * of the moves, or by its end. */
static void
leave_place(struct target *target)
{
	struct monitor *monitor = target->monitor;

	switch (target->place) {
	case TARGET_RESTING:
		ev_timer_stop(monitor->config.loop, &target->timer);
		break;
	case TARGET_QUEUED:
		if (target->is_urgent)
			TAILQ_REMOVE(&monitor->urgent, target, link);
		else
			TAILQ_REMOVE(&monitor->regular, target, link);
		break;
	case TARGET_RESOLVING:
		resolver_cancel(&target->wait);
		monitor->probe_count--;
		break;
	case TARGET_PROBED:
		attempt_cancel(&target->attempt);
		monitor->probe_count--;
		break;
	}
	target->place = TARGET_RESTING;
}

static void
rest(struct target *target, int64_t span_ms)
{
	leave_place(target);
	ev_timer_set(&target->timer,
	    span_ms <= 0 ? 0.0 : (double)span_ms / 1000.0, 0.0);
	ev_timer_start(target->monitor->config.loop, &target->timer);
}

/* Gives free places to those who wait, those out of turn first. */
static void
fill_places(struct monitor *monitor)
{
	struct target *target;

	if (monitor->is_filling)
		return;			/* a probe that ended at once */
	monitor->is_filling = true;
	while (monitor->probe_count < MONITOR_PROBES_MAX) {
		if ((target = TAILQ_FIRST(&monitor->urgent)) == NULL &&
		    (target = TAILQ_FIRST(&monitor->regular)) == NULL)
			break;
		begin_probe(target);
	}
	monitor->is_filling = false;
}

static void
queue(struct target *target, bool is_urgent)
{
	struct monitor *monitor = target->monitor;

	leave_place(target);
	target->is_urgent = is_urgent;
	target->place = TARGET_QUEUED;
	if (is_urgent)
		TAILQ_INSERT_TAIL(&monitor->urgent, target, link);
	else
		TAILQ_INSERT_TAIL(&monitor->regular, target, link);
}

/* Verdicts ------------------------------------------------------------- */

static void
publish(struct target *target, const char *reason)
{
	struct monitor *monitor = target->monitor;
	struct health_changed changed;

	if (verdict_publish(target, monitor->config.health, reason, &changed))
		monitor->config.changed(monitor->config.context, &changed);
}

/* A backend without probes that failed: its time of suspicion is over. */
static void
forgive(struct target *target)
{
	leave_place(target);
	if (target->probe.state == PROBE_UNKNOWN)
		return;
	target->probe = (struct probe){ .state = PROBE_UNKNOWN };
	publish(target, "no longer suspect");
}

static void
suspect(struct target *target)
{
	if (target->probe.state == PROBE_DOWN)
		return;
	probe_confirm_failure(&target->probe);
	publish(target, "a request failed");
	rest(target, target->monitor->settings->http.suspect_ms);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct target *target = timer->data;
	struct monitor *monitor = target->monitor;

	(void)loop;
	(void)events;
	if (target->spec.kind == PROBE_OFF) {
		forgive(target);
		return;
	}
	queue(target, target->is_urgent);
	fill_places(monitor);
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

	if (target->is_urgent && !outcome->is_answered)
		probe_confirm_failure(&target->probe);
	else
		probe_step(&target->probe, &policy, outcome->is_answered);
	publish(target, outcome->is_answered ? "" : outcome->reason);
}

/* The probe is over, the place still taken. */
static void
conclude(struct target *target, const struct attempt_outcome *outcome)
{
	struct monitor *monitor = target->monitor;
	int64_t took_ms = instant_diff_ms(clock_now(), target->started);
	bool is_again = target->is_again && outcome->is_answered;

	if (!outcome->is_judged) {
		warn_unjudged(monitor, target, outcome);
		rest(target, UNJUDGED_PAUSE_MS);
		fill_places(monitor);
		return;
	}
	judge(target, outcome);
	verdict_record(target, monitor->config.health, outcome, took_ms);
	target->is_again = false;
	target->is_urgent = is_again;
	rest(target, is_again ? MONITOR_URGENT_REST_MS - took_ms :
				pause_after(target, took_ms));
	fill_places(monitor);
}

static void
on_outcome(void *context, const struct attempt_outcome *outcome)
{
	struct target *target = context;

	target->attempt = NULL;		/* freed behind this call */
	conclude(target, outcome);
}

/* Probing -------------------------------------------------------------- */

static void
fail_probe(struct target *target, bool is_judged, int error,
    const char *what, const char *why)
{
	struct attempt_outcome outcome = {
		.is_judged = is_judged,
		.error = error,
	};

	snprintf(outcome.reason, sizeof(outcome.reason), "%s: %s", what, why);
	conclude(target, &outcome);
}

static void
fill_request(struct target *target, const struct probe_spec *spec,
    struct attempt_request *request, struct buf *path, struct buf *host)
{
	buf_append_text(path, target->base_path);
	if (spec->path.len == 0 || spec->path.data[0] != '/')
		buf_append_char(path, '/');
	buf_append(path, spec->path);
	if (spec->host.len > 0)
		buf_append(host, spec->host);
	else
		target_print_authority(target, host);
	request->timeout_ms = spec->timeout_ms;
	request->is_http = spec->kind == PROBE_HTTP;
	request->path = buf_bytes(path);
	request->host = buf_bytes(host);
	request->status_min = spec->status_min;
	request->status_max = spec->status_max;
}

static void
start_attempt(struct target *target, const struct sockaddr_storage *address,
    socklen_t address_len)
{
	struct monitor *monitor = target->monitor;
	struct probe_spec spec =
	    target_effective_probe(target, monitor->settings);
	struct attempt_request request = {
		.address = *address,
		.address_len = address_len,
	};
	struct buf path = { 0 }, host = { 0 };

	fill_request(target, &spec, &request, &path, &host);
	target->place = TARGET_PROBED;
	if (!path.is_failed && !host.is_failed)
		target->attempt = attempt_start(monitor->config.loop, &request,
		    on_outcome, target);
	buf_free(&path);
	buf_free(&host);
	if (target->attempt == NULL)
		fail_probe(target, false, ENOMEM, "memory", strerror(ENOMEM));
}

static void
on_resolved(void *context, const struct resolver_answer *answer)
{
	struct target *target = context;
	struct sockaddr_storage address;

	target->wait = NULL;
	if (answer->count == 0) {
		fail_probe(target, true, EHOSTUNREACH, "resolve",
		    answer->error == NULL ? "no address" : answer->error);
		return;
	}
	address = answer->addresses[0];
	if (address.ss_family == AF_INET6) {
		((struct sockaddr_in6 *)&address)->sin6_port =
		    htons(target->port);
		start_attempt(target, &address, sizeof(struct sockaddr_in6));
	} else {
		((struct sockaddr_in *)&address)->sin_port =
		    htons(target->port);
		start_attempt(target, &address, sizeof(struct sockaddr_in));
	}
}

/* The name is looked up, or known already. */
static void
resolve(struct target *target)
{
	struct monitor *monitor = target->monitor;
	struct resolver_wait *wait;

	target->place = TARGET_RESOLVING;
	if (target->name == NULL)
		target->name = resolver_hold(monitor->config.resolver,
		    bytes_of(target->host));
	if (target->name == NULL) {
		fail_probe(target, false, ENOMEM, "memory", strerror(ENOMEM));
		return;
	}
	if (!resolver_answer(target->name)->is_pending) {
		on_resolved(target, resolver_answer(target->name));
		return;
	}
	wait = resolver_wait(target->name, on_resolved, target);
	if (target->place != TARGET_RESOLVING)
		return;			/* it was told at once */
	if ((target->wait = wait) == NULL)
		fail_probe(target, false, ENOMEM, "memory", strerror(ENOMEM));
}

static void
begin_probe(struct target *target)
{
	bool is_urgent = target->is_urgent;

	leave_place(target);
	target->monitor->probe_count++;
	target->is_urgent = is_urgent;
	target->started = clock_now();
	if (target->address_len == 0) {
		resolve(target);
		return;
	}
	start_attempt(target, &target->address, target->address_len);
}

/* Failures that workers saw --------------------------------------------- */

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
		rest(target, MONITOR_URGENT_REST_MS - since_ms);
		target->is_urgent = true;
		return;
	}
	queue(target, true);
	fill_places(monitor);
}

void
monitor_note_failure(struct monitor *monitor, uint32_t slot,
    uint32_t generation, bool is_status)
{
	struct target *target =
	    slot < monitor->slot_count ? monitor->targets[slot] : NULL;

	if (target == NULL || target->generation != generation)
		return;
	verdict_count_passive(target, monitor->config.health);
	if (is_status)
		return;
	if (target->spec.kind == PROBE_OFF)
		suspect(target);
	else if (target->probe.state != PROBE_DOWN)
		hurry(target);
}

/* Taking the table in --------------------------------------------------- */

struct monitor *
monitor_new(const struct monitor_config *config)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	if (monitor == NULL)
		return NULL;
	monitor->config = *config;
	monitor->settings = config->settings;
	monitor->random.state = config->seed;
	TAILQ_INIT(&monitor->urgent);
	TAILQ_INIT(&monitor->regular);
	TAILQ_INIT(&monitor->fresh);
	return monitor;
}

static void
drop(struct target *target)
{
	struct monitor *monitor = target->monitor;

	leave_place(target);
	if (target->name != NULL)
		resolver_release(monitor->config.resolver, &target->name);
	monitor->targets[target->slot] = NULL;
	monitor->target_count--;
	target_free(&target);
}

void
monitor_free(struct monitor **p)
{
	struct monitor *monitor = *p;

	*p = NULL;
	if (monitor == NULL)
		return;
	for (uint32_t i = 0; i < monitor->slot_count; i++)
		if (monitor->targets[i] != NULL)
			drop(monitor->targets[i]);
	free(monitor->targets);
	free(monitor);
}

void
monitor_set_settings(struct monitor *monitor, const struct settings *settings)
{
	monitor->settings = settings;
}

uint32_t
monitor_count(const struct monitor *monitor)
{
	return monitor->target_count;
}

void
monitor_begin(struct monitor *monitor)
{
	monitor->round++;
	monitor->fresh_count = 0;
	ev_now_update(monitor->config.loop);
}

/* Room for a slot.  0 or -1. */
static int
make_room(struct monitor *monitor, uint32_t slot)
{
	uint32_t count = monitor->slot_count == 0 ? 64 : monitor->slot_count;
	struct target **bigger;

	while (count <= slot)
		count *= 2;
	if (count == monitor->slot_count)
		return 0;
	bigger = reallocarray(monitor->targets, count, sizeof(*bigger));
	if (bigger == NULL)
		return -1;
	memset(bigger + monitor->slot_count, 0,
	    (count - monitor->slot_count) * sizeof(*bigger));
	monitor->targets = bigger;
	monitor->slot_count = count;
	return 0;
}

static struct target *
add(struct monitor *monitor, const struct backend_copy *copy,
    const struct probe_spec *probe)
{
	struct target *target;

	if (make_room(monitor, copy->slot) == -1 ||
	    (target = target_new(copy, probe)) == NULL) {
		log_error("backend %" PRIu64 ": not watched: out of memory",
		    copy->spec.id);
		return NULL;
	}
	target->monitor = monitor;
	ev_init(&target->timer, on_timer);
	target->timer.data = target;
	monitor->targets[target->slot] = target;
	monitor->target_count++;
	verdict_restore(target, monitor->config.health);
	TAILQ_INSERT_TAIL(&monitor->fresh, target, link);
	monitor->fresh_count++;
	return target;
}

/* Its service asks for another probe now. */
static void
change_probe(struct target *target)
{
	if (target->spec.kind == PROBE_OFF) {
		leave_place(target);
		target->probe = (struct probe){ .state = PROBE_UNKNOWN };
		publish(target, "no probe");
		return;
	}
	rest(target, 0);
	target->is_urgent = false;
}

void
monitor_put(struct monitor *monitor, const struct backend_copy *copy,
    const struct probe_spec *probe)
{
	struct target *target = copy->slot < monitor->slot_count ?
		  monitor->targets[copy->slot] : NULL;

	if (target != NULL && !target_is(target, copy)) {
		if (target->round == monitor->round)
			return;		/* torn between two services: later */
		drop(target);
		target = NULL;
	}
	if (target == NULL) {
		if ((target = add(monitor, copy, probe)) != NULL)
			target->round = monitor->round;
		return;
	}
	if (target->round == monitor->round)
		return;
	target->round = monitor->round;
	if (target_set_probe(target, probe) == 1)
		change_probe(target);
}

/* A new target's first probe: at once, or spread when there are many; of
 * one whose verdict was known already, within its interval. */
static void
begin_watch(struct target *target)
{
	struct monitor *monitor = target->monitor;
	struct probe_spec spec =
	    target_effective_probe(target, monitor->settings);

	if (spec.kind == PROBE_OFF) {
		if (target->probe.state == PROBE_DOWN)
			rest(target, monitor->settings->http.suspect_ms);
		else
			forgive(target);
	} else if (target->probe.state == PROBE_UP) {
		rest(target, (int64_t)random_below(&monitor->random,
		    spec.interval_ms + 1));
	} else {
		rest(target, pace_first_ms(monitor->fresh_count,
		    spec.interval_ms, &monitor->random));
	}
}

void
monitor_end(struct monitor *monitor, bool is_whole)
{
	struct target *target;

	ev_now_update(monitor->config.loop);
	while ((target = TAILQ_FIRST(&monitor->fresh)) != NULL) {
		TAILQ_REMOVE(&monitor->fresh, target, link);
		begin_watch(target);
	}
	if (!is_whole)
		return;
	for (uint32_t i = 0; i < monitor->slot_count; i++)
		if (monitor->targets[i] != NULL &&
		    monitor->targets[i]->round != monitor->round)
			drop(monitor->targets[i]);
}

void
monitor_drop(struct monitor *monitor, uint32_t slot)
{
	if (slot < monitor->slot_count && monitor->targets[slot] != NULL)
		drop(monitor->targets[slot]);
}
