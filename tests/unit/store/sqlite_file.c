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
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/compat.h"

bool
sqlite_file_make_dir(char *dir, const char *name, char *path, size_t size)
{
	if (mkdtemp(dir) == NULL)
		return false;
	snprintf(path, size, "%s/%s", dir, name);
	return true;
}

void
sqlite_file_remove_dir(const char *dir, const char *path)
{
	(void)umount2(dir, MNT_DETACH);
	sqlite_file_remove(path);
	rmdir(dir);
}

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
