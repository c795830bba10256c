/*
 * http/pen.h - writing a head, in registers.
 *
 * Internal to src/http: the hot path writes many short pieces, most of
 * them constants.  A pen is passed on by value, so that what is written
 * cannot change it, as far as the compiler can see.  A piece that does not
 * fit leaves a pen without room: what follows does not fit either.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_PEN_H
#define HTTP_PEN_H

#include "http/forward.h"

struct http_pen {
	char *pos;			/* NULL: something did not fit */
	size_t room;			/* bytes from there on */
};

static inline struct http_pen
pen_begin(const struct http_out *out)
{
	return (struct http_pen){ out->data + out->len, out->size - out->len };
}

static inline void
pen_end(struct http_pen pen, struct http_out *out)
{
	if (UNLIKELY(pen.pos == NULL))
		out->is_full = true;
	else
		out->len = (size_t)(pen.pos - out->data);
}

/* Most pieces are short: then two words that overlap take less than a
 * call of memcpy() does. */
static inline void
pen_copy(char *to, const char *from, size_t len)
{
	if (len > 32) {
		memcpy(to, from, len);
	} else if (len >= 16) {
		memcpy(to, from, 16);
		memcpy(to + len - 16, from + len - 16, 16);
	} else if (len >= 8) {
		memcpy(to, from, 8);
		memcpy(to + len - 8, from + len - 8, 8);
	} else if (len >= 4) {
		memcpy(to, from, 4);
		memcpy(to + len - 4, from + len - 4, 4);
	} else if (len > 0) {
		to[0] = from[0];
		to[len / 2] = from[len / 2];
		to[len - 1] = from[len - 1];
	}
}

/* What stands before a value and what stands behind it are literals
 * wherever this is called: their lengths are known when compiling. */
ALWAYS_INLINE struct http_pen
pen_between(struct http_pen pen, struct bytes before, struct bytes value,
    struct bytes behind)
{
	size_t len = before.len + value.len + behind.len;
	char *to = pen.pos;

	if (UNLIKELY(len >= pen.room)) {
		if (len > pen.room)
			return (struct http_pen){ NULL, 0 };
		if (len == 0)		/* no arithmetic with NULL */
			return pen;
	}
	if (before.len > 0)
		memcpy(to, before.data, before.len);
	pen_copy(to + before.len, value.data, value.len);
	if (behind.len > 0)
		memcpy(to + before.len + value.len, behind.data, behind.len);
	return (struct http_pen){ to + len, pen.room - len };
}

#define PEN_LITERAL(text) bytes_slice(text, sizeof(text) - 1)

/* A value between two string literals. */
#define pen_framed(pen, before, value, behind)                                 \
	pen_between(pen, PEN_LITERAL(before), value, PEN_LITERAL(behind))
#define pen_literal(pen, text) pen_framed(pen, text, bytes_slice("", 0), "")
#define pen_slice(pen, value)  pen_framed(pen, "", value, "")

/* A whole field line whose name is a string literal. */
#define pen_field(pen, name, value) pen_framed(pen, name ": ", value, "\r\n")

#endif
