/*
 * worker/frames.c - where WebSocket frames begin and end.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/frames.h"

#include <string.h>

#define OPCODE_CLOSE	 8
#define CLOSE_GOING_AWAY 1001

/* How long the head is, by its first two bytes. */
static size_t
head_size(const uint8_t *head)
{
	unsigned int len = head[1] & 0x7f;
	size_t size = (head[1] & 0x80) != 0 ? 6 : 2;

	if (len == 126)
		size += 2;
	else if (len == 127)
		size += 8;
	return size;
}

static uint64_t
payload_size(const uint8_t *head)
{
	unsigned int len = head[1] & 0x7f;
	size_t count = len == 126 ? 2 : len == 127 ? 8 : 0;
	uint64_t size = 0;

	if (count == 0)
		return len;
	for (size_t i = 0; i < count; i++)
		size = size << 8 | head[2 + i];
	return size;
}

static void
begin_payload(struct frame_track *track, const uint8_t *head)
{
	track->left = payload_size(head);
	track->head_len = 0;
	if ((head[0] & 0x0f) == OPCODE_CLOSE)
		track->has_closed = true;
}

/* Takes what is here of a head; returns the bytes used. */
static size_t
take_head(struct frame_track *track, struct bytes data)
{
	const uint8_t *head = (const uint8_t *)data.data;
	size_t used = 0;

	if (track->head_len == 0 && data.len >= FRAME_HEAD_MAX) {
		begin_payload(track, head);
		return head_size(head);
	}
	while (track->head_len < 2 ||
	    track->head_len < head_size(track->head)) {
		if (used == data.len)
			return used;
		track->head[track->head_len++] = head[used++];
	}
	begin_payload(track, track->head);
	return used;
}

/* Follows to the end of this frame at most; returns the bytes used. */
static size_t
follow_one(struct frame_track *track, struct bytes data)
{
	size_t used = track->left == 0 ? take_head(track, data) : 0;
	size_t rest = data.len - used;

	if (rest > track->left)
		rest = (size_t)track->left;
	track->left -= rest;
	return used + rest;
}

void
frame_follow(struct frame_track *track, struct bytes data)
{
	while (data.len > 0) {
		size_t used = follow_one(track, data);

		data = bytes_slice(data.data + used, data.len - used);
	}
}

size_t
frame_rest(const struct frame_track *track, struct bytes data)
{
	struct frame_track copy = *track;

	return frame_is_boundary(track) ? 0 : follow_one(&copy, data);
}

size_t
frame_close(char frame[FRAME_CLOSE_MAX], bool is_masked, uint32_t mask)
{
	const unsigned char status[2] = { CLOSE_GOING_AWAY >> 8,
		CLOSE_GOING_AWAY & 0xff };
	unsigned char key[4];

	frame[0] = (char)(0x80 | OPCODE_CLOSE);
	if (!is_masked) {
		frame[1] = sizeof(status);
		memcpy(frame + 2, status, sizeof(status));
		return 4;
	}
	memcpy(key, &mask, sizeof(key));
	frame[1] = (char)(0x80 | sizeof(status));
	memcpy(frame + 2, key, sizeof(key));
	for (size_t i = 0; i < sizeof(status); i++)
		frame[6 + i] = (char)(status[i] ^ key[i]);
	return 8;
}
