/*
 * fuzz/fuzz_frames.c - WebSocket frames: however the bytes are cut, the
 * same place in the same frame is reached.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "worker/frames.h"

static void
follow_copy(struct frame_track *track, struct bytes data)
{
	struct bytes copy = fuzz_exact_copy(data);
	size_t rest = frame_rest(track, copy);

	invariant(rest <= copy.len);
	invariant(!frame_is_boundary(track) || rest == 0);
	frame_follow(track, copy);
	fuzz_release(copy);
}

static void
follow_in_pieces(struct frame_track *track, struct bytes input)
{
	struct random_stream cuts = fuzz_cuts(input);

	while (input.len > 0) {
		size_t len = 1 + random_below(&cuts, 24);

		if (len > input.len)
			len = input.len;
		follow_copy(track, bytes_slice(input.data, len));
		input = bytes_slice(input.data + len, input.len - len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = { (const char *)data, size };
	struct frame_track whole = { 0 }, pieces = { 0 };

	if (size > 0)
		follow_copy(&whole, input);
	follow_in_pieces(&pieces, input);
	invariant(whole.left == pieces.left);
	invariant(whole.head_len == pieces.head_len);
	invariant(memcmp(whole.head, pieces.head, whole.head_len) == 0);
	invariant(whole.has_closed == pieces.has_closed);
	return 0;
}
