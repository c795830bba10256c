/*
 * http/forward_own.c - answers that sluice gives itself.
 *
 * A short page: what happened, and the id under which it stands in the
 * log.  Nothing of versions, backends or addresses.
 *
 * Source: RFC 9457 for application/problem+json.
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward.h"

#include "http/out.h"

#define BODY_MAX 2048

/* What is allowed where nothing better is known, for 405. */
#define ALLOW_DEFAULT "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"

/* Of JSON: the inside of a string; what is not plain ASCII as '?', since
 * an id that a client chose may hold anything. */
static void
write_json_text(struct http_out *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '"' || c == '\\')
			out_literal(out, "\\");
		else if (c < ' ' || c > '~')
			c = '?';
		out_bytes(out, &c, 1);
	}
}

static void
write_json_member(struct http_out *out, const char *name, struct bytes text)
{
	if (text.len == 0)
		return;
	out_literal(out, ",\"");
	out_slice(out, bytes_of(name));
	out_literal(out, "\":\"");
	write_json_text(out, text);
	out_literal(out, "\"");
}

static void
make_problem(const struct own_answer *answer, struct http_out *out)
{
	out_literal(out, "{\"type\":\"about:blank\",\"status\":");
	out_number(out, answer->status);
	write_json_member(out, "title",
	    bytes_of(http_status_phrase(answer->status)));
	write_json_member(out, "detail", bytes_of(answer->detail));
	write_json_member(out, "reason", bytes_of(answer->reason_word));
	write_json_member(out, "request_id", answer->request_id);
	out_literal(out, "}\n");
}

static void
make_text(const struct own_answer *answer, struct http_out *out)
{
	out_number(out, answer->status);
	out_literal(out, " ");
	out_slice(out, bytes_of(http_status_phrase(answer->status)));
	out_literal(out, "\n");
	if (answer->detail != NULL) {
		out_slice(out, bytes_of(answer->detail));
		out_literal(out, "\n");
	}
	if (answer->reason_word != NULL) {
		out_literal(out, "reason: ");
		out_slice(out, bytes_of(answer->reason_word));
		out_literal(out, "\n");
	}
	if (answer->request_id.len > 0) {
		out_literal(out, "request id: ");
		out_slice(out, answer->request_id);
		out_literal(out, "\n");
	}
}

static bool
has_field(struct bytes lines, const char *name)
{
	size_t len = strlen(name);
	struct bytes line;

	while (bytes_next_field(&lines, '\n', &line))
		if (line.len > len && line.data[len] == ':' &&
		    strncasecmp(line.data, name, len) == 0)
			return true;
	return false;
}

static void
write_fields(const struct own_answer *answer, struct http_out *out)
{
	if (answer->date.len > 0)
		out_field(out, bytes_of("Date"), answer->date);
	out_literal(out, "Cache-Control: no-store\r\n");
	if (answer->request_id.len > 0)
		out_field(out, bytes_of("X-Request-Id"), answer->request_id);
	if (answer->retry_after_s > 0) {
		out_literal(out, "Retry-After: ");
		out_number(out, answer->retry_after_s);
		out_literal(out, "\r\n");
	}
	if (answer->status == 405 && !has_field(answer->extra_fields, "Allow"))
		out_literal(out, "Allow: " ALLOW_DEFAULT "\r\n");
	out_slice(out, answer->extra_fields);
	/* Said in both cases, since it is not known which version asks. */
	if (answer->keeps_alive)
		out_literal(out, "Connection: keep-alive\r\n");
	else
		out_literal(out, "Connection: close\r\n");
}

static void
write_body(const struct own_answer *answer, struct bytes content_type,
    struct bytes body, struct http_out *out)
{
	if (content_type.len > 0)
		out_field(out, bytes_of("Content-Type"), content_type);
	out_literal(out, "Content-Length: ");
	out_number(out, body.len);
	out_literal(out, "\r\n\r\n");
	if (!answer->is_head)
		out_slice(out, body);
}

void
http_forward_own(const struct own_answer *answer, struct http_out *out)
{
	char page_data[BODY_MAX];
	struct http_out page = { .data = page_data, .size = sizeof(page_data) };

	out_literal(out, "HTTP/1.1 ");
	out_number(out, answer->status);
	out_literal(out, " ");
	out_slice(out, bytes_of(http_status_phrase(answer->status)));
	out_literal(out, "\r\n");
	write_fields(answer, out);
	if (answer->status == 204 || answer->status == 304) {
		out_literal(out, "\r\n");
	} else if (answer->body.len > 0) {
		write_body(answer, answer->content_type, answer->body, out);
	} else if (answer->wants_json) {
		make_problem(answer, &page);
		write_body(answer, bytes_of("application/problem+json"),
		    bytes_slice(page.data, page.len), out);
	} else {
		make_text(answer, &page);
		write_body(answer, bytes_of("text/plain; charset=utf-8"),
		    bytes_slice(page.data, page.len), out);
	}
}
