/*
 * tests/unit/ipc/test_channel.c - messages between two processes.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/channel.h"

#define VERSION 7

/* One end, and what happened to it. */
struct end {
	struct ev_loop *loop;
	struct channel *channel;
	int fd;				/* of the other end, raw */
	uint32_t message_count, closed_count;
	uint16_t last_type;
	char last_body[64];
	size_t last_len;
	int kept_fd;
	uint32_t fd_count;
	bool refuses, frees;
};

static int
on_message(void *context, const struct channel_message *message)
{
	struct end *end = context;

	end->message_count++;
	end->last_type = message->type;
	end->last_len = message->body_len;
	if (message->body_len <= sizeof(end->last_body))
		memcpy(end->last_body, message->body, message->body_len);
	end->fd_count = message->fd_count;
	if (message->fd_count > 0) {
		end->kept_fd = message->fds[0];
		message->fds[0] = -1;
	}
	if (end->frees)
		channel_free(&end->channel);
	if (!end->refuses)
		return 0;
	errno = EPROTO;
	return -1;
}

static void
on_closed(void *context)
{
	struct end *end = context;

	end->closed_count++;
	channel_free(&end->channel);
}

static int
set_up(void **state)
{
	const struct channel_handlers handlers = { on_message, on_closed,
	    NULL };
	struct channel_handlers own = handlers;
	struct end *end = calloc(1, sizeof(*end));
	int fds[2];

	if (end == NULL || channel_pair(fds) == -1)
		return -1;
	own.context = end;
	end->kept_fd = -1;
	end->loop = ev_loop_new(EVBACKEND_EPOLL);
	end->fd = fds[1];
	end->channel = channel_new(end->loop, fds[0], VERSION, &own);
	*state = end;
	return end->channel == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct end *end = *state;

	channel_free(&end->channel);
	if (end->fd != -1)
		close(end->fd);
	if (end->kept_fd != -1)
		close(end->kept_fd);
	ev_loop_destroy(end->loop);
	free(end);
	return 0;
}

/* Lets the loop do what it can at once. */
static void
turn(const struct end *end)
{
	for (int i = 0; i < 100; i++)
		ev_run(end->loop, EVRUN_NOWAIT);
}

static void
send_raw(const struct end *end, uint16_t version, uint32_t said_len,
    const char *body)
{
	char datagram[64];
	const struct channel_head head = { version, 3, said_len };

	memcpy(datagram, &head, sizeof(head));
	memcpy(datagram + sizeof(head), body, strlen(body));
	assert_int_equal(send(end->fd, datagram,
		sizeof(head) + strlen(body), 0),
	    (int)(sizeof(head) + strlen(body)));
}

static void
a_message_arrives_as_it_was_sent(void **state)
{
	struct end *end = *state;

	send_raw(end, VERSION, 5, "hello");
	send_raw(end, VERSION, 3, "you");
	turn(end);
	assert_int_equal(end->message_count, 2);
	assert_int_equal(end->last_type, 3);
	assert_int_equal(end->last_len, 3);
	assert_memory_equal(end->last_body, "you", 3);
	assert_int_equal(end->closed_count, 0);
}

static void
what_is_sent_has_head_and_body(void **state)
{
	struct end *end = *state;
	struct channel_head head;
	char datagram[64];

	assert_int_equal(channel_send(end->channel, 9, "abc", 3, NULL, 0), 0);
	assert_int_equal(recv(end->fd, datagram, sizeof(datagram), 0), 8 + 3);
	memcpy(&head, datagram, sizeof(head));
	assert_int_equal(head.version, VERSION);
	assert_int_equal(head.type, 9);
	assert_int_equal(head.body_len, 3);
	assert_memory_equal(datagram + sizeof(head), "abc", 3);
}

/* Each sends something that breaks the protocol. */
static void
send_short(const struct end *end)
{
	assert_int_equal(send(end->fd, "abc", 3, 0), 3);
}

static void
send_other_version(const struct end *end)
{
	send_raw(end, VERSION + 1, 0, "");
}

static void
send_wrong_length(const struct end *end)
{
	send_raw(end, VERSION, 4, "abc");
}

static void
send_over_long(const struct end *end)
{
	char *datagram = calloc(1, CHANNEL_BODY_MAX + 64);
	const struct channel_head head = { VERSION, 3, CHANNEL_BODY_MAX + 56 };

	assert_non_null(datagram);
	memcpy(datagram, &head, sizeof(head));
	assert_int_equal(send(end->fd, datagram, CHANNEL_BODY_MAX + 64, 0),
	    CHANNEL_BODY_MAX + 64);
	free(datagram);
}

static void
what_breaks_the_protocol_closes_the_channel(void **state)
{
	static const struct {
		const char *sentence;
		void (*send)(const struct end *);
	} cases[] = {
		{ "a datagram shorter than its head", send_short },
		{ "another version", send_other_version },
		{ "a length that is not the body's", send_wrong_length },
		{ "a body over the bound", send_over_long },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *fresh = NULL;
		struct end *end;

		assert_int_equal(set_up(&fresh), 0);
		end = fresh;
		cases[i].send(end);
		turn(end);
		if (end->closed_count != 1 || end->message_count != 0)
			fail_msg("%s", cases[i].sentence);
		tear_down(&fresh);
	}
}

static void
a_refused_message_closes_the_channel(void **state)
{
	struct end *end = *state;

	end->refuses = true;
	send_raw(end, VERSION, 0, "");
	send_raw(end, VERSION, 0, "");
	turn(end);
	assert_int_equal(end->message_count, 1);
	assert_int_equal(end->closed_count, 1);
}

static void
a_peer_that_leaves_closes_after_its_last_message(void **state)
{
	struct end *end = *state;

	assert_int_equal(channel_send(end->channel, 1, NULL, 0, NULL, 0), 0);
	send_raw(end, VERSION, 1, "x");
	close(end->fd);
	end->fd = -1;
	assert_int_equal(channel_send(end->channel, 1, NULL, 0, NULL, 0), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(end->closed_count, 0);
	turn(end);
	assert_int_equal(end->message_count, 1);
	assert_int_equal(end->closed_count, 1);
}

static void
a_channel_may_be_freed_by_its_message(void **state)
{
	struct end *end = *state;

	end->frees = true;
	send_raw(end, VERSION, 0, "");
	send_raw(end, VERSION, 0, "");
	turn(end);
	assert_int_equal(end->message_count, 1);
	assert_null(end->channel);
}

static void
descriptors_come_along_and_may_be_kept(void **state)
{
	struct end *end = *state, *other;
	void *fresh = NULL;
	struct stat sent, got;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct channel_handlers handlers = { on_message, on_closed, end };

	assert_int_equal(set_up(&fresh), 0);
	other = fresh;
	/* let two channels speak: end's is moved to other's loop's peer */
	channel_free(&end->channel);
	end->channel = channel_new(end->loop, dup(other->fd), VERSION,
	    &handlers);
	assert_non_null(end->channel);

	assert_int_equal(channel_send(other->channel, 5, NULL, 0,
			     (int[]){ null, null, null }, 3), 0);
	turn(end);
	assert_int_equal(end->fd_count, 3);
	assert_int_equal(fstat(null, &sent), 0);
	assert_int_equal(fstat(end->kept_fd, &got), 0);
	assert_int_equal(sent.st_rdev, got.st_rdev);
	assert_true(fcntl(end->kept_fd, F_GETFD) & FD_CLOEXEC);
	close(null);
	tear_down(&fresh);
}

static void
messages_wait_for_a_slow_peer_in_order(void **state)
{
	struct end *end = *state;
	char datagram[sizeof(struct channel_head) + sizeof(uint32_t)];
	uint32_t seen = 0, number;
	const uint32_t count = 600;

	for (uint32_t i = 0; i < count; i++) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		assert_int_equal(channel_send(end->channel, 2, &i, sizeof(i),
				     &null, i == count - 1 ? 1 : 0), 0);
		close(null);
	}
	while (seen < count) {
		turn(end);
		while (recv(end->fd, datagram, sizeof(datagram), 0) ==
		    (ssize_t)sizeof(datagram)) {
			memcpy(&number, datagram + sizeof(struct channel_head),
			    sizeof(number));
			assert_int_equal(number, seen);
			seen++;
		}
	}
	assert_int_equal(end->closed_count, 0);
}

static void
a_peer_that_never_reads_is_given_up(void **state)
{
	struct end *end = *state;
	uint32_t sent = 0;

	while (channel_send(end->channel, 2, "x", 1, NULL, 0) == 0)
		assert_true(++sent < 10 * CHANNEL_QUEUE_MAX);
	assert_int_equal(errno, EPIPE);
	assert_true(sent >= CHANNEL_QUEUE_MAX);
	assert_int_equal(end->closed_count, 0);
	turn(end);
	assert_int_equal(end->closed_count, 1);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_message_arrives_as_it_was_sent),
		CASE(what_is_sent_has_head_and_body),
		CASE(what_breaks_the_protocol_closes_the_channel),
		CASE(a_refused_message_closes_the_channel),
		CASE(a_peer_that_leaves_closes_after_its_last_message),
		CASE(a_channel_may_be_freed_by_its_message),
		CASE(descriptors_come_along_and_may_be_kept),
		CASE(messages_wait_for_a_slow_peer_in_order),
		CASE(a_peer_that_never_reads_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
