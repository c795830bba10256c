/*
 * registryd/offline/copy.c - `sluicectl store copy`: from a store to another.
 *
 * All of it or nothing: one snapshot of the source, one transaction of the
 * target, which is only committed when both sides were counted and hashed
 * to the same (digest.h).  Both have the schema of this program, so their
 * tables have the same columns; which, the catalog is asked, and names are
 * taken from there and from the list below alone.
 */
/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registryd/offline/digest.h"
#include "registryd/offline/offline.h"

#define USAGE "store copy [--from STORE] [--to STORE] [--replace] [--force]"

/* Whoever is leant on stands before who leans on it.  Not copied is what is
 * the database's own (identity, which spools it has played), of running
 * sluices (instance), or of a replica. */
static const struct {
	const char *name;
	bool gives_ids;
} tables[] = {
	{ "generation", false }, { "service", false }, { "backend", true },
	{ "route", true }, { "route_target", false }, { "change", false },
	{ "horizon", false }, { "note_version", false }, { "note", false },
};

struct copy {
	struct sql *from, *to;
	struct sql_table source, target;	/* the one under way */
	const enum sql_type *types;	/* of its cells, as the digest sees */
	struct digest written, found;
	uint64_t total;
	bool shows_progress;
};

/* Progress, on a terminal ------------------------------------------------ */

#define PROGRESS_ROWS 16384

static void
show_progress(const struct copy *copy, const char *verb, uint64_t count)
{
	if (copy->shows_progress)
		fprintf(stderr, "\r%-9s %-13s %" PRIu64 " rows  ", verb,
		    copy->source.name, count);
}

static void
end_progress(const struct copy *copy)
{
	if (copy->shows_progress)
		fputc('\n', stderr);
}

/* One table -------------------------------------------------------------- */

static int
write_row(void *context, const struct cell *cells, uint32_t count)
{
	struct copy *copy = context;

	digest_add_row(&copy->written, copy->types, cells, count);
	if (copy->written.count % PROGRESS_ROWS == 0)
		show_progress(copy, "copying", copy->written.count);
	return copy->to->dialect->write_row(copy->to, cells, count);
}

static int
find_row(void *context, const struct cell *cells, uint32_t count)
{
	struct copy *copy = context;

	digest_add_row(&copy->found, copy->types, cells, count);
	if (copy->found.count % PROGRESS_ROWS == 0)
		show_progress(copy, "comparing", copy->found.count);
	return 0;
}

static int
check_columns(const struct copy *copy)
{
	const struct sql_table *source = &copy->source, *target = &copy->target;
	bool is_same = source->count == target->count;

	for (uint32_t i = 0; is_same && i < source->count; i++)
		is_same = strcmp(source->names[i], target->names[i]) == 0;
	if (is_same)
		return 0;
	return sql_complain(copy->to, "table %s has other columns than the "
	    "source's", target->name);
}

static int
copy_rows(struct copy *copy)
{
	const struct sql_dialect *to = copy->to->dialect;

	copy->written = copy->found = (struct digest){ 0 };
	if (to->write_begin(copy->to, &copy->target) == -1 ||
	    copy->from->dialect->read(copy->from, &copy->source, write_row,
		copy) == -1 ||
	    to->write_end(copy->to) == -1)
		return -1;
	show_progress(copy, "copied", copy->written.count);
	if (to->read(copy->to, &copy->target, find_row, copy) == -1)
		return -1;
	show_progress(copy, "compared", copy->found.count);
	end_progress(copy);
	if (copy->found.count == copy->written.count &&
	    copy->found.sum == copy->written.sum)
		return 0;
	return sql_complain(copy->to, "table %s: %" PRIu64 " rows were "
	    "written, and %" PRIu64 " others were found there; nothing was "
	    "changed", copy->source.name, copy->written.count,
	    copy->found.count);
}

static int
copy_table(struct copy *copy, const char *name)
{
	int result = -1;

	if (sql_table_read(copy->from, name, &copy->source) == 0 &&
	    sql_table_read(copy->to, name, &copy->target) == 0 &&
	    check_columns(copy) == 0) {
		/* SQLite knows texts alone, of whatever kind. */
		copy->types = copy->from->dialect == &sql_sqlite
				  ? copy->target.types : copy->source.types;
		result = copy_rows(copy);
	}
	copy->total += copy->written.count;
	sql_table_clear(&copy->source);
	sql_table_clear(&copy->target);
	return result;
}

/* Ids are never given twice, not even those of what is gone. */
static int
copy_last_id(struct copy *copy, const char *name)
{
	struct cell cells[] = { cell_text(name), cell_integer(0) };
	int64_t last;

	if (sql_run_integer(copy->from, QUERY_SELECT_LAST_ID, cells, 1,
		&last) == -1 ||
	    sql_run(copy->to, QUERY_FORGET_LAST_ID, cells, 1, NULL, NULL) ==
		-1)
		return -1;
	cells[1] = cell_integer(last);
	return last == 0 ? 0 : sql_run(copy->to, QUERY_PUT_LAST_ID, cells, 2,
	    NULL, NULL);
}

/* All -------------------------------------------------------------------- */

static int
check_empty(struct copy *copy)
{
	int64_t is_empty;

	if (sql_run_integer(copy->to, QUERY_IS_EMPTY, NULL, 0, &is_empty) ==
	    -1)
		return -1;
	return is_empty != 0 ? 0 : sql_complain(copy->to, "the target is not "
	    "empty; give another, or say --replace");
}

static int
copy_all(struct copy *copy)
{
	/* The schema itself put a generation there. */
	if (sql_script(copy->to,
		copy->to->dialect->queries[QUERY_EMPTY].sql) == -1)
		return -1;
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		if (copy_table(copy, tables[i].name) == -1 ||
		    (tables[i].gives_ids &&
			copy_last_id(copy, tables[i].name) == -1))
			return -1;
	return sql_run(copy->to, QUERY_COMMIT, NULL, 0, NULL, NULL);
}

static int
check_source(struct copy *copy)
{
	uint32_t version;

	if (migrate_version(copy->from, &version) == -1)
		return -1;
	if (version == *copy->from->dialect->migration_count)
		return 0;
	return sql_complain(copy->from, "the source's schema is at version %"
	    PRIu32 "; bring it up to date first, with migrate up", version);
}

static int
copy_between(struct copy *copy, bool replaces)
{
	if (check_source(copy) == -1 || migrate_up(copy->to, false) == -1 ||
	    sql_run(copy->from, QUERY_BEGIN_SNAPSHOT, NULL, 0, NULL, NULL) ==
		-1 ||
	    sql_run(copy->to, QUERY_BEGIN, NULL, 0, NULL, NULL) == -1 ||
	    sql_run(copy->to, QUERY_LOCK_MIGRATIONS, NULL, 0, NULL, NULL) ==
		-1)
		return -1;
	if (!replaces && check_empty(copy) == -1)
		return -1;
	return copy_all(copy);
}

/* The verb --------------------------------------------------------------- */

struct order {
	const char *from, *to;		/* NULL: the configured store */
	bool replaces, is_forced;
};

static int
read_order(struct order *order, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "replace", no_argument, NULL, 'r' },
		{ "force", no_argument, NULL, 'F' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*order = (struct order){ 0 };
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			order->from = optarg;
		else if (option == 't')
			order->to = optarg;
		else if (option == '?')
			return -1;
		order->replaces |= option == 'r';
		order->is_forced |= option == 'F';
	}
	return optind == argc && (order->from != NULL || order->to != NULL)
		   ? 0 : -1;
}

/* "sqlite", "postgres", sqlite:PATH, /PATH, postgres://..., key=value. */
static int
read_place(const struct offline *offline, const char *text,
    struct sql_place *place_r)
{
	struct bytes bytes = bytes_of(text);

	if (text == NULL)
		*place_r = offline_place(offline,
		    offline->settings->store.driver);
	else if (bytes_is(bytes, "sqlite"))
		*place_r = offline_place(offline, STORE_SQLITE);
	else if (bytes_is(bytes, "postgres"))
		*place_r = offline_place(offline, STORE_POSTGRES);
	else if (bytes_start_with(bytes, bytes_of("sqlite:")))
		*place_r = (struct sql_place){ STORE_SQLITE,
			text + strlen("sqlite:") };
	else if (text[0] == '/')
		*place_r = (struct sql_place){ STORE_SQLITE, text };
	else if (bytes_start_with(bytes, bytes_of("postgres://")) ||
	    bytes_start_with(bytes, bytes_of("postgresql://")) ||
	    strchr(text, '=') != NULL)
		*place_r = (struct sql_place){ STORE_POSTGRES, text };
	else
		return -1;
	return 0;
}

static bool
is_same_place(const struct sql_place *one, const struct sql_place *other)
{
	return one->driver == other->driver &&
	    strcmp(one->text, other->text) == 0;
}

static enum offline_exit
copy_places(const struct sql_place *from, const struct sql_place *to,
    const struct order *order)
{
	struct copy copy = { .shows_progress = isatty(STDERR_FILENO) != 0 };
	unsigned int flags = SQL_MAKE | (order->is_forced ? 0 : SQL_ALONE);
	enum offline_exit result = OFFLINE_UNREACHABLE;

	if (sql_open(from, 0, &copy.from) == 0 &&
	    sql_open(to, flags, &copy.to) == 0) {
		result = copy_between(&copy, order->replaces) == 0
			     ? OFFLINE_OK : OFFLINE_NO;
		if (result == OFFLINE_OK)
			printf("%" PRIu64 " rows copied from %s to %s, and "
			    "compared\n", copy.total,
			    copy.from->dialect->name, copy.to->dialect->name);
	}
	sql_close(&copy.from);
	sql_close(&copy.to);
	return result;
}

enum offline_exit
offline_copy(const struct offline *offline, int argc, char **argv)
{
	struct sql_place from, to;
	struct order order;

	if (read_order(&order, argc, argv) == -1)
		return offline_usage(USAGE);
	if (read_place(offline, order.from, &from) == -1 ||
	    read_place(offline, order.to, &to) == -1)
		return offline_usage("a store is sqlite, postgres, "
		    "sqlite:PATH or a URL of postgres");
	if (is_same_place(&from, &to))
		return offline_usage("that is one store, not two");
	return copy_places(&from, &to, &order);
}
