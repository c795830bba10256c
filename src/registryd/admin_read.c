/*
 * registryd/admin_read.c - a request of the admin API, read whole.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/random.h"
#include "registryd/admin_parts.h"

#define HEAD_TIMEOUT_S 10.0
#define ARENA_MAX      (4u << 20)

static void
hand_over(struct admin_connection *connection)
{
	struct admin_request *request = connection->request;

	connection->state = ADMIN_ANSWERING;
	connection_set_timer(connection, 0.0);
	ev_io_stop(connection->server->loop, &connection->readable);
	request->body = buf_bytes(&request->body_buf);
	if (request->body_buf.is_failed) {
		struct problem problem;

		problem_set(&problem, 503, "out_of_memory", NULL,
		    "out of memory");
		admin_reply_problem(request, &problem);
		return;
	}
	connection->server->handle(connection->server->context, request);
}

/* A request id that a client gave, if it is harmless. */
static bool
is_id(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] <= ' ' || value.data[i] > '~' ||
		    value.data[i] == '"' || value.data[i] == '\\')
			return false;
	return value.len > 0;
}

static void
fill_request(struct admin_request *request,
    struct admin_connection *connection)
{
	const struct http_field *id = http_field_find(&request->http.fields,
	    HTTP_FIELD_X_REQUEST_ID);

	memcpy(request->who, connection->who, sizeof(request->who));
	memcpy(request->from, connection->from, sizeof(request->from));
	if (id != NULL && id->value.len < sizeof(request->id) &&
	    is_id(id->value))
		snprintf(request->id, sizeof(request->id), "%.*s",
		    BYTES_ARGS(id->value));
	else
		random_hex(request->id, 16);
	request->connection = connection;
	arena_init(&request->arena, ARENA_MAX);
}

static struct admin_request *
make_request(struct admin_connection *connection, struct bytes head,
    enum http_fault *fault_r)
{
	struct admin_request *request = calloc(1, sizeof(*request));

	*fault_r = HTTP_FAULT_NONE;
	if (request == NULL)
		return NULL;
	if ((request->head = bytes_duplicate(head)) == NULL) {
		free(request);
		return NULL;
	}
	*fault_r = http_request_parse(bytes_slice(request->head, head.len),
	    &request->http);
	if (*fault_r != HTTP_FAULT_NONE) {
		free(request->head);
		free(request);
		return NULL;
	}
	fill_request(request, connection);
	return request;
}

static void
refuse_body(struct admin_connection *connection, unsigned int status,
    const char *word, const char *detail)
{
	request_free(connection->request);
	connection->request = NULL;
	reply_fault(connection, status, word, detail);
}

static void
refuse_large_body(struct admin_connection *connection)
{
	char detail[96];

	snprintf(detail, sizeof(detail), "a body is at most %" PRIu64
	    " bytes; raise admin.body_limit for a larger one",
	    connection->server->body_limit_bytes);
	refuse_body(connection, 413, "body_too_large", detail);
}

static void
begin_body(struct admin_connection *connection)
{
	struct admin_request *request = connection->request;
	const struct http_request *http = &request->http;

	connection->body_left = http->content_length;
	memset(&connection->chunked, 0, sizeof(connection->chunked));
	if (http->body == HTTP_BODY_NONE) {
		hand_over(connection);
		return;
	}
	if (http->body == HTTP_BODY_LENGTH &&
	    http->content_length > connection->server->body_limit_bytes) {
		refuse_large_body(connection);
		return;
	}
	connection->state = ADMIN_BODY;
	connection_set_timer(connection, ADMIN_BODY_TIMEOUT_S);
	if (http->expects_continue && connection->in.len == 0)
		buf_append_text(&connection->out,
		    "HTTP/1.1 100 Continue\r\n\r\n");
}

/* Each false: nothing more can be done with what has arrived. */
static bool
read_head(struct admin_connection *connection)
{
	enum http_fault fault = HTTP_FAULT_NONE;
	size_t end = 0;
	bool is_first = connection->scan.scanned == 0;

	if (connection->in.len == 0)
		return false;
	switch (http_head_scan(&connection->scan, connection->in.data,
	    connection->in.len, true, &end, &fault)) {
	case HTTP_SCAN_MORE:
		if (is_first)
			connection_set_timer(connection, HEAD_TIMEOUT_S);
		return false;
	case HTTP_SCAN_FAULT:
		reply_fault(connection, http_fault_status(fault),
		    http_fault_word(fault), http_fault_text(fault));
		return false;
	case HTTP_SCAN_DONE:
		break;
	}
	connection->request = make_request(connection,
	    bytes_slice(connection->in.data, end), &fault);
	if (connection->request == NULL && fault != HTTP_FAULT_NONE) {
		reply_fault(connection, http_fault_status(fault),
		    http_fault_word(fault), http_fault_text(fault));
		return false;
	}
	if (connection->request == NULL) {
		reply_fault(connection, 503, "out_of_memory", "out of memory");
		return false;
	}
	connection->keeps_alive = connection->request->http.keeps_alive;
	memset(&connection->scan, 0, sizeof(connection->scan));
	buf_consume(&connection->in, end);
	begin_body(connection);
	return true;
}

static bool
read_length_body(struct admin_connection *connection)
{
	size_t n = connection->in.len;

	if (n > connection->body_left)
		n = (size_t)connection->body_left;
	buf_append(&connection->request->body_buf,
	    bytes_slice(connection->in.data, n));
	buf_consume(&connection->in, n);
	connection->body_left -= n;
	if (connection->body_left > 0)
		return false;
	hand_over(connection);
	return true;
}

static bool
read_chunked_body(struct admin_connection *connection)
{
	struct buf *body = &connection->request->body_buf;
	struct bytes data;
	size_t used;

	for (;;) {
		enum http_chunked_result result = http_chunked_decode(
		    &connection->chunked, connection->in.data,
		    connection->in.len, &used, &data);

		if (result == HTTP_CHUNKED_DATA)
			buf_append(body, data);
		buf_consume(&connection->in, used);
		if (result == HTTP_CHUNKED_MORE)
			return false;
		if (result == HTTP_CHUNKED_FAULT) {
			refuse_body(connection, 400, "bad_request_framing",
			    "the chunked body is malformed");
			return false;
		}
		if (body->len > connection->server->body_limit_bytes) {
			refuse_large_body(connection);
			return false;
		}
		if (result == HTTP_CHUNKED_DONE) {
			hand_over(connection);
			return true;
		}
	}
}

bool
connection_read_request(struct admin_connection *connection)
{
	switch (connection->state) {
	case ADMIN_HEAD:
		return read_head(connection);
	case ADMIN_BODY:
		return connection->request->http.body == HTTP_BODY_CHUNKED ?
		    read_chunked_body(connection) :
		    read_length_body(connection);
	case ADMIN_ANSWERING:
	case ADMIN_CLOSING:
		break;
	}
	return false;
}
