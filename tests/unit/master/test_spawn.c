/*
 * tests/unit/master/test_spawn.c - the descriptors that a role finds.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "master/spawn.h"

static int
fresh_file(void)
{
	char path[] = "/tmp/spawn.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	unlink(path);
	return fd;
}

static ino_t
inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == -1 ? 0 : st.st_ino;
}

/* Exit status of a child that lays out and then looks. */
static int
lay_out_in_child(struct spawn_plan *plan, const ino_t *want)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (spawn_lay_out(plan) == -1)
			_exit(1);
		for (uint32_t i = 0; i < plan->move_count; i++)
			if (inode_of(plan->moves[i].to) != want[i] ||
			    fcntl(plan->moves[i].to, F_GETFD) != 0)
				_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
descriptors_end_where_they_shall_be(void **state)
{
	struct spawn_plan plan = { .program_fd = 0 };
	ino_t want[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = fresh_file();

		want[i] = inode_of(fd);
		spawn_plan_add(&plan, fd, 40 + i);
	}
	assert_int_equal(lay_out_in_child(&plan, want), 0);
	for (int i = 0; i < 2; i++)
		close(plan.moves[i].from);
}

static void
two_that_stand_in_each_others_place_are_exchanged(void **state)
{
	struct spawn_plan plan = { .program_fd = 0 };
	int a = fresh_file(), b = fresh_file();
	const ino_t want[2] = { inode_of(a), inode_of(b) };

	(void)state;
	spawn_plan_add(&plan, a, b);
	spawn_plan_add(&plan, b, a);
	assert_int_equal(lay_out_in_child(&plan, want), 0);
	close(a);
	close(b);
}

static void
one_that_is_in_its_place_already_stays_open_over_exec(void **state)
{
	struct spawn_plan plan = { .program_fd = 0 };
	int fd = fresh_file();
	const ino_t want[1] = { inode_of(fd) };

	(void)state;
	spawn_plan_add(&plan, fd, fd);
	assert_int_equal(lay_out_in_child(&plan, want), 0);
	close(fd);
}

static void
the_program_is_moved_out_of_the_way(void **state)
{
	struct spawn_plan plan = { .program_fd = fresh_file() };
	int fd = fresh_file();
	const ino_t want[1] = { inode_of(fd) };

	(void)state;
	spawn_plan_add(&plan, fd, plan.program_fd);
	assert_int_equal(lay_out_in_child(&plan, want), 0);
	close(fd);
	close(plan.program_fd);
}

static void
a_role_is_executed_with_its_region(void **state)
{
	const struct identity identity = { .uid = geteuid() };
	struct spawn_plan plan = {
		.program = "true",
		.program_fd = open("/bin/true", O_PATH | O_CLOEXEC),
		.region = 3,
		.identity = &identity,
	};
	pid_t pid;
	int status;

	(void)state;
	assert_int_not_equal(plan.program_fd, -1);
	pid = spawn(&plan);
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(plan.program_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_end_where_they_shall_be),
		cmocka_unit_test(
		    two_that_stand_in_each_others_place_are_exchanged),
		cmocka_unit_test(
		    one_that_is_in_its_place_already_stays_open_over_exec),
		cmocka_unit_test(the_program_is_moved_out_of_the_way),
		cmocka_unit_test(a_role_is_executed_with_its_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
