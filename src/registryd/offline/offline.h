/*
 * registryd/offline/offline.h - what sluice-store does with a store.
 *
 * sluicectl runs it for `migrate` and `store copy`: sluicectl itself links
 * no SQL library, and registryd is a role of a running sluice, which is not
 * needed here.  Exit statuses are those of sluicectl(8).
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_OFFLINE_OFFLINE_H
#define REGISTRYD_OFFLINE_OFFLINE_H

#include "registryd/offline/sql.h"

enum offline_exit {
	OFFLINE_OK = 0,
	OFFLINE_NO = 1,			/* the answer is no, or it failed */
	OFFLINE_USAGE = 2,
	OFFLINE_UNREACHABLE = 3,
};

/* What the command line and the configuration say. */
struct offline {
	const struct settings *settings;
	char *sqlite_path;		/* of the configured file */
	bool wants_json;
};

/* The place that the configuration names for a driver. */
struct sql_place offline_place(const struct offline *, enum store_driver);

/* A line on standard error; returns OFFLINE_USAGE. */
enum offline_exit offline_usage(const char *text);

/* argv[0] is the verb itself. */
enum offline_exit offline_migrate(const struct offline *, int argc,
    char **argv);
enum offline_exit offline_copy(const struct offline *, int argc,
    char **argv);

/*
 * The version of the schema, 0 where there is none.  One that is newer
 * than the program is complained about, and is -1 as well.
 */
MUST_CHECK int migrate_version(struct sql *, uint32_t *version_r);

/*
 * Brings the schema up to date, in one transaction, under the advisory lock
 * that sluices take at start.  is_told: says what was done.
 */
MUST_CHECK int migrate_up(struct sql *, bool is_told);

#endif
