/*
 * worker/page_text.c - a maintenance page out of the bytes of an answer.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/page_text.h"

#include <string.h>

#include "http/chunked.h"

static bool
decode_chunked(struct page_text *page, struct bytes rest)
{
	struct http_chunked chunked = { 0 };
	struct bytes data;
	size_t used;

	for (;;) {
		switch (http_chunked_decode(&chunked, rest.data, rest.len,
		    &used, &data)) {
		case HTTP_CHUNKED_DATA:
			buf_append(&page->body, data);
			break;
		case HTTP_CHUNKED_TRAILER:
			break;
		case HTTP_CHUNKED_DONE:
			return true;
		case HTTP_CHUNKED_MORE:
		case HTTP_CHUNKED_FAULT:
			return false;
		}
		rest = bytes_slice(rest.data + used, rest.len - used);
	}
}

/* Takes the body out of what stands behind the head; false while it is
 * not all here. */
static bool
take_body(struct page_text *page, const struct http_response *response,
    struct bytes rest, bool is_end)
{
	page->body.len = 0;
	switch (response->body) {
	case HTTP_BODY_NONE:
		return true;
	case HTTP_BODY_LENGTH:
		if (rest.len < response->content_length)
			return false;
		rest.len = response->content_length;
		break;
	case HTTP_BODY_CHUNKED:
		return decode_chunked(page, rest);
	case HTTP_BODY_CLOSE:
		if (!is_end)
			return false;
		break;
	}
	buf_append(&page->body, rest);
	return true;
}

static void
keep_field(struct page_text *page, const struct http_response *response,
    const char *name)
{
	const struct http_field *field = http_field_find_name(
	    &response->fields, bytes_of(name));

	if (field != NULL)
		buf_printf(&page->fields, "%s: %.*s\r\n", name,
		    BYTES_ARGS(field->value));
}

static void
keep_answer(struct page_text *page, const struct http_response *response)
{
	const struct http_field *type = http_field_find_name(
	    &response->fields, bytes_of("content-type"));

	page->fields.len = page->content_type.len = 0;
	buf_append_text(&page->fields, "X-Maintenance-Mode: true\r\n");
	keep_field(page, response, "Location");
	keep_field(page, response, "Content-Language");
	keep_field(page, response, "Content-Encoding");
	if (type != NULL)
		buf_append(&page->content_type, type->value);
	else
		buf_append_text(&page->content_type, "text/html");
	if (page->body.len == 0)
		buf_append_text(&page->body, "\n");
	page->answer = (struct page_answer){
		.status = response->status,
		.body = buf_bytes(&page->body),
		.fields = buf_bytes(&page->fields),
		.content_type = buf_bytes(&page->content_type),
	};
}

/* Of a whole head: whether the body is all here, or what is wrong. */
static enum page_text_state
take_answer(struct page_text *page, struct http_response *response,
    size_t head_end, bool is_end, const char **fault_r)
{
	struct bytes input = buf_bytes(&page->input);
	enum http_fault fault = http_response_parse(
	    bytes_slice(input.data, head_end), HTTP_METHOD_GET, response);

	if (fault == HTTP_FAULT_NONE && response->status < 200)
		fault = HTTP_FAULT_STATUS_LINE;
	if (fault != HTTP_FAULT_NONE) {
		*fault_r = http_fault_text(fault);
		return PAGE_TEXT_FAULT;
	}
	/* The scan begins anew when more has come. */
	memset(&page->scan, 0, sizeof(page->scan));
	if (!take_body(page, response, bytes_slice(input.data + head_end,
		input.len - head_end), is_end))
		return PAGE_TEXT_MORE;
	keep_answer(page, response);
	if (!page->body.is_failed && !page->fields.is_failed &&
	    !page->content_type.is_failed)
		return PAGE_TEXT_WHOLE;
	*fault_r = "out of memory";
	return PAGE_TEXT_FAULT;
}

enum page_text_state
page_text_look(struct page_text *page, struct http_response *response,
    bool is_end, const char **fault_r)
{
	enum page_text_state state = PAGE_TEXT_MORE;
	enum http_fault fault = HTTP_FAULT_NONE;
	struct bytes input = buf_bytes(&page->input);
	size_t end = 0;

	/* However it was cut into reads. */
	if (input.len > PAGE_BYTES_MAX) {
		*fault_r = "it is too large";
		return PAGE_TEXT_FAULT;
	}
	switch (http_head_scan(&page->scan, input.data, input.len, false,
	    &end, &fault)) {
	case HTTP_SCAN_MORE:
		break;
	case HTTP_SCAN_FAULT:
		*fault_r = http_fault_text(fault);
		return PAGE_TEXT_FAULT;
	case HTTP_SCAN_DONE:
		state = take_answer(page, response, end, is_end, fault_r);
		break;
	}
	if (state != PAGE_TEXT_MORE || !is_end)
		return state;
	*fault_r = "closed before its answer was complete";
	return PAGE_TEXT_FAULT;
}
