/*
 * healthd/breaker.c - one backend's circuit breaker.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/breaker.h"

#include <stdlib.h>

#include "common/clock.h"

#define ROUND_MASK 0xffffu

void
breaker_free(struct breaker *breaker)
{
	free(breaker->times_ns);
	breaker->times_ns = NULL;
	breaker->time_count = breaker->time_next = 0;
}

static void
forget_failures(struct breaker *breaker)
{
	breaker->failures = 0;
	breaker_free(breaker);
}

bool
breaker_open(struct breaker *breaker, enum breaker_cause cause)
{
	bool is_changed = breaker->state != BREAKER_OPEN ||
	    breaker->cause != cause;

	breaker->state = BREAKER_OPEN;
	breaker->cause = cause;
	return is_changed;
}

void
breaker_next_round(struct breaker *breaker)
{
	breaker->round = (breaker->round + 1) & ROUND_MASK;
	breaker->successes = 0;
}

bool
breaker_half_open(struct breaker *breaker)
{
	if (breaker->state != BREAKER_OPEN)
		return false;
	breaker->state = BREAKER_HALF_OPEN;
	breaker_next_round(breaker);
	return true;
}

bool
breaker_close(struct breaker *breaker)
{
	bool is_changed = breaker->state != BREAKER_CLOSED;

	breaker->state = BREAKER_CLOSED;
	breaker->cause = BREAKER_BY_NONE;
	breaker->successes = 0;
	forget_failures(breaker);
	return is_changed;
}

bool
breaker_respec(struct breaker *breaker, const struct breaker_spec *spec)
{
	forget_failures(breaker);
	if (spec->threshold > 0 || breaker->cause == BREAKER_BY_ORDER)
		return false;
	return breaker_close(breaker);
}

/* How many failures of the window there are, this one too. */
static uint32_t
count_in_window(struct breaker *breaker, const struct breaker_spec *spec,
    int64_t at_ns)
{
	int64_t since_ns = at_ns - (int64_t)spec->window_ms * NS_PER_MS;
	uint32_t count = 0;

	if (breaker->times_ns == NULL) {
		breaker->times_ns = calloc(spec->threshold,
		    sizeof(*breaker->times_ns));
		if (breaker->times_ns == NULL)
			return breaker->failures + 1;
	}
	breaker->times_ns[breaker->time_next] = at_ns;
	breaker->time_next = (breaker->time_next + 1) % spec->threshold;
	if (breaker->time_count < spec->threshold)
		breaker->time_count++;
	for (uint32_t i = 0; i < breaker->time_count; i++)
		count += breaker->times_ns[i] >= since_ns;
	return count;
}

static bool
note_closed(struct breaker *breaker, const struct breaker_spec *spec,
    const struct failure *failure)
{
	if (spec->threshold == 0 || failure->kind == FAILURE_NONE)
		return false;
	if (spec->window_ms > 0) {
		breaker->failures = count_in_window(breaker, spec,
		    failure->at_ns);
	} else {
		if (failure->success_count > breaker->success_mark)
			breaker->failures = 0;
		breaker->failures++;
	}
	if (failure->success_count > breaker->success_mark)
		breaker->success_mark = failure->success_count;
	if (breaker->failures < spec->threshold)
		return false;
	return breaker_open(breaker, BREAKER_BY_FAILURES);
}

static bool
note_half_open(struct breaker *breaker, const struct breaker_spec *spec,
    const struct failure *failure)
{
	uint32_t wanted = spec->half_open_requests;

	if (!failure->is_trial || failure->trial_round != breaker->round)
		return false;
	if (failure->kind != FAILURE_NONE)
		return breaker_open(breaker, BREAKER_BY_FAILURES);
	if (++breaker->successes < (wanted > 0 ? wanted : 1))
		return false;
	return breaker_close(breaker);
}

bool
breaker_note(struct breaker *breaker, const struct breaker_spec *spec,
    const struct failure *failure)
{
	switch (breaker->state) {
	case BREAKER_CLOSED:
		return note_closed(breaker, spec, failure);
	case BREAKER_OPEN:
		return false;
	case BREAKER_HALF_OPEN:
		return note_half_open(breaker, spec, failure);
	}
	return false;
}

uint32_t
breaker_flags(const struct breaker *breaker)
{
	switch (breaker->state) {
	case BREAKER_CLOSED:
		break;
	case BREAKER_OPEN:
		return HEALTH_BREAKER;
	case BREAKER_HALF_OPEN:
		return HEALTH_HALF_OPEN;
	}
	return 0;
}
