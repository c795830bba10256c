/*
 * ctl/ask.c - asking the admin API, with failures told to the person.
 */
/* SPDX-License-Identifier: ISC */
#include "ctl/ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond the time that the server is given to wait: for its answer. */
#define ANSWER_MS 2000

/* "title: detail", and for settings and such the lines behind it. */
static void
print_problem(const struct json_doc *doc)
{
	char *title = json_string(doc,
	    json_member(doc, json_root(doc), "title"));
	char *detail =
	    json_string(doc, json_member(doc, json_root(doc), "detail"));

	fprintf(stderr, "sluicectl: %s%s%s\n", title == NULL ? "?" : title,
	    detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
	free(title);
	free(detail);
}

/* Takes the body apart; what is no JSON is printed as it is. */
static void
read_body(const struct client_answer *answer, struct json_doc **doc_r)
{
	struct bytes body = buf_bytes(&answer->body);
	size_t offset;

	if (body.len == 0)
		return;
	if (json_parse(body, doc_r, &offset) == -1) {
		*doc_r = NULL;
		printf("%.*s\n", BYTES_ARGS(body));
		return;
	}
	if (answer->status >= 400 &&
	    json_member(*doc_r, json_root(*doc_r), "title") != JSON_NONE) {
		print_problem(*doc_r);
		json_doc_free(doc_r);
	}
}

/* The target of a write that waits for every instance. */
static const char *
add_wait(const struct ctl *ctl, const char *target, struct buf *longer)
{
	buf_printf(longer, "%s%swait=applied&scope=all&timeout=%" PRId64 "ms",
	    target, strchr(target, '?') == NULL ? "?" : "&",
	    ctl->timeout_ms);
	return longer->is_failed ? target : longer->data;
}

enum ctl_exit
ctl_ask(const struct ctl *ctl, const char *method, const char *target,
    struct bytes body, struct client_answer *answer_r, struct json_doc **doc_r)
{
	bool waits = ctl->waits_for_all && strcmp(method, "GET") != 0;
	struct buf longer = { 0 };
	const struct client_request request = {
		.address = ctl->socket,
		.method = method,
		.target = waits ? add_wait(ctl, target, &longer) : target,
		.body = body,
		.timeout_ms = ctl->timeout_ms + (waits ? ANSWER_MS : 0),
	};
	enum client_result result = client_ask(&request, answer_r);

	buf_free(&longer);
	*doc_r = NULL;
	if (result != CLIENT_ANSWERED) {
		fprintf(stderr, "sluicectl: %s: %s\n", ctl->socket,
		    answer_r->error);
		return result == CLIENT_TIMED_OUT ? CTL_TIMED_OUT
						  : CTL_UNREACHABLE;
	}
	if (answer_r->stale[0] != '\0')
		fprintf(stderr, "sluicectl: not waited for, since not seen "
			"lately: %s\n", answer_r->stale);
	read_body(answer_r, doc_r);
	if (answer_r->status == 504)
		return CTL_TIMED_OUT;
	return answer_r->status >= 400 ? CTL_NO : CTL_OK;
}

void
ctl_answer_free(struct client_answer *answer, struct json_doc **doc)
{
	json_doc_free(doc);
	buf_free(&answer->body);
}
