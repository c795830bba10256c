/*
 * master/options.h - the command line of sluice(8).
 *
 * The rows in options.c make the parser, the help and, through a lint
 * test, the entries that the man page must have.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_OPTIONS_H
#define MASTER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/compat.h"
#include "conf/settings.h"

#define OPTIONS_OVERRIDES_MAX 128

enum option_action {
	OPTION_RUN,
	OPTION_TEST,			/* -t */
	OPTION_DUMP,			/* -T */
	OPTION_SIGNAL,			/* -s */
	OPTION_VERSION,			/* -v */
	OPTION_BUILD,			/* -V */
	OPTION_HELP,			/* -h */
};

struct options {
	enum option_action action;
	bool is_foreground;
	const char *conf_path;
	const char *signal_name;
	struct setting_override overrides[OPTIONS_OVERRIDES_MAX];
	uint32_t override_count;
};

/*
 * Reads the command line; strings are argv's own, which -o cuts at its
 * '='.  Returns 0, or -1 with the fault written to errors.
 */
MUST_CHECK int options_parse(int argc, char **argv, struct options *,
    FILE *errors);

void options_print_help(FILE *);

/* Calls back for each option. */
typedef void options_row_fn(void *context, char letter, const char *name);
void options_each_row(options_row_fn *, void *context);

#endif
