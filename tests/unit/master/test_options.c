/*
 * tests/unit/master/test_options.c - the command line of sluice(8).
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/options.h"

#define ARGUMENTS_MAX 16

/* A line of arguments, split at spaces; what -o cuts is our own copy. */
struct line {
	char text[128];
	char *argv[ARGUMENTS_MAX + 1];
	int argc;
};

static void
split(struct line *line, const char *text)
{
	char *word, *rest = line->text;

	snprintf(line->text, sizeof(line->text), "sluice %s", text);
	line->argc = 0;
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0' && line->argc < ARGUMENTS_MAX)
			line->argv[line->argc++] = word;
	line->argv[line->argc] = NULL;
}

/* Parses; *errors_r is free()d by the caller. */
static int
parse(struct line *line, const char *text, struct options *options,
    char **errors_r)
{
	size_t size;
	FILE *errors = open_memstream(errors_r, &size);
	int result;

	assert_non_null(errors);
	split(line, text);
	result = options_parse(line->argc, line->argv, options, errors);
	fclose(errors);
	return result;
}

static void
each_action_has_two_forms(void **state)
{
	static const struct {
		const char *line;
		enum option_action want;
	} cases[] = {
		{ "", OPTION_RUN },
		{ "-F", OPTION_RUN },
		{ "-t", OPTION_TEST },
		{ "--test", OPTION_TEST },
		{ "-T", OPTION_DUMP },
		{ "--dump", OPTION_DUMP },
		{ "-V", OPTION_BUILD },
		{ "--build-options", OPTION_BUILD },
		{ "-v", OPTION_VERSION },
		{ "--version", OPTION_VERSION },
		{ "-h", OPTION_HELP },
		{ "--help", OPTION_HELP },
		{ "-s reload", OPTION_SIGNAL },
		{ "--signal reload", OPTION_SIGNAL },
		{ "--signal=reload", OPTION_SIGNAL },
		{ "-c file -t", OPTION_TEST },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct options options;
		struct line line;
		char *errors;

		if (parse(&line, cases[i].line, &options, &errors) == -1 ||
		    options.action != cases[i].want)
			fail_msg("sluice %s: %s", cases[i].line, errors);
		free(errors);
	}
}

static void
what_makes_no_sense_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line, *reason;
	} cases[] = {
		{ "-x", "-x: unknown option" },
		{ "--frobnicate", "--frobnicate: unknown option" },
		{ "-c", "-c: an argument is missing" },
		{ "-o workers", "-o workers: write it as name=value" },
		{ "-o =4", "-o =4: write it as name=value" },
		{ "-t -T", "exclude each other" },
		{ "-s stop -t", "exclude each other" },
		{ "start", "start: what is that?" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct options options;
		struct line line;
		char *errors;

		if (parse(&line, cases[i].line, &options, &errors) == 0 ||
		    strstr(errors, cases[i].reason) == NULL)
			fail_msg("sluice %s: %s", cases[i].line, errors);
		free(errors);
	}
}

static void
values_are_taken_in_the_order_given(void **state)
{
	struct options options;
	struct line line;
	char *errors;

	(void)state;
	assert_int_equal(parse(&line, "-F -c /x.conf -o workers=4 "
				      "--set log.error=a=b -o x=", &options,
			     &errors), 0);
	assert_true(options.is_foreground);
	assert_string_equal(options.conf_path, "/x.conf");
	assert_int_equal(options.override_count, 3);
	assert_string_equal(options.overrides[0].name, "workers");
	assert_string_equal(options.overrides[0].value, "4");
	assert_string_equal(options.overrides[1].name, "log.error");
	assert_string_equal(options.overrides[1].value, "a=b");
	assert_string_equal(options.overrides[2].value, "");
	free(errors);
}

/* The help names what the table has. */
static void
look_for_row(void *context, char letter, const char *name)
{
	char form[64];

	snprintf(form, sizeof(form), "-%c, --%s", letter, name);
	if (strstr(context, form) == NULL)
		fail_msg("sluice -h does not say %s", form);
}

static void
the_help_names_every_option(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	options_print_help(out);
	fclose(out);
	options_each_row(look_for_row, text);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_action_has_two_forms),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_a_reason),
		cmocka_unit_test(values_are_taken_in_the_order_given),
		cmocka_unit_test(the_help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
