/*
 * ipc/channel.c - messages between two processes of one sluice.
 *
 * Any process, at either end of a pair.  The surprise is in closing: a
 * send that fails only shuts the socket down, and the loop then finds
 * the end and calls closed, so that nobody is called back from inside
 * his own send.
 */
/* SPDX-License-Identifier: ISC */
#include "ipc/channel.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

/* Messages taken in one turn of the loop, so that others have theirs. */
#define CHANNEL_BURST 64

/* A message that waits until the peer reads. */
struct queued_message {
	STAILQ_ENTRY(queued_message) entries;
	struct channel_head head;
	uint32_t fd_count;
	int *fds;			/* duplicates, our own; behind body */
	char body[];
};
STAILQ_HEAD(message_queue, queued_message);

struct channel {
	struct ev_loop *loop;
	int fd;				/* -1: closed */
	uint16_t version;
	struct channel_handlers handlers;
	ev_io readable, writable;
	struct message_queue queue;
	uint32_t queue_count;
	bool is_broken;			/* nothing can be sent any more */
	bool is_reading;		/* on_readable is on the stack */
	bool is_freed;			/* by a handler; on_readable frees */
};

/* One datagram, coming or going. */
union descriptor_room {
	char bytes[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
	struct cmsghdr alignment;
};

int
channel_pair(int fds[2])
{
	return socketpair(AF_UNIX,
	    SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

static void
close_all(const int *fds, uint32_t fd_count)
{
	for (uint32_t i = 0; i < fd_count; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

static void
drop_first(struct channel *channel)
{
	struct queued_message *queued = STAILQ_FIRST(&channel->queue);

	STAILQ_REMOVE_HEAD(&channel->queue, entries);
	channel->queue_count--;
	close_all(queued->fds, queued->fd_count);
	free(queued);
}

static void
drop_queue(struct channel *channel)
{
	while (!STAILQ_EMPTY(&channel->queue))
		drop_first(channel);
	ev_io_stop(channel->loop, &channel->writable);
}

/* Nothing can be sent any more; the loop reads what the peer sent before
 * it went, then finds the end. */
static void
break_channel(struct channel *channel)
{
	channel->is_broken = true;
	drop_queue(channel);
	shutdown(channel->fd, SHUT_RDWR);
}

/* Sending -------------------------------------------------------------- */

/* One attempt: 0, or -1 with errno. */
static int
send_once(int fd, const struct channel_head *head, const void *body,
    const int *fds, uint32_t fd_count)
{
	struct channel_head head_copy = *head;
	struct iovec parts[2] = {
		{ &head_copy, sizeof(head_copy) },
		{ NULL, head->body_len },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };
	union descriptor_room room;
	ssize_t sent;

	/* iov_base is not const, though sendmsg() only reads it */
	memcpy(&parts[1].iov_base, &body, sizeof(body));
	if (fd_count > 0) {
		struct cmsghdr *control;

		memset(&room, 0, sizeof(room));
		msg.msg_control = room.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		control = CMSG_FIRSTHDR(&msg);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(control), fds, sizeof(int) * fd_count);
	}
	do
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent == -1 && errno == EINTR);
	return sent == -1 ? -1 : 0;
}

static bool
is_full(int err)
{
	/* ETOOMANYREFS: too many descriptors are in flight just now */
	return err == EAGAIN || err == ENOBUFS || err == ETOOMANYREFS;
}

static int
duplicate_all(const int *fds, uint32_t fd_count, int *copies)
{
	for (uint32_t i = 0; i < fd_count; i++) {
		copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (copies[i] == -1) {
			int err = errno;

			close_all(copies, i);
			errno = err;
			return -1;
		}
	}
	return 0;
}

static int
enqueue(struct channel *channel, const struct channel_head *head,
    const void *body, const int *fds, uint32_t fd_count)
{
	size_t body_room = (head->body_len + sizeof(int) - 1) / sizeof(int) *
	    sizeof(int);
	struct queued_message *queued;

	if (channel->queue_count == CHANNEL_QUEUE_MAX) {
		log_warn("channel: peer does not read: closed with %u messages "
			 "waiting",
		    channel->queue_count);
		break_channel(channel);
		errno = EPIPE;
		return -1;
	}
	queued = malloc(sizeof(*queued) + body_room + sizeof(int) * fd_count);
	if (queued == NULL)
		return -1;
	queued->head = *head;
	queued->fd_count = fd_count;
	queued->fds = (int *)(void *)(queued->body + body_room);
	if (head->body_len > 0)
		memcpy(queued->body, body, head->body_len);
	if (duplicate_all(fds, fd_count, queued->fds) == -1) {
		free(queued);
		return -1;
	}
	STAILQ_INSERT_TAIL(&channel->queue, queued, entries);
	channel->queue_count++;
	ev_io_start(channel->loop, &channel->writable);
	return 0;
}

int
channel_send(struct channel *channel, uint16_t type, const void *body,
    size_t body_len, const int *fds, uint32_t fd_count)
{
	const struct channel_head head = {
		.version = channel->version,
		.type = type,
		.body_len = (uint32_t)body_len,
	};

	invariant(body_len <= CHANNEL_BODY_MAX && fd_count <= CHANNEL_FDS_MAX);
	if (channel->is_broken) {
		errno = EPIPE;
		return -1;
	}
	if (!STAILQ_EMPTY(&channel->queue))
		return enqueue(channel, &head, body, fds, fd_count);
	if (send_once(channel->fd, &head, body, fds, fd_count) == 0)
		return 0;
	if (is_full(errno))
		return enqueue(channel, &head, body, fds, fd_count);
	break_channel(channel);
	errno = EPIPE;
	return -1;
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct channel *channel = watcher->data;
	struct queued_message *queued;

	(void)events;
	while ((queued = STAILQ_FIRST(&channel->queue)) != NULL) {
		if (send_once(channel->fd, &queued->head, queued->body,
			queued->fds, queued->fd_count) == -1) {
			if (is_full(errno))
				return;
			break_channel(channel);
			return;
		}
		drop_first(channel);
	}
	ev_io_stop(loop, watcher);
}

/* Receiving ------------------------------------------------------------ */

enum take { TAKE_ONE, TAKE_LATER, TAKE_END };

/* Puts the descriptors that came along into message. */
static void
collect_fds(struct msghdr *msg, struct channel_message *message)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(msg); control != NULL;
	    control = CMSG_NXTHDR(msg, control)) {
		size_t len;

		if (control->cmsg_level != SOL_SOCKET ||
		    control->cmsg_type != SCM_RIGHTS)
			continue;
		len = control->cmsg_len - CMSG_LEN(0);
		memcpy(message->fds + message->fd_count, CMSG_DATA(control),
		    len);
		message->fd_count += (uint32_t)(len / sizeof(int));
	}
}

/* Hands a datagram on.  Returns 0, or -1 with EPROTO. */
static int
deliver(struct channel *channel, const char *datagram, size_t len,
    const struct msghdr *msg, struct channel_message *message)
{
	struct channel_head head;

	errno = EPROTO;
	if (len < sizeof(head) || (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return -1;
	memcpy(&head, datagram, sizeof(head));
	if (head.version != channel->version ||
	    head.body_len != len - sizeof(head))
		return -1;
	message->type = head.type;
	message->body = datagram + sizeof(head);
	message->body_len = head.body_len;
	return channel->handlers.message(channel->handlers.context, message);
}

static enum take
take_one(struct channel *channel)
{
	_Alignas(uint64_t) char
	    datagram[sizeof(struct channel_head) + CHANNEL_BODY_MAX];
	struct iovec part = { datagram, sizeof(datagram) };
	union descriptor_room room;
	struct msghdr msg = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	int fds[CHANNEL_FDS_MAX], result;
	struct channel_message message = { .fds = fds };
	ssize_t len;

	len = recvmsg(channel->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len == -1) {
		if (errno == EAGAIN)
			return TAKE_LATER;
		/* ECONNRESET is said once, before what was sent earlier */
		return errno == EINTR || errno == ECONNRESET ? TAKE_ONE
							     : TAKE_END;
	}
	if (len == 0)
		return TAKE_END;
	collect_fds(&msg, &message);
	result = deliver(channel, datagram, (size_t)len, &msg, &message);
	close_all(fds, message.fd_count);
	if (result == 0)
		return TAKE_ONE;
	log_warn("channel: peer broke the protocol: closed");
	return TAKE_END;
}

static void
close_channel(struct channel *channel)
{
	if (channel->fd == -1)
		return;
	channel->is_broken = true;
	drop_queue(channel);
	ev_io_stop(channel->loop, &channel->readable);
	close(channel->fd);
	channel->fd = -1;
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct channel *channel = watcher->data;
	enum take take = TAKE_ONE;

	(void)loop;
	(void)events;
	channel->is_reading = true;
	for (int i = 0; i < CHANNEL_BURST && take == TAKE_ONE; i++) {
		take = take_one(channel);
		if (channel->is_freed)
			break;
	}
	if (!channel->is_freed && take == TAKE_END) {
		close_channel(channel);
		channel->handlers.closed(channel->handlers.context);
	}
	channel->is_reading = false;
	if (channel->is_freed)
		free(channel);
}

/* ---------------------------------------------------------------------- */

struct channel *
channel_new(struct ev_loop *loop, int fd, uint16_t version,
    const struct channel_handlers *handlers)
{
	struct channel *channel;

	if ((channel = calloc(1, sizeof(*channel))) == NULL) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	channel->loop = loop;
	channel->fd = fd;
	channel->version = version;
	channel->handlers = *handlers;
	STAILQ_INIT(&channel->queue);
	ev_io_init(&channel->readable, on_readable, fd, EV_READ);
	ev_io_init(&channel->writable, on_writable, fd, EV_WRITE);
	channel->readable.data = channel;
	channel->writable.data = channel;
	ev_io_start(loop, &channel->readable);
	return channel;
}

void
channel_free(struct channel **p)
{
	struct channel *channel = *p;

	*p = NULL;
	if (channel == NULL)
		return;
	close_channel(channel);
	if (channel->is_reading)
		channel->is_freed = true;
	else
		free(channel);
}
