/*
 * common/utf8.h - one character of UTF-8 at a time.
 *
 * Source: RFC 3629 (no overlong forms, no surrogates, up to U+10FFFF).
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_CHAR_MAX 4			/* bytes of a character */

/* How many bytes the first character of text[0, len) takes; 0 when they
 * are no character. */
size_t utf8_char_len(const char *text, size_t len);

/* Writes a code point up to U+10FFFF; returns its length. */
size_t utf8_put(uint32_t code_point, char out[UTF8_CHAR_MAX]);

#endif
