/*
 * http/response.c - what a response head says.
 */
/* SPDX-License-Identifier: ISC */
#include "http/field.h"

#include "http/chars.h"

#define STATUS_CODE_LEN 3

static enum http_fault
parse_status(const char *text, unsigned int *status_r)
{
	unsigned int hundreds = (unsigned char)text[0] - '0';
	unsigned int tens = (unsigned char)text[1] - '0';
	unsigned int ones = (unsigned char)text[2] - '0';

	if (hundreds < 1 || hundreds > 5 || tens > 9 || ones > 9)
		return HTTP_FAULT_STATUS_LINE;
	*status_r = 100 * hundreds + 10 * tens + ones;
	return HTTP_FAULT_NONE;
}

/* "HTTP/1.1 200 OK"; the phrase may be empty, and many servers then
 * leave out the space before it as well. */
static enum http_fault
parse_status_line(const char **pos_r, const char *end,
    struct http_response *response)
{
	const char *pos = *pos_r, *reason;
	enum http_fault fault;

	if (end - pos < HTTP_VERSION_LEN + 1 + STATUS_CODE_LEN + 2)
		return HTTP_FAULT_STATUS_LINE;
	fault = http_version_parse(pos, &response->minor_version);
	if (fault == HTTP_FAULT_VERSION)
		return fault;
	pos += HTTP_VERSION_LEN;
	if (fault != HTTP_FAULT_NONE || *pos++ != ' ' ||
	    parse_status(pos, &response->status) != HTTP_FAULT_NONE)
		return HTTP_FAULT_STATUS_LINE;
	pos += STATUS_CODE_LEN;
	if (*pos == ' ')
		pos++;
	else if (*pos != '\r')
		return HTTP_FAULT_STATUS_LINE;
	reason = pos;
	pos = http_value_end(reason, end);
	if (end - pos < 2 || pos[0] != '\r' || pos[1] != '\n')
		return HTTP_FAULT_STATUS_LINE;
	response->reason = bytes_slice(reason, (size_t)(pos - reason));
	*pos_r = pos + 2;
	return HTTP_FAULT_NONE;
}

static bool
has_no_body(unsigned int status, enum http_method request_method)
{
	return request_method == HTTP_METHOD_HEAD || status < 200 ||
	    status == 204 || status == 304;
}

static enum http_fault
read_body(struct http_response *response, enum http_method request_method)
{
	struct http_framing framing;
	enum http_fault fault = http_framing_read(&response->fields,
	    response->minor_version, &framing);

	response->has_content_length = framing.has_length;
	response->content_length = framing.length;
	if (has_no_body(response->status, request_method))
		response->body = HTTP_BODY_NONE;
	else if (framing.is_chunked)
		response->body = HTTP_BODY_CHUNKED;
	else if (!framing.has_length)
		response->body = HTTP_BODY_CLOSE;
	else
		response->body = framing.length > 0 ? HTTP_BODY_LENGTH
						    : HTTP_BODY_NONE;
	return fault;
}

/* A switch of protocols that does not say to which is none. */
static enum http_fault
read_connection(struct http_response *response)
{
	struct http_connection connection =
	    http_connection_read(&response->fields);

	response->keeps_alive = response->body != HTTP_BODY_CLOSE &&
	    !connection.has_close &&
	    (response->minor_version > 0 || connection.has_keep_alive);
	response->upgrade = bytes_slice(NULL, 0);
	if (response->status != 101)
		return HTTP_FAULT_NONE;
	response->upgrade = http_upgrade_read(&response->fields, &connection,
	    response->minor_version);
	return response->upgrade.len > 0 ? HTTP_FAULT_NONE
					 : HTTP_FAULT_STATUS_LINE;
}

enum http_fault
http_response_parse(struct bytes head, enum http_method request_method,
    struct http_response *response_r)
{
	const char *pos = head.data, *end = pos + head.len;
	enum http_fault fault;

	/* Every loop below stops at this, at the latest. */
	if (head.len < 4 || memcmp(end - 4, "\r\n\r\n", 4) != 0)
		return HTTP_FAULT_STATUS_LINE;
	fault = parse_status_line(&pos, end, response_r);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	fault = http_fields_parse(pos, end, &response_r->fields);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	fault = read_body(response_r, request_method);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	return read_connection(response_r);
}
