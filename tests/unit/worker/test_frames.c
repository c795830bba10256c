/*
 * tests/unit/worker/test_frames.c - frames are followed, however cut.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/compat.h"
#include "worker/frames.h"

#define STREAM_MAX 70000

static char stream[3 * STREAM_MAX];
static size_t ends[8];			/* of frames, in the stream */
static size_t stream_len, end_count;

static void
add_frame(unsigned int opcode, size_t len, bool is_masked)
{
	char *head = stream + stream_len;
	size_t head_len = 2;

	head[0] = (char)(0x80 | opcode);
	if (len < 126) {
		head[1] = (char)len;
	} else if (len <= 0xffff) {
		head[1] = 126;
		head[2] = (char)(len >> 8);
		head[3] = (char)len;
		head_len += 2;
	} else {
		head[1] = 127;
		memset(head + 2, 0, 8);
		for (int i = 0; i < 4; i++)
			head[9 - i] = (char)(len >> 8 * i);
		head_len += 8;
	}
	if (is_masked) {
		head[1] = (char)(head[1] | 0x80);
		memset(head + head_len, 0x88, 4);
		head_len += 4;
	}
	/* A payload that looks like Close frames. */
	memset(head + head_len, 0x88, len);
	stream_len += head_len + len;
	ends[end_count++] = stream_len;
}

static int
make_stream(void **state)
{
	(void)state;
	add_frame(1, 0, false);
	add_frame(2, 5, true);
	add_frame(0, 125, false);
	add_frame(9, 126, true);
	add_frame(2, 65536, true);
	add_frame(1, 3, false);
	return 0;
}

static bool
is_end(size_t at)
{
	for (size_t i = 0; i < end_count; i++)
		if (ends[i] == at)
			return true;
	return at == 0;
}

static size_t
next_end(size_t at)
{
	for (size_t i = 0; i < end_count; i++)
		if (ends[i] > at)
			return ends[i];
	return stream_len;
}

static void
boundaries_are_found_in_pieces_of_any_size(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 130, 4096, 70000 };

	(void)state;
	for (size_t s = 0; s < COUNT_OF(sizes); s++) {
		struct frame_track track = { 0 };

		for (size_t at = 0; at < stream_len; at += sizes[s]) {
			size_t left = stream_len - at;
			struct bytes piece = bytes_slice(stream + at,
			    left < sizes[s] ? left : sizes[s]);
			size_t rest = frame_rest(&track, piece);

			assert_int_equal(frame_is_boundary(&track),
			    is_end(at));
			if (is_end(at))
				assert_int_equal(rest, 0);
			else if (next_end(at) - at <= piece.len)
				assert_int_equal(rest, next_end(at) - at);
			else
				assert_int_equal(rest, piece.len);
			frame_follow(&track, piece);
		}
		assert_true(frame_is_boundary(&track));
		assert_false(track.has_closed);
	}
}

static void
a_close_of_ours_is_one_frame(void **state)
{
	char frame[FRAME_CLOSE_MAX];
	struct frame_track track = { 0 };
	size_t len = frame_close(frame, false, 0);

	(void)state;
	assert_int_equal(len, 4);
	assert_memory_equal(frame, "\x88\x02\x03\xe9", 4);
	frame_follow(&track, bytes_slice(frame, len));
	assert_true(frame_is_boundary(&track));
	assert_true(track.has_closed);
	len = frame_close(frame, true, 0);
	assert_int_equal(len, 8);
	assert_memory_equal(frame, "\x88\x82\0\0\0\0\x03\xe9", 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boundaries_are_found_in_pieces_of_any_size),
		cmocka_unit_test(a_close_of_ours_is_one_frame),
	};

	return cmocka_run_group_tests(tests, make_stream, NULL);
}
