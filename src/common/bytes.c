/*
 * common/bytes.c - what is too long to be inline in bytes.h.
 */
/* SPDX-License-Identifier: ISC */
#include "common/bytes.h"

#include <stdlib.h>

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

		if (digit > 9 || digit > max || number > (max - digit) / 10)
			return -1;
		number = number * 10 + digit;
	}
	*number_r = number;
	return 0;
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
