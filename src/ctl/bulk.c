/*
 * ctl/bulk.c - `sluicectl export` and `import`.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ask.h"

#define READ_BYTES 65536

/* Very many objects take their time; -t says otherwise. */
#define IMPORT_TIMEOUT_MS (10 * 60 * INT64_C(1000))

enum ctl_exit
ctl_export(const struct ctl *ctl, int argc, char **argv)
{
	struct client_answer answer;
	struct json_doc *doc;
	enum ctl_exit result;

	(void)argv;
	if (argc != 1)
		return ctl_usage("export takes no arguments");
	result = ctl_ask(ctl, "GET", "/v1/export", bytes_slice(NULL, 0),
	    &answer, &doc);
	if (doc != NULL)
		printf("%.*s", BYTES_ARGS(buf_bytes(&answer.body)));
	ctl_answer_free(&answer, &doc);
	return result;
}

/* 0, or -1 with errno. */
static int
read_file(const char *path, struct buf *buf)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	size_t count = 1;
	bool is_bad = false;

	if (file == NULL)
		return -1;
	while (!is_bad && count > 0) {
		if (buf_reserve(buf, READ_BYTES) == -1) {
			is_bad = true;
			break;
		}
		count = fread(buf->data + buf->len, 1, READ_BYTES, file);
		buf->len += count;
		is_bad = ferror(file) != 0;
	}
	if (file != stdin)
		fclose(file);
	return is_bad ? -1 : 0;
}

static void
print_imported(const struct json_doc *doc)
{
	static const char *const members[] = { "generation", "created",
		"updated", "removed" };
	int64_t numbers[COUNT_OF(members)] = { 0 };

	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (json_integer(doc, json_member(doc, json_root(doc),
			members[i]), 0, INT64_MAX, &numbers[i]) == -1)
			return;
	printf("generation %" PRId64 ": %" PRId64 " created, %" PRId64
	    " updated, %" PRId64 " removed\n", numbers[0], numbers[1],
	    numbers[2], numbers[3]);
}

enum ctl_exit
ctl_import(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "replace", no_argument, NULL, 'r' },
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl patient = *ctl;
	bool replaces = false, is_forced = false;
	char target[64];
	struct client_answer answer;
	struct buf body = { 0 };
	struct json_doc *doc;
	enum ctl_exit result;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return ctl_usage(
			    "import [--replace] [--force] FILE");
		replaces |= option == 'r';
		is_forced |= option == 'f';
	}
	if (argc - optind != 1)
		return ctl_usage("import [--replace] [--force] FILE");
	snprintf(target, sizeof(target), "/v1/import?replace=%s&force=%s",
	    replaces ? "true" : "false", is_forced ? "true" : "false");
	if (read_file(argv[optind], &body) == -1) {
		fprintf(stderr, "sluicectl: %s: %s\n", argv[optind],
		    strerror(errno));
		buf_free(&body);
		return CTL_USAGE;
	}
	if (!ctl->is_timeout_given)
		patient.timeout_ms = IMPORT_TIMEOUT_MS;
	result = ctl_ask(&patient, "POST", target, buf_bytes(&body), &answer,
	    &doc);
	if (doc != NULL && ctl->wants_json)
		printf("%.*s\n", BYTES_ARGS(buf_bytes(&answer.body)));
	else if (doc != NULL)
		print_imported(doc);
	ctl_answer_free(&answer, &doc);
	buf_free(&body);
	return result;
}
