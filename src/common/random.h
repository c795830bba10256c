/*
 * common/random.h - numbers nobody can guess, and cheap ones.
 */
/* SPDX-License-Identifier: ISC */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills from the kernel's generator; cannot fail on Linux 3.17 and later. */
void random_fill(void *memory, size_t size);

/* 2 * size hex digits and a NUL of random bytes. */
void random_hex(char *text, size_t size);

/* A cheap generator for spreading things out, never for secrets. */
struct random_stream {
	uint64_t state;			/* any value; seed with random_fill */
};

/* Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014 (SplitMix64). */
static inline uint64_t
random_next(struct random_stream *stream)
{
	uint64_t z = (stream->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Uniform in 0 .. bound - 1; bound > 0. */
uint32_t random_below(struct random_stream *, uint32_t bound);

#endif
