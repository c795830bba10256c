/*
 * conf/value.h - one setting's value: from text, to text.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/rows.h"

#define LISTEN_BACKLOG_DEFAULT 4096

/*
 * Puts a value in its place, freeing what stood there.  Texts are
 * copied; scalars take exactly one.
 *
 * bare_is_seconds   a span without a unit is taken as seconds.
 * why               gets what is wrong, on failure.
 *
 * Returns 0, or -1 with the setting as it was.
 */
MUST_CHECK int value_put(struct settings *, const struct setting *,
    const char *const *texts, uint32_t count, bool bare_is_seconds,
    struct buf *why);

/* The same from one text; lists are comma-separated. */
MUST_CHECK int value_put_text(struct settings *, const struct setting *,
    const char *text, bool bare_is_seconds, struct buf *why);

/* Appends "value" or { "a", "b" }, as a file would have it.  Of
 * SETTING_LISTENS a list of the addresses. */
void value_print(const struct settings *, const struct setting *,
    bool with_secrets, struct buf *);

/* Appends a text in the quotes that keep it. */
void value_print_text(const char *text, bool with_secrets, struct buf *);

/* Gives memory back; the member is then zero. */
void value_free(struct settings *, const struct setting *);

/* A list of copies; -1 when out of memory, with the list empty. */
MUST_CHECK int address_list_copy(struct address_list *,
    const char *const *texts, uint32_t count);
void address_list_free(struct address_list *);

/* Reads true, on, yes, false, off, no.  0 or -1. */
MUST_CHECK int value_parse_bool(const char *text, bool *bool_r);

#endif
