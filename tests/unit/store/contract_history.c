/*
 * tests/unit/store/contract_history.c - events, and the end of old history,
 * in every driver.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract.h"

/* Generations of two services each: a1 and b1, a2 and b2, ... */
static void
commit_pairs(struct fixture *fixture, int count)
{
	for (int i = 1; i <= count; i++) {
		const char a[] = { 'a', (char)('0' + i), '\0' };
		const char b[] = { 'b', (char)('0' + i), '\0' };
		struct service services[] = { make_service(a),
			make_service(b) };
		struct store_change changes[] = { put_service(&services[0]),
			put_service(&services[1]) };

		assert_int_equal(fixture_commit(fixture, changes, 2),
		    STORE_OK);
		service_clear(&services[0]);
		service_clear(&services[1]);
	}
}

/* All that is left, and how far back it reaches. */
static void
assert_left(struct fixture *fixture, uint64_t horizon, const char *want)
{
	const struct store_history_query all = { .is_whole = true,
		.to = UINT64_MAX, .limit = 100 };
	struct listed listed;

	if (fixture_history(fixture, &all, &listed) != STORE_OK)
		fail_msg("%s", fixture->message);
	assert_string_equal(listed.rows == NULL ? "" : listed.rows, want);
	assert_int_equal(fixture->outcome.generation, horizon);
	listed_clear(&listed);
}

static void
events_stand_behind_the_latest_commit(void **state)
{
	struct fixture *fixture = *state;
	struct loaded loaded;

	assert_int_equal(fixture_tell(fixture, "service", "file", "load"),
	    STORE_OK);
	commit_pairs(fixture, 1);
	assert_int_equal(fixture_tell(fixture, "backend", "7", "open"),
	    STORE_OK);
	assert_int_equal(fixture_tell(fixture, "store", "", "accept"),
	    STORE_OK);
	assert_left(fixture, 0,
	    "0 service file load\n"
	    "1 service a1 create\n"
	    "1 service b1 create\n"
	    "1 backend 7 open\n"
	    "1 store  accept\n");
	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(fixture->outcome.generation, 1);
	assert_int_equal(loaded.service_count, 2);
	assert_int_equal(loaded.backend_count, 0);
	loaded_clear(&loaded);
}

static void
what_is_too_much_goes_oldest_first(void **state)
{
	struct fixture *fixture = *state;
	struct loaded loaded;

	commit_pairs(fixture, 3);
	assert_int_equal(fixture_measure(fixture).row_count, 6);
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 10, .excess = 0 }), 0);
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 10, .excess = 3 }), 3);
	assert_left(fixture, 2, "2 service b2 create\n"
	    "3 service a3 create\n3 service b3 create\n");
	/* No more than the limit at a time. */
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 2, .excess = 3 }), 2);
	assert_left(fixture, 3, "3 service b3 create\n");
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 2, .excess = 9 }), 1);
	assert_left(fixture, 3, "");
	assert_int_equal(fixture_measure(fixture).row_count, 0);
	assert_int_equal(fixture_measure(fixture).oldest_wall_ms, 0);
	/* What there is is there still. */
	assert_int_equal(fixture_load(fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, 6);
	loaded_clear(&loaded);
}

static void
what_is_too_old_goes(void **state)
{
	struct fixture *fixture = *state;
	int64_t first_ms;

	commit_pairs(fixture, 1);
	first_ms = fixture->outcome.at_wall_ms;
	assert_int_equal(fixture_measure(fixture).oldest_wall_ms, first_ms);
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 10,
	    .older_than_wall_ms = first_ms }), 0);
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 10,
	    .older_than_wall_ms = first_ms + 1 }), 2);
	assert_left(fixture, 1, "");
}

static void
what_somebody_needs_stays(void **state)
{
	struct fixture *fixture = *state;

	commit_pairs(fixture, 3);
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = 2, .limit = 10, .excess = 10,
	    .older_than_wall_ms = INT64_C(4000000000000) }), 4);
	assert_left(fixture, 2,
	    "3 service a3 create\n3 service b3 create\n");
}

static void
what_comes_after_a_pruning_is_kept(void **state)
{
	struct fixture *fixture = *state;
	struct service service = make_service("new");
	struct store_change change = put_service(&service);

	commit_pairs(fixture, 2);
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 10, .excess = 10 }), 4);
	assert_int_equal(fixture_tell(fixture, "backend", "7", "open"),
	    STORE_OK);
	assert_int_equal(fixture_commit(fixture, &change, 1), STORE_OK);
	assert_left(fixture, 2,
	    "2 backend 7 open\n3 service new create\n");
	assert_int_equal(fixture_prune(fixture, &(struct store_prune_order){
	    .floor = UINT64_MAX, .limit = 10 }), 0);
	assert_left(fixture, 2,
	    "2 backend 7 open\n3 service new create\n");
	service_clear(&service);
}

int
contract_run_history(const char *driver)
{
	const struct CMUnitTest tests[] = {
		SENTENCE(events_stand_behind_the_latest_commit),
		SENTENCE(what_is_too_much_goes_oldest_first),
		SENTENCE(what_is_too_old_goes),
		SENTENCE(what_somebody_needs_stays),
		SENTENCE(what_comes_after_a_pruning_is_kept),
	};

	return cmocka_run_group_tests_name(driver, tests, NULL, NULL);
}
