/*
 * conf/shape.h - the grammar of the file, made from the rows.
 *
 * Every setting is a text, or a list of texts, for libconfuse; names that
 * are known to be wrong may be added, so that it reads on behind them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_SHAPE_H
#define CONF_SHAPE_H

#include <confuse.h>
#include <stdbool.h>
#include <stdint.h>

#define SHAPE_OPTIONS_MAX  64		/* of a section, with unknown ones */
#define SHAPE_SECTIONS_MAX 16
#define SHAPE_UNKNOWN_MAX  16

/* Stands behind each text, to find a section or comment that is not
 * closed: libconfuse lets the file end there. */
#define SHAPE_END_CALL "end_of_this_file"

/* A name that is not in the grammar; section "" is the top. */
struct unknown_name {
	char section[64], name[64];
};

struct shape_plan {
	cfg_callback_t on_value, on_unknown;
	cfg_func_t on_end, on_include;	/* include NULL: there is none */
	const struct unknown_name *unknown;
	uint32_t unknown_count;		/* at most SHAPE_UNKNOWN_MAX */
};

/* shape->root is for cfg_init(), which copies all of it. */
struct shape {
	cfg_opt_t root[SHAPE_OPTIONS_MAX];
	cfg_opt_t sections[SHAPE_SECTIONS_MAX][SHAPE_OPTIONS_MAX];
	char section_names[SHAPE_SECTIONS_MAX][64];
	uint32_t root_count, section_count;
	uint32_t option_counts[SHAPE_SECTIONS_MAX];
};

void shape_make(struct shape *, const struct shape_plan *);

/* The whole name of a section: "registration.token" of "token". */
const char *shape_section_name(const char *part);

#endif
