/*
 * registryd/admin_reply.c - answers of the admin API.
 */
/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "http/forward.h"
#include "registryd/admin_parts.h"

void
request_free(struct admin_request *request)
{
	arena_free(&request->arena);
	buf_free(&request->fields);
	buf_free(&request->body_buf);
	free(request->head);
	free(request);
}

void
admin_add_field(struct admin_request *request, const char *name,
    const char *format, ...)
{
	va_list args;

	buf_printf(&request->fields, "%s: ", name);
	va_start(args, format);
	buf_vprintf(&request->fields, format, args);
	va_end(args);
	buf_append_text(&request->fields, "\r\n");
}

static void
write_start(struct buf *out, unsigned int status)
{
	char date[HTTP_DATE_SIZE];

	http_format_date(time(NULL), date);
	buf_printf(out,
	    "HTTP/1.1 %u %s\r\nDate: %s\r\nCache-Control: no-store\r\n",
	    status, http_status_phrase(status), date);
}

static void
write_body(struct buf *out, const char *content_type, struct bytes body,
    bool is_head)
{
	if (content_type != NULL)
		buf_printf(out, "Content-Type: %s\r\n", content_type);
	buf_printf(out, "Content-Length: %zu\r\n\r\n", body.len);
	if (!is_head)
		buf_append(out, body);
}

static bool
is_held(struct admin_request *request, unsigned int status,
    const char *content_type, struct bytes body)
{
	bool (*hold)(void *, struct admin_request *, unsigned int,
	    const char *, struct bytes) = request->hold;

	request->hold = NULL;
	return hold != NULL && hold(request->hold_context, request, status,
	    content_type, body);
}

void
admin_reply(struct admin_request *request, unsigned int status,
    const char *content_type, struct bytes body)
{
	struct admin_connection *connection = request->connection;
	struct buf *out;

	if (is_held(request, status, content_type, body))
		return;
	if (connection == NULL) {
		request_free(request);
		return;
	}
	if (connection->server->is_draining)
		connection->keeps_alive = false;
	out = &connection->out;
	write_start(out, status);
	buf_printf(out, "X-Request-Id: %s\r\n", request->id);
	buf_append(out, buf_bytes(&request->fields));
	if (!connection->keeps_alive)
		buf_append_text(out, "Connection: close\r\n");
	else if (request->http.minor_version == 0)
		buf_append_text(out, "Connection: keep-alive\r\n");
	if (status == 204)
		buf_append_text(out, "\r\n");
	else
		write_body(out, content_type, body,
		    request->http.method_id == HTTP_METHOD_HEAD);
	request_free(request);
	connection_answered(connection);
}

void
admin_stream_begin(struct admin_request *request, const char *content_type,
    admin_gone_fn *gone, void *context)
{
	struct admin_connection *connection = request->connection;

	if (connection == NULL) {
		request_free(request);
		gone(context);
		return;
	}
	request->gone = gone;
	request->gone_context = context;
	write_start(&connection->out, 200);
	buf_printf(&connection->out,
	    "X-Request-Id: %s\r\nContent-Type: %s\r\n"
	    "Connection: close\r\n\r\n",
	    request->id, content_type);
	connection_stream(connection);
}

void
admin_stream_write(struct admin_request *request, struct bytes text)
{
	buf_append(&request->connection->out, text);
	connection_stream(request->connection);
}

void
admin_reply_json(struct admin_request *request, unsigned int status,
    struct buf *json)
{
	struct problem problem;

	if (json->is_failed) {
		problem_set(&problem, 503, "out_of_memory", NULL,
		    "out of memory; ask for less");
		admin_reply_problem(request, &problem);
	} else {
		admin_reply(request, status, "application/json",
		    buf_bytes(json));
	}
	buf_free(json);
}

void
admin_reply_problem(struct admin_request *request,
    const struct problem *problem)
{
	struct buf json = { 0 };

	problem_write(problem, &json);
	if (problem->status == 503)
		admin_add_field(request, "Retry-After", "1");
	admin_reply(request, problem->status, "application/problem+json",
	    buf_bytes(&json));
	buf_free(&json);
}

void
reply_fault(struct admin_connection *connection, unsigned int status,
    const char *word, const char *detail)
{
	struct problem problem;
	struct buf json = { 0 };

	log_info("admin: %s: %u %s", connection->from, status, detail);
	problem_set(&problem, status, word, NULL, "%s", detail);
	problem_write(&problem, &json);
	write_start(&connection->out, status);
	buf_append_text(&connection->out, "Connection: close\r\n");
	write_body(&connection->out, "application/problem+json",
	    buf_bytes(&json), false);
	buf_free(&json);
	connection->keeps_alive = false;
	connection_answered(connection);
}
