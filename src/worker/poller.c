/*
 * worker/poller.c - which of the sockets of traffic have something to tell.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/poller.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"

#define AHEAD	   2			/* events that memory is fetched for */
#define ROUNDS_MAX 32			/* of a turn of the loop */
#define BUSY	   3			/* events that make another worth it */

static void
enqueue(struct poller *poller, struct watch *watch)
{
	if (watch->is_queued)
		return;
	watch->is_queued = true;
	TAILQ_INSERT_TAIL(&poller->queue, watch, entry);
	poller->queued_count++;
	ev_idle_start(poller->loop, &poller->again);
}

static void
dequeue(struct poller *poller, struct watch *watch)
{
	watch->is_queued = false;
	TAILQ_REMOVE(&poller->queue, watch, entry);
	poller->queued_count--;
}

/* Tells the owner of one thing that it wants; of another in the next round. */
static void
serve(struct poller *poller, struct watch *watch)
{
	int events = watch->ready & watch->wanted;

	if ((events & EV_WRITE) != 0) {
		/* Whoever fills the socket again waits for another edge. */
		watch->ready &= (uint8_t)~EV_WRITE;
		watch->on_event(watch, EV_WRITE);
	} else if (events != 0) {
		watch->on_event(watch, EV_READ);
	}
	if ((watch->ready & watch->wanted) != 0)
		enqueue(poller, watch);
}

static void
take_event(struct poller *poller, const struct epoll_event *event)
{
	struct watch *watch = event->data.ptr;

	if (watch->fd == -1)
		return;			/* closed earlier in this round */
	if ((event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		watch->is_ending = true;
	if ((event->events & ~(uint32_t)EPOLLOUT) != 0)
		watch->ready |= EV_READ;
	/* Room that nobody waits for comes with each event. */
	if ((event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
		watch->ready |= watch->wanted & EV_WRITE;
	if (!watch->is_queued)
		serve(poller, watch);
}

/* Returns how many the kernel told of. */
static int
serve_round(struct poller *poller)
{
	struct epoll_event *events = poller->events;
	uint32_t due = poller->queued_count;
	int count = epoll_wait(poller->io.fd, events, POLLER_EVENTS_MAX, 0);
	struct watch *watch;

	for (int i = 0; i < count; i++) {
		if (i + AHEAD < count)
			cache_prefetch(events[i + AHEAD].data.ptr,
			    2 * CACHE_LINE);
		take_event(poller, &events[i]);
	}
	for (; due > 0 && (watch = TAILQ_FIRST(&poller->queue)) != NULL;
	    due--) {
		dequeue(poller, watch);
		serve(poller, watch);
	}
	return count;
}

static void
turn(struct poller *poller)
{
	int rounds = 0;

	while (serve_round(poller) >= BUSY && ++rounds < ROUNDS_MAX)
		poller->on_round(poller->context);
	if (poller->queued_count == 0)
		ev_idle_stop(poller->loop, &poller->again);
}

static void
on_told(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	turn(io->data);
}

static void
on_queued(struct ev_loop *loop UNUSED, ev_idle *idle, int events UNUSED)
{
	turn(idle->data);
}

int
poller_open(struct poller *poller, struct ev_loop *loop,
    void (*on_round)(void *context), void *context)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd == -1)
		return -1;
	poller->loop = loop;
	poller->on_round = on_round;
	poller->context = context;
	TAILQ_INIT(&poller->queue);
	poller->queued_count = 0;
	ev_io_init(&poller->io, on_told, fd, EV_READ);
	ev_idle_init(&poller->again, on_queued);
	poller->io.data = poller->again.data = poller;
	ev_io_start(loop, &poller->io);
	return 0;
}

void
poller_close(struct poller *poller)
{
	ev_io_stop(poller->loop, &poller->io);
	ev_idle_stop(poller->loop, &poller->again);
	close(poller->io.fd);
}

void
watch_init(struct watch *watch, int fd, watch_fn *on_event, void *owner)
{
	*watch = (struct watch){
		.on_event = on_event,
		.owner = owner,
		.fd = fd,
	};
}

/* Once told of, a socket stays in the set until it is closed. */
static void
tell_kernel(struct poller *poller, struct watch *watch, uint8_t told)
{
	struct epoll_event event = {
		.events = EPOLLET | EPOLLIN | EPOLLRDHUP,
		.data.ptr = watch,
	};
	int how = watch->told == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if ((told & EV_WRITE) != 0)
		event.events |= EPOLLOUT;
	if (epoll_ctl(poller->io.fd, how, watch->fd, &event) == 0) {
		watch->told = told;
		return;
	}
	log_error("epoll: %m; a connection is ended");
	(void)shutdown(watch->fd, SHUT_RDWR);
	watch->told = EV_READ | EV_WRITE;
	watch->is_ending = true;
	watch->ready = EV_READ | EV_WRITE;
}

void
poller_want(struct poller *poller, struct watch *watch, int wanted)
{
	uint8_t told = watch->told | EV_READ | (uint8_t)wanted;

	watch->wanted = (uint8_t)wanted;
	if (wanted == EV_NONE)
		return;
	if (told != watch->told)
		tell_kernel(poller, watch, told);
	if ((watch->ready & watch->wanted) != 0)
		enqueue(poller, watch);
}

void
poller_forget(struct poller *poller, struct watch *watch)
{
	if (watch->is_queued)
		dequeue(poller, watch);
	watch->fd = -1;
	watch->wanted = watch->ready = 0;
}
