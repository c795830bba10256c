/*
 * http/forward_fields.h - the fields that pass through, and edits.
 *
 * Internal to src/http: requests and responses are forwarded alike.
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

/* Writes the fields of a parsed head that go on as they came: not the
 * hop-by-hop ones, not those dropped or replaced. */
struct http_pen http_forward_fields(const struct http_fields *,
    const struct field_filter *, struct http_pen);

/* Writes what the edits set and add. */
struct http_pen http_forward_edits(const struct field_filter *,
    struct http_pen);

/* Whether an edit sets or removes the field of that id, whose name this
 * is: then sluice does not write its own. */
bool http_forward_is_edited(const struct field_filter *, struct bytes name);

#endif
