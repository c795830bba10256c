/*
 * worker/frames.h - where WebSocket frames begin and end.
 *
 * Follows the bytes of one direction of a tunnel, without keeping them,
 * so that a frame of our own can be put between two.  Pure.
 *
 * Source: RFC 6455, section 5.2.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_FRAMES_H
#define WORKER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

#define FRAME_HEAD_MAX 14

struct frame_track {
	uint64_t left;			/* of the payload */
	uint8_t head[FRAME_HEAD_MAX];	/* what came of it */
	uint8_t head_len;
	bool has_closed;		/* a Close frame went by */
};

/* Whether the next byte begins a frame. */
static inline bool
frame_is_boundary(const struct frame_track *track)
{
	return track->left == 0 && track->head_len == 0;
}

/* Follows all of data. */
void frame_follow(struct frame_track *, struct bytes data);

/* How many bytes of data belong to the frame that is under way; 0 at a
 * boundary. */
size_t frame_rest(const struct frame_track *, struct bytes data);

/* A Close frame with status 1001 (going away); one to a server is masked,
 * with mask.  Returns its length. */
#define FRAME_CLOSE_MAX 8
size_t frame_close(char frame[FRAME_CLOSE_MAX], bool is_masked, uint32_t mask);

#endif
