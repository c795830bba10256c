/*
 * common/buf.h - a growing text, for the control plane.
 *
 * Appending never reports: the first failure sticks in is_failed, which
 * whoever uses the text asks once.  Not for the hot path.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>

#include "common/bytes.h"
#include "common/compat.h"

struct buf {
	char *data;			/* NUL-terminated once not NULL */
	size_t len, size;
	bool is_failed;			/* out of memory once */
};

/* A zeroed struct buf is an empty text. */
void buf_append(struct buf *, struct bytes);
void buf_append_text(struct buf *, const char *text);
void buf_append_char(struct buf *, char);
void buf_append_integer(struct buf *, int64_t);
void buf_printf(struct buf *, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *, const char *format, va_list)
    PRINTF_LIKE(2, 0);

/* Drops the first len bytes. */
void buf_consume(struct buf *, size_t len);

/* Room for at least len more bytes at data + len; 0 or -1. */
MUST_CHECK int buf_reserve(struct buf *, size_t len);

static inline struct bytes
buf_bytes(const struct buf *buf)
{
	return bytes_slice(buf->data, buf->len);
}

/* Empties the text, keeps the memory. */
static inline void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->is_failed = false;
}

/* Gives the memory back; the text is empty and usable again. */
void buf_free(struct buf *);

#endif
