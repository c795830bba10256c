/*
 * ctl/names.c - what people call an object that the API shows.
 */
/* SPDX-License-Identifier: ISC */
#include "ctl/names.h"

#include <stdlib.h>

/* Appends a string member, or the first of a list; false: there is none. */
static bool
append_first(const struct json_doc *doc, int object, const char *name,
    struct buf *text)
{
	int value = json_member(doc, object, name), element = JSON_NONE;
	char *string;
	bool is_there;

	if (value != JSON_NONE && json_type(doc, value) == JSON_ARRAY)
		value = json_each(doc, value, &element, NULL) ? element :
								JSON_NONE;
	if (value == JSON_NONE)
		return false;
	string = json_string(doc, value);
	is_there = string != NULL && *string != '\0';
	if (is_there)
		buf_append_text(text, string);
	free(string);
	return is_there;
}

/* Whether that list has more than the one that was named. */
static bool
has_more(const struct json_doc *doc, int object, const char *name)
{
	int value = json_member(doc, object, name);

	return value != JSON_NONE && json_type(doc, value) == JSON_ARRAY &&
	    json_count(doc, value) > 1;
}

void
name_route(const struct json_doc *doc, int route, struct buf *text)
{
	if (append_first(doc, route, "label", text))
		return;
	append_first(doc, route, "domains", text);
	append_first(doc, route, "prefixes", text);
	if (has_more(doc, route, "domains") ||
	    has_more(doc, route, "prefixes"))
		buf_append_text(text, ", ...");
}

void
name_change(const struct json_doc *doc, int change, struct buf *text)
{
	int kind = json_member(doc, change, "kind");
	int object = json_member(doc, change, "after");
	struct bytes raw = kind == JSON_NONE ? bytes_of("") :
					       json_raw(doc, kind);

	if (object == JSON_NONE || json_type(doc, object) != JSON_OBJECT)
		object = json_member(doc, change, "before");
	if (bytes_is(raw, "\"route\"")) {
		name_route(doc, object, text);
	} else if (bytes_is(raw, "\"backend\"")) {
		if (append_first(doc, object, "service", text))
			buf_append_char(text, ' ');
		append_first(doc, object, "url", text);
	} else {
		append_first(doc, change, "key", text);
	}
}
