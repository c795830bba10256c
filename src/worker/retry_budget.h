/*
 * worker/retry_budget.h - retries that run now, bounded by live requests.
 *
 * When much fails at once, retrying all of it would double the load of
 * what still stands.  So at most a share of the requests in flight, and
 * always a few, may be on a second try at a time.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_RETRY_BUDGET_H
#define WORKER_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* So many may run however few requests are live; unless percent is 0,
 * which forbids all. */
#define RETRY_BUDGET_FLOOR 20

struct retry_budget {
	uint32_t running;
};

/* Takes one retry; false: the budget is spent. */
bool retry_budget_take(struct retry_budget *, uint64_t live_requests,
    uint32_t percent);

/* The retry that was taken has ended, however it went. */
void retry_budget_give(struct retry_budget *);

#endif
