/*
 * http/accept.c - whether a client would rather read JSON.
 *
 * Source: RFC 9110, sections 12.4.2 and 12.5.1.
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward.h"

#include "http/chars.h"
#include "http/field.h"

/* How well a kind of answer is liked, and by how exact a name. */
struct liking {
	unsigned int exactness;		/* 0: not named; 1: all types; 2, 3 */
	unsigned int quality;		/* thousandths */
	unsigned int place;		/* in the list, for ties */
};

/* "0.5" as 500; what is no quality counts as 0. */
static unsigned int
parse_quality(struct bytes text)
{
	unsigned int quality = 0, unit = 1000;

	if (text.len == 0 || text.len > 5 ||
	    (text.len > 1 && text.data[1] != '.'))
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		if (i == 1)
			continue;
		if (!http_char_is_digit(text.data[i]))
			return 0;
		quality += (unsigned int)(text.data[i] - '0') * unit;
		unit /= 10;
	}
	return quality > 1000 ? 0 : quality;
}

static unsigned int
range_quality(struct bytes parameters)
{
	struct bytes parameter;

	while (bytes_next_field(&parameters, ';', &parameter)) {
		parameter = bytes_trim(parameter);
		if (parameter.len >= 2 && (parameter.data[0] | 0x20) == 'q' &&
		    parameter.data[1] == '=')
			return parse_quality(bytes_slice(parameter.data + 2,
			    parameter.len - 2));
	}
	return 1000;
}

/* The most exact name rules; of equals, the best liked. */
static void
like(struct liking *liking, unsigned int exactness, unsigned int quality,
    unsigned int place)
{
	if (exactness < liking->exactness ||
	    (exactness == liking->exactness && quality <= liking->quality))
		return;
	*liking = (struct liking){ exactness, quality, place };
}

static void
judge_range(struct bytes range, unsigned int place, struct liking *json,
    struct liking *text)
{
	struct bytes type;
	unsigned int quality;

	if (!bytes_next_field(&range, ';', &type))
		return;
	type = bytes_trim(type);
	quality = range_quality(range);
	if (bytes_is(type, "*/*")) {
		like(json, 1, quality, place);
		like(text, 1, quality, place);
	} else if (bytes_equal_nocase(type, bytes_of("application/*"))) {
		like(json, 2, quality, place);
	} else if (bytes_equal_nocase(type, bytes_of("text/*"))) {
		like(text, 2, quality, place);
	} else if (bytes_equal_nocase(type, bytes_of("application/json")) ||
	    bytes_equal_nocase(type, bytes_of("application/problem+json"))) {
		like(json, 3, quality, place);
	} else if (bytes_equal_nocase(type, bytes_of("text/plain")) ||
	    bytes_equal_nocase(type, bytes_of("text/html"))) {
		like(text, 3, quality, place);
	}
}

bool
http_wants_json(const struct http_fields *fields)
{
	struct liking json = { 0 }, text = { 0 };
	unsigned int place = 0;

	if (!http_fields_have(fields, HTTP_FIELD_ACCEPT))
		return false;
	for (uint32_t i = 0; i < fields->count; i++) {
		struct bytes rest = fields->list[i].value, range;

		if (fields->list[i].id != HTTP_FIELD_ACCEPT)
			continue;
		while (http_list_next(&rest, &range))
			judge_range(range, place++, &json, &text);
	}
	if (json.quality != text.quality)
		return json.quality > text.quality;
	return json.quality > 0 && json.place < text.place;
}
