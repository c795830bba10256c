/*
 * worker/retry_budget.c - retries that run now, bounded by live requests.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/retry_budget.h"

#include "common/log.h"

bool
retry_budget_take(struct retry_budget *budget, uint64_t live_requests,
    uint32_t percent)
{
	uint64_t allowed = live_requests * percent / 100;

	if (percent == 0)
		return false;
	if (allowed < RETRY_BUDGET_FLOOR)
		allowed = RETRY_BUDGET_FLOOR;
	if (budget->running >= allowed)
		return false;
	budget->running++;
	return true;
}

void
retry_budget_give(struct retry_budget *budget)
{
	invariant(budget->running > 0);
	budget->running--;
}
