/*
 * tests/unit/store/sqlite_file.h - a file of SQLite, and the disk it is on.
 */
/* SPDX-License-Identifier: ISC */
#ifndef TESTS_STORE_SQLITE_FILE_H
#define TESTS_STORE_SQLITE_FILE_H

/* With all that stands beside it; nothing happens where nothing is. */
void sqlite_file_remove(const char *path);

/* Writes a file until nothing more fits. */
void sqlite_file_fill_disk(const char *filler);

#endif
