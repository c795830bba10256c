/*
 * registryd/protocol/command_test.c - BACKEND_TEST.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "registryd/protocol/command.h"
#include "registryd/protocol/fetch.h"

#define TEST_TIMEOUT_MS 5000

static void
answer_fail(struct client *client, const char *error)
{
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "reachable");
	json_write_bool(&writer, false);
	json_write_key(&writer, "error");
	json_write_text(&writer, error);
	json_write_end(&writer, '}');
	client_answer_json(client, "BACKEND_FAIL", &buf);
}

static void
on_fetched(void *context, const struct fetch_outcome *outcome)
{
	struct client *client = context;
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	if (outcome->status == 0) {
		answer_fail(client, outcome->error);
		return;
	}
	json_write_begin(&writer, '{');
	json_write_key(&writer, "reachable");
	json_write_bool(&writer, true);
	json_write_key(&writer, "status_code");
	json_write_integer(&writer, outcome->status);
	json_write_key(&writer, "response_time_ms");
	json_write_integer(&writer, outcome->took_ms);
	json_write_key(&writer, "tls_valid");
	json_write_bool(&writer, false);
	json_write_end(&writer, '}');
	client_answer_json(client, "BACKEND_OK", &buf);
}

void
command_backend_test(struct client *client)
{
	struct bytes url = client->line.fields[1];
	const char *fault = backend_url_fault(url);

	if (fault != NULL)
		client_refuse(client, fault);
	else if (fetch_start(client->protocol->loop,
		     client->protocol->resolver, url, TEST_TIMEOUT_MS,
		     on_fetched, client) == NULL)
		answer_fail(client, strerror(errno));
}
