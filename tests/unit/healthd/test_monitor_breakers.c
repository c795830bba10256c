/*
 * tests/unit/healthd/test_monitor_breakers.c - breakers that open, are tried
 * and outlive their healthd.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/log.h"
#include "healthd/monitor_parts.h"
#include "world.h"

#define HOUR_MS 3600000

#define DETAIL(ward, field)                                                    \
	atomic_load(&health_detail((ward)->world.health, (ward)->slot)->field)

/* A world with one backend. */
struct ward {
	struct world world;
	struct service_spec service;
	uint32_t slot, generation;
	uint64_t success_count;		/* good answers so far */
};

/* Tells the monitor of the backend, as of a table that was read. */
static void
tell(struct ward *ward)
{
	struct backend_copy copy;
	struct arena arena;

	arena_init(&arena, 65536);
	assert_int_equal(route_table_read_backend(ward->world.table,
	    ward->slot, &arena, &copy), TABLE_FOUND);
	monitor_begin(ward->world.monitor);
	monitor_put(ward->world.monitor, &copy, &ward->service);
	monitor_end(ward->world.monitor, false);
	arena_free(&arena);
}

static void
open_ward(struct ward *ward, const struct probe_spec *probe,
    const struct breaker_spec *breaker, uint16_t port)
{
	const struct backend_spec backend = {
		.host = BYTES_LITERAL("127.0.0.1"),
		.port = port,
	};

	*ward = (struct ward){ .service = { .probe = *probe,
	    .breaker = *breaker } };
	world_open(&ward->world);
	world_add_service(&ward->world, probe, &backend, 1, &ward->slot);
	ward->generation = world_generation(&ward->world, ward->slot);
	tell(ward);
}

static void
open_unprobed(struct ward *ward, struct breaker_spec breaker)
{
	static const struct probe_spec none = { .kind = PROBE_OFF };

	open_ward(ward, &none, &breaker, 1);
}

static void
close_ward(struct ward *ward)
{
	world_close(&ward->world);
}

/* Another healthd goes on where this one ended. */
static void
restart(struct ward *ward)
{
	world_restart_monitor(&ward->world);
	tell(ward);
}

static void
note(struct ward *ward, struct failure failure)
{
	failure.backend = ward->slot;
	failure.generation = ward->generation;
	failure.success_count = ward->success_count;
	failure.at_ns = clock_now().ns;
	monitor_note_failure(ward->world.monitor, &failure);
}

static void
fail_requests(struct ward *ward, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		note(ward, (struct failure){ .kind = FAILURE_TIMEOUT });
}

static void
try(struct ward *ward, enum failure_kind kind, uint16_t round)
{
	note(ward, (struct failure){ .kind = kind, .is_trial = true,
	    .trial_round = round });
}

static int
order(struct ward *ward, enum breaker_action action)
{
	return monitor_order_breaker(ward->world.monitor,
	    &(struct health_breaker_order){ .slot = ward->slot,
		.generation = ward->generation, .action = action });
}

static uint32_t
flags_of(struct ward *ward)
{
	return world_flags(&ward->world, ward->slot);
}

static uint32_t
round_of(struct ward *ward)
{
	return health_round(ward->world.health, ward->slot, ward->generation);
}

static struct target *
target_of(const struct ward *ward)
{
	return ward->world.monitor->targets[ward->slot];
}

/* The backend listens there from now on. */
static void
move(struct ward *ward, uint16_t port)
{
	struct target *target = target_of(ward);
	struct sockaddr_in *address =
	    (struct sockaddr_in *)(void *)&target->address;

	address->sin_port = htons(port);
}

static bool
has_clock(const struct ward *ward)
{
	/* ev_is_active() would cast const away, which clang refuses */
	return target_of(ward)->breaker_timer.active != 0;
}

/* Opened by three failures; half-open at once. */
static void
open_tried(struct ward *ward, uint32_t half_open_requests)
{
	open_unprobed(ward, (struct breaker_spec){ .threshold = 3,
	    .open_ms = 1, .half_open_requests = half_open_requests });
	fail_requests(ward, 3);
	world_wait_flags(&ward->world, ward->slot, HEALTH_HALF_OPEN);
}

/* Opening ----------------------------------------------------------------- */

static void
failures_in_a_row_open_it(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 3,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 2);
	assert_int_equal(flags_of(&ward), 0);
	assert_int_equal(DETAIL(&ward, failures), 2);
	assert_int_equal(DETAIL(&ward, opened_count), 0);
	assert_int_equal(ward.world.changed_count, 0);
	fail_requests(&ward, 1);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	assert_int_equal(DETAIL(&ward, breaker_state), BREAKER_OPEN);
	assert_int_equal(DETAIL(&ward, breaker_cause), BREAKER_BY_FAILURES);
	assert_int_equal(DETAIL(&ward, opened_count), 1);
	assert_true(DETAIL(&ward, failed_wall_ms) > 0);
	assert_in_range(DETAIL(&ward, next_attempt_wall_ms),
	    DETAIL(&ward, failed_wall_ms) + HOUR_MS,
	    clock_wall_ms() + HOUR_MS);
	assert_int_equal(ward.world.changed_count, 1);
	assert_int_equal(ward.world.changed.flags_before, 0);
	assert_int_equal(ward.world.changed.flags_after, HEALTH_BREAKER);
	assert_string_equal(ward.world.changed.reason,
	    "3 failures in a row");
	/* It is open, and what fails says nothing new. */
	fail_requests(&ward, 5);
	assert_int_equal(DETAIL(&ward, opened_count), 1);
	assert_int_equal(ward.world.changed_count, 1);
	close_ward(&ward);
}

static void
a_good_answer_in_between_counts_anew(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 3,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 2);
	ward.success_count = 1;
	fail_requests(&ward, 2);
	assert_int_equal(flags_of(&ward), 0);
	assert_int_equal(DETAIL(&ward, failures), 2);
	close_ward(&ward);
}

static void
with_a_window_the_reason_says_so(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 2,
	    .open_ms = HOUR_MS, .window_ms = HOUR_MS });
	fail_requests(&ward, 1);
	ward.success_count = 1;
	fail_requests(&ward, 1);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	assert_string_equal(ward.world.changed.reason,
	    "2 failures within 3600000 ms");
	close_ward(&ward);
}

static void
what_another_tenant_failed_at_counts_for_nothing(void **state)
{
	const struct breaker_spec breaker = { .threshold = 1,
		.open_ms = HOUR_MS };
	struct ward ward;

	(void)state;
	open_unprobed(&ward, breaker);
	monitor_note_failure(ward.world.monitor, &(struct failure){
	    .backend = ward.slot, .generation = ward.generation + 1,
	    .kind = FAILURE_TIMEOUT });
	monitor_note_failure(ward.world.monitor, &(struct failure){
	    .backend = 1u << 30, .generation = ward.generation,
	    .kind = FAILURE_TIMEOUT });
	assert_int_equal(flags_of(&ward), 0);
	close_ward(&ward);
}

static void
without_a_breaker_none_opens(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ 0 });
	fail_requests(&ward, 100);
	assert_int_equal(flags_of(&ward), HEALTH_DOWN);
	assert_int_equal(DETAIL(&ward, opened_count), 0);
	close_ward(&ward);
}

/* Trials ------------------------------------------------------------------ */

static void
when_its_time_is_over_it_is_tried(void **state)
{
	struct ward ward;

	(void)state;
	open_tried(&ward, 2);
	assert_int_equal(round_of(&ward), 1);
	assert_string_equal(ward.world.changed.reason, "its time is over");
	assert_int_equal(DETAIL(&ward, breaker_state), BREAKER_HALF_OPEN);
	assert_int_equal(DETAIL(&ward, next_attempt_wall_ms), 0);
	try(&ward, FAILURE_NONE, 1);
	assert_int_equal(flags_of(&ward), HEALTH_HALF_OPEN);
	assert_int_equal(DETAIL(&ward, successes), 1);
	try(&ward, FAILURE_NONE, 1);
	assert_int_equal(flags_of(&ward), 0);
	assert_string_equal(ward.world.changed.reason,
	    "its trials went well");
	assert_int_equal(DETAIL(&ward, failures), 0);
	assert_false(has_clock(&ward));
	close_ward(&ward);
}

static void
a_trial_that_fails_opens_it_again(void **state)
{
	struct ward ward;

	(void)state;
	open_tried(&ward, 2);
	ward.service.breaker.open_ms = HOUR_MS;
	tell(&ward);
	try(&ward, FAILURE_NONE, 1);
	try(&ward, FAILURE_STATUS, 1);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	assert_int_equal(DETAIL(&ward, opened_count), 2);
	assert_string_equal(ward.world.changed.reason, "a trial failed");
	close_ward(&ward);
}

static void
what_was_no_trial_of_this_round_decides_nothing(void **state)
{
	struct ward ward;

	(void)state;
	open_tried(&ward, 1);
	try(&ward, FAILURE_NONE, 0);
	try(&ward, FAILURE_STATUS, 2);
	note(&ward, (struct failure){ .kind = FAILURE_STATUS });
	assert_int_equal(flags_of(&ward), HEALTH_HALF_OPEN);
	assert_int_equal(DETAIL(&ward, successes), 0);
	close_ward(&ward);
}

static void
a_round_that_comes_to_nothing_is_followed_by_another(void **state)
{
	struct ward ward;
	struct target *target;
	uint32_t changed_count;

	(void)state;
	open_tried(&ward, 2);
	try(&ward, FAILURE_NONE, 1);
	changed_count = ward.world.changed_count;
	target = ward.world.monitor->targets[ward.slot];
	assert_true(has_clock(&ward));
	breakers_on_timer(ward.world.loop, &target->breaker_timer, EV_TIMER);
	assert_int_equal(flags_of(&ward), HEALTH_HALF_OPEN);
	assert_int_equal(round_of(&ward), 2);
	assert_int_equal(DETAIL(&ward, successes), 0);
	assert_int_equal(ward.world.changed_count, changed_count);
	assert_true(has_clock(&ward));
	/* Those of before are late. */
	try(&ward, FAILURE_NONE, 1);
	assert_int_equal(DETAIL(&ward, successes), 0);
	close_ward(&ward);
}

/* Orders ------------------------------------------------------------------ */

static void
one_that_was_ordered_open_stays_until_it_is_reset(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ 0 });
	assert_int_equal(order(&ward, BREAKER_TRIP), 0);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	assert_int_equal(DETAIL(&ward, breaker_cause), BREAKER_BY_ORDER);
	assert_int_equal(DETAIL(&ward, next_attempt_wall_ms), 0);
	assert_string_equal(ward.world.changed.reason, "ordered");
	assert_false(has_clock(&ward));
	assert_int_equal(order(&ward, BREAKER_TRIP), 0);
	assert_int_equal(DETAIL(&ward, opened_count), 1);
	/* Whatever its service asks for. */
	ward.service.breaker = (struct breaker_spec){ .threshold = 1,
		.open_ms = 1 };
	tell(&ward);
	ward.service.breaker = (struct breaker_spec){ 0 };
	tell(&ward);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	assert_int_equal(order(&ward, BREAKER_RESET), 0);
	assert_int_equal(flags_of(&ward), 0);
	assert_int_equal(ward.world.changed_count, 2);
	close_ward(&ward);
}

static void
an_order_takes_the_clock_from_one_that_is_open(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 1,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 1);
	assert_true(has_clock(&ward));
	assert_int_equal(order(&ward, BREAKER_TRIP), 0);
	assert_false(has_clock(&ward));
	assert_int_equal(DETAIL(&ward, next_attempt_wall_ms), 0);
	assert_int_equal(DETAIL(&ward, breaker_cause), BREAKER_BY_ORDER);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	close_ward(&ward);
}

static void
a_reset_forgets_what_was_counted(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 3,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 2);
	assert_int_equal(order(&ward, BREAKER_RESET), 0);
	assert_int_equal(DETAIL(&ward, failures), 0);
	fail_requests(&ward, 2);
	assert_int_equal(flags_of(&ward), 0);
	assert_int_equal(ward.world.changed_count, 0);
	close_ward(&ward);
}

static void
an_order_for_another_tenant_is_refused(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ 0 });
	ward.generation++;
	errno = 0;
	assert_int_equal(order(&ward, BREAKER_TRIP), -1);
	assert_int_equal(errno, ESRCH);
	ward.generation--;
	errno = 0;
	assert_int_equal(monitor_order_breaker(ward.world.monitor,
	    &(struct health_breaker_order){ .slot = 1u << 30,
		.generation = ward.generation, .action = BREAKER_TRIP }), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(flags_of(&ward), 0);
	close_ward(&ward);
}

/* Probes ------------------------------------------------------------------ */

static void
probes_open_it_and_have_it_tried(void **state)
{
	const struct probe_spec probe = { .kind = PROBE_CONNECT,
		.interval_ms = 20 };
	const struct breaker_spec breaker = { .threshold = 100,
		.open_ms = HOUR_MS, .half_open_requests = 1 };
	struct fake fake;
	struct ward ward;

	(void)state;
	open_ward(&ward, &probe, &breaker, 0);
	fake_open(&fake, ward.world.loop, "");
	/* Port 0 refuses all; then one that listens. */
	world_wait_flags(&ward.world, ward.slot,
	    HEALTH_DOWN | HEALTH_BREAKER);
	assert_int_equal(DETAIL(&ward, breaker_cause), BREAKER_BY_PROBES);
	assert_non_null(strstr(ward.world.changed.reason, "connect"));
	move(&ward, fake.port);
	world_wait_flags(&ward.world, ward.slot,
	    HEALTH_UP | HEALTH_HALF_OPEN);
	assert_string_equal(ward.world.changed.reason,
	    "its probes are answered");
	assert_int_equal(round_of(&ward), 1);
	try(&ward, FAILURE_NONE, 1);
	assert_int_equal(flags_of(&ward), HEALTH_UP);
	fake_close(&fake);
	close_ward(&ward);
}

static void
without_a_breaker_probes_open_none(void **state)
{
	const struct probe_spec probe = { .kind = PROBE_CONNECT };
	struct ward ward;

	(void)state;
	open_ward(&ward, &probe, &(struct breaker_spec){ 0 }, 0);
	world_wait_flags(&ward.world, ward.slot, HEALTH_DOWN);
	assert_int_equal(DETAIL(&ward, opened_count), 0);
	close_ward(&ward);
}

static void
probes_do_not_end_what_was_ordered(void **state)
{
	const struct probe_spec probe = { .kind = PROBE_CONNECT };
	struct fake fake;
	struct ward ward;

	(void)state;
	open_ward(&ward, &probe, &(struct breaker_spec){ .threshold = 1,
	    .open_ms = 1 }, 0);
	assert_int_equal(order(&ward, BREAKER_TRIP), 0);
	fake_open(&fake, ward.world.loop, "");
	move(&ward, fake.port);
	world_wait_flags(&ward.world, ward.slot, HEALTH_UP | HEALTH_BREAKER);
	fake_close(&fake);
	close_ward(&ward);
}

/* Another healthd --------------------------------------------------------- */

static void
a_count_outlives_its_healthd(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 3,
	    .open_ms = HOUR_MS });
	ward.success_count = 7;
	fail_requests(&ward, 2);
	restart(&ward);
	assert_int_equal(DETAIL(&ward, failures), 2);
	fail_requests(&ward, 1);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	close_ward(&ward);
}

static void
one_that_is_open_outlives_its_healthd(void **state)
{
	struct ward ward;
	int64_t next_wall_ms;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 1,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 1);
	next_wall_ms = DETAIL(&ward, next_attempt_wall_ms);
	restart(&ward);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	assert_int_equal(DETAIL(&ward, next_attempt_wall_ms), next_wall_ms);
	assert_int_equal(DETAIL(&ward, opened_count), 1);
	assert_int_equal(ward.world.changed_count, 1);
	assert_true(has_clock(&ward));
	close_ward(&ward);
}

static void
one_whose_time_ran_out_meanwhile_is_tried(void **state)
{
	struct health_detail *detail;
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 1,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 1);
	detail = health_detail_writable(ward.world.health, ward.slot);
	atomic_store(&detail->next_attempt_wall_ms, clock_wall_ms() - 1);
	restart(&ward);
	world_wait_flags(&ward.world, ward.slot, HEALTH_HALF_OPEN);
	close_ward(&ward);
}

static void
one_that_is_tried_goes_on_with_its_round(void **state)
{
	struct ward ward;

	(void)state;
	open_tried(&ward, 2);
	try(&ward, FAILURE_NONE, 1);
	restart(&ward);
	assert_int_equal(flags_of(&ward), HEALTH_HALF_OPEN);
	assert_int_equal(round_of(&ward), 1);
	assert_true(has_clock(&ward));
	try(&ward, FAILURE_NONE, 1);
	assert_int_equal(flags_of(&ward), 0);
	close_ward(&ward);
}

static void
an_order_outlives_its_healthd(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ 0 });
	assert_int_equal(order(&ward, BREAKER_TRIP), 0);
	restart(&ward);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	assert_int_equal(DETAIL(&ward, breaker_cause), BREAKER_BY_ORDER);
	assert_false(has_clock(&ward));
	close_ward(&ward);
}

/* Died when the detail was written, and the word was not. */
static void
a_word_that_was_not_written_is_made_good(void **state)
{
	struct health_detail *detail;
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 1,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 1);
	detail = health_detail_writable(ward.world.health, ward.slot);
	assert_int_equal(health_put(ward.world.health, ward.slot,
	    ward.generation, 0), 0);
	restart(&ward);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);

	atomic_store(&detail->breaker_state, BREAKER_CLOSED);
	atomic_store(&detail->breaker_cause, BREAKER_BY_NONE);
	restart(&ward);
	assert_int_equal(flags_of(&ward), 0);
	close_ward(&ward);
}

static void
what_healthd_cannot_have_written_is_not_believed(void **state)
{
	struct health_detail *detail;
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 2,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 1);
	detail = health_detail_writable(ward.world.health, ward.slot);
	atomic_store(&detail->breaker_state, 3);
	restart(&ward);
	assert_int_equal(flags_of(&ward), 0);
	fail_requests(&ward, 2);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	/* Nor what it wrote of another backend. */
	atomic_store(&detail->backend_id, 77);
	restart(&ward);
	assert_int_equal(flags_of(&ward), 0);
	close_ward(&ward);
}

/* Another spec ------------------------------------------------------------ */

static void
what_its_service_asks_for_now_holds(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 3,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 2);
	tell(&ward);
	assert_int_equal(target_of(&ward)->breaker.failures, 2);
	ward.service.breaker.threshold = 2;
	tell(&ward);
	assert_int_equal(target_of(&ward)->breaker.failures, 0);
	fail_requests(&ward, 2);
	assert_int_equal(flags_of(&ward), HEALTH_BREAKER);
	ward.service.breaker = (struct breaker_spec){ 0 };
	tell(&ward);
	assert_int_equal(flags_of(&ward), 0);
	assert_string_equal(ward.world.changed.reason,
	    "its service has no breaker");
	assert_false(has_clock(&ward));
	close_ward(&ward);
}

static void
one_that_was_taken_away_meanwhile_is_closed(void **state)
{
	struct ward ward;

	(void)state;
	open_unprobed(&ward, (struct breaker_spec){ .threshold = 1,
	    .open_ms = HOUR_MS });
	fail_requests(&ward, 1);
	ward.service.breaker = (struct breaker_spec){ 0 };
	restart(&ward);
	assert_int_equal(flags_of(&ward), 0);
	assert_string_equal(ward.world.changed.reason,
	    "its service has no breaker");
	assert_false(has_clock(&ward));
	close_ward(&ward);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_in_a_row_open_it),
		cmocka_unit_test(a_good_answer_in_between_counts_anew),
		cmocka_unit_test(with_a_window_the_reason_says_so),
		cmocka_unit_test(
		    what_another_tenant_failed_at_counts_for_nothing),
		cmocka_unit_test(without_a_breaker_none_opens),
		cmocka_unit_test(when_its_time_is_over_it_is_tried),
		cmocka_unit_test(a_trial_that_fails_opens_it_again),
		cmocka_unit_test(
		    what_was_no_trial_of_this_round_decides_nothing),
		cmocka_unit_test(
		    a_round_that_comes_to_nothing_is_followed_by_another),
		cmocka_unit_test(
		    one_that_was_ordered_open_stays_until_it_is_reset),
		cmocka_unit_test(
		    an_order_takes_the_clock_from_one_that_is_open),
		cmocka_unit_test(a_reset_forgets_what_was_counted),
		cmocka_unit_test(an_order_for_another_tenant_is_refused),
		cmocka_unit_test(probes_open_it_and_have_it_tried),
		cmocka_unit_test(without_a_breaker_probes_open_none),
		cmocka_unit_test(probes_do_not_end_what_was_ordered),
		cmocka_unit_test(a_count_outlives_its_healthd),
		cmocka_unit_test(one_that_is_open_outlives_its_healthd),
		cmocka_unit_test(one_whose_time_ran_out_meanwhile_is_tried),
		cmocka_unit_test(one_that_is_tried_goes_on_with_its_round),
		cmocka_unit_test(an_order_outlives_its_healthd),
		cmocka_unit_test(a_word_that_was_not_written_is_made_good),
		cmocka_unit_test(
		    what_healthd_cannot_have_written_is_not_believed),
		cmocka_unit_test(what_its_service_asks_for_now_holds),
		cmocka_unit_test(one_that_was_taken_away_meanwhile_is_closed),
	};

	if (log_open("test", "/dev/null") == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
