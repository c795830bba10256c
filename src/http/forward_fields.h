/*
 * http/forward_fields.h - the fields that pass through, and edits.
 *
 * Internal to src/http: requests and responses are forwarded alike.  Most
 * fields of most messages pass, and they stand one behind another in the
 * head: so they are copied in runs of lines, not one by one.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_FORWARD_FIELDS_H
#define HTTP_FORWARD_FIELDS_H

#include "http/pen.h"

struct field_filter {
	uint64_t dropped;		/* HTTP_FIELD_BITs that are left out */
	const struct header_edit *edits;
	uint32_t edit_count;
	bool of_request;		/* edits for requests are obeyed */
};

/* Writes what the edits set and add. */
struct http_pen http_forward_edits(const struct field_filter *,
    struct http_pen);

/* Whether an edit sets or removes the field of that id, whose name this
 * is: then sluice does not write its own. */
bool http_forward_is_edited(const struct field_filter *, struct bytes name);

static inline bool
http_field_passes(const struct http_field *field,
    const struct field_filter *filter)
{
	return !field->is_withheld &&
	    (filter->dropped & HTTP_FIELD_BIT(field->id)) == 0 &&
	    (LIKELY(filter->edit_count == 0) ||
		!http_forward_is_edited(filter, field->name));
}

/* Writes the lines from first to last. */
static inline struct http_pen
http_forward_run(const struct http_field *first, const struct http_field *last,
    struct http_pen pen)
{
	const char *start = first->name.data;
	const char *end = last->value.data + last->value.len;

	return pen_framed(pen, "", bytes_slice(start, (size_t)(end - start)),
	    "\r\n");
}

/* Writes the fields of a parsed head that go on as they came: not the
 * hop-by-hop ones, not those dropped or replaced. */
ALWAYS_INLINE struct http_pen
http_forward_fields(const struct http_fields *fields,
    const struct field_filter *filter, struct http_pen pen)
{
	const struct http_field *field = fields->list;
	const struct http_field *end = field + fields->count;

	for (; field < end; field++) {
		const struct http_field *first = field;

		while (field < end && http_field_passes(field, filter))
			field++;
		if (field > first)
			pen = http_forward_run(first, field - 1, pen);
	}
	return pen;
}

#endif
