/*
 * tests/unit/common/test_log.c - the error log, into a file of the test's.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/compat.h"
#include "common/log.h"

static char folder[] = "/tmp/test_log.XXXXXX";
static char path[64], moved[64];

/* The whole file; good until the next call. */
static const char *
content(const char *name)
{
	static char text[8192];
	ssize_t len;
	int fd = open(name, O_RDONLY);

	if (fd == -1)
		return NULL;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(len >= 0);
	text[len] = '\0';
	return text;
}

static void
writes_one_line_a_message(void **state)
{
	char want[64];

	(void)state;
	assert_int_equal(log_open("tester", path), 0);
	errno = ENOENT;
	log_warn("backend %d: connect: %m", 7);
	assert_int_equal(errno, ENOENT);
	snprintf(want, sizeof(want), " tester[%d] warn: backend 7: connect: ",
	    (int)getpid());
	assert_non_null(strstr(content(path), want));
	assert_non_null(strstr(content(path), "No such file or directory\n"));
}

static void
input_cannot_break_a_line(void **state)
{
	(void)state;
	log_error("said \"%s\"", "a\nb\x1b[0m\x7f");
	assert_non_null(strstr(content(path), "error: said \"a?b?[0m?\"\n"));
}

static void
levels_are_obeyed(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_WARN);
	log_notice("not to be seen");
	assert_null(strstr(content(path), "not to be seen"));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("to be seen");
	assert_non_null(strstr(content(path), "debug: to be seen"));
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
}

static void
levels_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
		enum log_level level;

		assert_int_equal(log_level_parse(
		    bytes_of(log_level_name((enum log_level)i)), &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_level_parse(bytes_of("loud"),
	    &(enum log_level){ 0 }), -1);
}

static void
a_rotated_file_is_left(void **state)
{
	(void)state;
	assert_int_equal(rename(path, moved), 0);
	log_info("into the old file");
	assert_non_null(strstr(content(moved), "into the old file"));
	assert_int_equal(log_reopen(), 0);
	log_info("into the new file");
	assert_non_null(strstr(content(path), "into the new file"));
	assert_null(strstr(content(moved), "into the new file"));
}

static void
a_target_that_cannot_be_opened_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(log_open("tester", "/nonexistent/folder/log"), -1);
	log_info("still here");
	assert_non_null(strstr(content(path), "still here"));
}

static void
lost_lines_are_counted_and_told(void **state)
{
	uint64_t before = log_dropped_count();

	(void)state;
	assert_int_equal(log_open("tester", "/dev/full"), 0);
	log_error("lost");
	assert_true(log_dropped_count() > before);
	assert_int_equal(log_open("tester", path), 0);
	log_error("found");
	assert_non_null(strstr(content(path), "lines could not be written"));
}

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_one_line_a_message),
		cmocka_unit_test(input_cannot_break_a_line),
		cmocka_unit_test(levels_are_obeyed),
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test(a_rotated_file_is_left),
		cmocka_unit_test(
		    a_target_that_cannot_be_opened_changes_nothing),
		cmocka_unit_test(lost_lines_are_counted_and_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
