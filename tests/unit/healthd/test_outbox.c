/*
 * tests/unit/healthd/test_outbox.c - changes are told in order, in batches.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ev.h>

#include "healthd/outbox.h"

struct heard {
	uint64_t count;
	uint32_t of_turn, most_of_turn;
};

static void
hear(void *context, const struct health_changed *changed)
{
	struct heard *heard = context;

	assert_int_equal(changed->backend_id, heard->count);
	heard->count++;
	if (++heard->of_turn > heard->most_of_turn)
		heard->most_of_turn = heard->of_turn;
}

static void
put(struct outbox *outbox, uint64_t from, uint64_t to)
{
	for (uint64_t id = from; id < to; id++)
		outbox_put(outbox, &(struct health_changed){
		    .backend_id = id });
}

static void
few_are_told_at_once_many_in_batches(void **state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct heard heard = { 0 };
	struct outbox *outbox = outbox_new(loop, hear, &heard);

	(void)state;
	assert_non_null(outbox);
	put(outbox, 0, 3);
	assert_int_equal(heard.count, 3);
	put(outbox, 3, 1000);
	assert_int_equal(heard.count, OUTBOX_BATCH);
	while (heard.count < 1000) {
		heard.of_turn = 0;
		ev_run(loop, EVRUN_ONCE);
	}
	assert_int_equal(heard.most_of_turn, OUTBOX_BATCH);
	/* Nothing waits: the timer ends, and so does the loop. */
	ev_run(loop, 0);
	heard.of_turn = 0;
	put(outbox, 1000, 1001);
	assert_int_equal(heard.count, 1001);
	outbox_free(&outbox);
	ev_loop_destroy(loop);
}

static void
what_is_too_much_is_dropped(void **state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct heard heard = { 0 };
	struct outbox *outbox = outbox_new(loop, hear, &heard);

	(void)state;
	put(outbox, 0, OUTBOX_MAX + 100);
	assert_int_equal(heard.count, OUTBOX_BATCH);
	outbox_free(&outbox);
	assert_null(outbox);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_are_told_at_once_many_in_batches),
		cmocka_unit_test(what_is_too_much_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
