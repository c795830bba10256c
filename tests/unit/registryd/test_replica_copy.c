/*
 * tests/unit/registryd/test_replica_copy.c - the model, as the local file
 * has it.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "fake_store.h"
#include "registryd/registry.h"
#include "unit/store/sqlite_file.h"
#include "world.h"

/* More than one range of each kind. */
#define SERVICES 1200
#define ROUTES	 2100

static char dir[] = "/tmp/sluice-copy-XXXXXX";
static char path[sizeof(dir) + 24];
static char url[] = "postgres://sluice@db.example/sluice";

/* As much of a registryd as has a model, and the file. */
struct desk {
	struct settings settings;
	struct daemon daemon;
	struct fake_store fake;
	struct registry registry;
};

static void
start(struct desk *desk)
{
	desk->registry.replica = replica_new(&desk->registry);
	assert_non_null(desk->registry.replica);
}

static void
open_desk(struct desk *desk)
{
	sqlite_file_remove(path);
	*desk = (struct desk){
		.settings.store = { .driver = STORE_POSTGRES, .path = path,
		    .url = url },
		.daemon.settings = &desk->settings,
		.registry = { .daemon = &desk->daemon,
		    .loop = ev_loop_new(EVFLAG_AUTO),
		    .store = &desk->fake.store, .model = model_new() },
	};
	assert_non_null(desk->registry.loop);
	assert_non_null(desk->registry.model);
	fake_store_init(&desk->fake, desk->registry.loop);
	start(desk);
}

static void
close_desk(struct desk *desk)
{
	replica_free(&desk->registry.replica);
	model_free(&desk->registry.model);
	fake_store_clear(&desk->fake);
	ev_loop_destroy(desk->registry.loop);
	sqlite_file_remove(path);
}

/* What the database gives a name, and a version: of all that is there. */
static void
put_service(struct desk *desk, const char *name)
{
	world_put_service(desk->registry.model, name);
	model_find_service(desk->registry.model, name)->object.times.version =
	    1;
}

static void
put_route(struct desk *desk, uint64_t id, const char *service)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "/%" PRIu64, id);
	world_put_route(desk->registry.model, id, service, prefix, 0);
	model_find_route(desk->registry.model, id)->object.times.version = 1;
}

static void
fill_model(struct desk *desk)
{
	char name[16];

	for (uint32_t i = 0; i < SERVICES; i++) {
		snprintf(name, sizeof(name), "s%05" PRIu32, i);
		put_service(desk, name);
	}
	for (uint32_t i = 1; i <= ROUTES; i++)
		put_route(desk, i, "s00000");
	desk->registry.model->generation = 7;
}

static void
await_idle(struct desk *desk)
{
	while (!replica_is_idle(desk->registry.replica))
		ev_run(desk->registry.loop, EVRUN_ONCE);
}

/* The file ---------------------------------------------------------------- */

static int
take_number(void *context, int count, char **texts, char **names)
{
	(void)count, (void)names;
	*(uint64_t *)context = strtoull(texts[0], NULL, 10);
	return 0;
}

static uint64_t
number_of(const char *sql)
{
	uint64_t number = 0;
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	sqlite3_busy_timeout(handle, 60000);
	if (sqlite3_exec(handle, sql, take_number, &number, NULL) !=
	    SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
	return number;
}

static void
assert_counts(uint64_t services, uint64_t routes, uint64_t generation)
{
	assert_int_equal(number_of("SELECT count(*) FROM service"), services);
	assert_int_equal(number_of("SELECT count(*) FROM route"), routes);
	assert_int_equal(number_of("SELECT value FROM generation"),
	    generation);
}

/* Turns the loop until the file has some of the routes, and not all. */
static void
await_half(struct desk *desk)
{
	uint64_t count = 0;

	while (count == 0) {
		ev_run(desk->registry.loop, EVRUN_ONCE);
		if (access(path, F_OK) == 0 && number_of(
		    "SELECT count(*) FROM sqlite_master "
		    "WHERE name = 'route'") == 1)
			count = number_of("SELECT count(*) FROM route");
	}
	assert_true(count < ROUTES);
}

/* Sentences --------------------------------------------------------------- */

static void
all_of_the_model_is_in_the_file(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk);
	fill_model(&desk);
	replica_copy(desk.registry.replica, "system 1");
	await_idle(&desk);
	assert_counts(SERVICES, ROUTES, 7);
	assert_int_equal(number_of("SELECT confirmed_at > 0 FROM replica"),
	    1);
	close_desk(&desk);
}

static void
what_the_model_has_not_goes(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk);
	fill_model(&desk);
	replica_copy(desk.registry.replica, "system 1");
	await_idle(&desk);
	for (uint32_t i = 1; i <= ROUTES; i += 2)
		model_remove_route(desk.registry.model, i);
	model_remove_route(desk.registry.model, ROUTES);
	model_remove_service(desk.registry.model, "s00001");
	model_remove_service(desk.registry.model, "s01199");
	desk.registry.model->generation = 8;
	replica_copy(desk.registry.replica, "system 1");
	await_idle(&desk);
	assert_counts(SERVICES - 2, ROUTES / 2 - 1, 8);
	assert_int_equal(number_of("SELECT sum(id % 2) FROM route"), 0);
	close_desk(&desk);
}

static void
until_all_is_there_the_file_claims_no_more_than_before(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk);
	fill_model(&desk);
	replica_copy(desk.registry.replica, "system 1");
	await_half(&desk);
	assert_int_equal(number_of("SELECT value FROM generation"), 0);
	assert_int_equal(number_of("SELECT confirmed_at FROM replica"), 0);
	/* Nor does it after a restart in the middle. */
	replica_free(&desk.registry.replica);
	assert_int_equal(number_of("SELECT value FROM generation"), 0);
	start(&desk);
	replica_copy(desk.registry.replica, "system 1");
	await_idle(&desk);
	assert_counts(SERVICES, ROUTES, 7);
	close_desk(&desk);
}

/* The first goes, and one comes behind the last. */
static void
exchange_routes(struct desk *desk)
{
	struct registry *registry = &desk->registry;

	put_route(desk, ROUTES + 1, "s00000");
	replica_put_route(registry->replica,
	    &model_find_route(registry->model, ROUTES + 1)->object);
	model_remove_route(registry->model, 1);
	replica_remove(registry->replica, OBJECT_ROUTE, "1");
}

static void
what_changes_meanwhile_is_there_as_well(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk);
	fill_model(&desk);
	replica_copy(desk.registry.replica, "system 1");
	await_half(&desk);
	/* Before and behind where the copy is. */
	exchange_routes(&desk);
	put_service(&desk, "a");
	replica_put_service(desk.registry.replica,
	    &model_find_service(desk.registry.model, "a")->object);
	desk.registry.model->generation = 8;
	await_idle(&desk);
	assert_counts(SERVICES + 1, ROUTES, 8);
	assert_int_equal(number_of("SELECT count(*) FROM route "
				   "WHERE id = 1"), 0);
	assert_int_equal(number_of("SELECT count(*) FROM service "
				   "WHERE name = 'a'"), 1);
	close_desk(&desk);
}

static void
a_change_is_written_by_itself(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk);
	fill_model(&desk);
	replica_copy(desk.registry.replica, "system 1");
	await_idle(&desk);
	exchange_routes(&desk);
	desk.registry.model->generation = 8;
	await_idle(&desk);
	assert_counts(SERVICES, ROUTES, 8);
	assert_int_equal(number_of("SELECT min(id) FROM route"), 2);
	assert_int_equal(number_of("SELECT max(id) FROM route"), ROUTES + 1);
	close_desk(&desk);
}

/* Copies the model as of an identity and a generation: whether the file was
 * of no use meanwhile, as it must be where it was of something else. */
static bool
copy_and_watch(struct desk *desk, const char *identity, uint64_t generation)
{
	bool was_useless = false;

	desk->registry.model->generation = generation;
	replica_copy(desk->registry.replica, identity);
	while (!replica_is_idle(desk->registry.replica)) {
		ev_run(desk->registry.loop, EVRUN_ONCE);
		was_useless |= number_of("SELECT value FROM generation") ==
		    0;
	}
	assert_counts(SERVICES, ROUTES, generation);
	return was_useless;
}

static void
what_is_of_something_else_is_begun_anew(void **state)
{
	struct desk desk;

	(void)state;
	open_desk(&desk);
	fill_model(&desk);
	replica_copy(desk.registry.replica, "system 1");
	await_idle(&desk);
	/* The same again, and what came since. */
	assert_false(copy_and_watch(&desk, "system 1", 9));
	assert_true(copy_and_watch(&desk, "system 2", 9));
	assert_int_equal(number_of("SELECT id = 'system 2' FROM identity"),
	    1);
	/* The database has lost commits. */
	assert_true(copy_and_watch(&desk, "system 2", 3));
	close_desk(&desk);
}

static void
what_could_not_be_written_is_copied_later(void **state)
{
	const struct store_spooled row = { .seq = 1, .id = "one",
		.reason = "", .who = "w", .from = "f", .channel = "api",
		.request_id = "r", .body = "{}" };
	struct replica_figures figures;
	char under[sizeof(path)];
	struct desk desk;

	(void)state;
	open_desk(&desk);
	replica_free(&desk.registry.replica);
	snprintf(under, sizeof(under), "%s/none", dir);
	snprintf(path, sizeof(path), "%s/none/r.db", dir);
	start(&desk);
	put_service(&desk, "a");
	desk.registry.model->generation = 7;
	replica_put_service(desk.registry.replica,
	    &model_find_service(desk.registry.model, "a")->object);
	await_idle(&desk);
	replica_figures(desk.registry.replica, &figures);
	assert_false(figures.is_good);
	assert_int_equal(figures.failed_count, 1);
	assert_string_not_equal(figures.error, "");

	assert_int_equal(mkdir(under, 0700), 0);
	/* Somebody waits for it: it is tried at once. */
	assert_int_equal(replica_spool(desk.registry.replica, &row, NULL,
	    NULL, NULL), 0);
	do {
		ev_run(desk.registry.loop, EVRUN_ONCE);
		replica_figures(desk.registry.replica, &figures);
	} while (!figures.is_good ||
	    !replica_is_idle(desk.registry.replica));
	assert_counts(1, 0, 7);
	assert_int_equal(number_of("SELECT count(*) FROM spool"), 1);
	close_desk(&desk);
	assert_int_equal(rmdir(under), 0);
	snprintf(path, sizeof(path), "%s/replica.db", dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_the_model_is_in_the_file),
		cmocka_unit_test(what_the_model_has_not_goes),
		cmocka_unit_test(
		    until_all_is_there_the_file_claims_no_more_than_before),
		cmocka_unit_test(what_changes_meanwhile_is_there_as_well),
		cmocka_unit_test(a_change_is_written_by_itself),
		cmocka_unit_test(what_is_of_something_else_is_begun_anew),
		cmocka_unit_test(what_could_not_be_written_is_copied_later),
	};
	int failed_count;

	if (!sqlite_file_make_dir(dir, "replica.db", path, sizeof(path)) ||
	    log_open("test", "/dev/null") == -1)
		return 1;
	failed_count = cmocka_run_group_tests(tests, NULL, NULL);
	sqlite_file_remove_dir(dir, path);
	return failed_count;
}
