/*
 * healthd/monitor.c - the backends under watch, as the table has them.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/monitor.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "daemon/resolver.h"
#include "healthd/monitor_parts.h"
#include "healthd/pace.h"
#include "healthd/verdict.h"

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

	places_leave(target);
	ev_timer_stop(monitor->config.loop, &target->breaker_timer);
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
    const struct service_spec *service)
{
	struct target *target;

	if (make_room(monitor, copy->slot) == -1 ||
	    (target = target_new(copy, &service->probe)) == NULL) {
		log_error("backend %" PRIu64 ": not watched: out of memory",
		    copy->spec.id);
		return NULL;
	}
	target->monitor = monitor;
	ev_init(&target->timer, verdicts_on_timer);
	ev_init(&target->breaker_timer, breakers_on_timer);
	target->timer.data = target->breaker_timer.data = target;
	target->breaker_spec = service->breaker;
	monitor->targets[target->slot] = target;
	monitor->target_count++;
	verdict_restore(target, monitor->config.health);
	breakers_restore(target);
	TAILQ_INSERT_TAIL(&monitor->fresh, target, link);
	monitor->fresh_count++;
	return target;
}

/* Its service asks for another probe now. */
static void
change_probe(struct target *target)
{
	if (target->spec.kind == PROBE_OFF) {
		places_leave(target);
		target->probe = (struct probe){ .state = PROBE_UNKNOWN };
		verdicts_publish(target, "no probe");
		return;
	}
	places_rest(target, 0);
	target->is_urgent = false;
}

void
monitor_put(struct monitor *monitor, const struct backend_copy *copy,
    const struct service_spec *service)
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
		if ((target = add(monitor, copy, service)) != NULL)
			target->round = monitor->round;
		return;
	}
	if (target->round == monitor->round)
		return;
	target->round = monitor->round;
	breakers_respec(target, &service->breaker);
	if (target_set_probe(target, &service->probe) == 1)
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
			places_rest(target, monitor->settings->http.suspect_ms);
		else
			verdicts_forgive(target);
	} else if (target->probe.state == PROBE_UP) {
		places_rest(target, (int64_t)random_below(&monitor->random,
		    spec.interval_ms + 1));
	} else {
		places_rest(target, pace_first_ms(monitor->fresh_count,
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
