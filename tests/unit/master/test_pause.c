/*
 * tests/unit/master/test_pause.c - how long a role that died stays dead.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/compat.h"
#include "master/pause.h"

static const struct {
	const char *sentence;
	int64_t lives_ms[12];		/* 0 ends the list */
	int64_t want_ms;		/* after the last */
} cases[] = {
	{ "the first restart is at once", { 5 }, 0 },
	{ "the second waits a little", { 5, 5 }, 100 },
	{ "the third waits twice as long", { 5, 5, 5 }, 200 },
	{ "and so on", { 5, 5, 5, 5, 5 }, 800 },
	{ "but never over the longest",
	    { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 }, 2000 },
	{ "just under half a minute of life forgives nothing", { 5, 29999 },
	    100 },
	{ "half a minute of life forgives it all", { 5, 5, 5, 30000 }, 0 },
	{ "and the count starts again", { 5, 5, 5, 30000, 5 }, 100 },
};

static void
pauses_grow_until_forgiven(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pause pause = { 0 };
		int64_t pause_ms = -1;

		for (size_t k = 0; cases[i].lives_ms[k] != 0; k++)
			pause_ms = pause_after_death(&pause,
			    cases[i].lives_ms[k]);
		if (pause_ms != cases[i].want_ms)
			fail_msg("%s: %lld ms", cases[i].sentence,
			    (long long)pause_ms);
	}
}

static void
a_thousand_deaths_stay_at_the_longest(void **state)
{
	struct pause pause = { 0 };
	int64_t pause_ms = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		pause_ms = pause_after_death(&pause, 1);
	assert_int_equal(pause_ms, PAUSE_LONGEST_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_until_forgiven),
		cmocka_unit_test(a_thousand_deaths_stay_at_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
