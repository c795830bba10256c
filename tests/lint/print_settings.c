/*
 * lint/print_settings.c - every setting with its default, for the lint
 * that looks each up in sluice.conf(5).
 *
 * A line: name, "reloadable" or "fixed", default; with tabs between.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "conf/settings.h"

static void
print_row(void *context, const char *name, const char *preset,
    bool is_reloadable)
{
	(void)context;
	printf("%s\t%s\t%s\n", name, is_reloadable ? "reloadable" : "fixed",
	    preset);
}

int
main(void)
{
	settings_each_row(print_row, NULL);
	return 0;
}
