/*
 * ctl/token.c - `sluicectl token`: who may register what.
 */
/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ask.h"

#define USAGE "token create [--label L] [--service S] [--domain D] "          \
	      "[--prefix P] ... | list | revoke ID"
#define SCOPES_MAX 64

/* What create was given. */
struct scopes {
	const char *label;
	const char *services[SCOPES_MAX], *domains[SCOPES_MAX],
	    *prefixes[SCOPES_MAX];
	uint32_t service_count, domain_count, prefix_count;
};

static bool
add(const char **list, uint32_t *count, const char *text)
{
	if (*count == SCOPES_MAX)
		return false;
	list[(*count)++] = text;
	return true;
}

static bool
take_option(struct scopes *scopes, int option, const char *value)
{
	switch (option) {
	case 'l':
		scopes->label = value;
		return true;
	case 's':
		return add(scopes->services, &scopes->service_count, value);
	case 'd':
		return add(scopes->domains, &scopes->domain_count, value);
	case 'p':
		return add(scopes->prefixes, &scopes->prefix_count, value);
	default:
		return false;
	}
}

static void
write_list(struct json_writer *writer, const char *key,
    const char *const *list, uint32_t count)
{
	json_write_key(writer, key);
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < count; i++)
		json_write_text(writer, list[i]);
	json_write_end(writer, ']');
}

static void
write_scopes(struct buf *buf, const struct scopes *scopes)
{
	struct json_writer writer = json_writer(buf);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "label");
	json_write_text(&writer, scopes->label);
	write_list(&writer, "services", scopes->services,
	    scopes->service_count);
	write_list(&writer, "domains", scopes->domains,
	    scopes->domain_count);
	write_list(&writer, "prefixes", scopes->prefixes,
	    scopes->prefix_count);
	json_write_end(&writer, '}');
}

/* The secret alone, so that a script can take it. */
static enum ctl_exit
print_new(const struct ctl *ctl, const struct client_answer *answer,
    const struct json_doc *doc)
{
	char *secret = json_string(doc,
	    json_member(doc, json_root(doc), "token"));

	if (ctl->wants_json)
		printf("%.*s\n", BYTES_ARGS(buf_bytes(&answer->body)));
	else
		puts(secret == NULL ? "" : secret);
	free(secret);
	return CTL_OK;
}

static enum ctl_exit
create(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "label", required_argument, NULL, 'l' },
		{ "service", required_argument, NULL, 's' },
		{ "domain", required_argument, NULL, 'd' },
		{ "prefix", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	struct scopes scopes = { .label = "" };
	struct client_answer answer;
	struct buf body = { 0 };
	enum ctl_exit result;
	struct json_doc *doc;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take_option(&scopes, option, optarg))
			return ctl_usage(USAGE);
	if (optind != argc)
		return ctl_usage(USAGE);
	write_scopes(&body, &scopes);
	result = ctl_ask(ctl, "POST", "/v1/tokens", buf_bytes(&body), &answer,
	    &doc);
	if (result == CTL_OK && doc != NULL)
		result = print_new(ctl, &answer, doc);
	ctl_answer_free(&answer, &doc);
	buf_free(&body);
	return result;
}

static enum ctl_exit
revoke(const struct ctl *ctl, const char *id)
{
	struct client_answer answer;
	struct buf target = { 0 };
	enum ctl_exit result;
	struct json_doc *doc;

	buf_append_text(&target, "/v1/tokens/");
	client_encode(&target, bytes_of(id));
	result = ctl_ask(ctl, "DELETE", target.data, bytes_slice(NULL, 0),
	    &answer, &doc);
	ctl_answer_free(&answer, &doc);
	buf_free(&target);
	return result;
}

enum ctl_exit
ctl_token(const struct ctl *ctl, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "create") == 0)
		return create(ctl, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ctl_token_list(ctl, 1, argv + 1);
	if (argc == 3 && strcmp(argv[1], "revoke") == 0)
		return revoke(ctl, argv[2]);
	return ctl_usage(USAGE);
}
