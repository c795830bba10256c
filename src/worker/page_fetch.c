/*
 * worker/page_fetch.c - getting a maintenance page from where it stands.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/page_fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/url.h"

#define PAGE_TIMEOUT_MS 3000
#define PAGE_READ_STEP	4096

void
page_fetch_stop(struct page *page)
{
	struct worker *worker = page->worker;

	ev_io_stop(worker->loop, &page->io);
	ev_timer_stop(worker->loop, &page->timer);
	if (page->wait != NULL)
		resolver_cancel(&page->wait);
	if (page->fd != -1)
		close(page->fd);
	page->fd = -1;
	buf_free(&page->request);
	buf_free(&page->text.input);
}

static void
read_more(struct page *page)
{
	const char *fault = NULL;
	ssize_t got;

	if (buf_reserve(&page->text.input, PAGE_READ_STEP) == -1) {
		page_conclude(page, "out of memory");
		return;
	}
	got = recv(page->fd, page->text.input.data + page->text.input.len,
	    PAGE_READ_STEP, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == -1) {
		page_conclude(page, strerror(errno));
		return;
	}
	page->text.input.len += (size_t)got;
	switch (page_text_look(&page->text, &page->worker->response, got == 0,
	    &fault)) {
	case PAGE_TEXT_MORE:
		break;
	case PAGE_TEXT_WHOLE:
	case PAGE_TEXT_FAULT:
		page_conclude(page, fault);
		break;
	}
}

static void
watch(struct page *page, int events)
{
	ev_io_stop(page->worker->loop, &page->io);
	ev_io_set(&page->io, page->fd, events);
	ev_io_start(page->worker->loop, &page->io);
}

static void
send_more(struct page *page)
{
	ssize_t sent = send(page->fd, page->request.data, page->request.len,
	    MSG_NOSIGNAL);

	if (sent == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (sent == -1) {
		page_conclude(page, strerror(errno));
		return;
	}
	buf_consume(&page->request, (size_t)sent);
	if (page->request.len > 0)
		return;
	page->state = PAGE_READING;
	watch(page, EV_READ);
}

static void
take_connected(struct page *page)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(page->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		page_conclude(page, strerror(error));
		return;
	}
	page->state = PAGE_SENDING;
	send_more(page);
}

static void
on_io(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct page *page = io->data;

	if (page->state == PAGE_CONNECTING)
		take_connected(page);
	else if (page->state == PAGE_SENDING)
		send_more(page);
	else
		read_more(page);
}

static void
on_timer(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	page_conclude(timer->data, "timed out");
}

static void
connect_to(struct page *page, struct sockaddr_storage *address)
{
	socklen_t len = sizeof(struct sockaddr_in);

	if (address->ss_family == AF_INET6) {
		((struct sockaddr_in6 *)(void *)address)->sin6_port =
		    htons(page->port);
		len = sizeof(struct sockaddr_in6);
	} else {
		((struct sockaddr_in *)(void *)address)->sin_port =
		    htons(page->port);
	}
	page->fd = socket(address->ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (page->fd == -1 || (connect(page->fd,
	    (const struct sockaddr *)address, len) == -1 &&
	    errno != EINPROGRESS)) {
		page_conclude(page, strerror(errno));
		return;
	}
	page->state = PAGE_CONNECTING;
	watch(page, EV_WRITE);
}

static void
on_resolved(void *context, const struct resolver_answer *answer)
{
	struct page *page = context;
	struct sockaddr_storage address;

	page->wait = NULL;		/* it is used up */
	if (answer->count == 0) {
		page_conclude(page, "its name has no address");
		return;
	}
	address = answer->addresses[0];
	connect_to(page, &address);
}

static void
resolve(struct page *page, struct bytes host)
{
	struct resolver_wait *wait;

	page->state = PAGE_RESOLVING;
	if (page->name == NULL)
		page->name = resolver_hold(page->worker->resolver, host);
	if (page->name == NULL) {
		page_conclude(page, strerror(errno));
		return;
	}
	if (!resolver_answer(page->name)->is_pending) {
		on_resolved(page, resolver_answer(page->name));
		return;
	}
	wait = resolver_wait(page->name, on_resolved, page);
	if (page->state == PAGE_RESOLVING)
		page->wait = wait;
}

static bool
read_address(struct bytes host, struct sockaddr_storage *address_r)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)address_r;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)address_r;
	char text[INET6_ADDRSTRLEN];

	memset(address_r, 0, sizeof(*address_r));
	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.data, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	else
		return false;
	return true;
}

/* "http://host:port/path?query" as what is asked of whom. */
static bool
split_url(struct page *page, struct backend_url *url_r)
{
	static const struct bytes scheme = BYTES_LITERAL("http://");
	struct bytes url = bytes_of(page->url);
	const char *slash;

	if (!bytes_start_with(url, scheme))
		return false;
	page->authority = bytes_slice(url.data + scheme.len,
	    url.len - scheme.len);
	page->path = bytes_of("/");
	slash = memchr(page->authority.data, '/', page->authority.len);
	if (slash != NULL) {
		page->path = bytes_of(slash);
		page->authority.len = (size_t)(slash - page->authority.data);
	}
	return url_parse_backend(bytes_slice(url.data,
	    scheme.len + page->authority.len), url_r) == NULL;
}

void
page_fetch(struct page *page)
{
	struct worker *worker = page->worker;
	struct sockaddr_storage address;
	struct backend_url url;

	if (!split_url(page, &url)) {
		page_conclude(page, "it is no http:// URL");
		return;
	}
	page->port = url.port;
	memset(&page->text.scan, 0, sizeof(page->text.scan));
	buf_printf(&page->request, "GET %.*s HTTP/1.1\r\nHost: %.*s\r\n"
	    "User-Agent: sluice\r\nAccept: */*\r\nConnection: close\r\n\r\n",
	    BYTES_ARGS(page->path), BYTES_ARGS(page->authority));
	if (page->request.is_failed) {
		page_conclude(page, "out of memory");
		return;
	}
	ev_timer_set(&page->timer, PAGE_TIMEOUT_MS / 1000.0, 0.0);
	ev_timer_start(worker->loop, &page->timer);
	if (read_address(url.host, &address))
		connect_to(page, &address);
	else
		resolve(page, url.host);
}

void
page_fetch_init(struct page *page)
{
	page->fd = -1;
	ev_init(&page->io, on_io);
	ev_init(&page->timer, on_timer);
	page->io.data = page->timer.data = page;
}
