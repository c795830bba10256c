/*
 * tests/unit/store/sqlite_file.c - a file of SQLite, and the disk it is on.
 */
/* SPDX-License-Identifier: ISC */
#include "sqlite_file.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/compat.h"

void
sqlite_file_remove(const char *path)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".broken",
		".broken-wal", ".broken-shm" };
	char name[PATH_MAX];

	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		unlink(name);
	}
}

void
sqlite_file_fill_disk(const char *filler)
{
	static const char zeros[4096];
	int fd = open(filler, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd != -1);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	close(fd);
}
