/*
 * worker/access_text.h - values, as they stand in a line of the access log.
 *
 * Nothing that a client sends can break out of its place.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_ACCESS_TEXT_H
#define WORKER_ACCESS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"

/* Of any value; what is longer is cut. */
#define ACCESS_VALUE_MAX 8192

/* Where a line is being written; what does not fit is left out. */
struct access_text {
	char *next, *end;
};

static inline void
access_text_put(struct access_text *line, const char *data, size_t len)
{
	if (len > (size_t)(line->end - line->next))
		len = (size_t)(line->end - line->next);
	if (len > 0)
		memcpy(line->next, data, len);
	line->next += len;
}

#define ACCESS_TEXT_LITERAL(line, text)                                        \
	access_text_put((line), (text), sizeof(text) - 1)

static inline void
access_text_char(struct access_text *line, char c)
{
	if (line->next < line->end)
		*line->next++ = c;
}

void access_text_number(struct access_text *, uint64_t number);
/* Three digits, where there is a status. */
void access_text_status(struct access_text *, unsigned int status);
/* Seconds with all six decimals. */
void access_text_seconds(struct access_text *, int64_t us);

/* As nginx does: \xHH, digits in upper case; nothing is "-". */
void access_text_escaped(struct access_text *, struct bytes value);
/* A string of JSON; what is no UTF-8 becomes U+FFFD. */
void access_text_json(struct access_text *, struct bytes value);

/* Writes number with so many digits, zeros in front. */
void access_text_digits(char *out, unsigned int number, int digits);

#endif
