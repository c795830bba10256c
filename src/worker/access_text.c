/*
 * worker/access_text.c - values, as they stand in a line of the access log.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/access_text.h"

#include <stdbool.h>

#include "common/utf8.h"
#include "http/chars.h"

static const char hex_digits[] = "0123456789abcdef";

void
access_text_number(struct access_text *line, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
	} while ((number /= 10) > 0);
	access_text_put(line, digits + at, sizeof(digits) - at);
}

void
access_text_digits(char *out, unsigned int number, int digits)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

void
access_text_status(struct access_text *line, unsigned int status)
{
	char digits[3];

	if (status < 100 || status > 999) {
		access_text_number(line, status);
		return;
	}
	access_text_digits(digits, status, 3);
	access_text_put(line, digits, sizeof(digits));
}

void
access_text_seconds(struct access_text *line, int64_t us)
{
	char fraction[7] = ".";

	access_text_number(line, (uint64_t)us / 1000000);
	access_text_digits(fraction + 1, (unsigned int)(us % 1000000), 6);
	access_text_put(line, fraction, sizeof(fraction));
}

static struct bytes
cut(struct bytes value)
{
	if (value.len > ACCESS_VALUE_MAX)
		value.len = ACCESS_VALUE_MAX;
	return value;
}

/* Printable ASCII that needs no escape in either form. */
static inline bool
is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

#define EACH_BYTE(byte) (UINT64_MAX / 255 * (byte))

/* Whether some byte of a word is zero. */
static inline bool
has_zero(uint64_t word)
{
	return ((word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80)) != 0;
}

/* is_plain() of eight bytes. */
static inline bool
are_plain(uint64_t word)
{
	return (word & EACH_BYTE(0x80)) == 0 &&
	    ((word - EACH_BYTE(0x20)) & EACH_BYTE(0x80)) == 0 &&
	    !has_zero(word ^ EACH_BYTE(0x7f)) &&
	    !has_zero(word ^ EACH_BYTE('"')) &&
	    !has_zero(word ^ EACH_BYTE('\\'));
}

/* Whether 4 to 16 bytes are plain all: two looks, that may overlap. */
static bool
is_short_plain(struct bytes rest)
{
	const char *end = rest.data + rest.len;
	uint64_t first, last;
	uint32_t halves[2];

	if (rest.len < 8) {
		memcpy(&halves[0], rest.data, 4);
		memcpy(&halves[1], end - 4, 4);
		memcpy(&first, halves, 8);
		return are_plain(first);
	}
	memcpy(&first, rest.data, 8);
	memcpy(&last, end - 8, 8);
	return are_plain(first) && are_plain(last);
}

/* As many bytes of rest as are plain; most are, and most are few. */
static size_t
plain_len(struct bytes rest)
{
	size_t len = 0;

	if (rest.len >= 4 && rest.len <= 16 && is_short_plain(rest))
		return rest.len;

#ifdef __SSE2__
	for (; rest.len - len >= HTTP_BLOCK; len += HTTP_BLOCK) {
		__m128i block = http_block_load(rest.data + len);
		__m128i marks = _mm_or_si128(
		    _mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
		    _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
		int plain = _mm_movemask_epi8(_mm_andnot_si128(marks,
		    http_block_in_range(block, 0x20, 0x7e - 0x20)));

		if (plain != 0xffff)
			return len +
			    (size_t)__builtin_ctz(~(unsigned int)plain);
	}
#endif
	while (len < rest.len && is_plain(rest.data[len]))
		len++;
	return len;
}

/* Takes plain bytes over; returns false when that was all. */
static inline bool
put_plain(struct access_text *line, struct bytes *rest)
{
	size_t len = plain_len(*rest);

	access_text_put(line, rest->data, len);
	rest->data += len;
	rest->len -= len;
	return rest->len > 0;
}

void
access_text_escaped(struct access_text *line, struct bytes value)
{
	struct bytes rest = cut(value);

	if (rest.len == 0)
		access_text_char(line, '-');
	while (rest.len > 0 && put_plain(line, &rest)) {
		static const char upper[] = "0123456789ABCDEF";
		unsigned char byte = (unsigned char)*rest.data;
		const char escape[4] = { '\\', 'x', upper[byte >> 4],
			upper[byte & 15] };

		access_text_put(line, escape, sizeof(escape));
		rest.data++;
		rest.len--;
	}
}

/* The first character of rest, which is no plain one, as JSON wants it;
 * returns how many bytes it took.  What is no UTF-8 becomes U+FFFD. */
static size_t
put_json_char(struct access_text *line, struct bytes rest)
{
	unsigned char byte = (unsigned char)*rest.data;
	char escape[6] = { '\\', 'u', '0', '0', hex_digits[byte >> 4],
		hex_digits[byte & 15] };
	size_t len;

	if (byte == '"' || byte == '\\') {
		access_text_char(line, '\\');
		access_text_char(line, (char)byte);
		return 1;
	}
	if (byte < 0x20 || byte == 0x7f) {
		access_text_put(line, escape, sizeof(escape));
		return 1;
	}
	if ((len = utf8_char_len(rest.data, rest.len)) > 0) {
		access_text_put(line, rest.data, len);
		return len;
	}
	ACCESS_TEXT_LITERAL(line, "\\ufffd");
	return 1;
}

void
access_text_json(struct access_text *line, struct bytes value)
{
	struct bytes rest = cut(value);

	access_text_char(line, '"');
	while (rest.len > 0 && put_plain(line, &rest)) {
		size_t len = put_json_char(line, rest);

		rest.data += len;
		rest.len -= len;
	}
	access_text_char(line, '"');
}
