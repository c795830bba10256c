/*
 * registryd/api_explain.c - /v1/explain: where a request would go, and why.
 *
 * Makes the head that the client would send and reads it with the
 * parser of the worker; asks the router of the worker, on the live
 * segment; then looks up who last changed the route.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/api_parts.h"
#include "registryd/explain_json.h"

/* One explanation on its way. */
struct explanation {
	struct registry *registry;
	struct admin_request *request;
	struct http_request asked;	/* borrows from head */
	struct buf head;
	struct in6_addr client;
	struct buf json;
	struct json_writer writer;
	bool has_change;
};

static void
free_explanation(struct explanation *explanation)
{
	buf_free(&explanation->head);
	buf_free(&explanation->json);
	free(explanation);
}

/* What is asked ---------------------------------------------------------- */

static int
add_head(struct explanation *explanation, struct bytes method,
    struct bytes url)
{
	struct buf *head = &explanation->head;
	struct bytes field;
	uint32_t next = 0;

	/* An absolute-form target carries the host; RFC 9112, 3.2.2. */
	buf_printf(head, "%.*s %.*s HTTP/1.1\r\nHost: %s\r\n",
	    BYTES_ARGS(method), BYTES_ARGS(url),
	    url.data[0] == '/' ? "" : "placeholder");
	while (api_query(explanation->request, "header", &next, &field)) {
		if (memchr(field.data, '\r', field.len) != NULL ||
		    memchr(field.data, '\n', field.len) != NULL)
			return -1;
		if (!bytes_start_with(field, bytes_of("Host:")))
			buf_printf(head, "%.*s\r\n", BYTES_ARGS(field));
	}
	buf_append_text(head, "\r\n");
	return head->is_failed ? -1 : 0;
}

static bool
read_client(struct admin_request *request, struct in6_addr *client_r)
{
	struct bytes from = bytes_of("127.0.0.1");
	struct in_addr v4;

	(void)api_query(request, "from", NULL, &from);
	if (inet_pton(AF_INET6, from.data, client_r) == 1)
		return true;
	if (inet_pton(AF_INET, from.data, &v4) != 1)
		return false;
	memset(client_r, 0, sizeof(*client_r));
	client_r->s6_addr[10] = client_r->s6_addr[11] = 0xff;
	memcpy(&client_r->s6_addr[12], &v4, sizeof(v4));
	return true;
}

/* NULL, or what is wrong with the question. */
static const char *
read_question(struct explanation *explanation)
{
	struct bytes method = bytes_of("GET"), url = bytes_of("");
	enum http_fault fault;

	(void)api_query(explanation->request, "method", NULL, &method);
	if (!api_query(explanation->request, "url", NULL, &url) ||
	    url.len == 0)
		return "url is needed, such as url=http://host/path";
	if (!read_client(explanation->request, &explanation->client))
		return "from must be an address";
	if (add_head(explanation, method, url) == -1)
		return "a header must be one line, \"Name: value\"";
	fault = http_request_parse(buf_bytes(&explanation->head),
	    &explanation->asked);
	return fault == HTTP_FAULT_NONE ? NULL : http_fault_text(fault);
}

static struct bytes
field_of(const void *request, struct bytes name)
{
	const struct http_request *asked = request;
	const struct http_field *field = http_field_find_name(&asked->fields,
	    name);

	return field == NULL ? bytes_of("") : field->value;
}

/* Who changed it --------------------------------------------------------- */

static void
on_row(void *context, const struct store_history *row)
{
	struct explanation *explanation = context;
	struct json_writer *writer = &explanation->writer;
	char at[CLOCK_RFC3339_SIZE];

	if (explanation->has_change)
		return;
	explanation->has_change = true;
	clock_format_rfc3339(row->at_wall_ms, at);
	json_write_key(writer, "changed");
	json_write_begin(writer, '{');
	json_write_key(writer, "generation");
	json_write_integer(writer, (int64_t)row->generation);
	json_write_key(writer, "at");
	json_write_text(writer, at);
	json_write_key(writer, "who");
	json_write_text(writer, row->who);
	json_write_key(writer, "from");
	json_write_text(writer, row->from);
	json_write_key(writer, "channel");
	json_write_text(writer, row->channel);
	json_write_key(writer, "action");
	json_write_text(writer, row->action);
	json_write_end(writer, '}');
}

static void
finish(struct explanation *explanation)
{
	if (!explanation->has_change) {
		json_write_key(&explanation->writer, "changed");
		json_write_null(&explanation->writer);
	}
	json_write_end(&explanation->writer, '}');
	admin_reply_json(explanation->request, 200, &explanation->json);
	free_explanation(explanation);
}

static void
on_history(void *context, const struct store_outcome *outcome)
{
	(void)outcome;			/* without: "changed" is null */
	finish(context);
}

static void
find_change(struct explanation *explanation, uint64_t route_id)
{
	char key[24];
	const struct store_history_query query = {
		.to = INT64_MAX,
		.limit = 1,
		.kind = "route",
		.key = key,
		.newest_first = true,
		.row = on_row,
		.done = on_history,
		.context = explanation,
	};

	snprintf(key, sizeof(key), "%" PRIu64, route_id);
	if (route_id == 0 ||
	    store_history(explanation->registry->store, &query) == -1)
		finish(explanation);
}

static void
explain(struct explanation *explanation)
{
	struct router *router = explanation->registry->router;
	const struct route_query query = {
		.host = explanation->asked.host,
		.path = explanation->asked.path,
		.client = explanation->client,
		.field = field_of,
		.request = &explanation->asked,
	};
	struct route_choice choice;
	uint64_t route_id;

	router_choose(router, &query, clock_now(), &choice);
	explanation->writer = json_writer(&explanation->json);
	json_write_begin(&explanation->writer, '{');
	explain_write(&(struct explained){ .registry = explanation->registry,
	    .writer = &explanation->writer, .asked = &explanation->asked,
	    .client = &explanation->client }, &choice);
	route_id = choice.route == NULL ? 0 : choice.route->spec.id;
	router_release(router, &choice);
	find_change(explanation, route_id);
}

void
api_explain(struct registry *registry, struct admin_request *request)
{
	struct explanation *explanation = calloc(1, sizeof(*explanation));
	const char *fault;

	if (explanation == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return;
	}
	explanation->registry = registry;
	explanation->request = request;
	fault = read_question(explanation);
	if (fault != NULL) {
		api_reply_problem(request, 400, "bad_query", "%s", fault);
		free_explanation(explanation);
		return;
	}
	explain(explanation);
}
