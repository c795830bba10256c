/*
 * ctl/monitor.c - `sluicectl monitor`: events as they happen.
 *
 * Each on a line: its type, then its JSON (with -o json, one object that
 * has the type as a member).
 */
/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"

struct monitor {
	const struct ctl *ctl;
	struct buf text;		/* a line that is not whole yet */
	char type[64];
	unsigned long long left;	/* events; 0: without end */
};

/* Returns false when that was the last one wanted. */
static bool
print_event(struct monitor *monitor, struct bytes json)
{
	if (monitor->ctl->wants_json && json.len > 1)
		printf("{\"type\":\"%s\",%.*s\n", monitor->type,
		    (int)json.len - 1, json.data + 1);
	else
		printf("%s %.*s\n", monitor->type, BYTES_ARGS(json));
	fflush(stdout);
	return monitor->left == 0 || --monitor->left > 0;
}

static bool
take_line(struct monitor *monitor, struct bytes line)
{
	const struct bytes event = BYTES_LITERAL("event: ");
	const struct bytes data = BYTES_LITERAL("data: ");

	if (bytes_start_with(line, event))
		snprintf(monitor->type, sizeof(monitor->type), "%.*s",
		    (int)(line.len - event.len), line.data + event.len);
	if (!bytes_start_with(line, data))
		return true;
	return print_event(monitor,
	    bytes_slice(line.data + data.len, line.len - data.len));
}

static bool
take_piece(void *context, struct bytes piece)
{
	struct monitor *monitor = context;
	bool goes_on = true;
	char *end;

	buf_append(&monitor->text, piece);
	while (goes_on && monitor->text.len > 0 &&
	    (end = memchr(monitor->text.data, '\n', monitor->text.len)) !=
		NULL) {
		size_t len = (size_t)(end - monitor->text.data);

		goes_on = take_line(monitor,
		    bytes_slice(monitor->text.data, len));
		buf_consume(&monitor->text, len + 1);
	}
	return goes_on;
}

static enum ctl_exit
follow(struct monitor *monitor, const char *target)
{
	const struct client_request request = {
		.address = monitor->ctl->socket,
		.method = "GET",
		.target = target,
		.timeout_ms = monitor->ctl->timeout_ms,
	};
	struct client_answer answer;
	enum client_result result = client_follow(&request, take_piece,
	    monitor, &answer);
	bool is_good = result == CLIENT_ANSWERED && answer.status == 200;

	if (result != CLIENT_ANSWERED)
		fprintf(stderr, "sluicectl: %s: %s\n", request.address,
		    answer.error);
	else if (!is_good)
		fprintf(stderr, "sluicectl: %.*s\n",
		    BYTES_ARGS(buf_bytes(&answer.body)));
	buf_free(&answer.body);
	if (result == CLIENT_TIMED_OUT)
		return CTL_TIMED_OUT;
	if (result == CLIENT_UNREACHABLE)
		return CTL_UNREACHABLE;
	return is_good ? CTL_OK : CTL_NO;
}

enum ctl_exit
ctl_monitor(const struct ctl *ctl, int argc, char **argv)
{
	struct monitor monitor = { .ctl = ctl };
	struct buf target = { 0 };
	enum ctl_exit result;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1)
		if (option != 'n' || bytes_to_number(bytes_of(optarg),
			1000000000, &monitor.left) == -1)
			return ctl_usage("monitor [-n COUNT] [TYPE ...]");
	buf_append_text(&target, "/v1/events?");
	for (int i = optind; i < argc; i++) {
		buf_append_text(&target, "&type=");
		client_encode(&target, bytes_of(argv[i]));
	}
	result = follow(&monitor, target.data);
	buf_free(&target);
	buf_free(&monitor.text);
	return result;
}
