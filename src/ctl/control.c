/*
 * ctl/control.c - the verbs that steer traffic: maintenance, drain, breaker.
 */
/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/quantity.h"
#include "ctl/ask.h"

#define WAIT_LOOK_US 200000

/* What the command line says. */
struct words {
	struct buf target;		/* "/v1/backends/7/drain" */
	const char *action;
	const char *page, *until, *reason, *allow, *over;
	bool waits;
};

static const struct option options[] = {
	{ "page", required_argument, NULL, 'p' },
	{ "until", required_argument, NULL, 'u' },
	{ "reason", required_argument, NULL, 'r' },
	{ "allow", required_argument, NULL, 'a' },
	{ "over", required_argument, NULL, 'o' },
	{ "wait", no_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

static void
add_segment(struct buf *target, const char *text)
{
	buf_append_char(target, '/');
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isalnum(byte) || strchr("-._~", byte) != NULL)
			buf_append_char(target, (char)byte);
		else
			buf_printf(target, "%%%02X", byte);
	}
}

/* "backend" as the path has it; NULL: no such kind. */
static const char *
plural_of(const char *kind)
{
	if (strcmp(kind, "service") == 0)
		return "services";
	if (strcmp(kind, "backend") == 0)
		return "backends";
	return strcmp(kind, "route") == 0 ? "routes" : NULL;
}

static bool
take_options(struct words *words, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			words->page = optarg;
			break;
		case 'u':
			words->until = optarg;
			break;
		case 'r':
			words->reason = optarg;
			break;
		case 'a':
			words->allow = optarg;
			break;
		case 'o':
			words->over = optarg;
			break;
		case 'w':
			words->waits = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

/* Reads "VERB KIND ID [ACTION]" with its options; without an action
 * of its own, "VERB all ACTION" too. */
static bool
take_words(struct words *words, int argc, char **argv, const char *preset)
{
	const char *kind;

	if (!take_options(words, argc, argv))
		return false;
	argc -= optind;
	argv += optind;
	if (preset == NULL && argc == 2 && strcmp(argv[0], "all") == 0) {
		words->action = argv[1];
		buf_append_text(&words->target, "/v1");
		return true;
	}
	if (argc < 2 || argc > 3 || (kind = plural_of(argv[0])) == NULL)
		return false;
	words->action = argc == 3 ? argv[2] : preset;
	buf_printf(&words->target, "/v1/%s", kind);
	add_segment(&words->target, argv[1]);
	return words->action != NULL;
}

/* A span, "2h", is from now on; else it is a time. */
static void
write_until(struct json_writer *writer, const char *until)
{
	char text[CLOCK_RFC3339_SIZE];
	int64_t span_ms;

	json_write_key(writer, "until");
	if (quantity_parse_span(bytes_of(until), false, &span_ms) == 0) {
		clock_format_rfc3339(clock_wall_ms() + span_ms, text);
		json_write_text(writer, text);
	} else {
		json_write_text(writer, until);
	}
}

static void
write_member(struct json_writer *writer, const char *key, const char *text)
{
	if (text == NULL)
		return;
	json_write_key(writer, key);
	json_write_text(writer, text);
}

static void
write_body(struct buf *body, const struct words *words)
{
	struct json_writer writer = json_writer(body);
	struct bytes rest = bytes_of(words->allow), word;

	json_write_begin(&writer, '{');
	write_member(&writer, "page_url", words->page);
	write_member(&writer, "reason", words->reason);
	write_member(&writer, "over", words->over);
	if (words->until != NULL)
		write_until(&writer, words->until);
	if (words->allow != NULL) {
		json_write_key(&writer, "allow");
		json_write_begin(&writer, '[');
		while (bytes_next_field(&rest, ',', &word))
			json_write_string(&writer, bytes_trim(word));
		json_write_end(&writer, ']');
	}
	json_write_end(&writer, '}');
}

/* Asks, and shows what came. */
static enum ctl_exit
ask(const struct ctl *ctl, const char *method, const struct words *words,
    struct bytes body)
{
	struct client_answer answer;
	struct json_doc *doc;
	enum ctl_exit result = ctl_ask(ctl, method, words->target.data, body,
	    &answer, &doc);

	if (doc != NULL)
		ctl_show(ctl, &answer, doc);
	ctl_answer_free(&answer, &doc);
	return result;
}

static enum ctl_exit
obey(const struct ctl *ctl, const struct words *words)
{
	struct buf body = { 0 };
	enum ctl_exit result;

	if (strcmp(words->action, "off") == 0)
		return ask(ctl, "DELETE", words, bytes_slice(NULL, 0));
	if (strcmp(words->action, "status") == 0)
		return ask(ctl, "GET", words, bytes_slice(NULL, 0));
	if (strcmp(words->action, "on") != 0)
		return ctl_usage("on, off or status");
	write_body(&body, words);
	result = ask(ctl, "PUT", words, buf_bytes(&body));
	buf_free(&body);
	return result;
}

enum ctl_exit
ctl_maintenance(const struct ctl *ctl, int argc, char **argv)
{
	struct words words = { 0 };
	enum ctl_exit result;

	if (!take_words(&words, argc, argv, NULL) || words.over != NULL ||
	    words.waits) {
		buf_free(&words.target);
		return ctl_usage("maintenance all|service|backend|route [ID] "
		    "on|off|status [--reason TEXT] [--until TIME] "
		    "[--page URL] [--allow LIST]");
	}
	buf_append_text(&words.target, "/maintenance");
	result = obey(ctl, &words);
	buf_free(&words.target);
	return result;
}

/* How the drain stands: "pending", "clean", "forced", or "" when there is
 * none. */
static enum ctl_exit
look_at_drain(const struct ctl *ctl, const struct words *words,
    char outcome[16])
{
	struct client_answer answer;
	struct json_doc *doc;
	enum ctl_exit result = ctl_ask(ctl, "GET", words->target.data,
	    bytes_slice(NULL, 0), &answer, &doc);
	char *text = NULL;

	if (doc != NULL)
		text = json_string(doc, json_member(doc, json_member(doc,
		    json_root(doc), "drain"), "outcome"));
	snprintf(outcome, 16, "%s", text == NULL ? "" : text);
	free(text);
	ctl_answer_free(&answer, &doc);
	return result;
}

/* Until the drain is over: clean 0; forced, or cancelled, 1. */
static enum ctl_exit
wait_for_drain(const struct ctl *ctl, const struct words *words)
{
	char outcome[16];
	enum ctl_exit result;

	for (;;) {
		result = look_at_drain(ctl, words, outcome);
		if (result == CTL_NO || result == CTL_USAGE)
			return result;
		/* registryd may be on its way back. */
		if (result == CTL_OK && strcmp(outcome, "pending") != 0)
			break;
		usleep(WAIT_LOOK_US);
	}
	if (strcmp(outcome, "clean") == 0)
		return CTL_OK;
	fprintf(stderr, "sluicectl: drain: %s\n",
	    outcome[0] == '\0' ? "cancelled" : outcome);
	return CTL_NO;
}

enum ctl_exit
ctl_drain(const struct ctl *ctl, int argc, char **argv)
{
	struct words words = { 0 };
	enum ctl_exit result;

	if (!take_words(&words, argc, argv, "on") || words.page != NULL ||
	    words.until != NULL || words.allow != NULL ||
	    (strcmp(words.action, "on") == 0 && words.over == NULL)) {
		buf_free(&words.target);
		return ctl_usage("drain service|backend|route ID "
		    "[on|off|status] --over SPAN [--wait] [--reason TEXT]");
	}
	buf_append_text(&words.target, "/drain");
	result = obey(ctl, &words);
	if (result == CTL_OK && words.waits)
		result = wait_for_drain(ctl, &words);
	buf_free(&words.target);
	return result;
}

enum ctl_exit
ctl_breaker(const struct ctl *ctl, int argc, char **argv)
{
	struct words words = { 0 };
	struct buf body = { 0 };
	enum ctl_exit result;

	if (argc != 3 || (strcmp(argv[2], "trip") != 0 &&
	    strcmp(argv[2], "reset") != 0 && strcmp(argv[2], "status") != 0))
		return ctl_usage("breaker BACKEND trip|reset|status");
	buf_append_text(&words.target, "/v1/backends");
	add_segment(&words.target, argv[1]);
	buf_append_text(&words.target, "/breaker");
	buf_printf(&body, "{\"action\":\"%s\"}", argv[2]);
	if (strcmp(argv[2], "status") == 0)
		result = ask(ctl, "GET", &words, bytes_slice(NULL, 0));
	else
		result = ask(ctl, "POST", &words, buf_bytes(&body));
	buf_free(&words.target);
	buf_free(&body);
	return result;
}
