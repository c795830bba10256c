/*
 * common/buf.c - a growing text, for the control plane.
 */
/* SPDX-License-Identifier: ISC */
#include "common/buf.h"

#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>

int
buf_reserve(struct buf *buf, size_t len)
{
	size_t size = buf->size == 0 ? 256 : buf->size;
	char *data;

	if (len >= SIZE_MAX / 2 - buf->len) {
		buf->is_failed = true;
		return -1;
	}
	while (size < buf->len + len + 1)
		size *= 2;
	if (size == buf->size)
		return 0;
	if ((data = realloc(buf->data, size)) == NULL) {
		buf->is_failed = true;
		return -1;
	}
	buf->data = data;
	buf->size = size;
	buf->data[buf->len] = '\0';
	return 0;
}

void
buf_append(struct buf *buf, struct bytes value)
{
	if (buf_reserve(buf, value.len) == -1)
		return;
	if (value.len > 0)
		memcpy(buf->data + buf->len, value.data, value.len);
	buf->len += value.len;
	buf->data[buf->len] = '\0';
}

void
buf_append_text(struct buf *buf, const char *text)
{
	buf_append(buf, bytes_of(text));
}

void
buf_append_char(struct buf *buf, char c)
{
	buf_append(buf, bytes_slice(&c, 1));
}

void
buf_append_integer(struct buf *buf, int64_t integer)
{
	uint64_t rest = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
	char digits[20], *first = digits + sizeof(digits);

	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (integer < 0)
		buf_append_char(buf, '-');
	buf_append(buf, bytes_slice(first,
	    (size_t)(digits + sizeof(digits) - first)));
}

void
buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len >= 0 && buf_reserve(buf, (size_t)len) == 0) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

void
buf_consume(struct buf *buf, size_t len)
{
	if (len == 0)
		return;
	buf->len -= len;
	memmove(buf->data, buf->data + len, buf->len + 1);
}

void
buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}
