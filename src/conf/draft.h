/*
 * conf/draft.h - settings in the making, and what was wrong on the way.
 *
 * Remembers for each row where its value came from ("file:line", a
 * variable, "-o name"; empty: the default), so that a check of several
 * settings together can point at one.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_DRAFT_H
#define CONF_DRAFT_H

#include "conf/rows.h"

struct draft {
	struct settings *settings;
	char **origins;			/* by row; NULL: the default */
	struct buf *errors;		/* borrowed */
	uint32_t fault_count;
};

/* With all defaults.  0, or -1 when out of memory. */
MUST_CHECK int draft_init(struct draft *, struct buf *errors);

/* Frees all but the settings, which it returns; NULL when there was a
 * fault (they are freed then). */
struct settings *draft_finish(struct draft *);

/* Adds "where: what" to the errors and counts it. */
void draft_fault(struct draft *, const char *where, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Adds "where: warning: what". */
void draft_warn(struct draft *, const char *where, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Puts a row's value; a bad one is a fault "where: name: why". */
void draft_put(struct draft *, const struct setting *,
    const char *const *texts, uint32_t count, const char *where);
void draft_put_text(struct draft *, const struct setting *, const char *text,
    const char *where);

/* Notes where a row's value came from. */
void draft_set_origin(struct draft *, const struct setting *,
    const char *where);
/* "" when it is the default. */
const char *draft_origin(const struct draft *, const char *name);

#endif
