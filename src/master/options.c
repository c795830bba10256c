/*
 * master/options.c - the command line of sluice(8).
 */
/* SPDX-License-Identifier: ISC */
#include "master/options.h"

#include <getopt.h>
#include <string.h>

static const struct option_row {
	char letter;
	const char *name;		/* the long form */
	const char *argument;		/* NULL: takes none */
	enum option_action action;	/* OPTION_RUN: it only modifies */
	const char *help;
} rows[] = {
	{ 'c', "config", "FILE", OPTION_RUN,
	    "read this configuration file" },
	{ 'F', "foreground", NULL, OPTION_RUN,
	    "stay in the foreground" },
	{ 't', "test", NULL, OPTION_TEST,
	    "test the configuration and what it needs, then leave" },
	{ 'T', "dump", NULL, OPTION_DUMP,
	    "test and print the effective configuration, without secrets" },
	{ 'V', "build-options", NULL, OPTION_BUILD,
	    "print the version and how it was built" },
	{ 'v', "version", NULL, OPTION_VERSION,
	    "print the version" },
	{ 'h', "help", NULL, OPTION_HELP,
	    "print this help" },
	{ 's', "signal", "NAME", OPTION_SIGNAL,
	    "tell the running sluice: reload, reopen, stop, quit, upgrade" },
	{ 'o', "set", "NAME=VALUE", OPTION_RUN,
	    "override one setting; may be repeated" },
};

static const struct option_row *
find_row(int letter)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* Fills what getopt_long() asks for, from the rows. */
static void
make_getopt_tables(char *letters, struct option *long_options)
{
	*letters++ = ':';		/* tell a missing argument apart */
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		*letters++ = rows[i].letter;
		if (rows[i].argument != NULL)
			*letters++ = ':';
		long_options[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument == NULL ? no_argument
							    : required_argument,
			.val = rows[i].letter,
		};
	}
	*letters = '\0';
	long_options[COUNT_OF(rows)] = (struct option){ 0 };
}

static int
take_override(struct options *options, char *text, FILE *errors)
{
	char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		fprintf(errors, "sluice: -o %s: write it as name=value\n",
		    text);
		return -1;
	}
	if (options->override_count == OPTIONS_OVERRIDES_MAX) {
		fprintf(errors, "sluice: -o: at most %d\n",
		    OPTIONS_OVERRIDES_MAX);
		return -1;
	}
	*equals = '\0';
	options->overrides[options->override_count++] =
	    (struct setting_override){ text, equals + 1 };
	return 0;
}

static int
take_action(struct options *options, enum option_action action, FILE *errors)
{
	if (options->action != OPTION_RUN && options->action != action) {
		fprintf(errors, "sluice: -t, -T, -V, -v, -h and -s exclude "
				"each other\n");
		return -1;
	}
	options->action = action;
	return 0;
}

static int
take_option(struct options *options, int letter, char **argv, FILE *errors)
{
	const struct option_row *row = find_row(letter);

	if (row == NULL) {
		fprintf(errors, "sluice: %s: %s; try sluice -h\n",
		    argv[optind - 1],
		    letter == ':' ? "an argument is missing" :
		    "unknown option");
		return -1;
	}
	if (row->action != OPTION_RUN &&
	    take_action(options, row->action, errors) == -1)
		return -1;
	switch (letter) {
	case 'c':
		options->conf_path = optarg;
		break;
	case 'F':
		options->is_foreground = true;
		break;
	case 's':
		options->signal_name = optarg;
		break;
	case 'o':
		return take_override(options, optarg, errors);
	}
	return 0;
}

int
options_parse(int argc, char **argv, struct options *options, FILE *errors)
{
	struct option long_options[COUNT_OF(rows) + 1];
	char letters[2 * COUNT_OF(rows) + 2];
	int letter;

	*options = (struct options){
		.conf_path = SYSCONFDIR "/sluice/sluice.conf",
	};
	make_getopt_tables(letters, long_options);
	optind = 0;			/* start afresh, also in tests */
	opterr = 0;
	while ((letter = getopt_long(argc, argv, letters, long_options,
		    NULL)) != -1)
		if (take_option(options, letter, argv, errors) == -1)
			return -1;
	if (optind < argc) {
		fprintf(errors, "sluice: %s: what is that? try sluice -h\n",
		    argv[optind]);
		return -1;
	}
	return 0;
}

void
options_print_help(FILE *out)
{
	fprintf(out, "usage: sluice [-c file] [-F] [-t | -T | -V | -v | -h] "
		     "[-s signal]\n              [-o name=value]\n\n");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char form[48];

		snprintf(form, sizeof(form), "--%s%s%s", rows[i].name,
		    rows[i].argument == NULL ? "" : " ",
		    rows[i].argument == NULL ? "" : rows[i].argument);
		fprintf(out, "  -%c, %-18s %s\n", rows[i].letter, form,
		    rows[i].help);
	}
	fprintf(out, "\nThe configuration is " SYSCONFDIR
		     "/sluice/sluice.conf; see sluice(8), sluice.conf(5).\n");
}

void
options_each_row(options_row_fn *callback, void *context)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		callback(context, rows[i].letter, rows[i].name);
}
