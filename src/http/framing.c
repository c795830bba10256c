/*
 * http/framing.c - how long a body is, and what else rules a connection.
 *
 * Whoever reads a length in another way than the next server on the path
 * lets a second request hide in the body of the first.  So there is one
 * way to write each, and all others are refused.
 *
 * Sources: RFC 9112, sections 6 and 7; RFC 9110, sections 7.8 and 8.6.
 */
/* SPDX-License-Identifier: ISC */
#include "http/field.h"

#include "http/chars.h"

static enum http_fault
read_length(const struct http_fields *fields, uint64_t *length_r)
{
	const struct http_field *field =
	    http_field_find(fields, HTTP_FIELD_CONTENT_LENGTH);
	unsigned long long length;

	if ((fields->repeated & HTTP_FIELD_BIT(HTTP_FIELD_CONTENT_LENGTH)) != 0)
		return HTTP_FAULT_LENGTH;
	if (bytes_to_number(field->value, INT64_MAX, &length) == -1)
		return HTTP_FAULT_LENGTH;
	*length_r = length;
	return HTTP_FAULT_NONE;
}

/* Of all the codings, in the order in which they were applied. */
struct codings {
	uint32_t count, chunked_count, unknown_count;
	bool is_chunked_last, has_empty;
};

static void
count_codings(struct bytes value, struct codings *codings)
{
	struct bytes coding;

	while (bytes_next_field(&value, ',', &coding)) {
		coding = bytes_trim(coding);
		codings->count++;
		codings->is_chunked_last =
		    bytes_equal_nocase(coding, bytes_of("chunked"));
		if (codings->is_chunked_last)
			codings->chunked_count++;
		else if (coding.len == 0)
			codings->has_empty = true;
		else
			codings->unknown_count++;
	}
}

static enum http_fault
read_codings(const struct http_fields *fields)
{
	struct codings codings = { 0 };

	for (uint32_t i = 0; i < fields->count; i++)
		if (fields->list[i].id == HTTP_FIELD_TRANSFER_ENCODING)
			count_codings(fields->list[i].value, &codings);
	if (!codings.is_chunked_last || codings.chunked_count != 1 ||
	    codings.has_empty)
		return HTTP_FAULT_CODING;
	if (codings.unknown_count > 0)
		return HTTP_FAULT_CODING_UNKNOWN;
	return HTTP_FAULT_NONE;
}

enum http_fault
http_framing_judge(const struct http_fields *fields, uint8_t minor_version,
    struct http_framing *framing_r)
{
	*framing_r = (struct http_framing){
		.has_length = http_fields_have(fields,
		    HTTP_FIELD_CONTENT_LENGTH),
		.is_chunked = http_fields_have(fields,
		    HTTP_FIELD_TRANSFER_ENCODING),
	};
	if (framing_r->is_chunked) {
		if (framing_r->has_length)
			return HTTP_FAULT_LENGTH_AND_CODING;
		if (minor_version == 0)
			return HTTP_FAULT_CODING;
		return read_codings(fields);
	}
	if (framing_r->has_length)
		return read_length(fields, &framing_r->length);
	return HTTP_FAULT_NONE;
}

/* "h2c", also with a version behind a slash. */
static bool
is_cleartext_http2(struct bytes protocol)
{
	return protocol.len >= 3 && strncasecmp(protocol.data, "h2c", 3) == 0 &&
	    (protocol.len == 3 || protocol.data[3] == '/');
}

struct bytes
http_upgrade_judge(const struct http_fields *fields)
{
	const struct http_field *field;
	struct bytes none = { NULL, 0 }, rest, protocol;

	field = http_field_find(fields, HTTP_FIELD_UPGRADE);
	if (field == NULL ||
	    (fields->repeated & HTTP_FIELD_BIT(HTTP_FIELD_UPGRADE)) != 0)
		return none;
	rest = field->value;
	while (http_list_next(&rest, &protocol))
		if (is_cleartext_http2(protocol))
			return none;
	return field->value;
}

enum http_fault
http_version_judge(const char *text, uint8_t *minor_r)
{
	if (memcmp(text, "HTTP/", 5) != 0 || !http_char_is_digit(text[5]) ||
	    text[6] != '.' || !http_char_is_digit(text[7]))
		return HTTP_FAULT_REQUEST_LINE;
	if (text[5] != '1')
		return HTTP_FAULT_VERSION;
	*minor_r = text[7] == '0' ? 0 : 1;
	return HTTP_FAULT_NONE;
}
