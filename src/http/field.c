/*
 * http/field.c - reading field lines.
 */
/* SPDX-License-Identifier: ISC */
#include "http/field.h"

#include "http/chars.h"
#include "http/field_name.h"

#define FIELDS_HOP_BY_HOP                                                      \
	(HTTP_FIELD_BIT(HTTP_FIELD_CONNECTION) |                               \
	    HTTP_FIELD_BIT(HTTP_FIELD_HTTP2_SETTINGS) |                        \
	    HTTP_FIELD_BIT(HTTP_FIELD_KEEP_ALIVE) |                            \
	    HTTP_FIELD_BIT(HTTP_FIELD_PROXY_AUTHENTICATE) |                    \
	    HTTP_FIELD_BIT(HTTP_FIELD_PROXY_AUTHORIZATION) |                   \
	    HTTP_FIELD_BIT(HTTP_FIELD_PROXY_CONNECTION) |                      \
	    HTTP_FIELD_BIT(HTTP_FIELD_TE) |                                    \
	    HTTP_FIELD_BIT(HTTP_FIELD_TRANSFER_ENCODING) |                     \
	    HTTP_FIELD_BIT(HTTP_FIELD_UPGRADE))

const struct http_field *
http_field_find_name(const struct http_fields *fields, struct bytes name)
{
	for (uint32_t i = 0; i < fields->count; i++)
		if (bytes_equal_nocase(fields->list[i].name, name))
			return &fields->list[i];
	return NULL;
}

bool
http_list_next(struct bytes *rest_r, struct bytes *element_r)
{
	while (bytes_next_field(rest_r, ',', element_r)) {
		*element_r = bytes_trim(*element_r);
		if (element_r->len > 0)
			return true;
	}
	return false;
}

/* "Proxy" itself becomes HTTP_PROXY in CGI programs: nobody sends it in
 * good faith.  Proxy-Status is meant for the client. */
static bool
is_proxy_name(struct bytes name)
{
	return (name.data[0] | 0x20) == 'p' && name.len >= 5 &&
	    strncasecmp(name.data, "proxy", 5) == 0 &&
	    (name.len == 5 || name.data[5] == '-');
}

/* The name with '-' for each '_' is one that sluice answers for. */
static bool
is_shadow_name(struct bytes name)
{
	char dashed[32];

	if (name.len > sizeof(dashed))
		return false;
	for (size_t i = 0; i < name.len; i++)
		dashed[i] = name.data[i] == '_' ? '-' : name.data[i];
	return (HTTP_FIELD_BIT(http_field_id(bytes_slice(dashed, name.len))) &
		(HTTP_FIELDS_OWNED | FIELDS_HOP_BY_HOP)) != 0;
}

/* Of a name with other characters than letters, digits and '-' from pos
 * on.  CR is no token, so that the line's end stops this. */
static enum http_fault
judge_odd_name(const char *pos, struct http_field *field)
{
	const char *name = field->name.data;
	unsigned int classes = 0, class;

	while ((class = http_char_class(*pos)) & HTTP_CHAR_TOKEN) {
		classes |= class;
		pos++;
	}
	if (pos == name && http_char_is_blank(*pos))
		return HTTP_FAULT_FOLD;
	if (pos == name || *pos != ':')
		return HTTP_FAULT_FIELD_NAME;
	field->is_withheld = is_proxy_name(field->name) ||
	    ((classes & HTTP_CHAR_UNDERSCORE) != 0 &&
		is_shadow_name(field->name));
	return HTTP_FAULT_NONE;
}

/* Why a value ends at pos, where something else than CRLF stands. */
static enum http_fault
value_fault(const char *pos, const char *end)
{
	if (pos < end && *pos == '\n')
		return HTTP_FAULT_BARE_LF;
	return HTTP_FAULT_FIELD_VALUE;
}

/*
 * Reads a name up to the first colon, which need not be in this line: but
 * no name that is known goes over the end of one, nor does a plain one.
 */
ALWAYS_INLINE enum http_fault
parse_name(const char *name, const char *colon, const char *end,
    struct http_field *field)
{
	struct bytes text = bytes_slice(name, (size_t)(colon - name));
	enum http_field_id id = http_name_id(text);
	const char *pos;

	field->name = text;
	field->id = id;
	field->is_withheld = (HTTP_FIELD_BIT(id) & FIELDS_HOP_BY_HOP) != 0;
	if (LIKELY(id != HTTP_FIELD_OTHER))
		return HTTP_FAULT_NONE;
	pos = http_skip_plain_name(name, end);
	if (UNLIKELY(pos != colon || pos == name))
		return judge_odd_name(pos, field);
	field->is_withheld = is_proxy_name(text);
	return HTTP_FAULT_NONE;
}

/* Behind the colon.  Nearly always one space stands there. */
static inline const char *
skip_blanks(const char *pos)
{
	if (LIKELY(pos[0] == ' ' && (unsigned char)pos[1] > ' '))
		return pos + 1;
	while (http_char_is_blank(*pos))
		pos++;
	return pos;
}

static inline size_t
len_without_blanks(const char *value, const char *end)
{
	/* What stands before an empty value is readable too. */
	if (UNLIKELY(http_char_is_blank(end[-1])))
		while (end > value && http_char_is_blank(end[-1]))
			end--;
	return (size_t)(end - value);
}

ALWAYS_INLINE enum http_fault
parse_line(const char **pos_r, const char *end, struct http_field *field)
{
	const char *name = *pos_r, *colon = http_find_colon(name, end);
	enum http_fault fault = parse_name(name, colon, end, field);
	const char *pos, *value;

	if (UNLIKELY(fault != HTTP_FAULT_NONE))
		return fault;
	value = skip_blanks(colon + 1);
	pos = http_value_end(value, end);
	if (UNLIKELY(end - pos < 2 || memcmp(pos, "\r\n", 2) != 0))
		return value_fault(pos, end);
	field->value = bytes_slice(value, len_without_blanks(value, pos));
	*pos_r = pos + 2;
	return HTTP_FAULT_NONE;
}

enum http_fault
http_field_parse_line(const char **pos_r, const char *end,
    struct http_field *field_r)
{
	return parse_line(pos_r, end, field_r);
}

enum http_fault
http_fields_parse(const char *pos, const char *end,
    struct http_fields *fields_r)
{
	enum http_fault fault = HTTP_FAULT_NONE;
	uint64_t present = 0, repeated = 0;
	uint32_t count = 0;

	while (*pos != '\r') {
		struct http_field *field = &fields_r->list[count];
		uint64_t bit;

		if (count == HTTP_FIELDS_MAX)
			fault = HTTP_FAULT_FIELDS_MANY;
		else
			fault = parse_line(&pos, end, field);
		if (UNLIKELY(fault != HTTP_FAULT_NONE))
			break;
		bit = HTTP_FIELD_BIT(field->id);
		if ((present & bit) == 0)
			fields_r->first[field->id] = (uint8_t)count;
		else
			repeated |= bit;
		present |= bit;
		count++;
	}
	fields_r->count = count;
	fields_r->present = present;
	fields_r->repeated = repeated;
	if (UNLIKELY(fault != HTTP_FAULT_NONE))
		return fault;
	/* Nothing is behind the empty line. */
	return pos == end - 2 ? HTTP_FAULT_NONE : HTTP_FAULT_FIELD_NAME;
}

static void
mark_named(struct http_fields *fields, struct bytes name)
{
	for (uint32_t i = 0; i < fields->count; i++) {
		struct http_field *field = &fields->list[i];

		if ((HTTP_FIELD_BIT(field->id) & HTTP_FIELDS_OWNED) == 0 &&
		    bytes_equal_nocase(field->name, name))
			field->is_withheld = true;
	}
}

/* One value of Connection. */
static void
read_options(struct http_fields *fields, struct bytes rest,
    struct http_connection *connection)
{
	struct bytes option;

	while (http_list_next(&rest, &option)) {
		if (bytes_equal_nocase(option, bytes_of("keep-alive")))
			connection->has_keep_alive = true;
		else if (bytes_equal_nocase(option, bytes_of("close")))
			connection->has_close = true;
		else if (bytes_equal_nocase(option, bytes_of("upgrade")))
			connection->has_upgrade = true;
		else
			mark_named(fields, option);
	}
}

struct http_connection
http_connection_obey(struct http_fields *fields)
{
	struct http_connection connection = { 0 };

	for (uint32_t i = fields->first[HTTP_FIELD_CONNECTION];
	     i < fields->count; i++) {
		if (fields->list[i].id == HTTP_FIELD_CONNECTION)
			read_options(fields, fields->list[i].value,
			    &connection);
		if ((fields->repeated &
			HTTP_FIELD_BIT(HTTP_FIELD_CONNECTION)) == 0)
			break;
	}
	return connection;
}
