/*
 * http/forward_fields.c - fields that an operator edits.
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
