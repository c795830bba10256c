/*
 * ctl/lists.c - `sluicectl services`, `routes`, `instances`, `sessions`,
 * `token list`, `store spool`: lists, page by page.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/buf.h"
#include "common/json.h"
#include "ctl/ctl.h"
#include "ctl/names.h"
#include "ctl/pages.h"
#include "ctl/table.h"

struct listing {
	struct table *table;
	struct buf text;		/* the items as one JSON array */
	struct json_writer json;
};

static bool
take_item(void *context, const struct json_doc *doc, int item)
{
	struct listing *listing = context;

	table_row_json(listing->table, doc, item);
	json_write_raw(&listing->json, json_raw(doc, item));
	return true;
}

static enum ctl_exit
list(const struct ctl *ctl, int argc, const char *path,
    const struct table_column *columns, uint32_t column_count)
{
	struct listing listing = { 0 };
	enum ctl_exit result;

	if (argc != 1)
		return ctl_usage("this verb takes no arguments");
	if ((listing.table = table_new(columns, column_count)) == NULL)
		return CTL_UNREACHABLE;
	table_set_name(listing.table, name_route);
	listing.json = json_writer(&listing.text);
	json_write_begin(&listing.json, '[');
	result = pages_ask(ctl, path, take_item, &listing);
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
		{ "ROUTE", NULL, false },
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
ctl_store_spool(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "SEQ", "seq", true },
		{ "STATE", "state", false },
		{ "AT", "at", false },
		{ "WHO", "who", false },
		{ "CHANNEL", "channel", false },
		{ "CHANGES", "changes", false },
		{ "REASON", "reason", false },
	};

	(void)argv;
	return list(ctl, argc, "/v1/store/spool", columns, COUNT_OF(columns));
}

enum ctl_exit
ctl_instances(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "INSTANCE", "name", false },
		{ "SELF", "self", false },
		{ "GENERATION", "generation", true },
		{ "BEHIND", "behind", true },
		{ "STALE", "stale", false },
		{ "SEEN", "seen_at", false },
		{ "STARTED", "started_at", false },
		{ "VERSION", "version", false },
		{ "HOST", "host", false },
	};

	(void)argv;
	return list(ctl, argc, "/v1/instances", columns, COUNT_OF(columns));
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
		{ "ORIGIN", "origin", false },
		{ "CREATED", "created_at", false },
	};

	(void)argv;
	return list(ctl, argc, "/v1/tokens", columns, COUNT_OF(columns));
}
