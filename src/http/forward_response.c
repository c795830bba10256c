/*
 * http/forward_response.c - the response head that the client gets.
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward.h"

#include "http/field.h"
#include "http/forward_fields.h"
#include "http/pen.h"

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

static struct http_pen
write_status_line(const struct http_response *response, struct http_pen pen)
{
	unsigned int hundreds = response->status / 100; /* 1 .. 5 */
	unsigned int rest = response->status - 100 * hundreds;
	char code[4] = { (char)('0' + hundreds), (char)('0' + rest / 10),
		(char)('0' + rest % 10), ' ' };

	pen = pen_framed(pen, "HTTP/1.1 ", bytes_slice(code, sizeof(code)),
	    "");
	return pen_framed(pen, "", response->reason, "\r\n");
}

static struct http_pen
write_connection(const struct forward_response *forward,
    struct http_pen pen)
{
	if (forward->is_chunked)
		pen = pen_literal(pen, "Transfer-Encoding: chunked\r\n");
	if (!forward->keeps_alive)
		pen = pen_literal(pen, "Connection: close\r\n");
	else if (forward->client_minor == 0)
		pen = pen_literal(pen, "Connection: keep-alive\r\n");
	return pen;
}

static struct http_pen
write_tunnel(const struct http_response *response, struct http_pen pen)
{
	return pen_framed(pen, "Connection: upgrade\r\nUpgrade: ",
	    response->upgrade, "\r\n");
}

static struct http_pen
write_own_fields(const struct forward_response *forward,
    const struct field_filter *filter, struct http_pen pen)
{
	const struct http_fields *fields = &forward->response->fields;

	if (!http_fields_have(fields, HTTP_FIELD_DATE) &&
	    forward->date.len > 0 &&
	    !http_forward_is_edited(filter, bytes_of("Date")))
		pen = pen_field(pen, "Date", forward->date);
	if (forward->request_id.len > 0)
		pen = pen_field(pen, "X-Request-Id", forward->request_id);
	if (forward->proxy_status.len > 0)
		pen = pen_field(pen, "Proxy-Status", forward->proxy_status);
	return pen_slice(pen, forward->extra_fields);
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
	struct http_pen pen = pen_begin(out);

	pen = write_status_line(response, pen);
	pen = http_forward_fields(&response->fields, &filter, pen);
	if (is_final) {
		pen = write_own_fields(forward, &filter, pen);
		if (UNLIKELY(filter.edit_count > 0))
			pen = http_forward_edits(&filter, pen);
	}
	if (forward->is_tunnel)
		pen = write_tunnel(response, pen);
	else if (is_final)
		pen = write_connection(forward, pen);
	pen_end(pen_literal(pen, "\r\n"), out);
}
