/*
 * http/forward_fields.c - the fields that pass through, and edits.
 *
 * Most fields of most messages pass, and they stand one behind another
 * in the head: so they are copied in runs of lines, not one by one.
 */
/* SPDX-License-Identifier: ISC */
#include "http/forward_fields.h"

#include "http/field.h"
#include "http/out.h"

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
	if (field->is_hop_by_hop || field->is_shadow ||
	    (filter->dropped & HTTP_FIELD_BIT(field->id)) != 0)
		return false;
	return LIKELY(filter->edit_count == 0) ||
	    !http_forward_is_edited(filter, field->name);
}

/* Writes the lines of list[first .. last]. */
static void
write_run(const struct http_field *list, uint32_t first, uint32_t last,
    struct http_out *out)
{
	const char *start = list[first].name.data;
	struct bytes value = list[last].value;

	out_bytes(out, start, (size_t)(value.data + value.len - start));
	out_literal(out, "\r\n");
}

void
http_forward_fields(const struct http_fields *fields,
    const struct field_filter *filter, struct http_out *out)
{
	const struct http_field *list = fields->list;
	uint32_t i = 0;

	while (i < fields->count) {
		uint32_t first = i;

		while (i < fields->count && passes(&list[i], filter))
			i++;
		if (i > first)
			write_run(list, first, i - 1, out);
		i++;
	}
}

void
http_forward_edits(const struct field_filter *filter, struct http_out *out)
{
	for (uint32_t i = 0; i < filter->edit_count; i++) {
		const struct header_edit *edit = &filter->edits[i];

		if (edit->op != HEADER_REMOVE && is_obeyed(filter, edit))
			out_field(out, edit->name, edit->value);
	}
}
