/*
 * registryd/store/sqlite_functions.h - what our SQL calls and SQLite has not.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_SQLITE_FUNCTIONS_H
#define REGISTRYD_STORE_SQLITE_FUNCTIONS_H

#include <sqlite3.h>

#include "common/compat.h"

/* Makes them known to a connection.  SQLITE_OK, or an error code. */
MUST_CHECK int sqlite_functions_add(sqlite3 *);

#endif
