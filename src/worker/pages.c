/*
 * worker/pages.c - maintenance pages that stand elsewhere.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/pages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "http/chunked.h"
#include "http/url.h"
#include "worker/exchange.h"
#include "worker/refusals.h"

#define PAGE_BYTES_MAX	 49152		/* an own answer fits a buffer */
#define PAGE_FRESH_MS	 1000
#define PAGE_UNUSED_MS	 60000
#define PAGE_TIMEOUT_MS	 3000
#define PAGE_READ_STEP	 4096

enum page_state {
	PAGE_EMPTY,			/* never fetched, or no good */
	PAGE_RESOLVING,
	PAGE_CONNECTING,
	PAGE_SENDING,
	PAGE_READING,
	PAGE_FULL,
};

struct page {
	LIST_ENTRY(page) entry;
	struct worker *worker;
	char *url;
	enum page_state state;
	struct instant fetched, used;
	struct exchange_list waiting;

	/* fetching */
	uint16_t port;
	struct bytes authority, path;	/* of url */
	struct resolver_name *name;
	struct resolver_wait *wait;
	int fd;
	ev_io io;
	ev_timer timer;
	struct buf request, input;
	struct http_head_scan scan;

	/* what came of it */
	bool is_good;
	struct page_answer answer;
	struct buf body, fields, content_type;
};

struct pages {
	struct worker *worker;
	LIST_HEAD(, page) list;
};

struct pages *
pages_new(struct worker *worker)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	if (pages != NULL)
		pages->worker = worker;
	return pages;
}

/* The end of a fetch ----------------------------------------------------- */

static void
stop(struct page *page)
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
	buf_free(&page->input);
}

static void
give(struct page *page, struct exchange *exchange)
{
	if (page->is_good)
		exchange_answer_page(exchange, &page->answer);
	else
		exchange_refuse(exchange,
		    refusal_of_route(REFUSED_MAINTENANCE));
}

static void
conclude(struct page *page, const char *fault)
{
	struct exchange *exchange;

	stop(page);
	page->is_good = fault == NULL;
	page->state = page->is_good ? PAGE_FULL : PAGE_EMPTY;
	page->fetched = page->worker->now;
	if (fault != NULL)
		log_notice("maintenance page %s: %s: the built-in page "
		    "serves", page->url, fault);
	while ((exchange = TAILQ_FIRST(&page->waiting)) != NULL) {
		pages_leave(exchange);
		give(page, exchange);
	}
}

/* Reading ---------------------------------------------------------------- */

static bool
decode_chunked(struct page *page, struct bytes rest)
{
	struct http_chunked chunked = { 0 };
	struct bytes data;
	size_t used;

	for (;;) {
		switch (http_chunked_decode(&chunked, rest.data, rest.len,
		    &used, &data)) {
		case HTTP_CHUNKED_DATA:
			buf_append(&page->body, data);
			break;
		case HTTP_CHUNKED_TRAILER:
			break;
		case HTTP_CHUNKED_DONE:
			return true;
		case HTTP_CHUNKED_MORE:
		case HTTP_CHUNKED_FAULT:
			return false;
		}
		rest = bytes_slice(rest.data + used, rest.len - used);
	}
}

/* Takes the body out of what stands behind the head; false while it is
 * not all here. */
static bool
take_body(struct page *page, const struct http_response *response,
    struct bytes rest, bool is_end)
{
	page->body.len = 0;
	switch (response->body) {
	case HTTP_BODY_NONE:
		return true;
	case HTTP_BODY_LENGTH:
		if (rest.len < response->content_length)
			return false;
		rest.len = response->content_length;
		break;
	case HTTP_BODY_CHUNKED:
		return decode_chunked(page, rest);
	case HTTP_BODY_CLOSE:
		if (!is_end)
			return false;
		break;
	}
	buf_append(&page->body, rest);
	return true;
}

static void
keep_field(struct page *page, const struct http_response *response,
    const char *name)
{
	const struct http_field *field = http_field_find_name(
	    &response->fields, bytes_of(name));

	if (field != NULL)
		buf_printf(&page->fields, "%s: %.*s\r\n", name,
		    BYTES_ARGS(field->value));
}

static void
keep_answer(struct page *page, const struct http_response *response)
{
	const struct http_field *type = http_field_find_name(
	    &response->fields, bytes_of("content-type"));

	page->fields.len = page->content_type.len = 0;
	buf_append_text(&page->fields, "X-Maintenance-Mode: true\r\n");
	keep_field(page, response, "Location");
	keep_field(page, response, "Content-Language");
	keep_field(page, response, "Content-Encoding");
	if (type != NULL)
		buf_append(&page->content_type, type->value);
	else
		buf_append_text(&page->content_type, "text/html");
	if (page->body.len == 0)
		buf_append_text(&page->body, "\n");
	page->answer = (struct page_answer){
		.status = response->status,
		.body = buf_bytes(&page->body),
		.fields = buf_bytes(&page->fields),
		.content_type = buf_bytes(&page->content_type),
	};
}

/* Looks at what has arrived. */
static void
look(struct page *page, bool is_end)
{
	struct http_response *response = &page->worker->response;
	enum http_fault fault = HTTP_FAULT_NONE;
	struct bytes input = buf_bytes(&page->input);
	size_t end = 0;

	if (http_head_scan(&page->scan, input.data, input.len, false, &end,
	    &fault) == HTTP_SCAN_DONE) {
		fault = http_response_parse(bytes_slice(input.data, end),
		    HTTP_METHOD_GET, response);
		if (fault == HTTP_FAULT_NONE && response->status < 200)
			fault = HTTP_FAULT_STATUS_LINE;
		/* The scan begins anew when more has come. */
		memset(&page->scan, 0, sizeof(page->scan));
		if (fault == HTTP_FAULT_NONE && take_body(page, response,
		    bytes_slice(input.data + end, input.len - end), is_end)) {
			keep_answer(page, response);
			conclude(page, page->body.is_failed ||
			    page->fields.is_failed ||
			    page->content_type.is_failed ?
			    "out of memory" : NULL);
			return;
		}
	}
	if (fault != HTTP_FAULT_NONE)
		conclude(page, http_fault_text(fault));
	else if (is_end)
		conclude(page, "closed before its answer was complete");
	else if (input.len > PAGE_BYTES_MAX)
		conclude(page, "it is too large");
}

static void
read_more(struct page *page)
{
	ssize_t got;

	if (buf_reserve(&page->input, PAGE_READ_STEP) == -1) {
		conclude(page, "out of memory");
		return;
	}
	got = recv(page->fd, page->input.data + page->input.len,
	    PAGE_READ_STEP, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == -1) {
		conclude(page, strerror(errno));
		return;
	}
	page->input.len += (size_t)got;
	look(page, got == 0);
}

/* Asking ----------------------------------------------------------------- */

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
		conclude(page, strerror(errno));
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
		conclude(page, strerror(error));
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
	conclude(timer->data, "timed out");
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
		conclude(page, strerror(errno));
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
		conclude(page, "its name has no address");
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
		conclude(page, strerror(errno));
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

static void
fetch(struct page *page)
{
	struct worker *worker = page->worker;
	struct sockaddr_storage address;
	struct backend_url url;

	if (!split_url(page, &url)) {
		conclude(page, "it is no http:// URL");
		return;
	}
	page->port = url.port;
	memset(&page->scan, 0, sizeof(page->scan));
	buf_printf(&page->request, "GET %.*s HTTP/1.1\r\nHost: %.*s\r\n"
	    "User-Agent: sluice\r\nAccept: */*\r\nConnection: close\r\n\r\n",
	    BYTES_ARGS(page->path), BYTES_ARGS(page->authority));
	if (page->request.is_failed) {
		conclude(page, "out of memory");
		return;
	}
	ev_timer_set(&page->timer, PAGE_TIMEOUT_MS / 1000.0, 0.0);
	ev_timer_start(worker->loop, &page->timer);
	if (read_address(url.host, &address))
		connect_to(page, &address);
	else
		resolve(page, url.host);
}

/* Those who ask ---------------------------------------------------------- */

static struct page *
find_page(struct pages *pages, struct bytes url)
{
	struct page *page;

	LIST_FOREACH(page, &pages->list, entry)
		if (bytes_is(url, page->url))
			return page;
	if ((page = calloc(1, sizeof(*page))) == NULL)
		return NULL;
	if ((page->url = bytes_duplicate(url)) == NULL) {
		free(page);
		return NULL;
	}
	page->worker = pages->worker;
	page->fd = -1;
	TAILQ_INIT(&page->waiting);
	ev_init(&page->io, on_io);
	ev_init(&page->timer, on_timer);
	page->io.data = page->timer.data = page;
	LIST_INSERT_HEAD(&pages->list, page, entry);
	return page;
}

static bool
is_under_way(const struct page *page)
{
	return page->state != PAGE_EMPTY && page->state != PAGE_FULL;
}

bool
pages_answer(struct pages *pages, struct exchange *exchange,
    struct bytes url)
{
	struct page *page = find_page(pages, url);
	struct instant now = pages->worker->now;

	if (page == NULL)
		return false;
	page->used = now;
	if (!is_under_way(page) && page->fetched.ns != 0 &&
	    instant_diff_ms(now, page->fetched) < PAGE_FRESH_MS) {
		give(page, exchange);
		return true;
	}
	exchange->page = page;
	TAILQ_INSERT_TAIL(&page->waiting, exchange, page_entry);
	if (!is_under_way(page))
		fetch(page);
	return true;
}

void
pages_leave(struct exchange *exchange)
{
	if (exchange->page == NULL)
		return;
	TAILQ_REMOVE(&exchange->page->waiting, exchange, page_entry);
	exchange->page = NULL;
}

static void
free_page(struct page *page)
{
	stop(page);
	LIST_REMOVE(page, entry);
	if (page->name != NULL)
		resolver_release(page->worker->resolver, &page->name);
	buf_free(&page->body);
	buf_free(&page->fields);
	buf_free(&page->content_type);
	free(page->url);
	free(page);
}

void
pages_sweep(struct pages *pages, struct instant now)
{
	struct page *page, *next;

	for (page = LIST_FIRST(&pages->list); page != NULL; page = next) {
		next = LIST_NEXT(page, entry);
		if (TAILQ_EMPTY(&page->waiting) && !is_under_way(page) &&
		    instant_diff_ms(now, page->used) > PAGE_UNUSED_MS)
			free_page(page);
	}
}
