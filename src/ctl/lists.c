/*
 * ctl/lists.c - `sluicectl services`, `routes`, `sessions`, `token list`:
 * lists, page by page.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "ctl/ask.h"
#include "ctl/table.h"

struct listing {
	const struct ctl *ctl;
	const char *path;
	struct table *table;
	struct buf text;		/* the items as one JSON array */
	struct json_writer json;
};

/* Takes the rows of one page.  Returns its cursor to the next, to be
 * free()d, or NULL. */
static char *
take_page(struct listing *listing, const struct json_doc *doc)
{
	int root = json_root(doc), item = JSON_NONE;

	while (json_each(doc, json_member(doc, root, "items"), &item, NULL)) {
		table_row_json(listing->table, doc, item);
		json_write_raw(&listing->json, json_raw(doc, item));
	}
	return json_string(doc, json_member(doc, root, "next_cursor"));
}

static enum ctl_exit
ask_page(struct listing *listing, const char *cursor, char **cursor_r)
{
	struct client_answer answer;
	struct buf target = { 0 };
	enum ctl_exit result;
	struct json_doc *doc;

	buf_printf(&target, "%s?limit=1000", listing->path);
	if (cursor != NULL) {
		buf_append_text(&target, "&cursor=");
		client_encode(&target, bytes_of(cursor));
	}
	*cursor_r = NULL;
	result = ctl_ask(listing->ctl, "GET", target.data,
	    bytes_slice(NULL, 0), &answer, &doc);
	if (result == CTL_OK && doc != NULL)
		*cursor_r = take_page(listing, doc);
	ctl_answer_free(&answer, &doc);
	buf_free(&target);
	return result;
}

static enum ctl_exit
ask_all(struct listing *listing)
{
	enum ctl_exit result;
	char *cursor = NULL;

	do {
		char *next;

		result = ask_page(listing, cursor, &next);
		free(cursor);
		cursor = next;
	} while (cursor != NULL);
	return result;
}

static enum ctl_exit
list(const struct ctl *ctl, int argc, const char *path,
    const struct table_column *columns, uint32_t column_count)
{
	struct listing listing = { .ctl = ctl, .path = path };
	enum ctl_exit result;

	if (argc != 1)
		return ctl_usage("this verb takes no arguments");
	if ((listing.table = table_new(columns, column_count)) == NULL)
		return CTL_UNREACHABLE;
	listing.json = json_writer(&listing.text);
	json_write_begin(&listing.json, '[');
	result = ask_all(&listing);
	json_write_end(&listing.json, ']');
	if (result == CTL_OK && ctl->wants_json)
		puts(listing.text.data);
	else if (result == CTL_OK)
		table_print(listing.table);
	buf_free(&listing.text);
	table_free(&listing.table);
	return result;
}

enum ctl_exit
ctl_services(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "SERVICE", "name", false },
		{ "POLICY", "policy", false },
		{ "PROBE", "probe.kind", false },
		{ "PATH", "probe.path", false },
		{ "ORIGIN", "origin", false },
		{ "UPDATED", "updated_at", false },
		{ "GENERATION", "version", true },
	};

	(void)argv;
	return list(ctl, argc, "/v1/services", columns, COUNT_OF(columns));
}

enum ctl_exit
ctl_routes(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "ID", "id", true },
		{ "LABEL", "label", false },
		{ "DOMAINS", "domains", false },
		{ "PREFIXES", "prefixes", false },
		{ "PRIORITY", "priority", true },
		{ "SERVICE", "targets", false },
		{ "STRIP", "strip_prefix", false },
		{ "ORIGIN", "origin", false },
		{ "GENERATION", "version", true },
	};

	(void)argv;
	return list(ctl, argc, "/v1/routes", columns, COUNT_OF(columns));
}

enum ctl_exit
ctl_sessions(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "SESSION", "id", false },
		{ "SERVICE", "service", false },
		{ "INSTANCE", "instance", false },
		{ "STATE", "state", false },
		{ "FROM", "from", false },
		{ "ACTIVE", "routes_active", true },
		{ "STAGED", "routes_staged", true },
		{ "CONNECTED", "connected_at", false },
		{ "APPLIED", "last_apply", false },
	};

	(void)argv;
	return list(ctl, argc, "/v1/sessions", columns, COUNT_OF(columns));
}

enum ctl_exit
ctl_token_list(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "TOKEN", "id", false },
		{ "LABEL", "label", false },
		{ "SERVICES", "services", false },
		{ "DOMAINS", "domains", false },
		{ "PREFIXES", "prefixes", false },
		{ "CREATED", "created_at", false },
	};

	(void)argv;
	return list(ctl, argc, "/v1/tokens", columns, COUNT_OF(columns));
}
