/*
 * daemon/ares_loop.h - c-ares, turned by libev.
 *
 * c-ares says which sockets it watches (an ev_io each) and when it wants
 * to be called for its time-outs (one timer).
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_ARES_LOOP_H
#define DAEMON_ARES_LOOP_H

#include <ares.h>
#include <ev.h>
#include <sys/queue.h>

#include "common/compat.h"

struct ares_loop {
	struct ev_loop *loop;
	ares_channel channel;		/* to ask */
	ev_timer timeout;
	LIST_HEAD(, ares_socket) sockets;
};

/* 0, or -1 with errno; logged. */
MUST_CHECK int ares_loop_init(struct ares_loop *, struct ev_loop *);
/* Whoever asked is answered with ARES_EDESTRUCTION. */
void ares_loop_clear(struct ares_loop *);

/* Something was asked: sets the timer to when c-ares wants to be called
 * next. */
void ares_loop_schedule(struct ares_loop *);

#endif
