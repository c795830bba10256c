/*
 * shm/table_heap.c - blocks for texts, lists and bodies in a copy.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/table_heap.h"

#include <errno.h>

#define EXACT_CLASSES 16		/* of 1 to 16 words */
#define EXACT_SHIFT   4
#define STEP_SHIFT    2			/* four steps a power of two */

/* The class for a size, and the words that its blocks have. */
static uint32_t
class_of_size(uint32_t words, uint32_t *block_words_r)
{
	uint32_t power, step, steps;

	if (words <= EXACT_CLASSES) {
		*block_words_r = words;
		return words - 1;
	}
	power = 31 - (uint32_t)__builtin_clz(words - 1);
	step = UINT32_C(1) << (power - STEP_SHIFT);
	steps = (words - (UINT32_C(1) << power) + step - 1) / step;
	*block_words_r = (UINT32_C(1) << power) + steps * step;
	return EXACT_CLASSES + ((power - EXACT_SHIFT) << STEP_SHIFT) + steps -
	    1;
}

static uint64_t
heap_place(const struct table_store *store, uint32_t place)
{
	return store->layout.heap + place;
}

/* Takes a block from the end of what is used. */
static int
extend_heap(struct table_store *store, uint32_t words, uint32_t *place_r)
{
	uint64_t used = store_get(store, HEAD_PLACE(heap_used));

	if (used == 0)
		used = 1;		/* place 0 is none */
	if (store_reserve(store, AREA_HEAP, used + words) == -1)
		return -1;
	store_put(store, HEAD_PLACE(heap_used), used + words);
	*place_r = (uint32_t)used;
	return 0;
}

int
heap_alloc(struct table_store *store, uint32_t words, uint32_t *place_r)
{
	uint32_t block_words;
	uint32_t class = class_of_size(words, &block_words);
	uint64_t head;
	uint32_t first;

	if (class >= HEAP_CLASSES) {
		errno = ENOSPC;
		return -1;
	}
	head = HEAD_PLACE(free_blocks) + class;
	first = (uint32_t)store_get(store, head);
	if (first == 0)
		return extend_heap(store, block_words, place_r);
	store_put(store, head, store_get(store, heap_place(store, first)));
	*place_r = first;
	return 0;
}

void
heap_free(struct table_store *store, uint32_t place, uint32_t words)
{
	uint32_t block_words;
	uint64_t head = HEAD_PLACE(free_blocks) +
	    class_of_size(words, &block_words);

	store_put(store, heap_place(store, place), store_get(store, head));
	store_put(store, head, place);
}

static void
put_text(struct table_store *store, uint64_t at, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i += WORD_BYTES)
		store_put(store, at++, word_of_text(text + i, len - i));
}

int
heap_alloc_copy(struct table_store *store, const char *data, size_t len,
    uint32_t *place_r)
{
	if (heap_alloc(store, words_for(len), place_r) == -1)
		return -1;
	put_text(store, heap_place(store, *place_r), data, len);
	return 0;
}

int
heap_alloc_slots(struct table_store *store, const uint32_t *slots,
    uint32_t count, uint32_t *place_r)
{
	if (heap_alloc(store, (count + 1) / 2, place_r) == -1)
		return -1;
	for (uint32_t i = 0; i < count; i += 2)
		store_put(store, heap_place(store, *place_r) + i / 2,
		    word_pair(i + 1 < count ? slots[i + 1] : 0, slots[i]));
	return 0;
}

uint32_t
heap_get_slot(const struct table_store *store, uint32_t place, uint32_t index)
{
	uint64_t pair = store_get(store, heap_place(store, place) + index / 2);

	return (index & 1) != 0 ? word_high(pair) : word_low(pair);
}

int
heap_put_text(struct table_store *store, uint64_t at, struct bytes text)
{
	uint32_t place;

	if (text.len <= SHORT_TEXT_MAX) {
		put_text(store, at, text.data, text.len);
		return 0;
	}
	if (heap_alloc_copy(store, text.data, text.len, &place) == -1)
		return -1;
	store_put(store, at, place);
	return 0;
}

void
heap_free_text(struct table_store *store, uint64_t at, size_t len)
{
	if (len > SHORT_TEXT_MAX)
		heap_free(store, (uint32_t)store_get(store, at),
		    words_for(len));
}

bool
heap_text_is(const struct table_store *store, uint64_t at, size_t len,
    struct bytes text)
{
	if (len != text.len)
		return false;
	if (len > SHORT_TEXT_MAX)
		at = heap_place(store, (uint32_t)store_get(store, at));
	return words_equal(store->copies[store->target] + at, text.data, len);
}
