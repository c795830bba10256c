/*
 * registryd/store/sqlite_functions.c - what our SQL calls and SQLite has not.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/sqlite_functions.h"

#include "registryd/store/secret.h"

/* sha256_hex(text), for migrations. */
static void
run_sha256_hex(sqlite3_context *context, int count, sqlite3_value **values)
{
	const unsigned char *text = sqlite3_value_text(values[0]);
	size_t len = (size_t)sqlite3_value_bytes(values[0]);
	char hash[SECRET_HASH_SIZE];

	(void)count;
	if (text == NULL) {
		sqlite3_result_null(context);
		return;
	}
	secret_hash(bytes_slice((const char *)text, len), hash);
	sqlite3_result_text(context, hash, -1, SQLITE_TRANSIENT);
}

int
sqlite_functions_add(sqlite3 *handle)
{
	return sqlite3_create_function(handle, "sha256_hex", 1,
	    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
	    run_sha256_hex, NULL, NULL);
}
