/*
 * conf/draft.c - settings in the making, and what was wrong on the way.
 */
/* SPDX-License-Identifier: ISC */
#include "conf/draft.h"

#include <stdlib.h>

#include "conf/value.h"

int
draft_init(struct draft *draft, struct buf *errors)
{
	size_t count;
	const struct setting *rows = setting_rows(&count);
	struct buf why = { 0 };

	*draft = (struct draft){ .errors = errors };
	draft->settings = calloc(1, sizeof(*draft->settings));
	draft->origins = calloc(count, sizeof(*draft->origins));
	if (draft->settings == NULL || draft->origins == NULL)
		goto fail;
	for (size_t i = 0; i < count; i++)
		if (value_put_text(draft->settings, &rows[i], rows[i].preset,
		    false, &why) == -1)
			goto fail;
	return 0;
fail:
	draft_fault(draft, "", "%s", why.data == NULL ? "out of memory" :
							why.data);
	buf_free(&why);
	(void)draft_finish(draft);
	return -1;
}

struct settings *
draft_finish(struct draft *draft)
{
	struct settings *settings = draft->settings;
	size_t count;

	(void)setting_rows(&count);
	for (size_t i = 0; draft->origins != NULL && i < count; i++)
		free(draft->origins[i]);
	free(draft->origins);
	draft->origins = NULL;
	draft->settings = NULL;
	if (draft->fault_count > 0)
		settings_free(&settings);
	return settings;
}

static void add_line(struct draft *, const char *where, const char *kind,
    const char *format, va_list args) PRINTF_LIKE(4, 0);

static void
add_line(struct draft *draft, const char *where, const char *kind,
    const char *format, va_list args)
{
	buf_printf(draft->errors, "%s%s%s", where, *where == '\0' ? "" : ": ",
	    kind);
	buf_vprintf(draft->errors, format, args);
	buf_append_char(draft->errors, '\n');
}

void
draft_fault(struct draft *draft, const char *where, const char *format, ...)
{
	va_list args;

	draft->fault_count++;
	va_start(args, format);
	add_line(draft, where, "", format, args);
	va_end(args);
}

void
draft_warn(struct draft *draft, const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(draft, where, "warning: ", format, args);
	va_end(args);
}

static size_t
row_index(const struct setting *row)
{
	size_t count;

	return (size_t)(row - setting_rows(&count));
}

void
draft_set_origin(struct draft *draft, const struct setting *row,
    const char *where)
{
	char **origin = &draft->origins[row_index(row)];

	free(*origin);
	*origin = strdup(where);
}

const char *
draft_origin(const struct draft *draft, const char *name)
{
	const struct setting *row = setting_find(name);
	const char *origin = NULL;

	if (row != NULL)
		origin = draft->origins[row_index(row)];
	return origin == NULL ? "" : origin;
}

/* Takes the outcome of a put down. */
static void
note_put(struct draft *draft, const struct setting *row, int result,
    const char *where, struct buf *why)
{
	if (result == -1)
		draft_fault(draft, where, "%s: %s", row->name,
		    why->data == NULL ? "out of memory" : why->data);
	draft_set_origin(draft, row, where);
	buf_free(why);
}

void
draft_put(struct draft *draft, const struct setting *row,
    const char *const *texts, uint32_t count, const char *where)
{
	struct buf why = { 0 };

	note_put(draft, row,
	    value_put(draft->settings, row, texts, count, false, &why), where,
	    &why);
}

void
draft_put_text(struct draft *draft, const struct setting *row,
    const char *text, const char *where)
{
	struct buf why = { 0 };

	note_put(draft, row,
	    value_put_text(draft->settings, row, text, false, &why), where,
	    &why);
}
