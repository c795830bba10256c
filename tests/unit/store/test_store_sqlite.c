/*
 * tests/unit/store/test_store_sqlite.c - the contract, in a SQLite file.
 */
/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "contract.h"
#include "sqlite_file.h"

static char dir[] = "/tmp/sluice-store-XXXXXX";
static char path[sizeof(dir) + 16];

static void
open_file(struct fixture *fixture)
{
	fixture_new(fixture, STORE_SQLITE, path, "");
	if (fixture_open(fixture) != STORE_OK)
		fail_msg("%s", fixture->message);
}

static void
make(struct fixture *fixture)
{
	sqlite_file_remove(path);
	open_file(fixture);
}

static enum store_result
commit_service(struct fixture *fixture, const char *name)
{
	struct service service = make_service(name);
	struct store_change change = put_service(&service);
	enum store_result result = fixture_commit(fixture, &change, 1);

	service_clear(&service);
	return result;
}

static void
what_was_committed_is_there_after_a_restart(void **state)
{
	struct fixture fixture;
	struct loaded loaded;

	(void)state;
	make(&fixture);
	assert_int_equal(commit_service(&fixture, "users"), STORE_OK);
	fixture_free(&fixture);
	open_file(&fixture);
	assert_int_equal(fixture_load(&fixture, &loaded), STORE_OK);
	assert_int_equal(fixture.outcome.generation, 1);
	assert_int_equal(loaded.service_count, 1);
	assert_string_equal(loaded.services[0].name, "users");
	loaded_clear(&loaded);
	assert_int_equal(commit_service(&fixture, "orders"), STORE_OK);
	assert_int_equal(fixture.outcome.generation, 2);
	fixture_free(&fixture);
}

static void
a_file_that_is_no_database_is_refused(void **state)
{
	struct fixture fixture;
	FILE *file;

	(void)state;
	sqlite_file_remove(path);
	assert_non_null(file = fopen(path, "w"));
	for (int i = 0; i < 1000; i++)
		fputs("this is a letter to my aunt\n", file);
	fclose(file);
	fixture_new(&fixture, STORE_SQLITE, path, "");
	assert_int_equal(fixture_open(&fixture), STORE_REFUSED);
	assert_non_null(strstr(fixture.message, path));
	assert_non_null(strstr(fixture.message, "not a database"));
	fixture_free(&fixture);
}

static void
a_newer_schema_is_refused(void **state)
{
	struct fixture fixture;
	sqlite3 *handle;

	(void)state;
	make(&fixture);
	fixture_free(&fixture);
	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, "INSERT INTO schema_version "
	    "VALUES (99, 'new', 0)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
	fixture_new(&fixture, STORE_SQLITE, path, "");
	assert_int_equal(fixture_open(&fixture), STORE_REFUSED);
	assert_non_null(strstr(fixture.message, "99 is newer"));
	fixture_free(&fixture);
}

static void
a_file_that_cannot_be_made_is_tried_again(void **state)
{
	struct fixture fixture;
	struct store_figures figures;
	char missing[sizeof(path) + 16];

	(void)state;
	snprintf(missing, sizeof(missing), "%s/later/sluice.db", dir);
	fixture_new(&fixture, STORE_SQLITE, missing, "");
	assert_int_equal(fixture_open(&fixture), STORE_UNAVAILABLE);
	assert_non_null(strstr(fixture.message, "No such file or directory"));
	store_figures(fixture.store, &figures);
	assert_false(figures.is_up);
	assert_string_not_equal(figures.error, "");
	*strrchr(missing, '/') = '\0';
	assert_int_equal(mkdir(missing, 0700), 0);
	assert_int_equal(fixture_ping(&fixture), STORE_OK);
	store_figures(fixture.store, &figures);
	assert_true(figures.is_up);
	fixture_free(&fixture);
	strcat(missing, "/sluice.db");
	assert_int_equal(unlink(missing), 0);
	*strrchr(missing, '/') = '\0';
	assert_int_equal(rmdir(missing), 0);
}

/* Commits services until killed; writes a byte for each that was answered. */
static void
commit_for_ever(int out, uint32_t round)
{
	struct fixture fixture;
	char name[32];

	open_file(&fixture);
	for (uint32_t i = 0;; i++) {
		snprintf(name, sizeof(name), "s%" PRIu32 "-%" PRIu32, round, i);
		if (commit_service(&fixture, name) != STORE_OK ||
		    write(out, "", 1) != 1)
			_exit(1);
	}
}

/* Kills a child in the middle; returns how many commits it was told of. */
static size_t
kill_in_the_middle(uint32_t round)
{
	size_t count = 0, after = 20 + 13 * round;
	int ends[2], status;
	pid_t child;
	char byte;

	assert_int_equal(pipe(ends), 0);
	assert_true((child = fork()) != -1);
	if (child == 0) {
		close(ends[0]);
		commit_for_ever(ends[1], round);
	}
	close(ends[1]);
	while (count < after && read(ends[0], &byte, 1) == 1)
		count++;
	assert_int_equal(kill(child, SIGKILL), 0);
	while (read(ends[0], &byte, 1) == 1)
		count++;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return count;
}

static void
what_was_answered_survives_kill_9(void **state)
{
	struct fixture fixture;
	struct listed listed;
	struct loaded loaded;
	size_t answered = 0;

	(void)state;
	make(&fixture);
	fixture_free(&fixture);
	for (uint32_t round = 0; round < 8; round++) {
		answered += kill_in_the_middle(round);
		open_file(&fixture);
		assert_int_equal(fixture_load(&fixture, &loaded), STORE_OK);
		/* One more may have been done and not yet answered. */
		assert_in_range(loaded.service_count, answered,
		    answered + round + 1);
		assert_int_equal(fixture.outcome.generation,
		    loaded.service_count);
		answered = loaded.service_count;
		loaded_clear(&loaded);
		assert_int_equal(fixture_history(&fixture,
		    &(struct store_history_query){ .to = UINT64_MAX,
			.limit = UINT32_MAX }, &listed), STORE_OK);
		assert_int_equal(listed.count, answered);
		listed_clear(&listed);
		fixture_free(&fixture);
	}
}

#define FULL_ROUTES 2000

static void
a_full_disk_refuses_and_recovers(void **state)
{
	struct fixture fixture;
	struct loaded loaded;
	struct store_change changes[FULL_ROUTES];
	struct route *routes = calloc(FULL_ROUTES, sizeof(*routes));
	char filler[sizeof(path) + 8];

	(void)state;
	assert_non_null(routes);
	sqlite_file_remove(path);
	if (mount("tmpfs", dir, "tmpfs", 0, "size=4m") == -1) {
		free(routes);
		skip();
	}
	snprintf(filler, sizeof(filler), "%s/filler", dir);
	open_file(&fixture);
	assert_int_equal(commit_service(&fixture, "users"), STORE_OK);
	sqlite_file_fill_disk(filler);
	for (uint32_t i = 0; i < FULL_ROUTES; i++) {
		routes[i] = make_route("users", "/full");
		changes[i] = put_route(&routes[i]);
	}
	assert_int_equal(fixture_commit(&fixture, changes, FULL_ROUTES),
	    STORE_FULL);
	assert_non_null(strstr(fixture.message, "full"));
	assert_int_equal(routes[0].id, 0);
	assert_int_equal(fixture_load(&fixture, &loaded), STORE_OK);
	assert_int_equal(loaded.service_count, 1);
	assert_int_equal(loaded.route_count, 0);
	assert_int_equal(fixture.outcome.generation, 1);
	loaded_clear(&loaded);
	assert_int_equal(unlink(filler), 0);
	assert_int_equal(fixture_commit(&fixture, changes, 200), STORE_OK);
	assert_int_equal(fixture.outcome.generation, 2);
	fixture_free(&fixture);
	for (uint32_t i = 0; i < FULL_ROUTES; i++)
		route_clear(&routes[i]);
	free(routes);
	assert_int_equal(umount(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_committed_is_there_after_a_restart),
		cmocka_unit_test(a_file_that_is_no_database_is_refused),
		cmocka_unit_test(a_newer_schema_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_made_is_tried_again),
		cmocka_unit_test(what_was_answered_survives_kill_9),
		cmocka_unit_test(a_full_disk_refuses_and_recovers),
	};
	int failed_count;

	if (!sqlite_file_make_dir(dir, "sluice.db", path, sizeof(path)))
		return 1;
	failed_count = contract_run("sqlite", make) +
	    cmocka_run_group_tests_name("sqlite file", tests, NULL, NULL);
	sqlite_file_remove_dir(dir, path);
	return failed_count;
}
