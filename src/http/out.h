/*
 * http/out.h - appending to a struct http_out, inline.
 *
 * Internal to src/http: the hot path writes many short pieces, most of
 * them constants.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_OUT_H
#define HTTP_OUT_H

#include "http/forward.h"

static inline void
out_bytes(struct http_out *out, const char *data, size_t len)
{
	if (UNLIKELY(len > out->size - out->len)) {
		out->is_full = true;
		out->size = out->len;	/* what follows does not fit either */
		return;
	}
	if (len > 0)
		memcpy(out->data + out->len, data, len);
	out->len += len;
}

static inline void
out_slice(struct http_out *out, struct bytes value)
{
	out_bytes(out, value.data, value.len);
}

/* Of a string literal: its length is known when compiling. */
#define out_literal(out, text) out_bytes(out, text, sizeof(text) - 1)

static inline void
out_number(struct http_out *out, uint64_t number)
{
	char digits[20];
	size_t pos = sizeof(digits);

	do {
		digits[--pos] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	out_bytes(out, digits + pos, sizeof(digits) - pos);
}

/* A whole field line. */
static inline void
out_field(struct http_out *out, struct bytes name, struct bytes value)
{
	out_slice(out, name);
	out_literal(out, ": ");
	out_slice(out, value);
	out_literal(out, "\r\n");
}

#endif
