/*
 * tests/unit/store/sqlite_file.h - a file of SQLite, and the disk it is on.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_STORE_SQLITE_FILE_H
#define TESTS_STORE_SQLITE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Makes dir, a template of mkdtemp(), and the path of a file of that name
 * in it. */
bool sqlite_file_make_dir(char *dir, const char *name, char *path,
    size_t size);

/* What a test that failed left mounted on it goes, too. */
void sqlite_file_remove_dir(const char *dir, const char *path);

/* With all that stands beside it; nothing happens where nothing is. */
void sqlite_file_remove(const char *path);

/* Writes a file until nothing more fits. */
void sqlite_file_fill_disk(const char *filler);

#endif
