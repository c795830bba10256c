/*
 * tests/unit/store/test_pg_pause.c - pauses between tries to connect.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/compat.h"
#include "registryd/store/pg_pause.h"

static const struct {
	const char *sentence;
	uint32_t failures, least_ms, most_ms;
} cases[] = {
	{ "the first try again comes soon", 0, 50, 100 },
	{ "the pause doubles", 1, 100, 200 },
	{ "and doubles", 3, 400, 800 },
	{ "up to a bound", 6, 2000, 4000 },
	{ "that stays", 1000, 2000, 4000 },
	{ "however often", UINT32_MAX, 2000, 4000 },
};

static void
pauses_grow_and_are_spread(void **state)
{
	struct random_stream random = { 1 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint32_t least_ms = UINT32_MAX, most_ms = 0;

		for (int draw = 0; draw < 10000; draw++) {
			uint32_t pause_ms = pg_pause_ms(cases[i].failures,
			    &random);

			least_ms = pause_ms < least_ms ? pause_ms : least_ms;
			most_ms = pause_ms > most_ms ? pause_ms : most_ms;
		}
		if (least_ms < cases[i].least_ms || most_ms > cases[i].most_ms)
			fail_msg("%s: %u to %u ms", cases[i].sentence,
			    least_ms, most_ms);
		/* Nine tenths of what they may be. */
		if (most_ms - least_ms <
		    (cases[i].most_ms - cases[i].least_ms) / 10 * 9)
			fail_msg("%s: not spread", cases[i].sentence);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_and_are_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
