/*
 * registryd/offline/migrate.c - `sluicectl migrate`: the schema up and down.
 *
 * Up may be done beside running sluices: migrations add, and who starts
 * next finds it done.  Down takes away what they use, so it is refused
 * while one has the store open (a SQLite file: a lock on it; PostgreSQL:
 * connections by that name), unless forced.  Each is one transaction under
 * the lock that sluices take when they start.
 */
/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "registryd/offline/offline.h"

#define USAGE "migrate up | down [--to N] [--force] | status | --check"

static uint32_t
known(const struct sql *sql)
{
	return *sql->dialect->migration_count;
}

static const char *
name_of(const struct sql *sql, uint32_t version)
{
	return sql->dialect->migrations[version - 1].name;
}

int
migrate_version(struct sql *sql, uint32_t *version_r)
{
	int64_t has_schema, version = 0;

	if (sql_run_integer(sql, QUERY_HAS_SCHEMA_VERSION, NULL, 0,
		&has_schema) == -1)
		return -1;
	if (has_schema != 0 && sql_run_integer(sql,
		QUERY_SELECT_SCHEMA_VERSION, NULL, 0, &version) == -1)
		return -1;
	*version_r = (uint32_t)version;
	if (version <= known(sql))
		return 0;
	return sql_complain(sql, "schema version %" PRId64 " is newer than "
	    "this program, which knows %" PRIu32 "; install a newer sluice",
	    version, known(sql));
}

/* Up --------------------------------------------------------------------- */

static int
apply(struct sql *sql, uint32_t version)
{
	const struct store_migration *migration =
	    &sql->dialect->migrations[version - 1];
	const struct cell cells[] = {
		cell_integer(migration->version),
		cell_text(migration->name),
		cell_integer(clock_wall_ms()),
	};

	if (sql_script(sql, migration->up) == -1)
		return sql_complain(sql, "%s was not applied, and nothing "
		    "changed", migration->name);
	return sql_run(sql, QUERY_INSERT_SCHEMA_VERSION, cells,
	    COUNT_OF(cells), NULL, NULL);
}

static int
begin(struct sql *sql)
{
	if (sql_run(sql, QUERY_BEGIN, NULL, 0, NULL, NULL) == -1)
		return -1;
	return sql_run(sql, QUERY_LOCK_MIGRATIONS, NULL, 0, NULL, NULL);
}

int
migrate_up(struct sql *sql, bool is_told)
{
	uint32_t version;

	if (begin(sql) == -1 || migrate_version(sql, &version) == -1)
		return -1;
	if (version < known(sql) && sql_run(sql, QUERY_CREATE_SCHEMA_VERSION,
		NULL, 0, NULL, NULL) == -1)
		return -1;
	for (uint32_t next = version + 1; next <= known(sql); next++)
		if (apply(sql, next) == -1)
			return -1;
	if (sql_run(sql, QUERY_COMMIT, NULL, 0, NULL, NULL) == -1)
		return -1;
	for (uint32_t next = version + 1; is_told && next <= known(sql);
	    next++)
		printf("%s: applied\n", name_of(sql, next));
	if (is_told)
		printf("the schema is at version %" PRIu32 "\n", known(sql));
	return 0;
}

/* Down ------------------------------------------------------------------- */

static int
step_down(struct sql *sql, uint32_t version, uint32_t to)
{
	for (; version > to; version--)
		if (sql_script(sql,
			sql->dialect->migrations[version - 1].down) == -1)
			return sql_complain(sql, "%s was not taken back, and "
			    "nothing changed", name_of(sql, version));
	if (to == 0 && sql_run(sql, QUERY_DROP_SCHEMA_VERSION, NULL, 0, NULL,
		NULL) == -1)
		return -1;
	return sql_run(sql, QUERY_COMMIT, NULL, 0, NULL, NULL);
}

/* to -1: one step. */
static int
migrate_down(struct sql *sql, int64_t to)
{
	uint32_t version;

	if (begin(sql) == -1 || migrate_version(sql, &version) == -1)
		return -1;
	if (to == -1)
		to = (int64_t)version - 1;
	if (to < 0 || to >= version)
		return sql_complain(sql, "the schema is at version %" PRIu32
		    ": there is no way down from it to there", version);
	if (step_down(sql, version, (uint32_t)to) == -1)
		return -1;
	for (; version > to; version--)
		printf("%s: taken back\n", name_of(sql, version));
	printf("the schema is at version %" PRId64 "\n", to);
	return 0;
}

/* Status ----------------------------------------------------------------- */

struct status {
	uint32_t next;			/* the first that was not shown */
	bool wants_json;
	struct json_writer writer;
};

static void
show_row(struct status *status, uint32_t version, const char *name,
    const char *applied)
{
	status->next = version + 1;
	if (!status->wants_json) {
		printf("%-4" PRIu32 "  %-28s  %s\n", version, name,
		    applied == NULL ? "-" : applied);
		return;
	}
	json_write_begin(&status->writer, '{');
	json_write_key(&status->writer, "version");
	json_write_integer(&status->writer, version);
	json_write_key(&status->writer, "name");
	json_write_text(&status->writer, name);
	json_write_key(&status->writer, "applied_at");
	json_write_text(&status->writer, applied);
	json_write_end(&status->writer, '}');
}

static int
show_applied(void *context, const struct cell *cells, uint32_t count)
{
	char applied[CLOCK_RFC3339_SIZE];

	if (count != 3 || cells[0].type != CELL_INTEGER ||
	    cells[1].type != CELL_TEXT || cells[2].type != CELL_INTEGER)
		return -1;
	clock_format_rfc3339(cells[2].integer, applied);
	show_row(context, (uint32_t)cells[0].integer, cells[1].text.data,
	    applied);
	return 0;
}

static int
show_status(struct sql *sql, bool wants_json)
{
	struct buf json = { 0 };
	struct status status = { .next = 1, .wants_json = wants_json,
		.writer = json_writer(&json) };
	int64_t has_schema;

	if (sql_run_integer(sql, QUERY_HAS_SCHEMA_VERSION, NULL, 0,
		&has_schema) == -1)
		return -1;
	if (wants_json)
		json_write_begin(&status.writer, '[');
	else
		printf("%-4s  %-28s  %s\n", "", "MIGRATION", "APPLIED");
	if (has_schema != 0 && sql_run(sql, QUERY_SELECT_MIGRATIONS, NULL, 0,
		show_applied, &status) == -1) {
		buf_free(&json);
		return -1;
	}
	for (uint32_t version = status.next; version <= known(sql); version++)
		show_row(&status, version, name_of(sql, version), NULL);
	if (wants_json)
		json_write_end(&status.writer, ']');
	if (wants_json && !json.is_failed)
		printf("%s\n", json.data);
	buf_free(&json);
	return 0;
}

static int
check(struct sql *sql)
{
	uint32_t version;

	if (migrate_version(sql, &version) == -1)
		return -1;
	if (version == known(sql))
		return 0;
	printf("the schema is at version %" PRIu32 ", this program needs %"
	    PRIu32 "; run sluicectl migrate up\n", version, known(sql));
	return -1;
}

/* The verb --------------------------------------------------------------- */

enum direction { GO_UP, GO_DOWN, SHOW_STATUS, CHECK };

struct order {
	enum direction direction;
	int64_t to;			/* -1: not said */
	bool is_forced;
};

static int
read_number(const char *text, int64_t *number_r)
{
	unsigned long long number;

	if (bytes_to_number(bytes_of(text), UINT32_MAX, &number) == -1)
		return -1;
	*number_r = (int64_t)number;
	return 0;
}

static int
read_direction(struct order *order, int argc, char **argv)
{
	static const char *const names[] = { [GO_UP] = "up",
		[GO_DOWN] = "down", [SHOW_STATUS] = "status" };

	if (order->direction == CHECK)
		return optind == argc ? 0 : -1;
	if (argc - optind != 1)
		return -1;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(argv[optind], names[i]) != 0)
			continue;
		order->direction = (enum direction)i;
		return order->direction == GO_DOWN ||
			(order->to == -1 && !order->is_forced) ? 0 : -1;
	}
	return -1;
}

static int
read_order(struct order *order, int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "force", no_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*order = (struct order){ .to = -1 };
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			order->direction = CHECK;
		else if (option == 'f')
			order->is_forced = true;
		else if (option != 't' || read_number(optarg, &order->to) == -1)
			return -1;
	}
	return read_direction(order, argc, argv);
}

static int
carry_out(struct sql *sql, const struct order *order, bool wants_json)
{
	switch (order->direction) {
	case GO_UP:
		return migrate_up(sql, true);
	case GO_DOWN:
		return migrate_down(sql, order->to);
	case SHOW_STATUS:
		return show_status(sql, wants_json);
	case CHECK:
		return check(sql);
	}
	return -1;
}

enum offline_exit
offline_migrate(const struct offline *offline, int argc, char **argv)
{
	struct sql_place place = offline_place(offline,
	    offline->settings->store.driver);
	unsigned int flags = 0;
	struct order order;
	struct sql *sql;
	int result;

	if (read_order(&order, argc, argv) == -1)
		return offline_usage(USAGE);
	if (order.direction == GO_UP)
		flags = SQL_MAKE;
	else if (order.direction == GO_DOWN && !order.is_forced)
		flags = SQL_ALONE;
	if (sql_open(&place, flags, &sql) == -1)
		return OFFLINE_UNREACHABLE;
	result = carry_out(sql, &order, offline->wants_json);
	sql_close(&sql);
	return result == 0 ? OFFLINE_OK : OFFLINE_NO;
}
