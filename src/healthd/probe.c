/*
 * healthd/probe.c - from answers to a verdict: the state machine.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/probe.h"

static void
count_outcome(struct probe *probe, bool answered)
{
	if (probe->answered != answered || probe->streak == UINT32_MAX)
		probe->streak = 0;
	probe->streak++;
	probe->answered = answered;
}

enum probe_state
probe_step(struct probe *probe, const struct probe_policy *policy,
    bool answered)
{
	count_outcome(probe, answered);

	switch (probe->state) {		/* no default: -Wswitch guards it */
	case PROBE_UNKNOWN:
		probe->state = answered ? PROBE_UP : PROBE_DOWN;
		break;
	case PROBE_UP:
		if (!answered && probe->streak >= policy->fall)
			probe->state = PROBE_DOWN;
		break;
	case PROBE_DOWN:
		if (answered && probe->streak >= policy->rise)
			probe->state = PROBE_UP;
		break;
	}
	return probe->state;
}

enum probe_state
probe_confirm_failure(struct probe *probe)
{
	count_outcome(probe, false);
	probe->state = PROBE_DOWN;
	return probe->state;
}
