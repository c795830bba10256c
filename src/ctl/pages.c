/*
 * ctl/pages.c - a list of the admin API, page by page.
 */
/* SPDX-License-Identifier: ISC */
#include "ctl/pages.h"

#include <stdlib.h>

#include "ctl/ask.h"

/* A walk over the pages of a list. */
struct pages {
	const struct ctl *ctl;
	const char *path;
	pages_take_fn *take;
	void *context;			/* of take */
};

/* Takes the items of one page.  Returns its cursor to the next, to be
 * free()d, or NULL. */
static char *
take_page(const struct pages *pages, const struct json_doc *doc)
{
	int root = json_root(doc), item = JSON_NONE;

	while (json_each(doc, json_member(doc, root, "items"), &item, NULL))
		if (!pages->take(pages->context, doc, item))
			return NULL;
	return json_string(doc, json_member(doc, root, "next_cursor"));
}

static enum ctl_exit
ask_page(const struct pages *pages, const char *cursor, char **cursor_r)
{
	struct client_answer answer;
	struct buf target = { 0 };
	enum ctl_exit result;
	struct json_doc *doc;

	buf_printf(&target, "%s?limit=1000", pages->path);
	if (cursor != NULL) {
		buf_append_text(&target, "&cursor=");
		client_encode(&target, bytes_of(cursor));
	}
	*cursor_r = NULL;
	result = ctl_ask(pages->ctl, "GET", target.data,
	    bytes_slice(NULL, 0), &answer, &doc);
	if (result == CTL_OK && doc != NULL)
		*cursor_r = take_page(pages, doc);
	ctl_answer_free(&answer, &doc);
	buf_free(&target);
	return result;
}

enum ctl_exit
pages_ask(const struct ctl *ctl, const char *path, pages_take_fn *take,
    void *context)
{
	const struct pages pages = { ctl, path, take, context };
	enum ctl_exit result;
	char *cursor = NULL;

	do {
		char *next;

		result = ask_page(&pages, cursor, &next);
		free(cursor);
		cursor = next;
	} while (cursor != NULL);
	return result;
}
