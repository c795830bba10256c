/*
 * conf/compare.c - what a reload from one configuration to another takes.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/value.h"

struct comparison {
	enum settings_change change;
	struct buf *names;
};

/* The most demanding change wins, and only its names are kept. */
static void
note_change(struct comparison *comparison, const char *name,
    enum settings_change change)
{
	if (change < comparison->change)
		return;
	if (change > comparison->change)
		buf_clear(comparison->names);
	comparison->change = change;
	if (comparison->names->len > 0)
		buf_append_text(comparison->names, ", ");
	buf_append_text(comparison->names, name);
}

static bool
lists_equal(const struct address_list *a, const struct address_list *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return true;
}

static bool
services_equal(const struct settings *old, const struct settings *new)
{
	if (old->service_count != new->service_count)
		return false;
	for (uint32_t i = 0; i < old->service_count; i++) {
		const struct static_service *a = &old->services[i];
		const struct static_service *b = &new->services[i];

		if (strcmp(a->name, b->name) != 0 ||
		    strcmp(a->policy, b->policy) != 0 ||
		    strcmp(a->hash_header, b->hash_header) != 0 ||
		    strcmp(a->health_path, b->health_path) != 0 ||
		    !lists_equal(&a->backends, &b->backends))
			return false;
	}
	return true;
}

static bool
routes_equal(const struct settings *old, const struct settings *new)
{
	if (old->route_count != new->route_count)
		return false;
	for (uint32_t i = 0; i < old->route_count; i++) {
		const struct static_route *a = &old->routes[i];
		const struct static_route *b = &new->routes[i];

		if (strcmp(a->name, b->name) != 0 ||
		    strcmp(a->service, b->service) != 0 ||
		    a->priority != b->priority ||
		    a->strip_prefix != b->strip_prefix ||
		    !lists_equal(&a->domains, &b->domains) ||
		    !lists_equal(&a->prefixes, &b->prefixes))
			return false;
	}
	return true;
}

static bool
tokens_equal(const struct settings *old, const struct settings *new)
{
	if (old->token_count != new->token_count)
		return false;
	for (uint32_t i = 0; i < old->token_count; i++) {
		const struct static_token *a = &old->tokens[i];
		const struct static_token *b = &new->tokens[i];

		if (strcmp(a->name, b->name) != 0 ||
		    strcmp(a->secret, b->secret) != 0 ||
		    strcmp(a->hash, b->hash) != 0 ||
		    !lists_equal(&a->services, &b->services) ||
		    !lists_equal(&a->domains, &b->domains) ||
		    !lists_equal(&a->prefixes, &b->prefixes))
			return false;
	}
	return true;
}

enum settings_change
settings_compare(const struct settings *old, const struct settings *new,
    struct buf *names)
{
	struct comparison comparison = { SETTINGS_SAME, names };
	struct buf before = { 0 }, after = { 0 };
	size_t count;
	const struct setting *rows = setting_rows(&count);

	for (size_t i = 0; i < count; i++) {
		buf_clear(&before);
		buf_clear(&after);
		value_print(old, &rows[i], true, &before);
		value_print(new, &rows[i], true, &after);
		if (!bytes_equal(buf_bytes(&before), buf_bytes(&after)))
			note_change(&comparison, rows[i].name, rows[i].change);
	}
	if (!services_equal(old, new))
		note_change(&comparison, "service", SETTINGS_IN_PLACE);
	if (!routes_equal(old, new))
		note_change(&comparison, "route", SETTINGS_IN_PLACE);
	if (!tokens_equal(old, new))
		note_change(&comparison, "registration.token",
		    SETTINGS_IN_PLACE);
	buf_free(&before);
	buf_free(&after);
	return comparison.change;
}

/* Returns 0, or -1 when out of memory, with the value as it was. */
static int
copy_value(const struct settings *from, struct settings *to,
    const struct setting *row)
{
	const char *source = (const char *)from + row->offset;
	struct address_list list;
	char *text;

	switch (row->type) {
	case SETTING_STRING:
		memcpy(&text, source, sizeof(text));
		if ((text = strdup(text)) == NULL)
			return -1;
		value_free(to, row);
		memcpy((char *)to + row->offset, &text, sizeof(text));
		return 0;
	case SETTING_LIST:
		memcpy(&list, source, sizeof(list));
		if (address_list_copy(&list, (const char *const *)list.list,
			list.count) == -1)
			return -1;
		value_free(to, row);
		memcpy((char *)to + row->offset, &list, sizeof(list));
		return 0;
	case SETTING_COUNT:
		memcpy((char *)to + row->offset, source, sizeof(uint32_t));
		return 0;
	case SETTING_ENUM:
		memcpy((char *)to + row->offset, source, sizeof(int));
		return 0;
	case SETTING_SPAN:
		memcpy((char *)to + row->offset, source, sizeof(int64_t));
		return 0;
	case SETTING_BOOL:
		memcpy((char *)to + row->offset, source, sizeof(bool));
		return 0;
	case SETTING_SIZE:
	case SETTING_RATE:
	case SETTING_FORMAT:
	case SETTING_LISTENS:
		break;
	}
	invariant(!"a fixed setting of that type has no copy");
	return -1;
}

int
settings_keep_fixed(const struct settings *old, struct settings *new)
{
	size_t count;
	const struct setting *rows = setting_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (rows[i].change == SETTINGS_RESTART &&
		    copy_value(old, new, &rows[i]) == -1)
			return -1;
	return 0;
}
