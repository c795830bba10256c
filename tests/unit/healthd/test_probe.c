/*
 * tests/unit/healthd/test_probe.c - from answers to a verdict.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/compat.h"
#include "healthd/pace.h"
#include "healthd/probe.h"

static const struct {
	const char *sentence, *answers;	/* '+' answered, '-' missed, 'f' missed
					 * when a worker saw a failure */
	enum probe_state want;
} cases[] = {
	{ "without an answer nothing is known",	    "",	      PROBE_UNKNOWN },
	{ "a first answer is believed at once",	    "+",      PROBE_UP },
	{ "a first miss is believed at once",	    "-",      PROBE_DOWN },
	{ "fewer misses than fall change nothing",  "+--",    PROBE_UP },
	{ "fall misses in a row take it down",	    "+---",   PROBE_DOWN },
	{ "an answer restarts the count",	    "+--+--", PROBE_UP },
	{ "fewer answers than rise change nothing", "-+",     PROBE_DOWN },
	{ "rise answers in a row bring it back",    "-++",    PROBE_UP },
	{ "a miss restarts the count of answers",   "-+-+",   PROBE_DOWN },
	{ "a failure that a probe confirms is enough", "+++f", PROBE_DOWN },
	{ "after it rise answers are needed",	    "+f+",    PROBE_DOWN },
	{ "and rise answers suffice",		    "+f++",   PROBE_UP },
};

static void
probe_follows_its_table(void **state)
{
	const struct probe_policy policy = { .rise = 2, .fall = 3 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct probe probe = { .state = PROBE_UNKNOWN };

		for (const char *a = cases[i].answers; *a != '\0'; a++) {
			if (*a == 'f')
				probe_confirm_failure(&probe);
			else
				probe_step(&probe, &policy, *a == '+');
		}
		if (probe.state != cases[i].want)
			fail_msg("%s", cases[i].sentence);
	}
}

static void
streak_counts_equal_outcomes(void **state)
{
	const struct probe_policy policy = { .rise = 2, .fall = 3 };
	struct probe probe = { .state = PROBE_UNKNOWN };

	(void)state;
	probe_step(&probe, &policy, false);
	assert_int_equal(probe.streak, 1);
	probe_step(&probe, &policy, true);
	probe_step(&probe, &policy, true);
	assert_int_equal(probe.streak, 2);
	probe_confirm_failure(&probe);
	assert_int_equal(probe.streak, 1);
}

static const struct {
	const char *sentence;
	enum probe_state state;
	int64_t interval_ms, least_ms, most_ms;
} paces[] = {
	{ "an interval is kept within a tenth", PROBE_UP, 5000, 4500, 5500 },
	{ "also of one that is unproven", PROBE_UNKNOWN, 5000, 4500, 5500 },
	{ "one that is down is asked each second", PROBE_DOWN, 5000, 900,
	  1100 },
	{ "or sooner when its interval is shorter", PROBE_DOWN, 100, 90, 110 },
	{ "the shortest interval has no jitter", PROBE_UP, 1, 1, 1 },
	{ "the longest one fits", PROBE_UP, INT64_C(86400000), 77760000,
	  95040000 },
};

static void
pace_stays_within_its_jitter(void **state)
{
	struct random_stream random = { 7 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paces); i++) {
		int64_t least = INT64_MAX, most = 0;

		for (int round = 0; round < 2000; round++) {
			int64_t pause = pace_next_ms(paces[i].state,
			    paces[i].interval_ms, &random);

			least = pause < least ? pause : least;
			most = pause > most ? pause : most;
		}
		if (least < paces[i].least_ms || most > paces[i].most_ms)
			fail_msg("%s", paces[i].sentence);
		/* And they do not march in step. */
		if (paces[i].most_ms - paces[i].least_ms > 10 &&
		    most - least < (paces[i].most_ms - paces[i].least_ms) / 2)
			fail_msg("%s: no jitter", paces[i].sentence);
	}
}

static void
first_probes_come_at_once_or_spread(void **state)
{
	struct random_stream random = { 7 };

	(void)state;
	for (int round = 0; round < 1000; round++) {
		assert_int_equal(pace_first_ms(PACE_BURST, 5000, &random), 0);
		assert_in_range(pace_first_ms(3000, 5000, &random), 0, 3000);
		assert_in_range(pace_first_ms(100000, 5000, &random), 0, 5000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_follows_its_table),
		cmocka_unit_test(streak_counts_equal_outcomes),
		cmocka_unit_test(pace_stays_within_its_jitter),
		cmocka_unit_test(first_probes_come_at_once_or_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
