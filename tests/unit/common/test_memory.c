/*
 * tests/unit/common/test_memory.c - arenas and growing texts.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/arena.h"
#include "common/buf.h"

static void
arena_gives_zeroed_aligned_memory(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 100000);
	for (size_t size = 1; size < 300; size += 7) {
		unsigned char *memory = arena_alloc(&arena, size);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xff, size);
	}
	arena_free(&arena);
}

static void
arena_stops_at_its_bound(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1000);
	assert_non_null(arena_alloc(&arena, 900));
	errno = 0;
	assert_null(arena_alloc(&arena, 200));
	assert_int_equal(errno, ENOMEM);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 8));
	assert_non_null(arena_alloc(&arena, 80));
	arena_reset(&arena);
	assert_non_null(arena_alloc(&arena, 900));
	arena_free(&arena);
	arena_free(&arena);
}

static void
arena_memory_is_zeroed_again_after_a_reset(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 100000);
	for (int round = 0; round < 3; round++) {
		unsigned char *memory = arena_alloc(&arena, 64);

		assert_non_null(memory);
		assert_int_equal(memory[63], 0);
		memset(memory, 0xff, 64);
		assert_non_null(arena_alloc(&arena, 10000));
		arena_reset(&arena);
	}
	arena_free(&arena);
}

static void
buf_grows(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_append_text(&buf, "abc");
	buf_append_char(&buf, '-');
	buf_append(&buf, bytes_slice(NULL, 0));
	buf_printf(&buf, "%d%s", 12, "x");
	assert_string_equal(buf.data, "abc-12x");
	assert_int_equal(buf.len, 7);
	for (int i = 0; i < 10000; i++)
		buf_append_char(&buf, 'y');
	assert_int_equal(buf.len, 10007);
	assert_int_equal(buf.data[10007], '\0');
	assert_false(buf.is_failed);
	buf_free(&buf);
	assert_null(buf.data);
}

static void
buf_consumes_from_the_front(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_consume(&buf, 0);
	buf_append_text(&buf, "abcdef");
	buf_consume(&buf, 2);
	assert_string_equal(buf.data, "cdef");
	buf_consume(&buf, 4);
	assert_string_equal(buf.data, "");
	buf_append_text(&buf, "x");
	assert_true(bytes_is(buf_bytes(&buf), "x"));
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	buf_free(&buf);
}

static void
buf_remembers_that_it_failed(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_append_text(&buf, "a");
	assert_int_equal(buf_reserve(&buf, SIZE_MAX), -1);
	assert_true(buf.is_failed);
	buf_append_text(&buf, "b");
	assert_true(buf.is_failed);
	buf_clear(&buf);
	assert_false(buf.is_failed);
	buf_free(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(arena_stops_at_its_bound),
		cmocka_unit_test(arena_memory_is_zeroed_again_after_a_reset),
		cmocka_unit_test(buf_grows),
		cmocka_unit_test(buf_consumes_from_the_front),
		cmocka_unit_test(buf_remembers_that_it_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
