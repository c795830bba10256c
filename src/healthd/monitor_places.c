/*
 * healthd/monitor_places.c - targets that rest, wait, and are probed.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/resolver.h"
#include "healthd/monitor_parts.h"

static void begin_probe(struct target *);
static bool try_next_address(struct target *);
static attempt_done_fn on_outcome;
static resolver_fn on_resolved;

void
places_leave(struct target *target)
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

void
places_rest(struct target *target, int64_t span_ms)
{
	places_leave(target);
	ev_timer_set(&target->timer,
	    span_ms <= 0 ? 0.0 : (double)span_ms / 1000.0, 0.0);
	ev_timer_start(target->monitor->config.loop, &target->timer);
}

/* Those out of turn come first. */
void
places_fill(struct monitor *monitor)
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

void
places_queue(struct target *target, bool is_urgent)
{
	struct monitor *monitor = target->monitor;

	places_leave(target);
	target->is_urgent = is_urgent;
	target->place = TARGET_QUEUED;
	if (is_urgent)
		TAILQ_INSERT_TAIL(&monitor->urgent, target, link);
	else
		TAILQ_INSERT_TAIL(&monitor->regular, target, link);
}

/* Probing -------------------------------------------------------------- */

static void
on_outcome(void *context, const struct attempt_outcome *outcome)
{
	struct target *target = context;

	target->attempt = NULL;		/* freed behind this call */
	if (target->name != NULL && !outcome->is_connected &&
	    outcome->is_judged && try_next_address(target))
		return;
	verdicts_conclude(target, outcome);
}

static void
fail_probe(struct target *target, bool is_judged, int error,
    const char *what, const char *why)
{
	struct attempt_outcome outcome = {
		.is_judged = is_judged,
		.error = error,
	};

	snprintf(outcome.reason, sizeof(outcome.reason), "%s: %s", what, why);
	verdicts_conclude(target, &outcome);
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

static int64_t
probe_age_ms(const struct target *target)
{
	return instant_diff_ms(clock_now(), target->started);
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
	if (target->tried_count > 1)
		request.timeout_ms -= probe_age_ms(target);
	if (request.timeout_ms < 1)
		request.timeout_ms = 1;
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
	address = answer->addresses[target->next_address % answer->count];
	target->tried_count++;
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

/* Could not connect to one address of the name: workers would try the
 * next one, and so does a probe, while it has time. */
static bool
try_next_address(struct target *target)
{
	const struct resolver_answer *answer = resolver_answer(target->name);
	struct probe_spec spec =
	    target_effective_probe(target, target->monitor->settings);

	target->next_address++;
	if (target->tried_count >= answer->count ||
	    probe_age_ms(target) >= spec.timeout_ms)
		return false;
	on_resolved(target, answer);
	return true;
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

	places_leave(target);
	target->monitor->probe_count++;
	target->is_urgent = is_urgent;
	target->started = clock_now();
	target->tried_count = 0;
	if (target->address_len == 0) {
		resolve(target);
		return;
	}
	start_attempt(target, &target->address, target->address_len);
}
