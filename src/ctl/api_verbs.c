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

#include "ctl/ask.h"

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

void
ctl_show(const struct ctl *ctl, const struct client_answer *answer,
    const struct json_doc *doc)
{
	if (ctl->wants_json)
		printf("%.*s\n", BYTES_ARGS(buf_bytes(&answer->body)));
	else
		print_lines(doc, json_root(doc), 0);
}

/* Asks, and shows the answer as it came or as lines. */
static enum ctl_exit
ask(const struct ctl *ctl, const char *method, const char *target,
    struct bytes body)
{
	struct client_answer answer;
	struct json_doc *doc;
	enum ctl_exit result =
	    ctl_ask(ctl, method, target, body, &answer, &doc);

	if (doc != NULL)
		ctl_show(ctl, &answer, doc);
	ctl_answer_free(&answer, &doc);
	return result;
}

enum ctl_exit
ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return ctl_usage("status takes no arguments");
	return ask(ctl, "GET", "/readyz?verbose", bytes_slice(NULL, 0));
}

enum ctl_exit
ctl_reload(const struct ctl *ctl, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return ctl_usage("reload takes no arguments");
	return ask(ctl, "POST", "/v1/reload", bytes_slice(NULL, 0));
}

enum ctl_exit
ctl_log(const struct ctl *ctl, int argc, char **argv)
{
	const char *method = "GET";
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
		method = "PUT";
	}
	result = ask(ctl, method, "/v1/log", buf_bytes(&body));
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
	struct buf target = { 0 }, given = { 0 };
	enum ctl_exit result;
	int option;

	while ((option = getopt_long(argc, argv, "H:f:", options,
		NULL)) != -1) {
		if (option == '?') {
			buf_free(&given);
			return ctl_usage("explain METHOD URL [-H 'K: v'] "
					 "[--from IP]");
		}
		add_parameter(&given, option == 'H' ? "header" : "from",
		    optarg);
	}
	if (argc - optind != 2) {
		buf_free(&given);
		return ctl_usage("explain METHOD URL [-H 'K: v'] [--from IP]");
	}
	buf_append_text(&target, "/v1/explain?method=");
	client_encode(&target, bytes_of(argv[optind]));
	add_parameter(&target, "url", argv[optind + 1]);
	buf_append(&target, buf_bytes(&given));
	result = ask(ctl, "GET", target.data, bytes_slice(NULL, 0));
	buf_free(&target);
	buf_free(&given);
	return result;
}
