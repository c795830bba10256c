/*
 * http/chars.h - which bytes may stand where in a message.
 *
 * A table of 256 bytes, and searches that look at 16 bytes at a time
 * where the processor can.  The hot path lives on these.
 *
 * Sources: RFC 9110 section 5, RFC 3986 section 2.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/compat.h"

enum http_char_class {
	HTTP_CHAR_TOKEN = 1u << 0,	/* of names and methods */
	HTTP_CHAR_VALUE = 1u << 1,	/* of values: no control but tab */
	HTTP_CHAR_QUERY = 1u << 2,	/* visible ASCII but '#' */
	HTTP_CHAR_PATH = 1u << 3,	/* of these, not one of ? \\ % / */
	HTTP_CHAR_HOST = 1u << 4,	/* unreserved and sub-delims */
	HTTP_CHAR_UNRESERVED = 1u << 5,
	HTTP_CHAR_HEX = 1u << 6,
	HTTP_CHAR_UNDERSCORE = 1u << 7,
};

/* The sum of the classes that each byte belongs to. */
static const uint8_t http_char_classes[256] UNUSED = {
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x02, 0x1f, 0x0e, 0x03, 0x1f, 0x07, 0x1f, 0x1f,	/*   .. */
	0x1e, 0x1e, 0x1f, 0x1f, 0x1e, 0x3f, 0x3f, 0x06,	/* ( .. */
	0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,	/* 0 .. */
	0x7f, 0x7f, 0x0e, 0x1e, 0x0e, 0x1e, 0x0e, 0x06,	/* 8 .. */
	0x0e, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f,	/* @ .. */
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,	/* H .. */
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,	/* P .. */
	0x3f, 0x3f, 0x3f, 0x0e, 0x06, 0x0e, 0x0f, 0xbf,	/* X .. */
	0x0f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f,	/* ` .. */
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,	/* h .. */
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,	/* p .. */
	0x3f, 0x3f, 0x3f, 0x0e, 0x0f, 0x0e, 0x3f, 0x00,	/* x .. */
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
	0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
};

static inline unsigned int
http_char_class(char c)
{
	return http_char_classes[(unsigned char)c];
}

static inline bool
http_char_is(char c, enum http_char_class wanted)
{
	return (http_char_class(c) & wanted) != 0;
}

static inline bool
http_char_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
http_char_is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

/* The value of a byte of class HTTP_CHAR_HEX. */
static inline unsigned int
http_char_hex_value(char c)
{
	return http_char_is_digit(c) ? (unsigned int)(c - '0')
				     : (unsigned int)((c | 0x20) - 'a' + 10);
}

#ifdef __SSE2__

#define HTTP_BLOCK 16			/* bytes looked at at once */

/* Whether a whole block is in [pos, end). */
static inline bool
http_has_block(const char *pos, const char *end)
{
	/* As numbers: no pointer may be beyond its array, not even here. */
	return (uintptr_t)pos + HTTP_BLOCK <= (uintptr_t)end;
}

static inline __m128i
http_block_load(const char *pos)
{
	return _mm_loadu_si128((const __m128i *)(const void *)pos);
}

/* Which bytes are in low .. low + span. */
static inline __m128i
http_block_in_range(__m128i block, char low, char span)
{
	__m128i offset = _mm_sub_epi8(block, _mm_set1_epi8(low));

	return _mm_cmpeq_epi8(offset,
	    _mm_min_epu8(offset, _mm_set1_epi8(span)));
}

#endif

/* The first colon in [pos, end); end if there is none. */
static inline const char *
http_find_colon(const char *pos, const char *end)
{
#ifdef __SSE2__
	while (http_has_block(pos, end)) {
		int colons = _mm_movemask_epi8(_mm_cmpeq_epi8(
		    http_block_load(pos), _mm_set1_epi8(':')));

		if (LIKELY(colons != 0))
			return pos + __builtin_ctz((unsigned int)colons);
		pos += HTTP_BLOCK;
	}
#endif
	while (pos < end && *pos != ':')
		pos++;
	return pos;
}

/*
 * Skips letters, digits and '-', of which nearly all names are made, 16
 * at a time while there are so many bytes.  What stops it may still be of
 * class HTTP_CHAR_TOKEN.
 */
static inline const char *
http_skip_plain_name(const char *pos, const char *end)
{
#ifdef __SSE2__
	while (http_has_block(pos, end)) {
		__m128i block = http_block_load(pos);
		__m128i folded = _mm_or_si128(block, _mm_set1_epi8(0x20));
		__m128i plain = _mm_or_si128(
		    http_block_in_range(folded, 'a', 'z' - 'a'),
		    _mm_or_si128(http_block_in_range(block, '0', 9),
			_mm_cmpeq_epi8(block, _mm_set1_epi8('-'))));
		unsigned int others =
		    (unsigned int)_mm_movemask_epi8(plain) ^ 0xffffu;

		if (others != 0)
			return pos + __builtin_ctz(others);
		pos += HTTP_BLOCK;
	}
#else
	(void)end;
#endif
	return pos;
}

/* The first line feed in [pos, end), or NULL. */
static inline const char *
http_find_feed(const char *pos, const char *end)
{
#ifdef __SSE2__
	const __m128i feed = _mm_set1_epi8('\n');

	while (http_has_block(pos, end)) {
		int feeds = _mm_movemask_epi8(
		    _mm_cmpeq_epi8(http_block_load(pos), feed));

		if (feeds != 0)
			return pos + __builtin_ctz((unsigned int)feeds);
		pos += HTTP_BLOCK;
	}
#endif
	return pos < end ? memchr(pos, '\n', (size_t)(end - pos)) : NULL;
}

#ifdef __SSE2__

/* Bit i: pos[i] is what http_find_odd_feed() looks for. */
static inline unsigned int
http_block_odd_feeds(const char *pos)
{
	const __m128i feed = _mm_set1_epi8('\n');
	__m128i feeds = _mm_cmpeq_epi8(http_block_load(pos), feed);
	__m128i behind_return = _mm_cmpeq_epi8(http_block_load(pos - 1),
	    _mm_set1_epi8('\r'));
	__m128i behind_feed = _mm_cmpeq_epi8(http_block_load(pos - 2), feed);
	__m128i usual = _mm_andnot_si128(behind_feed, behind_return);

	return (unsigned int)_mm_movemask_epi8(
	    _mm_andnot_si128(usual, feeds));
}

#endif

/*
 * The first line feed in [pos, end) that has no carriage return before it,
 * or that ends an empty line; NULL if there is none.  The two bytes before
 * pos are looked at too.
 */
static inline const char *
http_find_odd_feed(const char *pos, const char *end)
{
#ifdef __SSE2__
	if (LIKELY(http_has_block(pos, end))) {
		const char *last = end - HTTP_BLOCK;
		unsigned int odd;

		while (pos < last) {
			if ((odd = http_block_odd_feeds(pos)) != 0)
				return pos + __builtin_ctz(odd);
			pos += HTTP_BLOCK;
		}
		/* It may overlap the one before it. */
		odd = http_block_odd_feeds(last);
		return odd == 0 ? NULL : last + __builtin_ctz(odd);
	}
#endif
	for (; pos < end; pos++)
		if (*pos == '\n' && (pos[-1] != '\r' || pos[-2] == '\n'))
			return pos;
	return NULL;
}

/* The first byte in [pos, end) that is not of class HTTP_CHAR_VALUE; end
 * if there is none. */
static inline const char *
http_value_end(const char *pos, const char *end)
{
#ifdef __SSE2__
	while (http_has_block(pos, end)) {
		__m128i block = http_block_load(pos);
		__m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
		__m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
		__m128i control = http_block_in_range(block, 0, 0x1f);
		int bad = _mm_movemask_epi8(
		    _mm_or_si128(del, _mm_andnot_si128(tab, control)));

		if (bad != 0)
			return pos + __builtin_ctz((unsigned int)bad);
		pos += HTTP_BLOCK;
	}
#endif
	while (pos < end && http_char_is(*pos, HTTP_CHAR_VALUE))
		pos++;
	return pos;
}

#endif
