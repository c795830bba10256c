/*
 * common/bytes.h - a borrowed run of bytes: pointer and length.
 *
 * Never owns, never NUL-terminated.  Whoever hands one out says how
 * long it stays good.  The empty run may have a NULL pointer.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/compat.h"

struct bytes {
	const char *data;
	size_t len;
};

/* For printf: "%.*s", BYTES_ARGS(value). */
#define BYTES_ARGS(value) (int)(value).len, (value).data

/* Of a string literal; usable in a constant initialiser. */
#define BYTES_LITERAL(text)                                                    \
	{                                                                      \
		(text), sizeof(text) - 1                                       \
	}

static inline struct bytes
bytes_of(const char *text)
{
	return (struct bytes){ text, text == NULL ? 0 : strlen(text) };
}

static inline struct bytes
bytes_slice(const char *data, size_t len)
{
	return (struct bytes){ data, len };
}

static inline bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ASCII letters compare without regard to case. */
static inline bool
bytes_equal_nocase(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	    (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

static inline bool
bytes_is(struct bytes value, const char *text)
{
	return bytes_equal(value, bytes_of(text));
}

static inline bool
bytes_start_with(struct bytes value, struct bytes prefix)
{
	return value.len >= prefix.len &&
	    (prefix.len == 0 ||
	    memcmp(value.data, prefix.data, prefix.len) == 0);
}

/* Without leading and trailing spaces and tabs. */
struct bytes bytes_trim(struct bytes value);

/*
 * Takes the text before the next separator off *rest_r and returns it;
 * without a separator, all of it.  *rest_r then is what stands behind.
 * Returns false when *rest_r was used up before (data == NULL).
 */
bool bytes_next_field(struct bytes *rest_r, char separator,
    struct bytes *field_r);

/*
 * Reads an unsigned decimal number that is all of value.  Returns 0, or
 * -1 on an empty value, any byte that is no digit, or a number over max.
 */
MUST_CHECK int bytes_to_number(struct bytes value, unsigned long long max,
    unsigned long long *number_r);

/* Writes 16 lower-case hex digits, the highest first; no NUL. */
void bytes_write_hex(uint64_t number, char text[16]);

/* Zeroes memory whose size is known when compiling, but by a call: what
 * compilers put in its place for some hundred bytes takes longer. */
void bytes_clear(void *memory, size_t len);

/* A NUL-terminated copy, free()d by the caller; NULL when out of memory. */
char *bytes_duplicate(struct bytes value);

#endif
