/*
 * tests/unit/worker/test_retry_budget.c - how much may be tried again.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/compat.h"
#include "worker/retry_budget.h"

static const struct {
	const char *sentence;
	uint64_t live;
	uint32_t percent, want;
} cases[] = {
	{ "a quiet worker has its floor", 1, 10, RETRY_BUDGET_FLOOR },
	{ "no live request: the floor", 0, 10, RETRY_BUDGET_FLOOR },
	{ "a busy one its share", 1000, 10, 100 },
	{ "shares round down", 1009, 10, 100 },
	{ "all of it at 100 percent", 500, 100, 500 },
	{ "none at 0 percent, floor or not", 1000, 0, 0 },
};

static void
as_many_run_as_the_share_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct retry_budget budget = { 0 };
		uint32_t taken = 0;

		while (taken <= cases[i].want && retry_budget_take(&budget,
		    cases[i].live, cases[i].percent))
			taken++;
		if (taken != cases[i].want)
			fail_msg("%s: %u", cases[i].sentence, taken);
	}
}

static void
one_that_ends_makes_room_for_one(void **state)
{
	struct retry_budget budget = { 0 };

	(void)state;
	for (int i = 0; i < RETRY_BUDGET_FLOOR; i++)
		assert_true(retry_budget_take(&budget, 1, 10));
	assert_false(retry_budget_take(&budget, 1, 10));
	retry_budget_give(&budget);
	assert_true(retry_budget_take(&budget, 1, 10));
	assert_false(retry_budget_take(&budget, 1, 10));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_run_as_the_share_says),
		cmocka_unit_test(one_that_ends_makes_room_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
