/*
 * tests/unit/worker/test_link.c - buffers of a connection, over a stream
 * that the test owns: what it reads, and how much it takes at a time.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/link.h"

static struct {
	size_t takes;			/* bytes a write may take in all */
	size_t gives;			/* bytes a read has yet to give */
	char got[4 * BUFFER_BYTES];	/* what was written */
	size_t got_len;
	int writes;
	bool is_broken;
	char next;			/* what is read: a b c ... */
} peer;

static ssize_t
peer_read(struct stream *stream, void *data, size_t size)
{
	char *bytes = data;

	(void)stream;
	if (size > peer.gives)
		size = peer.gives;
	if (size == 0) {
		errno = EAGAIN;
		return -1;
	}
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)('a' + peer.next++ % 26);
	peer.gives -= size;
	return (ssize_t)size;
}

static ssize_t
peer_writev(struct stream *stream, const struct iovec *iov, int count)
{
	size_t before = peer.got_len;

	(void)stream;
	peer.writes++;
	if (peer.is_broken) {
		errno = EPIPE;
		return -1;
	}
	for (int i = 0; i < count && peer.takes > 0; i++) {
		size_t len = iov[i].iov_len < peer.takes ? iov[i].iov_len
							 : peer.takes;

		memcpy(peer.got + peer.got_len, iov[i].iov_base, len);
		peer.got_len += len;
		peer.takes -= len;
	}
	if (peer.got_len == before) {
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t)(peer.got_len - before);
}

static int
peer_shutdown(struct stream *stream)
{
	(void)stream;
	return 0;
}

static void
peer_close(struct stream *stream)
{
	close(stream->fd);
	stream->fd = -1;
}

static bool
peer_has_more(const struct stream *stream)
{
	(void)stream;
	return false;
}

static const struct stream_ops peer_ops = { peer_read, peer_writev,
	peer_shutdown, peer_close, peer_has_more };

struct fixture {
	struct ev_loop *loop;
	struct poller poller;
	struct buffer_pool pool;
	struct link link;
	int peer_fd;
};

static void
on_event(struct watch *watch, int events)
{
	(void)watch;
	(void)events;
}

static void
on_round(void *context)
{
	(void)context;
}

static int
open_link(void **state)
{
	static struct fixture fixture;
	struct stream stream;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stream = stream_plain(pair[0]);
	fixture.peer_fd = pair[1];
	stream.ops = &peer_ops;
	memset(&peer, 0, sizeof(peer));
	peer.takes = SIZE_MAX;
	fixture.loop = ev_loop_new(EVFLAG_AUTO);
	buffer_pool_init(&fixture.pool);
	assert_int_equal(poller_open(&fixture.poller, fixture.loop,
	    on_round, NULL), 0);
	link_open(&fixture.link, &fixture.poller, &fixture.pool, stream,
	    on_event, NULL);
	*state = &fixture;
	return 0;
}

static int
close_link(void **state)
{
	struct fixture *fixture = *state;

	link_close(&fixture->link);
	link_close(&fixture->link);
	assert_int_equal(fixture->pool.lent_count, 0);
	buffer_pool_free(&fixture->pool);
	close(fixture->peer_fd);
	poller_close(&fixture->poller);
	ev_loop_destroy(fixture->loop);
	return 0;
}

static void
what_is_put_leaves_in_one_write(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;

	assert_true(link_room(link) == BUFFER_BYTES);
	link_put(link, bytes_of("head "));
	link_put(link, bytes_of("body"));
	assert_int_equal(peer.writes, 0);
	assert_int_equal(link_flush(link), LINK_FLUSHED);
	assert_int_equal(peer.writes, 1);
	assert_memory_equal(peer.got, "head body", 9);
	assert_false(link_has_output(link));
}

static void
a_long_run_goes_behind_what_was_put(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;
	static char run[BUFFER_BYTES];

	memset(run, 'x', sizeof(run));
	assert_true(link_room(link) > 4);
	link_put(link, bytes_of("head"));
	assert_int_equal(link_send(link, bytes_slice(run, sizeof(run))),
	    sizeof(run));
	assert_int_equal(peer.writes, 1);
	assert_int_equal(peer.got_len, 4 + sizeof(run));
	assert_memory_equal(peer.got, "headxxx", 7);
}

static void
what_is_short_can_be_sent_at_once(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;

	assert_int_equal(link_send_now(link, bytes_of("now")), 3);
	assert_int_equal(peer.writes, 1);
	assert_false(link_has_output(link));
	peer.takes = 2;
	assert_int_equal(link_send_now(link, bytes_of("later")), 5);
	assert_int_equal(peer.got_len, 5);
	assert_true(link_is_writing(link));
	assert_int_equal(buffer_len(link->out), 3);
	peer.takes = SIZE_MAX;
	assert_int_equal(link_flush(link), LINK_FLUSHED);
	assert_memory_equal(peer.got, "nowlater", 8);
	assert_false(link_is_writing(link));
}

static void
a_full_socket_bounds_what_is_taken(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;
	static char run[2 * BUFFER_BYTES];
	ssize_t taken;

	peer.takes = 1000;
	taken = link_send(link, bytes_slice(run, sizeof(run)));
	assert_int_equal(taken, 1000 + BUFFER_BYTES);
	assert_true(link_is_writing(link));
	assert_int_equal(link_send(link, bytes_slice(run, sizeof(run))), 0);
	peer.takes = 10;
	assert_int_equal(link_flush(link), LINK_PENDING);
	peer.takes = SIZE_MAX;
	assert_int_equal(link_flush(link), LINK_FLUSHED);
	assert_false(link_is_writing(link));
	assert_int_equal(peer.got_len, 1000 + BUFFER_BYTES);
}

static void
a_broken_socket_says_so(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;
	static char run[LINK_DIRECT_BYTES];

	peer.is_broken = true;
	assert_int_equal(link_send(link, bytes_slice(run, sizeof(run))), -1);
	assert_true(link_room(link) > 0);
	link_put(link, bytes_of("x"));
	assert_int_equal(link_flush(link), LINK_BROKEN);
}

static void
what_is_kept_stays_while_the_rest_streams_by(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;

	peer.gives = 100;
	assert_int_equal(link_read(link), 100);
	link_consume(link, 26);
	link->keep = 26;
	link_consume(link, 74);
	for (int i = 0; i < 10; i++) {
		peer.gives = BUFFER_BYTES;
		assert_true(link_read(link) > 0);
		link_consume(link, buffer_len(link->in));
	}
	assert_memory_equal(link->in->data, "abcdefghijklmnopqrstuvwxyz", 26);
	assert_int_equal(buffer_len(link->in), 0);
}

static void
what_was_used_up_can_be_had_again_while_it_fits(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;

	peer.gives = 26;
	assert_int_equal(link_read(link), 26);
	link_consume(link, 26);
	link->keep = 26;
	link->retains_input = true;
	peer.gives = 26;
	assert_int_equal(link_read(link), 26);
	link_consume(link, 26);
	peer.gives = BUFFER_BYTES - 52;
	assert_int_equal(link_read(link), BUFFER_BYTES - 52);
	assert_false(link->has_moved);
	link_consume(link, buffer_len(link->in));
	peer.gives = 1;
	assert_int_equal(link_read(link), 1);
	assert_true(link->has_moved);
}

static void
a_full_buffer_is_no_end_and_no_loss(void **state)
{
	struct link *link = &((struct fixture *)*state)->link;

	peer.gives = SIZE_MAX;
	assert_int_equal(link_read(link), BUFFER_BYTES);
	errno = 0;
	assert_int_equal(link_read(link), -1);
	assert_int_equal(errno, ENOBUFS);
	link_consume(link, 10);
	assert_int_equal(link_read(link), 10);
	assert_int_equal(buffer_len(link->in), BUFFER_BYTES);
	assert_int_equal(link->in->data[0], 'a' + 10);
}

static void
settling_keeps_what_waits_and_gives_the_empty_back(void **state)
{
	struct fixture *fixture = *state;
	struct link *link = &fixture->link;

	peer.gives = 30;
	assert_int_equal(link_read(link), 30);
	link->keep = 20;
	link_consume(link, 28);
	link_settle_input(link);
	assert_int_equal(buffer_len(link->in), 2);
	assert_memory_equal(link->in->data, "cd", 2);
	link_consume(link, 2);
	link_settle_input(link);
	assert_null(link->in);
	assert_int_equal(fixture->pool.lent_count, 0);
}

static void
the_latest_buffer_given_back_is_lent_first(void **state)
{
	struct buffer_pool pool;
	struct buffer *first, *second, *again;

	(void)state;
	buffer_pool_init(&pool);
	assert_non_null(first = buffer_pool_take(&pool));
	assert_non_null(second = buffer_pool_take(&pool));
	again = first;
	buffer_pool_give(&pool, &second);
	buffer_pool_give(&pool, &first);
	assert_null(first);
	assert_non_null(first = buffer_pool_take(&pool));
	if (BUFFER_KEPT_MAX > 0) {
		assert_ptr_equal(first, again);
		assert_int_equal(pool.unused_count, 1);
	}
	buffer_pool_trim(&pool, 0);
	assert_int_equal(pool.unused_count, 0);
	buffer_pool_give(&pool, &first);
	buffer_pool_give(&pool, &first);
	assert_int_equal(pool.lent_count, 0);
	buffer_pool_free(&pool);
}

#define WITH_LINK(test)                                                        \
	cmocka_unit_test_setup_teardown(test, open_link, close_link)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LINK(what_is_put_leaves_in_one_write),
		WITH_LINK(a_long_run_goes_behind_what_was_put),
		WITH_LINK(what_is_short_can_be_sent_at_once),
		WITH_LINK(a_full_socket_bounds_what_is_taken),
		WITH_LINK(a_broken_socket_says_so),
		WITH_LINK(what_is_kept_stays_while_the_rest_streams_by),
		WITH_LINK(what_was_used_up_can_be_had_again_while_it_fits),
		WITH_LINK(a_full_buffer_is_no_end_and_no_loss),
		WITH_LINK(settling_keeps_what_waits_and_gives_the_empty_back),
		cmocka_unit_test(the_latest_buffer_given_back_is_lent_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
