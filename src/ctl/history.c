/*
 * ctl/history.c - `sluicectl history`, `diff` and `rollback`.
 */
/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/quantity.h"
#include "ctl/ask.h"
#include "ctl/names.h"
#include "ctl/pages.h"
#include "ctl/table.h"

#define ROWS_PRESET 100

/* Pages of changes, and which of their rows are wanted. */
struct changes {
	const struct ctl *ctl;
	const char *path;
	const char *service;		/* NULL: of all */
	char since[CLOCK_RFC3339_SIZE];	/* "": from the beginning */
	uint32_t rows_left;
	void (*take)(struct changes *, const struct json_doc *, int item);
	struct table *table;
	struct buf text;		/* the items as one JSON array */
	struct json_writer json;
};

/* Whether a row's object, as it was or is, is of the service. */
static bool
is_of_service(const struct json_doc *doc, int object, const char *service)
{
	int target = JSON_NONE;
	char *name = json_string(doc, json_member(doc, object, "service"));
	bool is_so = name != NULL && strcmp(name, service) == 0;

	free(name);
	while (!is_so && json_each(doc, json_member(doc, object, "targets"),
		&target, NULL))
		is_so = is_of_service(doc, target, service);
	return is_so;
}

static bool
is_wanted(const struct changes *changes, const struct json_doc *doc, int item)
{
	char *kind, *key;
	bool is_it;

	if (changes->service == NULL)
		return true;
	kind = json_string(doc, json_member(doc, item, "kind"));
	key = json_string(doc, json_member(doc, item, "key"));
	is_it = kind != NULL && key != NULL && strcmp(kind, "service") == 0 &&
	    strcmp(key, changes->service) == 0;
	free(kind);
	free(key);
	return is_it ||
	    is_of_service(doc, json_member(doc, item, "before"),
		changes->service) ||
	    is_of_service(doc, json_member(doc, item, "after"),
		changes->service);
}

/* Times are RFC 3339 in UTC: their order is that of their text. */
static bool
is_too_old(const struct changes *changes, const struct json_doc *doc, int item)
{
	char *at = json_string(doc, json_member(doc, item, "at"));
	bool is_old = at != NULL && changes->since[0] != '\0' &&
	    strcmp(at, changes->since) < 0;

	free(at);
	return is_old;
}

static bool
take_item(void *context, const struct json_doc *doc, int item)
{
	struct changes *changes = context;

	if (is_too_old(changes, doc, item) || changes->rows_left == 0)
		return false;
	if (!is_wanted(changes, doc, item))
		return true;
	changes->rows_left--;
	changes->take(changes, doc, item);
	json_write_raw(&changes->json, json_raw(doc, item));
	return changes->rows_left > 0;
}

static enum ctl_exit
ask_all(struct changes *changes)
{
	enum ctl_exit result;

	changes->json = json_writer(&changes->text);
	json_write_begin(&changes->json, '[');
	result = pages_ask(changes->ctl, changes->path, take_item, changes);
	json_write_end(&changes->json, ']');
	if (result == CTL_OK && changes->ctl->wants_json)
		puts(changes->text.data);
	buf_free(&changes->text);
	return result;
}

/* history ---------------------------------------------------------------- */

static void
take_row(struct changes *changes, const struct json_doc *doc, int item)
{
	table_row_json(changes->table, doc, item);
}

static enum ctl_exit
list(struct changes *changes)
{
	static const struct table_column columns[] = {
		{ "GENERATION", "generation", true },
		{ "AT", "at", false },
		{ "WHO", "who", false },
		{ "FROM", "from", false },
		{ "CHANNEL", "channel", false },
		{ "ACTION", "action", false },
		{ "KIND", "kind", false },
		{ "KEY", "key", false },
		{ "NAME", NULL, false },
		{ "CAUSE", "cause", false },
	};
	enum ctl_exit result;

	changes->table = table_new(columns, COUNT_OF(columns));
	if (changes->table == NULL)
		return CTL_UNREACHABLE;
	table_set_name(changes->table, name_change);
	result = ask_all(changes);
	if (result == CTL_OK && !changes->ctl->wants_json)
		table_print(changes->table);
	table_free(&changes->table);
	return result;
}

/* Obeys one option of history; NULL, or what is wrong with it. */
static const char *
take_option(struct changes *changes, int option)
{
	unsigned long long count;
	int64_t span_ms;

	switch (option) {
	case 'S':
		changes->service = optarg;
		return NULL;
	case 'a':
		if (quantity_parse_span(bytes_of(optarg), true, &span_ms) == -1)
			return "--since: a span of time like 1h";
		clock_format_rfc3339(clock_wall_ms() - span_ms,
		    changes->since);
		if (changes->rows_left == ROWS_PRESET)
			changes->rows_left = UINT32_MAX;
		return NULL;
	case 'n':
		if (bytes_to_number(bytes_of(optarg), UINT32_MAX, &count) ==
			-1 || count == 0)
			return "-n: a number";
		changes->rows_left = (uint32_t)count;
		return NULL;
	default:
		return "history [--service X] [--since 1h] [-n COUNT]";
	}
}

enum ctl_exit
ctl_history(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "service", required_argument, NULL, 'S' },
		{ "since", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	struct changes changes = { .ctl = ctl, .path = "/v1/changes",
		.rows_left = ROWS_PRESET, .take = take_row };
	const char *why = NULL;
	int option;

	while (why == NULL && (option = getopt_long(argc, argv, "n:", options,
		NULL)) != -1)
		why = take_option(&changes, option);
	if (why == NULL && optind != argc)
		why = "history takes options only";
	return why != NULL ? ctl_usage(why) : list(&changes);
}

/* diff ------------------------------------------------------------------- */

/* Members that each change changes. */
static bool
is_volatile(struct bytes key)
{
	return bytes_is(key, "version") || bytes_is(key, "updated_at");
}

/* The members of one object that the other has not, or has otherwise. */
static void
print_members(const struct json_doc *doc, int object, int other, char sign)
{
	int value = JSON_NONE;
	struct bytes key;

	while (json_each(doc, object, &value, &key)) {
		char name[64];
		int there;

		if (is_volatile(key))
			continue;
		snprintf(name, sizeof(name), "%.*s", BYTES_ARGS(key));
		there = json_member(doc, other, name);
		if (there != JSON_NONE && bytes_equal(json_raw(doc, value),
			json_raw(doc, there)))
			continue;
		printf("  %c %s: %.*s\n", sign, name,
		    BYTES_ARGS(json_raw(doc, value)));
	}
}

static void
print_member(const struct json_doc *doc, int item, const char *name)
{
	struct bytes raw = json_raw(doc, json_member(doc, item, name));
	char *text = json_string(doc, json_member(doc, item, name));

	if (text != NULL)
		fputs(text, stdout);
	else
		printf("%.*s", BYTES_ARGS(raw));
	free(text);
}

static void
take_difference(struct changes *changes, const struct json_doc *doc, int item)
{
	static const char *const parts[] = { "generation", "at", "who",
		"action", "kind", "key", "cause" };
	int before = json_member(doc, item, "before");
	int after = json_member(doc, item, "after");

	if (changes->ctl->wants_json)
		return;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (i > 0)
			putchar(' ');
		print_member(doc, item, parts[i]);
	}
	putchar('\n');
	print_members(doc, before, after, '-');
	print_members(doc, after, before, '+');
}

enum ctl_exit
ctl_diff(const struct ctl *ctl, int argc, char **argv)
{
	struct changes changes = { .ctl = ctl, .rows_left = UINT32_MAX,
		.take = take_difference };
	struct buf path = { 0 };
	enum ctl_exit result;

	if (argc != 2 || strstr(argv[1], "..") == NULL)
		return ctl_usage("diff A..B, two generations");
	buf_append_text(&path, "/v1/changes/");
	client_encode(&path, bytes_of(argv[1]));
	changes.path = path.data;
	result = path.is_failed ? CTL_UNREACHABLE : ask_all(&changes);
	buf_free(&path);
	return result;
}

/* rollback --------------------------------------------------------------- */

static void
print_rolled_back(const struct json_doc *doc)
{
	int root = json_root(doc);
	int64_t to = 0, generation = 0, count = 0;

	if (json_integer(doc, json_member(doc, root, "to"), 0, INT64_MAX,
		&to) == -1 ||
	    json_integer(doc, json_member(doc, root, "generation"), 0,
		INT64_MAX, &generation) == -1 ||
	    json_integer(doc, json_member(doc, root, "changes"), 0, INT64_MAX,
		&count) == -1)
		return;
	printf("generation %" PRId64 ": as at %" PRId64 ", by %" PRId64
	    " changes\n", generation, to, count);
}

enum ctl_exit
ctl_rollback(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	const char *target = "/v1/rollback";
	struct client_answer answer;
	unsigned long long to;
	struct json_doc *doc;
	enum ctl_exit result;
	char body[48];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return ctl_usage("rollback [--force] N");
		target = "/v1/rollback?force=true";
	}
	if (argc - optind != 1 ||
	    bytes_to_number(bytes_of(argv[optind]), INT64_MAX, &to) == -1)
		return ctl_usage("rollback [--force] N, a generation");
	snprintf(body, sizeof(body), "{\"to\":%llu}", to);
	result = ctl_ask(ctl, "POST", target, bytes_of(body), &answer,
	    &doc);
	if (doc != NULL && ctl->wants_json)
		printf("%.*s\n", BYTES_ARGS(buf_bytes(&answer.body)));
	else if (doc != NULL)
		print_rolled_back(doc);
	ctl_answer_free(&answer, &doc);
	return result;
}
