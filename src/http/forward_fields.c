/*
 * http/forward_fields.c - the fields that pass through, and edits.
 *
 * Most fields of most messages pass, and they stand one behind another
 * in the head: so they are copied in runs of lines, not one by one.
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward_fields.h"

#include "http/field.h"

/* X-Forwarded-* may be edited, since an operator may know better. */
#define FIELDS_NEVER_EDITED                                                    \
	((HTTP_FIELDS_OWNED & ~HTTP_FIELDS_FORWARDING) |                       \
	    HTTP_FIELD_BIT(HTTP_FIELD_X_REQUEST_ID))

static bool
is_obeyed(const struct field_filter *filter, const struct header_edit *edit)
{
	return edit->of_request == filter->of_request &&
	    (HTTP_FIELD_BIT(http_field_id(edit->name)) &
		FIELDS_NEVER_EDITED) == 0;
}

bool
http_forward_is_edited(const struct field_filter *filter, struct bytes name)
{
	for (uint32_t i = 0; i < filter->edit_count; i++) {
		const struct header_edit *edit = &filter->edits[i];

		if (edit->op != HEADER_ADD && is_obeyed(filter, edit) &&
		    bytes_equal_nocase(edit->name, name))
			return true;
	}
	return false;
}

static inline bool
passes(const struct http_field *field, const struct field_filter *filter)
{
	return !field->is_hop_by_hop && !field->is_shadow &&
	    (filter->dropped & HTTP_FIELD_BIT(field->id)) == 0 &&
	    (LIKELY(filter->edit_count == 0) ||
		!http_forward_is_edited(filter, field->name));
}

/* Writes the lines from first to last. */
static inline struct http_pen
write_run(const struct http_field *first, const struct http_field *last,
    struct http_pen pen)
{
	const char *start = first->name.data;
	const char *end = last->value.data + last->value.len;

	return pen_framed(pen, "", bytes_slice(start, (size_t)(end - start)),
	    "\r\n");
}

struct http_pen
http_forward_fields(const struct http_fields *fields,
    const struct field_filter *filter, struct http_pen pen)
{
	const struct http_field *field = fields->list;
	const struct http_field *end = field + fields->count;

	for (; field < end; field++) {
		const struct http_field *first = field;

		while (field < end && passes(field, filter))
			field++;
		if (field > first)
			pen = write_run(first, field - 1, pen);
	}
	return pen;
}

struct http_pen
http_forward_edits(const struct field_filter *filter, struct http_pen pen)
{
	for (uint32_t i = 0; i < filter->edit_count; i++) {
		const struct header_edit *edit = &filter->edits[i];

		if (edit->op == HEADER_REMOVE || !is_obeyed(filter, edit))
			continue;
		pen = pen_framed(pen, "", edit->name, ": ");
		pen = pen_framed(pen, "", edit->value, "\r\n");
	}
	return pen;
}
