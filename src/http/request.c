/*
 * http/request.c - what a request head says.
 *
 * One pass over the bytes, then a few looks at the fields that decide.
 */
/* SPDX-License-Identifier: ISC */
#include "http/field.h"

#include "http/chars.h"
#include "http/host.h"
#include "http/request_target.h"

bool
http_method_is_idempotent(enum http_method method)
{
	switch (method) {
	case HTTP_METHOD_GET:
	case HTTP_METHOD_HEAD:
	case HTTP_METHOD_PUT:
	case HTTP_METHOD_DELETE:
	case HTTP_METHOD_OPTIONS:
	case HTTP_METHOD_TRACE:
		return true;
	case HTTP_METHOD_OTHER:
	case HTTP_METHOD_POST:
	case HTTP_METHOD_PATCH:
		break;
	}
	return false;
}

static bool
is_word(struct bytes method, const char *word, size_t len)
{
	return memcmp(method.data, word, len) == 0;
}

#define METHOD(word, id)                                                       \
	if (is_word(method, word, sizeof(word) - 1))                           \
	return id

static enum http_method
method_id(struct bytes method)
{
	switch (method.len) {
	case 3:
		METHOD("GET", HTTP_METHOD_GET);
		METHOD("PUT", HTTP_METHOD_PUT);
		break;
	case 4:
		METHOD("POST", HTTP_METHOD_POST);
		METHOD("HEAD", HTTP_METHOD_HEAD);
		break;
	case 5:
		METHOD("PATCH", HTTP_METHOD_PATCH);
		METHOD("TRACE", HTTP_METHOD_TRACE);
		break;
	case 6:
		METHOD("DELETE", HTTP_METHOD_DELETE);
		break;
	case 7:
		METHOD("OPTIONS", HTTP_METHOD_OPTIONS);
		break;
	default:
		break;
	}
	return HTTP_METHOD_OTHER;
}

static enum http_fault
parse_method(const char **pos_r, struct http_request *request)
{
	const char *start = *pos_r, *pos = start;

	if (LIKELY(memcmp(start, "GET ", 4) == 0)) {
		request->method = bytes_slice(start, 3);
		request->method_id = HTTP_METHOD_GET;
		*pos_r = start + 4;
		return HTTP_FAULT_NONE;
	}
	while (http_char_is(*pos, HTTP_CHAR_TOKEN))
		pos++;
	if (pos == start || (*pos != ' ' && *pos != '\r'))
		return HTTP_FAULT_METHOD;
	if (*pos == '\r')
		return HTTP_FAULT_REQUEST_LINE;
	request->method = bytes_slice(start, (size_t)(pos - start));
	request->method_id = method_id(request->method);
	if (bytes_is(request->method, "CONNECT"))
		return HTTP_FAULT_CONNECT;
	*pos_r = pos + 1;
	return HTTP_FAULT_NONE;
}

/* Behind the target: a space, the version, CRLF. */
static enum http_fault
parse_version(const char **pos_r, const char *end,
    struct http_request *request)
{
	const char *version = *pos_r + 1;
	enum http_fault fault;

	if (end - version < HTTP_VERSION_LEN + 2)
		return HTTP_FAULT_REQUEST_LINE;
	fault = http_version_parse(version, &request->minor_version);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	if (memcmp(version + HTTP_VERSION_LEN, "\r\n", 2) != 0)
		return HTTP_FAULT_REQUEST_LINE;
	*pos_r = version + HTTP_VERSION_LEN + 2;
	return HTTP_FAULT_NONE;
}

static enum http_fault
parse_request_line(const char **pos_r, const char *end,
    struct http_request *request)
{
	enum http_fault fault;

	fault = parse_method(pos_r, request);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	fault = http_target_parse(pos_r, request);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	return parse_version(pos_r, end, request);
}

/* Host is judged even where an absolute target takes its place. */
static enum http_fault
read_host(struct http_request *request)
{
	const struct http_field *field =
	    http_field_find(&request->fields, HTTP_FIELD_HOST);
	size_t len = 0;

	if (field == NULL && request->minor_version > 0)
		return HTTP_FAULT_HOST;
	if ((request->fields.repeated & HTTP_FIELD_BIT(HTTP_FIELD_HOST)) != 0)
		return HTTP_FAULT_HOST;
	if (field != NULL &&
	    !http_host_normalise(field->value, request->host_buf, &len))
		return HTTP_FAULT_HOST;
	if (request->authority.data != NULL) {
		if (!http_host_normalise(request->authority, request->host_buf,
			&len))
			return HTTP_FAULT_TARGET;
	} else {
		request->authority = field != NULL ? field->value
						   : bytes_of("");
	}
	request->host = bytes_slice(request->host_buf, len);
	return HTTP_FAULT_NONE;
}

static enum http_fault
read_body(struct http_request *request)
{
	struct http_framing framing;
	enum http_fault fault = http_framing_read(&request->fields,
	    request->minor_version, &framing);

	request->body = framing.is_chunked   ? HTTP_BODY_CHUNKED
			: framing.length > 0 ? HTTP_BODY_LENGTH
					     : HTTP_BODY_NONE;
	request->content_length = framing.length;
	return fault;
}

static enum http_fault
read_expect(struct http_request *request)
{
	const struct http_fields *fields = &request->fields;

	request->expects_continue = false;
	/* RFC 9110, 10.1.1: of no meaning in HTTP/1.0, nor without a body. */
	if (!http_fields_have(fields, HTTP_FIELD_EXPECT) ||
	    request->minor_version == 0)
		return HTTP_FAULT_NONE;
	for (uint32_t i = 0; i < fields->count; i++)
		if (fields->list[i].id == HTTP_FIELD_EXPECT &&
		    !bytes_equal_nocase(fields->list[i].value,
			bytes_of("100-continue")))
			return HTTP_FAULT_EXPECT;
	request->expects_continue = request->body != HTTP_BODY_NONE;
	return HTTP_FAULT_NONE;
}

static bool
reads_trailers(const struct http_fields *fields)
{
	struct bytes rest, coding;

	if (!http_fields_have(fields, HTTP_FIELD_TE))
		return false;
	for (uint32_t i = 0; i < fields->count; i++) {
		if (fields->list[i].id != HTTP_FIELD_TE)
			continue;
		rest = fields->list[i].value;
		while (http_list_next(&rest, &coding))
			if (bytes_equal_nocase(coding, bytes_of("trailers")))
				return true;
	}
	return false;
}

static void
read_connection(struct http_request *request)
{
	struct http_connection connection =
	    http_connection_read(&request->fields);

	request->keeps_alive = !connection.has_close &&
	    (request->minor_version > 0 || connection.has_keep_alive);
	request->upgrade = http_upgrade_read(&request->fields, &connection,
	    request->minor_version);
	request->accepts_trailers = reads_trailers(&request->fields);
}

enum http_fault
http_request_parse(struct bytes head, struct http_request *request_r)
{
	const char *pos = head.data, *end = pos + head.len;
	enum http_fault fault;

	/* Every loop below stops at this, at the latest. */
	if (head.len < 4 || memcmp(end - 4, "\r\n\r\n", 4) != 0)
		return HTTP_FAULT_REQUEST_LINE;
	if (pos[0] == '\r' && pos[1] == '\n' && head.len > 4)
		pos += 2;
	fault = parse_request_line(&pos, end, request_r);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	fault = http_fields_parse(pos, end, &request_r->fields);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	fault = read_host(request_r);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	fault = read_body(request_r);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	read_connection(request_r);
	return read_expect(request_r);
}
