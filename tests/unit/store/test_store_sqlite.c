/*
 * tests/unit/store/test_store_sqlite.c - the contract, in a SQLite file.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "contract.h"

static char dir[] = "/tmp/sluice-store-XXXXXX";
static char path[sizeof(dir) + 16];

static void
remove_files(void)
{
	static const char *const endings[] = { "", "-wal", "-shm" };
	char name[sizeof(path) + 8];

	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		unlink(name);
	}
}

static void
make(struct fixture *fixture)
{
	remove_files();
	fixture_new(fixture, STORE_SQLITE, path, "");
	if (fixture_open(fixture) != STORE_OK)
		fail_msg("%s", fixture->message);
}

int
main(void)
{
	int failed_count;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/sluice.db", dir);
	failed_count = contract_run("sqlite", make);
	remove_files();
	rmdir(dir);
	return failed_count;
}
