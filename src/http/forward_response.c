/*
 * http/forward_response.c - the response head that the client gets.
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward.h"

#include "http/field.h"
#include "http/forward_fields.h"
#include "http/out.h"

static bool
is_informational(const struct http_response *response)
{
	return response->status < 200;
}

static uint64_t
dropped_fields(const struct forward_response *forward)
{
	unsigned int status = forward->response->status;
	uint64_t dropped = HTTP_FIELD_BIT(HTTP_FIELD_X_REQUEST_ID);

	/* RFC 9110, section 8.6: not in 1xx and 204. */
	if (forward->is_chunked || status < 200 || status == 204)
		dropped |= HTTP_FIELD_BIT(HTTP_FIELD_CONTENT_LENGTH);
	return dropped;
}

static void
write_status_line(const struct http_response *response, struct http_out *out)
{
	char code[4] = {
		(char)('0' + response->status / 100 % 10),
		(char)('0' + response->status / 10 % 10),
		(char)('0' + response->status % 10),
		' ',
	};

	out_literal(out, "HTTP/1.1 ");
	out_bytes(out, code, sizeof(code));
	out_slice(out, response->reason);
	out_literal(out, "\r\n");
}

static void
write_connection(const struct forward_response *forward,
    struct http_out *out)
{
	if (forward->is_chunked)
		out_literal(out, "Transfer-Encoding: chunked\r\n");
	if (!forward->keeps_alive)
		out_literal(out, "Connection: close\r\n");
	else if (forward->client_minor == 0)
		out_literal(out, "Connection: keep-alive\r\n");
}

static void
write_tunnel(const struct http_response *response, struct http_out *out)
{
	out_literal(out, "Connection: upgrade\r\nUpgrade: ");
	out_slice(out, response->upgrade);
	out_literal(out, "\r\n");
}

static void
write_own_fields(const struct forward_response *forward,
    const struct field_filter *filter, struct http_out *out)
{
	const struct http_fields *fields = &forward->response->fields;

	if (!http_fields_have(fields, HTTP_FIELD_DATE) &&
	    forward->date.len > 0 &&
	    !http_forward_is_edited(filter, bytes_of("Date"))) {
		out_literal(out, "Date: ");
		out_slice(out, forward->date);
		out_literal(out, "\r\n");
	}
	if (forward->request_id.len > 0) {
		out_literal(out, "X-Request-Id: ");
		out_slice(out, forward->request_id);
		out_literal(out, "\r\n");
	}
	if (forward->proxy_status.len > 0) {
		out_literal(out, "Proxy-Status: ");
		out_slice(out, forward->proxy_status);
		out_literal(out, "\r\n");
	}
	out_slice(out, forward->extra_fields);
}

void
http_forward_response(const struct forward_response *forward,
    struct http_out *out)
{
	const struct http_response *response = forward->response;
	bool is_final = !is_informational(response) || forward->is_tunnel;
	struct field_filter filter = {
		.dropped = dropped_fields(forward),
		.edits = forward->edits,
		.edit_count = is_final ? forward->edit_count : 0,
	};

	write_status_line(response, out);
	http_forward_fields(&response->fields, &filter, out);
	if (is_final) {
		write_own_fields(forward, &filter, out);
		http_forward_edits(&filter, out);
	}
	if (forward->is_tunnel)
		write_tunnel(response, out);
	else if (is_final)
		write_connection(forward, out);
	out_literal(out, "\r\n");
}
