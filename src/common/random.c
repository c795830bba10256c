/*
 * common/random.c - numbers nobody can guess, and cheap ones.
 */
/* SPDX-License-Identifier: ISC */
#include "common/random.h"

#include <sys/random.h>

#include "common/log.h"

void
random_fill(void *memory, size_t size)
{
	char *next = memory;

	while (size > 0) {
		ssize_t got = getrandom(next, size, 0);

		invariant(got > 0);	/* below 256 bytes never interrupted */
		next += got;
		size -= (size_t)got;
	}
}

void
random_hex(char *text, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		unsigned char byte;

		random_fill(&byte, 1);
		text[2 * i] = digits[byte >> 4];
		text[2 * i + 1] = digits[byte & 15];
	}
	text[2 * size] = '\0';
}

uint32_t
random_below(struct random_stream *stream, uint32_t bound)
{
	return (uint32_t)(((random_next(stream) >> 32) * bound) >> 32);
}
