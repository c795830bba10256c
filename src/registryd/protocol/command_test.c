/*
 * registryd/protocol/command_test.c - BACKEND_TEST.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/protocol/command.h"
#include "registryd/protocol/fetch.h"

#define TEST_TIMEOUT_MS 5000

struct backend_test {
	LIST_ENTRY(backend_test) of_protocol;
	struct client *client;		/* busy until the end */
	struct fetch *fetch;
};

static void
test_free(struct backend_test *test)
{
	LIST_REMOVE(test, of_protocol);
	fetch_cancel(&test->fetch);
	free(test);
}

void
command_test_end_all(struct protocol *protocol)
{
	struct backend_test *test;

	while ((test = LIST_FIRST(&protocol->tests)) != NULL)
		test_free(test);
}

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
	struct backend_test *test = context;
	struct client *client = test->client;
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	test->fetch = NULL;
	test_free(test);
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

static int
start(struct client *client, struct bytes url)
{
	struct protocol *protocol = client->protocol;
	struct backend_test *test = calloc(1, sizeof(*test));

	if (test == NULL)
		return -1;
	test->client = client;
	LIST_INSERT_HEAD(&protocol->tests, test, of_protocol);
	test->fetch = fetch_start(protocol->loop, protocol->resolver, url,
	    TEST_TIMEOUT_MS, on_fetched, test);
	if (test->fetch != NULL)
		return 0;
	test_free(test);
	return -1;
}

void
command_backend_test(struct client *client)
{
	struct bytes url = client->line.fields[1];
	const char *fault = backend_url_fault(url);

	if (fault != NULL)
		client_refuse(client, fault);
	else if (start(client, url) == -1)
		answer_fail(client, strerror(errno));
}
