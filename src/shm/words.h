/*
 * shm/words.h - the 64-bit words that regions are made of.
 *
 * Everything under a seqlock is an array of atomic words, so that a torn
 * read is a wrong value and never undefined.  Loads acquire and stores
 * release: a reader that saw any word of a newer change also sees the
 * odd sequence that came before it, without fences (Boehm, HPL-2012-68,
 * section 4).  On x86 both are plain moves.
 *
 * Texts stand in words, in the order of their bytes, the last one filled
 * up with zeroes.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_WORDS_H
#define SHM_WORDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"

#define WORD_BYTES 8

typedef _Atomic uint64_t word;

static inline uint64_t
word_load(const word *at)
{
	return atomic_load_explicit(at, memory_order_acquire);
}

/* Two halves of a word. */
static inline uint64_t
word_pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

static inline uint32_t
word_high(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

static inline uint32_t
word_low(uint64_t value)
{
	return (uint32_t)value;
}

/* How many words a text takes. */
static inline uint32_t
words_for(size_t len)
{
	return (uint32_t)((len + WORD_BYTES - 1) / WORD_BYTES);
}

/* The word that holds the up to eight bytes at text. */
static inline uint64_t
word_of_text(const char *text, size_t len)
{
	uint64_t value = 0;

	memcpy(&value, text, len < WORD_BYTES ? len : WORD_BYTES);
	return value;
}

/* Whether the words at `at` hold exactly this text. */
static inline bool
words_equal(const word *at, const char *text, size_t len)
{
	for (; len >= WORD_BYTES; at++, text += WORD_BYTES, len -= WORD_BYTES)
		if (word_load(at) != word_of_text(text, WORD_BYTES))
			return false;
	return len == 0 || word_load(at) == word_of_text(text, len);
}

#endif
