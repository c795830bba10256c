/*
 * healthd/verdict.c - a target's verdict, in shared memory and in the log.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"

#define VERDICT_FLAGS (HEALTH_UP | HEALTH_DOWN)

#define PUT(field, value)                                                      \
	atomic_store_explicit(&(field), (value), memory_order_relaxed)
#define GET(field)	 atomic_load_explicit(&(field), memory_order_relaxed)
#define COUNT_UP(field) PUT(field, GET(field) + 1)

static uint32_t
flags_of(enum probe_state state)
{
	switch (state) {
	case PROBE_UNKNOWN:
		break;
	case PROBE_UP:
		return HEALTH_UP;
	case PROBE_DOWN:
		return HEALTH_DOWN;
	}
	return 0;
}

/* The record of a slot that has another tenant now begins anew. */
static void
reset_detail(struct health_detail *detail, uint64_t id)
{
	PUT(detail->backend_id, 0);
	PUT(detail->changed_wall_ms, 0);
	PUT(detail->probed_wall_ms, 0);
	PUT(detail->probe_ms, 0);
	PUT(detail->probe_status, 0);
	PUT(detail->probe_errno, 0);
	PUT(detail->streak, 0);
	PUT(detail->probe_count, 0);
	PUT(detail->probe_failed_count, 0);
	PUT(detail->passive_count, 0);
	PUT(detail->breaker_state, BREAKER_CLOSED);
	PUT(detail->breaker_cause, 0);
	PUT(detail->failures, 0);
	PUT(detail->successes, 0);
	PUT(detail->success_mark, 0);
	PUT(detail->failed_wall_ms, 0);
	PUT(detail->next_attempt_wall_ms, 0);
	PUT(detail->opened_count, 0);
	PUT(detail->backend_id, id);
}

void
verdict_restore(struct target *target, struct health_map *health)
{
	struct health_detail *detail =
	    health_detail_writable(health, target->slot);
	uint32_t flags = health_get(health, target->slot, target->generation);

	if (detail != NULL && GET(detail->backend_id) != target->id)
		reset_detail(detail, target->id);
	target->probe.state = PROBE_UNKNOWN;
	if ((flags & HEALTH_UP) != 0)
		target->probe.state = PROBE_UP;
	else if ((flags & HEALTH_DOWN) != 0)
		target->probe.state = PROBE_DOWN;
	if (detail == NULL || target->probe.state == PROBE_UNKNOWN)
		return;
	target->probe.streak = GET(detail->streak);
	target->probe.answered = GET(detail->probe_errno) == 0;
}

void
verdict_record(const struct target *target, struct health_map *health,
    const struct attempt_outcome *outcome, int64_t took_ms)
{
	struct health_detail *detail =
	    health_detail_writable(health, target->slot);
	int error = outcome->error;

	if (detail == NULL)
		return;
	if (!outcome->is_answered && error == 0)
		error = EBADMSG;	/* a status that does not count */
	PUT(detail->probed_wall_ms, clock_wall_ms());
	PUT(detail->probe_ms, (uint32_t)took_ms);
	PUT(detail->probe_status, outcome->status);
	PUT(detail->probe_errno, (uint32_t)error);
	PUT(detail->streak, target->probe.streak);
	COUNT_UP(detail->probe_count);
	if (!outcome->is_answered)
		COUNT_UP(detail->probe_failed_count);
}

void
verdict_count_passive(const struct target *target, struct health_map *health)
{
	struct health_detail *detail =
	    health_detail_writable(health, target->slot);

	if (detail != NULL)
		COUNT_UP(detail->passive_count);
}

/* That one is found up as it appears is no news of a day. */
static void
log_change(const struct target *target, uint32_t before, const char *reason)
{
	bool is_first = (before & VERDICT_FLAGS) == 0;
	const char *name = "unproven";
	enum log_level level = LOG_LEVEL_NOTICE;

	if (target->probe.state == PROBE_DOWN) {
		name = "down";
	} else if (target->probe.state == PROBE_UP) {
		name = "up";
		level = is_first ? LOG_LEVEL_INFO : LOG_LEVEL_NOTICE;
	}
	log_write(level, "backend %" PRIu64 ": %s%s%s", target->id, name,
	    *reason == '\0' ? "" : ": ", reason);
}

bool
verdict_publish(const struct target *target, struct health_map *health,
    const char *reason, struct health_changed *changed_r)
{
	struct health_detail *detail;
	uint32_t before = health_get(health, target->slot, target->generation);
	uint32_t after =
	    (before & ~(uint32_t)VERDICT_FLAGS) | flags_of(target->probe.state);

	if (before == after)
		return false;
	if (health_put(health, target->slot, target->generation, after) == -1) {
		log_error("backend %" PRIu64 ": health word: %m", target->id);
		return false;
	}
	*changed_r = (struct health_changed){
		.backend_id = target->id,
		.flags_before = before,
		.flags_after = after,
		.at_wall_ms = clock_wall_ms(),
	};
	snprintf(changed_r->reason, sizeof(changed_r->reason), "%s", reason);
	detail = health_detail_writable(health, target->slot);
	if (detail != NULL)
		PUT(detail->changed_wall_ms, changed_r->at_wall_ms);
	log_change(target, before, reason);
	return true;
}
