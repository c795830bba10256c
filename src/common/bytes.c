/*
 * common/bytes.c - what is too long to be inline in bytes.h.
 */
/* SPDX-License-Identifier: ISC */
#include "common/bytes.h"

#include <endian.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct bytes
bytes_trim(struct bytes value)
{
	while (value.len > 0 && is_blank(value.data[0])) {
		value.data++;
		value.len--;
	}
	while (value.len > 0 && is_blank(value.data[value.len - 1]))
		value.len--;
	return value;
}

bool
bytes_next_field(struct bytes *rest_r, char separator, struct bytes *field_r)
{
	const char *end;

	if (rest_r->data == NULL)
		return false;
	end = rest_r->len == 0
		  ? NULL
		  : memchr(rest_r->data, separator, rest_r->len);
	if (end == NULL) {
		*field_r = *rest_r;
		*rest_r = bytes_slice(NULL, 0);
		return true;
	}
	*field_r = bytes_slice(rest_r->data, (size_t)(end - rest_r->data));
	rest_r->len -= field_r->len + 1;
	rest_r->data = end + 1;
	return true;
}

int
bytes_to_number(struct bytes value, unsigned long long max,
    unsigned long long *number_r)
{
	unsigned long long number = 0;

	if (value.len == 0)
		return -1;
	for (size_t i = 0; i < value.len; i++) {
		unsigned int digit = (unsigned char)value.data[i] - '0';

		if (digit > 9 ||
		    __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return -1;
	}
	if (number > max)
		return -1;
	*number_r = number;
	return 0;
}

#ifdef __SSE2__

/* All digits at once, a byte each: spread out, then made letters. */
void
bytes_write_hex(uint64_t number, char text[16])
{
	const __m128i low_half = _mm_set1_epi8(0x0f);
	__m128i bytes = _mm_cvtsi64_si128((int64_t)htobe64(number));
	__m128i digits = _mm_unpacklo_epi8(
	    _mm_and_si128(_mm_srli_epi16(bytes, 4), low_half),
	    _mm_and_si128(bytes, low_half));
	__m128i over_nine = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));

	digits = _mm_add_epi8(digits, _mm_set1_epi8('0'));
	digits = _mm_add_epi8(digits,
	    _mm_and_si128(over_nine, _mm_set1_epi8('a' - '0' - 10)));
	_mm_storeu_si128((__m128i *)(void *)text, digits);
}

#else

/* Eight digits at once, a byte each: spread out, then made letters. */
static uint64_t
hex_of_half(uint32_t half)
{
	uint64_t digits = half, over_nine;

	digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
	digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
	digits = (digits | digits << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	over_nine = (digits + UINT64_C(0x0606060606060606)) >> 4 &
	    UINT64_C(0x0101010101010101);
	return digits + UINT64_C(0x3030303030303030) +
	    over_nine * ('a' - '0' - 10);
}

void
bytes_write_hex(uint64_t number, char text[16])
{
	uint64_t high = htobe64(hex_of_half((uint32_t)(number >> 32)));
	uint64_t low = htobe64(hex_of_half((uint32_t)number));

	memcpy(text, &high, sizeof(high));
	memcpy(text + sizeof(high), &low, sizeof(low));
}

#endif

void
bytes_clear(void *memory, size_t len)
{
	memset(memory, 0, len);
}

char *
bytes_duplicate(struct bytes value)
{
	char *copy = malloc(value.len + 1);

	if (copy == NULL)
		return NULL;
	if (value.len > 0)
		memcpy(copy, value.data, value.len);
	copy[value.len] = '\0';
	return copy;
}
