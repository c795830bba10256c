/*
 * ipc/channel.h - messages between two processes of one sluice.
 *
 * Carrier: a SOCK_SEQPACKET pair; one send, one message.  A message is a
 * struct channel_head, then a body of fixed-width fields whose length its
 * type fixes, perhaps a descriptor or several.  A peer that breaks the
 * protocol is closed and counted; nobody dies of a message.
 *
 * Sending never blocks: when the peer does not read, up to
 * CHANNEL_QUEUE_MAX messages wait here; past that the channel is broken.
 */
/* SPDX-License-Identifier: ISC */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#include "common/compat.h"

#define CHANNEL_BODY_MAX  16384
#define CHANNEL_FDS_MAX	  128
#define CHANNEL_QUEUE_MAX 1024

struct channel_head {
	uint16_t version;		/* of the pair's header file */
	uint16_t type;			/* of the direction's enum */
	uint32_t body_len;
};
_Static_assert(sizeof(struct channel_head) == 8, "layout of the message");

struct channel;

struct channel_message {
	uint16_t type;
	const void *body;		/* borrowed for the call */
	size_t body_len;
	int *fds;			/* set one to -1 to keep it; the rest is
					 * closed after the call */
	uint32_t fd_count;
};

/* Returns 0, or -1 with EPROTO: the channel then closes. */
typedef int channel_message_fn(void *context, const struct channel_message *);
/* The peer is gone, or broke the protocol; the channel is closed, and
 * may be freed here. */
typedef void channel_closed_fn(void *context);

struct channel_handlers {
	channel_message_fn *message;
	channel_closed_fn *closed;
	void *context;
};

/* Both ends of a pair: close-on-exec, non-blocking.  0 or -1 and errno. */
MUST_CHECK int channel_pair(int fds[2]);

/* Takes fd over, also when it fails.  NULL with errno. */
struct channel *channel_new(struct ev_loop *, int fd, uint16_t version,
    const struct channel_handlers *);
void channel_free(struct channel **);

/* Sends; descriptors are duplicated by the kernel, the caller keeps its
 * own.  Returns 0, or -1 with errno (EPIPE when broken or closed).  Never
 * calls closed: the loop does that. */
MUST_CHECK int channel_send(struct channel *, uint16_t type, const void *body,
    size_t body_len, const int *fds, uint32_t fd_count);

#endif
