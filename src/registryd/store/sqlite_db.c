/*
 * registryd/store/sqlite_db.c - one SQLite file, opened and migrated.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "registryd/store/sqlite_cells.h"
#include "registryd/store/sqlite_functions.h"

#define COLUMNS_MAX SERVICE_CELLS

static int
step_rows(sqlite3_stmt *statement, sqlite_row_fn *row, void *context)
{
	struct cell cells[COLUMNS_MAX];
	int code, count;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		count = sqlite3_column_count(statement);
		for (int i = 0; i < count && i < COLUMNS_MAX; i++)
			cells[i] = sqlite_cell_read(statement, i);
		if (row != NULL && row(context, cells) == -1)
			return SQLITE_ABORT;
	}
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int
run_statement(struct sqlite_db *db, enum store_query query,
    const struct cell *cells, uint32_t count, sqlite_row_fn *row,
    void *context)
{
	sqlite3_stmt **statement = &db->statements[query];
	int code;

	if (*statement == NULL) {
		code = sqlite3_prepare_v3(db->handle, sqlite_queries[query].sql,
		    -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
		if (code != SQLITE_OK)
			return code;
	}
	if ((code = sqlite_cells_bind(*statement, cells, count)) == SQLITE_OK)
		code = step_rows(*statement, row, context);
	/* What reset returns is the step's error once more. */
	(void)sqlite3_reset(*statement);
	(void)sqlite3_clear_bindings(*statement);
	return code;
}

int
sqlite_db_run(struct sqlite_db *db, enum store_query query,
    const struct cell *cells, uint32_t count, sqlite_row_fn *row,
    void *context)
{
	struct instant start = clock_now();
	int code = run_statement(db, query, cells, count, row, context);

	db->query_count++;
	db->query_us_sum += (uint64_t)(clock_now().ns - start.ns) / 1000;
	if (code != SQLITE_OK && code != SQLITE_ABORT)
		db->query_failed_count++;
	return code;
}

static int
take_integer(void *context, const struct cell *cells)
{
	int64_t *integer = context;

	*integer = cells[0].integer;
	return 0;
}

int
sqlite_db_run_integer(struct sqlite_db *db, enum store_query query,
    const struct cell *cells, uint32_t count, int64_t *integer_r)
{
	*integer_r = 0;
	return sqlite_db_run(db, query, cells, count, take_integer, integer_r);
}

void
sqlite_db_roll_back(struct sqlite_db *db)
{
	/* SQLite ends a transaction by itself after some errors. */
	if (db->handle != NULL && !sqlite3_get_autocommit(db->handle) &&
	    sqlite_db_run(db, QUERY_ROLLBACK, NULL, 0, NULL, NULL) != SQLITE_OK)
		sqlite_db_close(db);	/* the next request opens it anew */
}

static enum store_result
result_of(int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
	case SQLITE_CONSTRAINT_UNIQUE:
		return STORE_CONFLICT;
	default:
		break;
	}
	switch (code & 0xff) {
	case SQLITE_FULL:
	case SQLITE_READONLY:
		return STORE_FULL;
	case SQLITE_CONSTRAINT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		return STORE_REFUSED;
	default:
		return STORE_UNAVAILABLE;
	}
}

void
sqlite_db_fail(struct sqlite_db *db, struct store_request *request, int code)
{
	const char *advice = "";

	db->is_damaged |= (code & 0xff) == SQLITE_CORRUPT ||
	    (code & 0xff) == SQLITE_NOTADB;
	switch (code & 0xff) {
	case SQLITE_FULL:
		advice = "; make room on its file system and try again";
		break;
	case SQLITE_READONLY:
		advice = "; let sluice's user write the file and its directory";
		break;
	case SQLITE_NOTADB:
		advice = "; move the file away, or set store.path to another";
		break;
	case SQLITE_BUSY:
		advice = "; another program holds the file";
		break;
	default:
		break;
	}
	request_fail(request, result_of(code), "sqlite: %s: %s%s", db->path,
	    db->handle == NULL || sqlite3_extended_errcode(db->handle) != code
		? sqlite3_errstr(code) : sqlite3_errmsg(db->handle), advice);
}

static int
apply_migration(struct sqlite_db *db, const struct store_migration *migration)
{
	const struct cell cells[] = {
		cell_integer(migration->version),
		cell_text(migration->name),
		cell_integer(clock_wall_ms()),
	};
	int code;

	code = sqlite3_exec(db->handle, migration->up, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return code;
	return sqlite_db_run(db, QUERY_INSERT_SCHEMA_VERSION, cells,
	    COUNT_OF(cells), NULL, NULL);
}

static int
migrate(struct sqlite_db *db, struct store_request *request)
{
	int64_t version = 0;
	int code;

	code = sqlite_db_run(db, QUERY_CREATE_SCHEMA_VERSION, NULL, 0, NULL,
	    NULL);
	if (code == SQLITE_OK)
		code = sqlite_db_run_integer(db, QUERY_SELECT_SCHEMA_VERSION,
		    NULL, 0, &version);
	if (code == SQLITE_OK && version > sqlite_migration_count) {
		request_fail(request, STORE_REFUSED, "sqlite: %s: schema "
		    "version %" PRId64 " is newer than this program, which "
		    "knows %" PRIu32 "; install a newer sluice", db->path,
		    version, sqlite_migration_count);
		return -1;
	}
	for (uint32_t i = (uint32_t)version;
	    code == SQLITE_OK && i < sqlite_migration_count; i++)
		code = apply_migration(db, &sqlite_migrations[i]);
	db->schema_version = sqlite_migration_count;
	if (code == SQLITE_OK)
		return 0;
	sqlite_db_fail(db, request, code);
	return -1;
}

static int
migrate_in_transaction(struct sqlite_db *db, struct store_request *request)
{
	int code = sqlite_db_run(db, QUERY_BEGIN, NULL, 0, NULL, NULL);

	if (code == SQLITE_OK) {
		if (migrate(db, request) == -1)
			return -1;
		code = sqlite_db_run(db, QUERY_COMMIT, NULL, 0, NULL, NULL);
	}
	if (code == SQLITE_OK)
		return 0;
	sqlite_db_fail(db, request, code);
	return -1;
}

/* Makes the file if need be, for us and our group; says why it cannot. */
static int
make_file(const struct sqlite_db *db, struct store_request *request)
{
	int fd = open(db->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd == -1) {
		request_fail(request, errno == ENOSPC || errno == EROFS
			? STORE_FULL : STORE_UNAVAILABLE,
		    "sqlite: %s: %s", db->path, strerror(errno));
		return -1;
	}
	close(fd);
	return 0;
}

int
sqlite_db_open(struct sqlite_db *db, struct store_request *request)
{
	int code;

	if (make_file(db, request) == -1)
		return -1;
	code = sqlite3_open_v2(db->path, &db->handle,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (code == SQLITE_OK)
		code = sqlite_functions_add(db->handle);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db->handle,
		    sqlite_queries[QUERY_SET_UP].sql, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		sqlite_db_fail(db, request, code);
	else if (migrate_in_transaction(db, request) == 0 &&
	    (db->target == NULL || sqlite_replica_open(db, request) == 0))
		return 0;
	sqlite_db_close(db);
	return -1;
}

void
sqlite_db_close(struct sqlite_db *db)
{
	for (int i = 0; i < QUERY_COUNT; i++) {
		(void)sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	/* With no statement left, close cannot be refused. */
	(void)sqlite3_close(db->handle);
	db->handle = NULL;
}
