/*
 * tests/unit/worker/test_page_fetch.c - a maintenance page from a server.
 *
 * The server is one of the test, in the loop of what fetches; pages.c is
 * the test, too.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/log.h"
#include "daemon/resolver.h"
#include "worker/page_fetch.h"
#include "worker/worker.h"

#define OK     "HTTP/1.1 200 OK\r\n"
#define FIELDS "User-Agent: sluice\r\nAccept: */*\r\nConnection: close\r\n\r\n"

/* One connection at a time: reads a head, then sends its pieces, one a
 * turn of the loop, and closes. */
struct server {
	struct ev_loop *loop;
	ev_io accepting, reading;
	ev_idle sending;
	uint16_t port;
	const char *pieces;		/* '|' between them */
	const char *next;
	bool is_endless, is_silent, resets;
	bool has_ended;			/* the other end closed */
	char request[1024];
	size_t request_len;
};

/* What fetches. */
struct bench {
	struct worker worker;
	struct server server;
	struct page page;
	char url[128];
	char fault[128];		/* of the latest conclusion; "" */
	uint32_t concluded_count;
};

static struct bench bench;

/* The server -------------------------------------------------------------- */

static void
end_visit(struct server *server)
{
	const struct linger none = { .l_onoff = 1 };

	ev_idle_stop(server->loop, &server->sending);
	if (!ev_is_active(&server->reading))
		return;
	ev_io_stop(server->loop, &server->reading);
	if (server->resets)
		assert_int_equal(setsockopt(server->reading.fd, SOL_SOCKET,
		    SO_LINGER, &none, sizeof(none)), 0);
	close(server->reading.fd);
}

static void
on_sending(struct ev_loop *loop, ev_idle *sending, int events)
{
	static const char page[4096];
	struct server *server = sending->data;
	size_t len = strcspn(server->next, "|");

	(void)loop, (void)events;
	(void)send(server->reading.fd, server->next, len, MSG_NOSIGNAL);
	server->next += len + (server->next[len] == '|');
	if (*server->next != '\0')
		return;
	if (server->is_endless)
		(void)send(server->reading.fd, page, sizeof(page),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		end_visit(server);
}

static void
on_reading(struct ev_loop *loop, ev_io *reading, int events)
{
	struct server *server = reading->data;
	ssize_t got = recv(reading->fd, server->request + server->request_len,
	    sizeof(server->request) - 1 - server->request_len, 0);

	(void)events;
	if (got <= 0) {
		server->has_ended = true;
		end_visit(server);
		return;
	}
	server->request_len += (size_t)got;
	server->request[server->request_len] = '\0';
	if (strstr(server->request, "\r\n\r\n") != NULL && !server->is_silent)
		ev_idle_start(loop, &server->sending);
}

static void
on_accepting(struct ev_loop *loop, ev_io *accepting, int events)
{
	struct server *server = accepting->data;
	int fd = accept(accepting->fd, NULL, NULL);

	(void)events;
	assert_true(fd != -1);
	server->request_len = 0;
	server->next = server->pieces;
	ev_io_set(&server->reading, fd, EV_READ);
	ev_io_start(loop, &server->reading);
}

/* At 127.0.0.1, or at ::1; false where there is none. */
static bool
open_server(struct server *server, struct ev_loop *loop, int family)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *address = family == AF_INET
	    ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, address, len) == -1 ||
	    listen(fd, 8) == -1 || getsockname(fd, address, &len) == -1) {
		close(fd);
		return false;
	}
	*server = (struct server){ .loop = loop, .pieces = "",
		.port = ntohs(family == AF_INET ? v4.sin_port
						: v6.sin6_port) };
	ev_io_init(&server->accepting, on_accepting, fd, EV_READ);
	ev_init(&server->reading, on_reading);
	ev_idle_init(&server->sending, on_sending);
	server->accepting.data = server->reading.data =
	    server->sending.data = server;
	ev_io_start(loop, &server->accepting);
	return true;
}

static void
close_server(struct server *server)
{
	end_visit(server);
	ev_io_stop(server->loop, &server->accepting);
	close(server->accepting.fd);
}

/* Fetching ---------------------------------------------------------------- */

void
page_conclude(struct page *page, const char *fault)
{
	page_fetch_stop(page);
	page->state = fault == NULL ? PAGE_FULL : PAGE_EMPTY;
	snprintf(bench.fault, sizeof(bench.fault), "%s",
	    fault == NULL ? "" : fault);
	bench.concluded_count++;
}

static bool
open_bench(int family)
{
	memset(&bench, 0, sizeof(bench));
	bench.worker.loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(bench.worker.loop);
	bench.worker.resolver = resolver_new(bench.worker.loop);
	assert_non_null(bench.worker.resolver);
	bench.page.worker = &bench.worker;
	bench.page.url = bench.url;
	page_fetch_init(&bench.page);
	return open_server(&bench.server, bench.worker.loop, family);
}

static void
close_bench(void)
{
	struct page_text *text = &bench.page.text;

	page_fetch_stop(&bench.page);
	if (bench.page.name != NULL)
		resolver_release(bench.worker.resolver, &bench.page.name);
	buf_free(&text->body);
	buf_free(&text->fields);
	buf_free(&text->content_type);
	close_server(&bench.server);
	resolver_free(&bench.worker.resolver);
	ev_loop_destroy(bench.worker.loop);
}

/* http://HOST:PORT and what follows; begins. */
static void
begin(const char *host, const char *rest)
{
	snprintf(bench.url, sizeof(bench.url), "http://%s:%u%s", host,
	    (unsigned int)bench.server.port, rest);
	page_fetch(&bench.page);
}

static void
fetch(const char *host, const char *rest)
{
	uint32_t before = bench.concluded_count;

	begin(host, rest);
	while (bench.concluded_count == before)
		ev_run(bench.worker.loop, EVRUN_ONCE);
	assert_int_equal(bench.concluded_count, before + 1);
}

static void
assert_page(unsigned int status, const char *body)
{
	assert_string_equal(bench.fault, "");
	assert_int_equal(bench.page.text.answer.status, status);
	assert_true(bytes_is(bench.page.text.answer.body, body));
}

/* Of a fetch that is over nothing is left. */
static void
assert_at_rest(void)
{
	assert_int_equal(bench.page.fd, -1);
	assert_false(ev_is_active(&bench.page.io));
	assert_false(ev_is_active(&bench.page.timer));
	assert_null(bench.page.wait);
	assert_int_equal(bench.page.request.len, 0);
	assert_int_equal(bench.page.text.input.len, 0);
}

static void
assert_asked(const char *path, const char *host)
{
	char want[1024];

	snprintf(want, sizeof(want), "GET %s HTTP/1.1\r\nHost: %s:%u\r\n"
	    FIELDS, path, host, (unsigned int)bench.server.port);
	assert_string_equal(bench.server.request, want);
}

/* Sentences --------------------------------------------------------------- */

static void
a_page_is_fetched(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = OK "Content-Length: 4\r\n\r\npage";
	fetch("127.0.0.1", "/down/page.html?lang=de");
	assert_page(200, "page");
	assert_asked("/down/page.html?lang=de", "127.0.0.1");
	assert_at_rest();
	close_bench();
}

static void
without_a_path_the_root_is_asked_for(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = OK "Content-Length: 4\r\n\r\nroot";
	fetch("127.0.0.1", "");
	assert_page(200, "root");
	assert_asked("/", "127.0.0.1");
	close_bench();
}

static void
an_answer_may_come_in_pieces(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = "HTT|P/1.1 503 Later\r|\nTransfer-Enc|oding: "
			      "chunked\r\n\r\n2\r\npa|\r\n2\r|\nge\r\n0|\r\n"
			      "\r\n";
	fetch("127.0.0.1", "/");
	assert_page(503, "page");
	close_bench();
}

static void
the_end_of_the_connection_may_end_it(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = "HTTP/1.0 200 OK\r\n\r\nall of| it";
	fetch("127.0.0.1", "/");
	assert_page(200, "all of it");
	close_bench();
}

static void
the_next_fetch_begins_anew(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = OK "Content-Length: 9\r\n\r\nthe first";
	fetch("127.0.0.1", "/");
	assert_page(200, "the first");
	/* Looked through as far as no answer behind it goes. */
	bench.server.pieces = OK "X-Long: a head that is longer than all "
				 "of the answer to the next one";
	fetch("127.0.0.1", "/");
	assert_string_equal(bench.fault,
	    "closed before its answer was complete");
	bench.server.pieces = OK "Content-Length: 3\r\n\r\nnew";
	fetch("127.0.0.1", "/");
	assert_page(200, "new");
	assert_asked("/", "127.0.0.1");
	close_bench();
}

static void
an_address_may_be_of_ipv6(void **state)
{
	(void)state;
	if (!open_bench(AF_INET6)) {
		print_message("no ::1 here: %s\n", strerror(errno));
		skip();
	}
	bench.server.pieces = OK "Content-Length: 3\r\n\r\nsix";
	fetch("[::1]", "/");
	assert_page(200, "six");
	assert_asked("/", "[::1]");
	close_bench();
}

static void
a_name_is_resolved_and_stays_the_host(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = OK "Content-Length: 5\r\n\r\nnamed";
	fetch("localhost", "/");
	assert_page(200, "named");
	assert_asked("/", "localhost");
	/* Known by now. */
	fetch("localhost", "/again");
	assert_page(200, "named");
	assert_asked("/again", "localhost");
	close_bench();
}

static void
nobody_listens(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	ev_io_stop(bench.worker.loop, &bench.server.accepting);
	close(bench.server.accepting.fd);
	fetch("127.0.0.1", "/");
	assert_string_equal(bench.fault, strerror(ECONNREFUSED));
	assert_at_rest();
	bench.server.accepting.fd = -1;
	close_bench();
}

static void
it_is_closed_without_a_word(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	fetch("127.0.0.1", "/");
	assert_string_equal(bench.fault,
	    "closed before its answer was complete");
	assert_at_rest();
	close_bench();
}

static void
it_is_reset(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = OK "Content-Length: 100\r\n\r\nhalf";
	bench.server.resets = true;
	fetch("127.0.0.1", "/");
	assert_string_equal(bench.fault, strerror(ECONNRESET));
	assert_at_rest();
	close_bench();
}

static void
it_is_no_http(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = "SSH-2.0-x\r\n\r\n";
	fetch("127.0.0.1", "/");
	assert_string_not_equal(bench.fault, "");
	assert_at_rest();
	close_bench();
}

static void
it_never_ends(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.pieces = OK "\r\n";
	bench.server.is_endless = true;
	fetch("127.0.0.1", "/");
	assert_string_equal(bench.fault, "it is too large");
	assert_at_rest();
	close_bench();
}

/* An answer of so many bytes with its head, malloc()ed. */
static char *
make_answer(int size)
{
	static const char format[] = OK "Content-Length: %5d\r\n\r\n";
	int head = snprintf(NULL, 0, format, 0);
	char *answer = malloc((size_t)size + 1);

	assert_non_null(answer);
	memset(answer, 'x', (size_t)size);
	answer[size] = '\0';
	sprintf(answer, format, size - head);
	answer[head] = 'x';		/* in place of the NUL */
	return answer;
}

static void
the_largest_page_fits_and_no_larger_one(void **state)
{
	(void)state;
	for (int more = 0; more <= 1; more++) {
		char *answer = make_answer(PAGE_BYTES_MAX + more);

		assert_true(open_bench(AF_INET));
		bench.server.pieces = answer;
		fetch("127.0.0.1", "/");
		assert_string_equal(bench.fault,
		    more == 0 ? "" : "it is too large");
		close_bench();
		free(answer);
	}
}

static void
no_answer_in_time(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.is_silent = true;
	begin("127.0.0.1", "/");
	while (bench.server.request_len == 0)
		ev_run(bench.worker.loop, EVRUN_ONCE);
	assert_true(ev_is_active(&bench.page.timer));
	assert_int_equal(bench.concluded_count, 0);
	ev_invoke(bench.worker.loop, &bench.page.timer, EV_TIMER);
	assert_int_equal(bench.concluded_count, 1);
	assert_string_equal(bench.fault, "timed out");
	assert_at_rest();
	close_bench();
}

static void
what_is_stopped_ends_without_a_word(void **state)
{
	(void)state;
	assert_true(open_bench(AF_INET));
	bench.server.is_silent = true;
	begin("127.0.0.1", "/");
	while (bench.server.request_len == 0)
		ev_run(bench.worker.loop, EVRUN_ONCE);
	page_fetch_stop(&bench.page);
	assert_at_rest();
	while (!bench.server.has_ended)
		ev_run(bench.worker.loop, EVRUN_ONCE);
	assert_int_equal(bench.concluded_count, 0);
	close_bench();
}

/* A socket that takes questions; its port. */
static int
open_nameserver(char servers[32])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd != -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len),
	    0);
	snprintf(servers, 32, "127.0.0.1:%u",
	    (unsigned int)ntohs(address.sin_port));
	return fd;
}

/* The question itself with the answer that there is no such name. */
static void
deny(int fd)
{
	unsigned char question[512];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t got = recvfrom(fd, question, sizeof(question), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);

	if (got < 12)
		return;
	question[2] |= 0x80;		/* QR: an answer */
	question[3] = 0x83;		/* RA, NXDOMAIN */
	assert_int_equal(sendto(fd, question, (size_t)got, 0,
	    (struct sockaddr *)&from, len), got);
}

static void
what_is_stopped_asks_for_no_name_any_more(void **state)
{
	char servers[32];
	int fd = open_nameserver(servers);

	(void)state;
	assert_true(open_bench(AF_INET));
	assert_int_equal(resolver_set_servers(bench.worker.resolver, servers),
	    0);
	begin("page.example", "/");
	assert_int_equal(bench.page.state, PAGE_RESOLVING);
	assert_non_null(bench.page.wait);
	page_fetch_stop(&bench.page);
	assert_at_rest();
	while (resolver_answer(bench.page.name)->is_pending) {
		deny(fd);
		ev_run(bench.worker.loop, EVRUN_NOWAIT);
	}
	assert_int_equal(bench.concluded_count, 0);
	close(fd);
	close_bench();
}

static void
a_name_may_have_no_address(void **state)
{
	char servers[32];
	int fd = open_nameserver(servers);

	(void)state;
	assert_true(open_bench(AF_INET));
	assert_int_equal(resolver_set_servers(bench.worker.resolver, servers),
	    0);
	begin("page.example", "/");
	while (bench.concluded_count == 0) {
		deny(fd);
		ev_run(bench.worker.loop, EVRUN_NOWAIT);
	}
	assert_string_equal(bench.fault, "its name has no address");
	assert_at_rest();
	close(fd);
	close_bench();
}

static void
what_is_no_url_is_not_asked_for(void **state)
{
	static const char *const urls[] = { "", "http://", "http:///page",
		"https://127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1:80/",
		"http://127.0.0.1:0/", "http://127.0.0.1:65536/",
		"http://user@127.0.0.1/", "http://[::1/" };

	(void)state;
	assert_true(open_bench(AF_INET));
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		snprintf(bench.url, sizeof(bench.url), "%s", urls[i]);
		page_fetch(&bench.page);
		if (bench.concluded_count != i + 1)
			fail_msg("%s", urls[i]);
		assert_string_equal(bench.fault, "it is no http:// URL");
		assert_at_rest();
	}
	close_bench();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_fetched),
		cmocka_unit_test(without_a_path_the_root_is_asked_for),
		cmocka_unit_test(an_answer_may_come_in_pieces),
		cmocka_unit_test(the_end_of_the_connection_may_end_it),
		cmocka_unit_test(the_next_fetch_begins_anew),
		cmocka_unit_test(an_address_may_be_of_ipv6),
		cmocka_unit_test(a_name_is_resolved_and_stays_the_host),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(it_is_closed_without_a_word),
		cmocka_unit_test(it_is_reset),
		cmocka_unit_test(it_is_no_http),
		cmocka_unit_test(it_never_ends),
		cmocka_unit_test(the_largest_page_fits_and_no_larger_one),
		cmocka_unit_test(no_answer_in_time),
		cmocka_unit_test(what_is_stopped_ends_without_a_word),
		cmocka_unit_test(what_is_stopped_asks_for_no_name_any_more),
		cmocka_unit_test(a_name_may_have_no_address),
		cmocka_unit_test(what_is_no_url_is_not_asked_for),
	};

	if (log_open("test", "/dev/null") == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
