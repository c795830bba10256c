/*
 * tests/unit/worker/test_wheel.c - deadlines: never early, at most late
 * by a tick, whatever was moved in between.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/compat.h"
#include "worker/wheel.h"

struct probe {
	struct wheel_timer timer;
	int fired;
	struct wheel *wheel;		/* to set again, or remove others */
	struct probe *victim;
};

static const struct instant start = { INT64_C(1234567890123) };

static struct instant
after(int64_t ms)
{
	return instant_after_ms(start, ms);
}

static void
on_fire(struct wheel_timer *timer)
{
	CONTAINER_OF(timer, struct probe, timer)->fired++;
}

static void
set(struct wheel *wheel, struct probe *probe, int64_t now_ms,
    int64_t deadline_ms)
{
	wheel_set(wheel, &probe->timer, after(now_ms), after(deadline_ms));
}

/* Turns the wheel tick by tick; returns when the probe fired, or -1. */
static int64_t
fired_at(struct wheel *wheel, struct probe *probe, int64_t from_ms,
    int64_t to_ms)
{
	int before = probe->fired;

	for (int64_t ms = from_ms; ms <= to_ms; ms += WHEEL_TICK_MS) {
		wheel_advance(wheel, after(ms));
		if (probe->fired > before)
			return ms;
	}
	return -1;
}

static void
a_deadline_is_never_early_and_late_by_a_tick_at_most(void **state)
{
	static const int64_t spans[] = { 0, 1, 99, 100, 101, 5000, 51100,
		51200, 51300, 75000, 3600000 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(spans); i++) {
		struct probe probe = { 0 };
		struct wheel wheel;
		int64_t at;

		wheel_init(&wheel, start);
		wheel_timer_init(&probe.timer, on_fire);
		set(&wheel, &probe, 0, spans[i]);
		at = fired_at(&wheel, &probe, 0, spans[i] + 1000);
		assert_true(at >= spans[i]);
		assert_true(at <= spans[i] + 2 * WHEEL_TICK_MS);
		assert_int_equal(wheel.count, 0);
	}
}

static void
a_deadline_that_moves_back_is_kept(void **state)
{
	struct probe probe = { 0 };
	struct wheel wheel;
	int64_t at;

	(void)state;
	wheel_init(&wheel, start);
	wheel_timer_init(&probe.timer, on_fire);
	set(&wheel, &probe, 0, 1000);
	for (int64_t ms = 0; ms < 10000; ms += 500) {
		wheel_advance(&wheel, after(ms));
		set(&wheel, &probe, ms, ms + 1000);
	}
	assert_int_equal(probe.fired, 0);
	at = fired_at(&wheel, &probe, 9500, 20000);
	assert_in_range(at, 10500, 10700);
	assert_int_equal(probe.fired, 1);
}

static void
a_deadline_that_moves_forward_is_kept(void **state)
{
	struct probe probe = { 0 };
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel, start);
	wheel_timer_init(&probe.timer, on_fire);
	set(&wheel, &probe, 0, 75000);
	set(&wheel, &probe, 0, 1000);
	assert_in_range(fired_at(&wheel, &probe, 0, 80000), 1000, 1200);
}

static void
a_disarmed_timer_does_not_fire_and_can_be_armed_again(void **state)
{
	struct probe probe = { 0 };
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel, start);
	wheel_timer_init(&probe.timer, on_fire);
	set(&wheel, &probe, 0, 1000);
	wheel_disarm(&probe.timer);
	assert_int_equal(fired_at(&wheel, &probe, 0, 3000), -1);
	assert_int_equal(wheel.count, 0);
	set(&wheel, &probe, 3000, 4000);
	assert_in_range(fired_at(&wheel, &probe, 3000, 6000), 4000, 4200);
}

static void
fire_and_remove(struct wheel_timer *timer)
{
	struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

	probe->fired++;
	wheel_remove(probe->wheel, &probe->victim->timer);
}

static void
a_callback_may_remove_its_neighbour(void **state)
{
	struct probe first = { 0 }, second = { 0 };
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel, start);
	first.wheel = second.wheel = &wheel;
	first.victim = &second;
	second.victim = &first;
	wheel_timer_init(&first.timer, fire_and_remove);
	wheel_timer_init(&second.timer, fire_and_remove);
	set(&wheel, &first, 0, 500);
	set(&wheel, &second, 0, 500);
	wheel_advance(&wheel, after(2000));
	assert_int_equal(first.fired + second.fired, 1);
	assert_int_equal(wheel.count, 0);
}

static void
fire_and_set(struct wheel_timer *timer)
{
	struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

	if (++probe->fired < 3)
		wheel_set(probe->wheel, timer, after(0), after(0));
}

static void
a_callback_may_set_itself_to_a_time_past(void **state)
{
	struct probe probe = { 0 };
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel, start);
	probe.wheel = &wheel;
	wheel_timer_init(&probe.timer, fire_and_set);
	set(&wheel, &probe, 0, 100);
	wheel_advance(&wheel, after(5000));
	assert_int_equal(probe.fired, 3);
}

static void
a_long_pause_loses_no_timer(void **state)
{
	struct probe probes[WHEEL_SLOTS] = { 0 };
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel, start);
	for (int i = 0; i < WHEEL_SLOTS; i++) {
		wheel_timer_init(&probes[i].timer, on_fire);
		set(&wheel, &probes[i], 0, i * WHEEL_TICK_MS);
	}
	wheel_advance(&wheel, after(INT64_C(100000000)));
	for (int i = 0; i < WHEEL_SLOTS; i++)
		assert_int_equal(probes[i].fired, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_deadline_is_never_early_and_late_by_a_tick_at_most),
		cmocka_unit_test(a_deadline_that_moves_back_is_kept),
		cmocka_unit_test(a_deadline_that_moves_forward_is_kept),
		cmocka_unit_test(
		    a_disarmed_timer_does_not_fire_and_can_be_armed_again),
		cmocka_unit_test(a_callback_may_remove_its_neighbour),
		cmocka_unit_test(a_callback_may_set_itself_to_a_time_past),
		cmocka_unit_test(a_long_pause_loses_no_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
