/*
 * ctl/api_verbs.c - the verbs that ask registryd.
 *
 * Each is one request to the admin API of sluice-api(7).  With -o json
 * the answer is printed as it came; else as a table or as lines.
 */
/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "http/head.h"

/* What to ask, and how to show a good answer. */
struct question {
	const char *method, *target;
	struct bytes body;
	const struct table_column *columns; /* of a list; NULL: lines */
	uint32_t column_count;
};

/* Prints an object's members as "name: value" lines. */
static void
print_lines(const struct json_doc *doc, int object, int indent)
{
	int value = JSON_NONE, element;
	struct bytes key;

	while (json_each(doc, object, &value, &key)) {
		printf("%*s%.*s:", indent, "", BYTES_ARGS(key));
		switch (json_type(doc, value)) {
		case JSON_OBJECT:
			putchar('\n');
			print_lines(doc, value, indent + 2);
			break;
		case JSON_ARRAY:
			putchar('\n');
			element = JSON_NONE;
			while (json_each(doc, value, &element, NULL)) {
				if (json_type(doc, element) != JSON_OBJECT) {
					printf("%*s- %.*s\n", indent + 2, "",
					    BYTES_ARGS(json_raw(doc, element)));
					continue;
				}
				printf("%*s-\n", indent + 2, "");
				print_lines(doc, element, indent + 4);
			}
			break;
		case JSON_STRING:
		case JSON_NUMBER:
		case JSON_BOOL:
		case JSON_NULL:
			printf(" %.*s\n", BYTES_ARGS(json_raw(doc, value)));
			break;
		}
	}
}

/* Lists stand in "items" of their page, or are the document. */
static void
print_table(const struct question *question, const struct json_doc *doc)
{
	struct table *table =
	    table_new(question->columns, question->column_count);
	int list = json_root(doc), row = JSON_NONE;

	if (table == NULL)
		return;
	if (json_type(doc, list) == JSON_OBJECT)
		list = json_member(doc, list, "items");
	while (list != JSON_NONE && json_each(doc, list, &row, NULL))
		table_row_json(table, doc, row);
	table_print(table);
	table_free(&table);
}

/* problem+json (RFC 9457): "title: detail" on standard error. */
static void
print_problem(unsigned int status, const struct json_doc *doc)
{
	char *title = json_string(doc, json_member(doc, json_root(doc), "title"));
	char *detail =
	    json_string(doc, json_member(doc, json_root(doc), "detail"));

	fprintf(stderr, "sluicectl: %s%s%s\n",
	    title == NULL ? http_status_phrase(status) : title,
	    detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
	free(title);
	free(detail);
}

static void
print_answer(const struct ctl *ctl, const struct question *question,
    const struct client_answer *answer)
{
	struct json_doc *doc;
	size_t offset;

	if (answer->body.len == 0)
		return;
	if (json_parse(buf_bytes(&answer->body), &doc, &offset) == -1) {
		printf("%.*s\n", BYTES_ARGS(buf_bytes(&answer->body)));
		return;
	}
	if (answer->status >= 400)
		print_problem(answer->status, doc);
	else if (ctl->wants_json)
		printf("%.*s\n", BYTES_ARGS(buf_bytes(&answer->body)));
	else if (question->columns != NULL)
		print_table(question, doc);
	else
		print_lines(doc, json_root(doc), 0);
	json_doc_free(&doc);
}

static enum ctl_exit
ask(const struct ctl *ctl, const struct question *question)
{
	const struct client_request request = {
		.address = ctl->socket,
		.method = question->method,
		.target = question->target,
		.body = question->body,
		.timeout_ms = ctl->timeout_ms,
	};
	struct client_answer answer;
	enum ctl_exit result = CTL_OK;

	switch (client_ask(&request, &answer)) {
	case CLIENT_ANSWERED:
		print_answer(ctl, question, &answer);
		if (answer.status >= 400)
			result = CTL_NO;
		break;
	case CLIENT_UNREACHABLE:
		fprintf(stderr, "sluicectl: %s: %s\n", ctl->socket,
		    answer.error);
		result = CTL_UNREACHABLE;
		break;
	case CLIENT_TIMED_OUT:
		fprintf(stderr, "sluicectl: %s: %s\n", ctl->socket,
		    answer.error);
		result = CTL_TIMED_OUT;
		break;
	}
	buf_free(&answer.body);
	return result;
}

/* A list without arguments. */
static enum ctl_exit
ask_list(const struct ctl *ctl, int argc, const char *target,
    const struct table_column *columns, uint32_t column_count)
{
	const struct question question = {
		.method = "GET",
		.target = target,
		.columns = columns,
		.column_count = column_count,
	};

	if (argc != 1)
		return ctl_usage("this verb takes no arguments");
	return ask(ctl, &question);
}

enum ctl_exit
ctl_services(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "SERVICE", "name", false },
		{ "POLICY", "policy", false },
		{ "PROBE", "probe.kind", false },
		{ "PATH", "probe.path", false },
		{ "ORIGIN", "origin", false },
		{ "UPDATED", "updated_at", false },
		{ "GENERATION", "version", true },
	};

	(void)argv;
	return ask_list(ctl, argc, "/v1/services?limit=1000", columns,
	    COUNT_OF(columns));
}

enum ctl_exit
ctl_routes(const struct ctl *ctl, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{ "ID", "id", true },
		{ "LABEL", "label", false },
		{ "DOMAINS", "domains", false },
		{ "PREFIXES", "prefixes", false },
		{ "PRIORITY", "priority", true },
		{ "SERVICE", "targets", false },
		{ "STRIP", "strip_prefix", false },
		{ "ORIGIN", "origin", false },
		{ "GENERATION", "version", true },
	};

	(void)argv;
	return ask_list(ctl, argc, "/v1/routes?limit=1000", columns,
	    COUNT_OF(columns));
}

enum ctl_exit
ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	const struct question question = {
		.method = "GET",
		.target = "/readyz?verbose",
	};

	(void)argv;
	if (argc != 1)
		return ctl_usage("status takes no arguments");
	return ask(ctl, &question);
}

enum ctl_exit
ctl_reload(const struct ctl *ctl, int argc, char **argv)
{
	const struct question question = {
		.method = "POST",
		.target = "/v1/reload",
	};

	(void)argv;
	if (argc != 1)
		return ctl_usage("reload takes no arguments");
	return ask(ctl, &question);
}

enum ctl_exit
ctl_log(const struct ctl *ctl, int argc, char **argv)
{
	struct question question = { .method = "GET", .target = "/v1/log" };
	struct buf body = { 0 };
	struct json_writer writer = json_writer(&body);
	enum ctl_exit result;

	if (argc < 2 || argc > 3 || strcmp(argv[1], "level") != 0)
		return ctl_usage("log level [error|warn|notice|info|debug]");
	if (argc == 3) {
		json_write_begin(&writer, '{');
		json_write_key(&writer, "level");
		json_write_text(&writer, argv[2]);
		json_write_end(&writer, '}');
		question.method = "PUT";
		question.body = buf_bytes(&body);
	}
	result = ask(ctl, &question);
	buf_free(&body);
	return result;
}

enum ctl_exit
ctl_healthcheck(const struct ctl *ctl, int argc, char **argv)
{
	const struct client_request request = {
		.address = ctl->socket,
		.method = "GET",
		.target = "/readyz",
		.timeout_ms = ctl->timeout_ms,
	};
	struct client_answer answer;
	enum client_result result;

	(void)argv;
	if (argc != 1)
		return ctl_usage("healthcheck takes no arguments");
	result = client_ask(&request, &answer);
	buf_free(&answer.body);
	if (result != CLIENT_ANSWERED) {
		fprintf(stderr, "sluicectl: %s: %s\n", ctl->socket,
		    answer.error);
		return result == CLIENT_TIMED_OUT ? CTL_TIMED_OUT
						  : CTL_UNREACHABLE;
	}
	return answer.status == 200 ? CTL_OK : CTL_NO;
}

/* Appends "&name=" and the encoded value. */
static void
add_parameter(struct buf *target, const char *name, const char *value)
{
	buf_printf(target, "&%s=", name);
	client_encode(target, bytes_of(value));
}

enum ctl_exit
ctl_explain(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "header", required_argument, NULL, 'H' },
		{ "from", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	struct question question = { .method = "GET" };
	struct buf target = { 0 }, given = { 0 };
	enum ctl_exit result;
	int option;

	while ((option = getopt_long(argc, argv, "H:f:", options, NULL)) != -1) {
		if (option == '?') {
			buf_free(&given);
			return ctl_usage("explain METHOD URL [-H 'K: v'] "
					 "[--from IP]");
		}
		add_parameter(&given, option == 'H' ? "header" : "from", optarg);
	}
	if (argc - optind != 2) {
		buf_free(&given);
		return ctl_usage("explain METHOD URL [-H 'K: v'] [--from IP]");
	}
	buf_append_text(&target, "/v1/explain?method=");
	client_encode(&target, bytes_of(argv[optind]));
	add_parameter(&target, "url", argv[optind + 1]);
	buf_append(&target, buf_bytes(&given));
	question.target = target.data;
	result = ask(ctl, &question);
	buf_free(&target);
	buf_free(&given);
	return result;
}
