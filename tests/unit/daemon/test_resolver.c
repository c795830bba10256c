/*
 * tests/unit/daemon/test_resolver.c - names resolved against a small name
 * server of the test's own, on the test's own loop.
 */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/compat.h"
#include "common/log.h"
#include "daemon/resolver.h"

#define DNS_HEADER 12
#define TYPE_A	   1

/* Answers each A question with the addresses set, each other with none. */
struct name_server {
	ev_io io;
	int fd;
	const char *addresses[4];	/* up to a NULL */
	uint8_t rcode;
	unsigned int asked;
};

struct fixture {
	struct ev_loop *loop;
	struct resolver *resolver;
	struct name_server server;
	unsigned int calls;
	struct resolver_answer last;
};

/* Where the question ends; the queries are c-ares' own, well formed. */
static size_t
question_end(const uint8_t *packet)
{
	size_t at = DNS_HEADER;

	while (packet[at] != 0)
		at += 1 + packet[at];
	return at + 5;
}

static size_t
add_record(uint8_t *packet, size_t at, const char *address)
{
	static const uint8_t head[] = { 0xc0, DNS_HEADER, 0, TYPE_A, 0, 1, 0, 0,
		0, 60, 0, 4 };

	memcpy(packet + at, head, sizeof(head));
	assert_int_equal(inet_pton(AF_INET, address,
	    packet + at + sizeof(head)), 1);
	return at + sizeof(head) + 4;
}

static void
on_question(struct ev_loop *loop, ev_io *io, int events)
{
	struct name_server *server = io->data;
	uint8_t packet[1024];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t got;
	size_t end;

	(void)loop;
	(void)events;
	got = recvfrom(server->fd, packet, sizeof(packet) / 2, 0,
	    (struct sockaddr *)&from, &from_len);
	assert_true(got > DNS_HEADER + 5);
	server->asked++;
	end = question_end(packet);
	packet[2] = 0x81;		/* an answer, recursion desired */
	packet[3] = 0x80 | server->rcode;
	memset(packet + 6, 0, 6);	/* no records yet */
	if (packet[end - 3] == TYPE_A) {
		for (int i = 0; server->addresses[i] != NULL; i++) {
			end = add_record(packet, end, server->addresses[i]);
			packet[7]++;
		}
	}
	(void)sendto(server->fd, packet, end, 0, (struct sockaddr *)&from,
	    from_len);
}

static void
start_server(struct fixture *fixture)
{
	struct name_server *server = &fixture->server;
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	char text[32];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_not_equal(server->fd, -1);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address,
	    &len), 0);
	ev_io_init(&server->io, on_question, server->fd, EV_READ);
	server->io.data = server;
	ev_io_start(fixture->loop, &server->io);
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(address.sin_port));
	assert_int_equal(resolver_set_servers(fixture->resolver, text), 0);
}

static void
stop_server(struct fixture *fixture)
{
	ev_io_stop(fixture->loop, &fixture->server.io);
	if (fixture->server.fd != -1)
		close(fixture->server.fd);
	fixture->server.fd = -1;
}

static struct fixture fixture;

static int
set_up(void **state)
{
	memset(&fixture, 0, sizeof(fixture));
	log_set_level(LOG_LEVEL_ERROR);
	fixture.loop = ev_loop_new(EVFLAG_AUTO);
	fixture.resolver = resolver_new(fixture.loop);
	assert_non_null(fixture.resolver);
	start_server(&fixture);
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	stop_server(&fixture);
	resolver_free(&fixture.resolver);
	assert_null(fixture.resolver);
	ev_loop_destroy(fixture.loop);
	return 0;
}

static void
on_resolved(void *context, const struct resolver_answer *answer)
{
	struct fixture *f = context;

	f->calls++;
	f->last = *answer;
}

static struct resolver_name *
hold(struct fixture *f, const char *host)
{
	struct resolver_name *name = resolver_hold(f->resolver, bytes_of(host));

	assert_non_null(name);
	return name;
}

static void
turn_until_called(struct fixture *f, unsigned int calls)
{
	while (f->calls < calls)
		ev_run(f->loop, EVRUN_ONCE);
}

static const char *
address_text(const struct resolver_answer *answer, uint32_t i)
{
	static char text[INET6_ADDRSTRLEN];
	const void *address = &answer->addresses[i];
	const struct sockaddr_in *v4 = address;
	const struct sockaddr_in6 *v6 = address;

	assert_true(i < answer->count);
	if (v4->sin_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
	return text;
}

static void
an_address_needs_no_server(void **state)
{
	static const char *const literals[] = { "127.0.0.1", "10.255.0.9",
		"::1", "2001:db8::7" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(literals); i++) {
		struct resolver_name *name = hold(f, literals[i]);

		assert_null(resolver_wait(name, on_resolved, f));
		assert_int_equal(f->calls, i + 1);
		assert_string_equal(address_text(&f->last, 0), literals[i]);
		assert_false(f->last.is_pending);
		resolver_refresh(name);
		resolver_release(f->resolver, &name);
		assert_null(name);
	}
	assert_int_equal(f->server.asked, 0);
}

static void
the_first_answer_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name, *again;

	f->server.addresses[0] = "192.0.2.2";
	f->server.addresses[1] = "192.0.2.1";
	name = hold(f, "Backend.Test");
	again = hold(f, "backend.test");
	assert_ptr_equal(name, again);
	assert_true(resolver_answer(name)->is_pending);
	assert_non_null(resolver_wait(name, on_resolved, f));
	turn_until_called(f, 1);
	assert_null(f->last.error);
	assert_int_equal(f->last.count, 2);
	assert_int_equal(f->last.version, 1);
	assert_string_equal(address_text(&f->last, 0), "192.0.2.1");
	assert_string_equal(address_text(&f->last, 1), "192.0.2.2");
	resolver_release(f->resolver, &again);
	assert_int_equal(resolver_answer(name)->count, 2);
	resolver_release(f->resolver, &name);
}

static void
refresh(struct fixture *f, struct resolver_name *name, unsigned int asked)
{
	resolver_refresh(name);
	while (f->server.asked < asked)
		ev_run(f->loop, EVRUN_ONCE);
}

static void
a_changed_answer_replaces_the_old(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name;

	f->server.addresses[0] = "192.0.2.1";
	name = hold(f, "backend.test");
	resolver_wait(name, on_resolved, f);
	turn_until_called(f, 1);

	f->server.addresses[0] = "192.0.2.9";
	refresh(f, name, f->server.asked + 1);
	while (resolver_answer(name)->version == 1)
		ev_run(f->loop, EVRUN_ONCE);
	assert_int_equal(resolver_answer(name)->count, 1);
	assert_string_equal(address_text(resolver_answer(name), 0),
	    "192.0.2.9");
	resolver_release(f->resolver, &name);
}

static void
rotated_addresses_are_no_change(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name, *other;

	f->server.addresses[0] = "192.0.2.1";
	f->server.addresses[1] = "192.0.2.2";
	name = hold(f, "backend.test");
	resolver_wait(name, on_resolved, f);
	turn_until_called(f, 1);

	f->server.addresses[0] = "192.0.2.2";
	f->server.addresses[1] = "192.0.2.1";
	refresh(f, name, f->server.asked + 2);
	other = hold(f, "other.test"); /* answered after the refreshed one */
	resolver_wait(other, on_resolved, f);
	turn_until_called(f, 2);
	assert_int_equal(resolver_answer(name)->version, 1);
	resolver_release(f->resolver, &other);
	resolver_release(f->resolver, &name);
}

static void
a_server_that_is_gone_leaves_the_last_good_answer(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name;

	f->server.addresses[0] = "192.0.2.1";
	name = hold(f, "backend.test");
	resolver_wait(name, on_resolved, f);
	turn_until_called(f, 1);

	stop_server(f);
	resolver_refresh(name);
	while (resolver_answer(name)->error == NULL)
		ev_run(f->loop, EVRUN_ONCE);
	assert_int_equal(resolver_answer(name)->count, 1);
	assert_int_equal(resolver_answer(name)->version, 1);
	assert_string_equal(address_text(resolver_answer(name), 0),
	    "192.0.2.1");

	start_server(f);
	f->server.addresses[0] = "192.0.2.5";
	resolver_refresh(name);
	while (resolver_answer(name)->error != NULL)
		ev_run(f->loop, EVRUN_ONCE);
	assert_string_equal(address_text(resolver_answer(name), 0),
	    "192.0.2.5");
	resolver_release(f->resolver, &name);
}

static void
an_empty_answer_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name;

	f->server.addresses[0] = "192.0.2.1";
	name = hold(f, "backend.test");
	resolver_wait(name, on_resolved, f);
	turn_until_called(f, 1);

	f->server.addresses[0] = NULL;
	resolver_refresh(name);
	while (resolver_answer(name)->error == NULL)
		ev_run(f->loop, EVRUN_ONCE);
	assert_string_equal(address_text(resolver_answer(name), 0),
	    "192.0.2.1");
	resolver_release(f->resolver, &name);
}

static void
a_name_that_does_not_exist_is_told_and_asked_again(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name;

	f->server.rcode = 3;
	name = hold(f, "nobody.test");
	resolver_wait(name, on_resolved, f);
	turn_until_called(f, 1);
	assert_int_equal(f->last.count, 0);
	assert_non_null(f->last.error);
	assert_false(f->last.is_pending);

	f->server.rcode = 0;
	f->server.addresses[0] = "192.0.2.1";
	while (resolver_answer(name)->count == 0) /* by itself, after a pause */
		ev_run(f->loop, EVRUN_ONCE);
	assert_null(resolver_answer(name)->error);
	resolver_release(f->resolver, &name);
}

static void
a_name_with_a_nul_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_null(resolver_hold(f->resolver, bytes_slice("a\0b", 3)));
}

static void
a_name_may_go_while_it_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name = hold(f, "gone.test"), *other;
	struct resolver_wait *wait = resolver_wait(name, on_resolved, f);

	resolver_cancel(&wait);
	assert_null(wait);
	resolver_release(f->resolver, &name);
	f->server.addresses[0] = "192.0.2.1";
	other = hold(f, "stays.test");
	resolver_wait(other, on_resolved, f);
	turn_until_called(f, 1);
	resolver_release(f->resolver, &other);
	name = hold(f, "unanswered.test"); /* freed with the resolver */
	resolver_release(f->resolver, &name);
}

static void
the_hosts_file_comes_first(void **state)
{
	struct fixture *f = *state;
	struct resolver_name *name = hold(f, "localhost");

	resolver_wait(name, on_resolved, f);
	turn_until_called(f, 1);
	assert_string_equal(address_text(&f->last, 0), "127.0.0.1");
	assert_int_equal(f->server.asked, 0);
	resolver_release(f->resolver, &name);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_address_needs_no_server),
		CASE(the_first_answer_is_waited_for),
		CASE(a_changed_answer_replaces_the_old),
		CASE(rotated_addresses_are_no_change),
		CASE(a_server_that_is_gone_leaves_the_last_good_answer),
		CASE(an_empty_answer_changes_nothing),
		CASE(a_name_that_does_not_exist_is_told_and_asked_again),
		CASE(a_name_with_a_nul_is_refused),
		CASE(a_name_may_go_while_it_is_asked_for),
		CASE(the_hosts_file_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
