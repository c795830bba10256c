/*
 * conf/rows.h - every setting as a row: name, type, range, preset.
 *
 * The table makes the grammar, the defaults, the checks, the dump and
 * what a reload may change.  A new setting is a member of struct
 * settings, a row here, and an entry in sluice.conf(5).
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_ROWS_H
#define CONF_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "conf/settings.h"

enum setting_type {
	SETTING_SPAN,			/* int64_t, ms; text has units */
	SETTING_SIZE,			/* uint64_t, bytes; text has units */
	SETTING_RATE,			/* uint32_t, bytes a second; as SIZE */
	SETTING_COUNT,			/* uint32_t */
	SETTING_STRING,			/* char * */
	SETTING_BOOL,			/* bool */
	SETTING_ENUM,			/* an enum; names[] says which words */
	SETTING_LIST,			/* struct address_list */
	SETTING_FORMAT,			/* log.format and log.custom */
	SETTING_LISTENS,		/* listens[] and listen_count */
};

/* Several words may mean one value; the first is the one printed. */
struct setting_word {
	const char *word;		/* NULL ends the list */
	int value;
};

/* NULL, or a sentence that says what is wrong and what to do. */
typedef const char *setting_check_fn(struct bytes value);

struct setting {
	const char *name;		/* "workers", "store.driver" */
	enum setting_type type;
	size_t offset;			/* in struct settings */
	uint64_t min, max;		/* of SPAN, SIZE, RATE, COUNT */
	const char *preset;		/* as a text; lists: with commas */
	enum settings_change change;	/* what a reload with it takes */
	const struct setting_word *words;
	setting_check_fn *check;	/* of STRING, of each LIST member */
	bool has_secret;		/* a URL that may hold a password */
};

/* All rows, those of one section in a run, sections in the page's order. */
const struct setting *setting_rows(size_t *count_r);

/* NULL when there is none of that name. */
const struct setting *setting_find(const char *name);

/* The name behind its section: "driver" of "store.driver". */
const char *setting_key(const struct setting *);

/* Length of the section's name, 0 when it stands at the top. */
size_t setting_section_len(const struct setting *);

/* What stands in sections with a title: "listen.backlog",
 * "registration.token.secret". */
struct titled_setting {
	const char *name;
	const char *preset;
	bool is_list;
};

const struct titled_setting *titled_setting_rows(size_t *count_r);

/* The name of its section: "listen", "registration.token". */
struct bytes titled_setting_section(const struct titled_setting *);

#endif
