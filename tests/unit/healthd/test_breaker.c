/*
 * tests/unit/healthd/test_breaker.c - a breaker follows its table.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "healthd/breaker.h"

/*
 * A letter an event: f a failure, s a good answer somewhere (no event of
 * the ring: the next failure's count shows it), w a window passes, o the
 * open time is over, T a trial that fails, t one that goes well, x the
 * trial of an earlier round, X ordered open, R reset.
 */
static const struct {
	const char *sentence, *events;
	struct breaker_spec spec;
	enum breaker_state want;
} cases[] = {
	{ "fewer failures than the threshold change nothing", "ff",
	  { .threshold = 3 }, BREAKER_CLOSED },
	{ "the threshold opens it", "fff", { .threshold = 3 }, BREAKER_OPEN },
	{ "a good answer begins the count anew", "ffsff", { .threshold = 3 },
	  BREAKER_CLOSED },
	{ "and then the threshold is whole again", "ffsfff",
	  { .threshold = 3 }, BREAKER_OPEN },
	{ "without a threshold there is no breaker", "ffffffff",
	  { .threshold = 0 }, BREAKER_CLOSED },
	{ "within a window good answers do not matter", "fsfsf",
	  { .threshold = 3, .window_ms = 1000 }, BREAKER_OPEN },
	{ "behind a window failures are forgotten", "ffwff",
	  { .threshold = 3, .window_ms = 1000 }, BREAKER_CLOSED },
	{ "its time over, it is half-open", "fo", { .threshold = 1 },
	  BREAKER_HALF_OPEN },
	{ "one trial that fails opens it", "foT",
	  { .threshold = 1, .half_open_requests = 3 }, BREAKER_OPEN },
	{ "some that go well do not close it", "fott",
	  { .threshold = 1, .half_open_requests = 3 }, BREAKER_HALF_OPEN },
	{ "all of them do", "fottt",
	  { .threshold = 1, .half_open_requests = 3 }, BREAKER_CLOSED },
	{ "a failure that was no trial is late news", "fof",
	  { .threshold = 1 }, BREAKER_HALF_OPEN },
	{ "so is a trial of an earlier round", "foTox", { .threshold = 1 },
	  BREAKER_HALF_OPEN },
	{ "good trials of an earlier round do not count", "fotTott",
	  { .threshold = 1, .half_open_requests = 3 }, BREAKER_HALF_OPEN },
	{ "an order opens it without a threshold", "X", { .threshold = 0 },
	  BREAKER_OPEN },
	{ "a reset closes it", "fffR", { .threshold = 3 }, BREAKER_CLOSED },
	{ "and the count is 0", "ffRff", { .threshold = 3 },
	  BREAKER_CLOSED },
};

static void
apply(struct breaker *breaker, const struct breaker_spec *spec, char event,
    struct failure *failure)
{
	failure->kind = FAILURE_STATUS;
	failure->is_trial = false;
	failure->trial_round = (uint16_t)breaker->round;
	switch (event) {
	case 's':
		failure->success_count++;
		return;
	case 'w':
		failure->at_ns += (spec->window_ms + 1) * NS_PER_MS;
		return;
	case 'o':
		assert_true(breaker_half_open(breaker));
		return;
	case 'X':
		assert_true(breaker_open(breaker, BREAKER_BY_ORDER));
		return;
	case 'R':
		(void)breaker_close(breaker);
		return;
	case 't':
		failure->kind = FAILURE_NONE;
		failure->is_trial = true;
		break;
	case 'T':
		failure->is_trial = true;
		break;
	case 'x':
		failure->is_trial = true;
		failure->trial_round--;
		break;
	default:
		break;
	}
	failure->at_ns++;
	(void)breaker_note(breaker, spec, failure);
}

static void
a_breaker_follows_its_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct breaker breaker = { .state = BREAKER_CLOSED };
		struct failure failure = { .at_ns = 5 * NS_PER_S,
			.success_count = 7 };

		for (const char *e = cases[i].events; *e != '\0'; e++)
			apply(&breaker, &cases[i].spec, *e, &failure);
		if (breaker.state != cases[i].want)
			fail_msg("%s", cases[i].sentence);
		breaker_free(&breaker);
	}
}

static void
a_service_without_breaker_closes_it_unless_ordered(void **state)
{
	const struct breaker_spec none = { .threshold = 0 };
	struct breaker breaker = { .state = BREAKER_CLOSED };

	(void)state;
	(void)breaker_open(&breaker, BREAKER_BY_FAILURES);
	assert_true(breaker_respec(&breaker, &none));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	(void)breaker_open(&breaker, BREAKER_BY_ORDER);
	assert_false(breaker_respec(&breaker, &none));
	assert_int_equal(breaker_flags(&breaker), HEALTH_BREAKER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_breaker_follows_its_table),
		cmocka_unit_test(
		    a_service_without_breaker_closes_it_unless_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
