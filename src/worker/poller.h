/*
 * worker/poller.h - which of the sockets of traffic have something to tell.
 *
 * An epoll set of its own, which the loop watches as one descriptor.  The
 * loop would do for all, and does for what is rare: timers, listeners,
 * signals, names.  But it serves last who came first, so that the first of
 * a turn waits for all others of it, and has the kernel look once more at
 * each socket that it has told of.  Here who comes first is served first,
 * and the kernel tells of each arrival once (EPOLLET, see epoll(7)): that
 * a socket can be read is remembered until a read says that it was emptied.
 *
 * While there is much to tell, some rounds are made before the loop is asked
 * what else there is.  The loop should wait with poll(2): an epoll set within
 * another passes each wake-up on, also while nobody waits.
 *
 * To its owner a watch looks level-triggered: it is told in each round while
 * what it wants is there.  What it does not want for now is remembered, and
 * told as soon as it is wanted: neither costs a system call.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_POLLER_H
#define WORKER_POLLER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "common/compat.h"

#define POLLER_EVENTS_MAX 256		/* of a round */

struct watch;

/* events: EV_WRITE or EV_READ, one at a time and room first; what is left
 * is told in the next round. */
typedef void watch_fn(struct watch *, int events);

struct watch {
	watch_fn *on_event;
	void *owner;
	TAILQ_ENTRY(watch) entry;	/* of the queue, while is_queued */
	int fd;				/* -1: forgotten */
	uint8_t wanted, ready;		/* EV_READ, EV_WRITE */
	uint8_t told;			/* to the kernel: EV_READ, EV_WRITE */
	bool is_queued;
	bool is_ending;			/* an end or an error is to be read */
};

struct poller {
	struct ev_loop *loop;
	ev_io io;			/* of the set */
	ev_idle again;			/* while somebody is queued */
	void (*on_round)(void *context); /* before each round but the first
					  * of a turn; nobody is being served */
	void *context;
	TAILQ_HEAD(, watch) queue;	/* to be served without the kernel */
	uint32_t queued_count;
	struct epoll_event events[POLLER_EVENTS_MAX];
};

/* The poller must not move.  0, or -1 with errno. */
MUST_CHECK int poller_open(struct poller *, struct ev_loop *,
    void (*on_round)(void *context), void *context);
/* All watches must be forgotten. */
void poller_close(struct poller *);

/* Nothing is wanted yet, and the kernel is not told yet. */
void watch_init(struct watch *, int fd, watch_fn *, void *owner);

/*
 * Wants these events from now on.  A socket that the kernel does not take
 * is shut down, so that its owner reads the end of it.
 */
void poller_want(struct poller *, struct watch *, int wanted);

/* Before the socket is closed.  The watch's memory must stay as it is until
 * the round is over; it may be made anew meanwhile by its own on_event, or
 * outside of a round. */
void poller_forget(struct poller *, struct watch *);

/* A read of up to size bytes has returned got, -1 for nothing: less than
 * asked for means that what had arrived was all. */
static inline void
watch_was_read(struct watch *watch, ptrdiff_t got, size_t size)
{
	if (got <= 0 || ((size_t)got < size && !watch->is_ending))
		watch->ready &= (uint8_t)~EV_READ;
}

#endif
