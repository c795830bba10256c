/*
 * tests/unit/master/test_pidfile.c - the pid file, which is also a lock.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "master/pidfile.h"

struct place {
	char dir[32];
	char path[64];
};

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (place == NULL)
		return -1;
	snprintf(place->dir, sizeof(place->dir), "/tmp/pidfile.XXXXXX");
	if (mkdtemp(place->dir) == NULL)
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/pid", place->dir);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->dir);
	free(place);
	return 0;
}

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
a_second_lock_is_refused_and_names_the_first(void **state)
{
	struct place *place = *state;
	pid_t owner = 0;
	int fd = pidfile_lock(place->path, &owner);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pidfile_lock(place->path, &owner), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(owner, getpid());
	assert_int_equal(pidfile_owner(place->path), getpid());
	pidfile_remove(place->path, fd);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void
a_file_that_nobody_locks_names_nobody(void **state)
{
	struct place *place = *state;

	write_text(place->path, "1\n");
	assert_int_equal(pidfile_owner(place->path), -1);
	assert_int_equal(errno, ESRCH);
}

static void
no_file_means_nobody(void **state)
{
	struct place *place = *state;

	assert_int_equal(pidfile_owner(place->path), -1);
	assert_int_equal(errno, ESRCH);
}

static void
a_file_left_behind_is_taken_over(void **state)
{
	struct place *place = *state;
	pid_t owner = 0;
	int fd;

	write_text(place->path, "99999999999 and much more than a pid\n");
	fd = pidfile_lock(place->path, &owner);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pidfile_owner(place->path), getpid());
	pidfile_remove(place->path, fd);
}

static void
a_symbolic_link_is_not_followed(void **state)
{
	struct place *place = *state;
	pid_t owner = 0;

	assert_int_equal(symlink("/dev/null", place->path), 0);
	assert_int_equal(pidfile_lock(place->path, &owner), -1);
	assert_int_equal(errno, ELOOP);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_second_lock_is_refused_and_names_the_first),
		CASE(a_file_that_nobody_locks_names_nobody),
		CASE(no_file_means_nobody),
		CASE(a_file_left_behind_is_taken_over),
		CASE(a_symbolic_link_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
