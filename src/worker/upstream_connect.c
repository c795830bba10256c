/*
 * worker/upstream_connect.c - from a chosen backend to a connection.
 *
 *	kept alive? -> send
 *	else resolve -> connect -> send; the next address when one refuses
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"
#include "worker/exchange.h"
#include "worker/upstream.h"
#include "worker/upstream_pool.h"

static void connect_next(struct upstream *);

static struct upstream *
new_upstream(struct worker *worker, struct upstream_pool *pool)
{
	struct upstream *upstream = SLIST_FIRST(&worker->unused_upstreams);

	if (upstream != NULL)
		SLIST_REMOVE_HEAD(&worker->unused_upstreams, unused);
	else if ((upstream = malloc(sizeof(*upstream))) == NULL)
		return NULL;
	memset(upstream, 0, sizeof(*upstream));
	upstream->worker = worker;
	upstream->pool = pool;
	upstream->link.stream = stream_plain(-1);
	wheel_timer_init(&upstream->timer, upstream_on_timer);
	upstream_pool_count(worker, pool, 1);
	return upstream;
}

void
upstream_close(struct upstream *upstream)
{
	struct worker *worker = upstream->worker;

	if (upstream->state == UPSTREAM_OVER)
		return;
	upstream->state = UPSTREAM_OVER;
	if (upstream->wait != NULL)
		resolver_cancel(&upstream->wait);
	worker_remove_timer(worker, &upstream->timer);
	link_close(&upstream->link);
	upstream_pool_count(worker, upstream->pool, -1);
	SLIST_INSERT_HEAD(&worker->ended_upstreams, upstream, unused);
}

/* Opens a socket and starts to connect.  Returns 0 (connected),
 * EINPROGRESS, or why not. */
static int
start_connect(struct upstream *upstream, const struct sockaddr_storage *address,
    socklen_t len)
{
	struct worker *worker = upstream->worker;
	int one = 1, fd;

	fd = socket(address->ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return errno;
	if (address->ss_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
	link_open(&upstream->link, &worker->poller, &worker->buffers,
	    stream_plain(fd), upstream_on_event, upstream);
	stats_add(&worker->counters->upstream_connects, 1);
	if (connect(fd, (const struct sockaddr *)address, len) == 0)
		return 0;
	return errno;
}

static void
connected(struct upstream *upstream)
{
	exchange_upstream_connected(upstream->exchange);
	link_start_reading(&upstream->link);
	upstream_send_request(upstream);
}

/* How many addresses there are; *address_r is the one to try now. */
static uint32_t
pick_address(struct upstream *upstream, struct sockaddr_storage *address_r,
    socklen_t *len_r)
{
	struct upstream_pool *pool = upstream->pool;
	const struct resolver_answer *answer;
	uint16_t port = htons(pool->port);

	if (pool->name == NULL) {
		*address_r = pool->literal;
		*len_r = pool->literal_len;
		return 1;
	}
	answer = resolver_answer(pool->name);
	if (answer->count == 0)
		return 0;
	*address_r = answer->addresses[pool->next_address++ % answer->count];
	if (address_r->ss_family == AF_INET) {
		((struct sockaddr_in *)(void *)address_r)->sin_port = port;
		*len_r = sizeof(struct sockaddr_in);
	} else {
		((struct sockaddr_in6 *)(void *)address_r)->sin6_port = port;
		*len_r = sizeof(struct sockaddr_in6);
	}
	return answer->count;
}

static void
connect_next(struct upstream *upstream)
{
	struct sockaddr_storage address;
	socklen_t len = 0;
	uint32_t count;
	int error;

	for (;;) {
		count = pick_address(upstream, &address, &len);
		if (count == 0) {
			upstream_fail(upstream, UPSTREAM_UNRESOLVED);
			return;
		}
		if (upstream->addresses_tried++ >= count)
			break;
		error = start_connect(upstream, &address, len);
		if (error == 0) {
			connected(upstream);
			return;
		}
		if (error == EINPROGRESS) {
			upstream->state = UPSTREAM_CONNECTING;
			link_start_writing(&upstream->link);
			return;
		}
		log_info("backend %llu: connect: %s",
		    (unsigned long long)upstream->pool->backend_id,
		    strerror(error));
		link_close(&upstream->link);
	}
	upstream_fail(upstream, UPSTREAM_CONNECT_FAILED);
}

void
upstream_connect_writable(struct upstream *upstream)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(upstream->link.stream.fd, SOL_SOCKET, SO_ERROR, &error,
	    &len) == -1)
		error = errno;
	if (error == 0) {
		link_stop_writing(&upstream->link);
		connected(upstream);
		return;
	}
	log_info("backend %llu: connect: %s",
	    (unsigned long long)upstream->pool->backend_id, strerror(error));
	link_close(&upstream->link);
	connect_next(upstream);
}

static void
on_resolved(void *context, const struct resolver_answer *answer)
{
	struct upstream *upstream = context;

	upstream->wait = NULL;		/* it is used up */
	if (answer->count == 0)
		log_info("backend %llu: %s: %s",
		    (unsigned long long)upstream->pool->backend_id,
		    upstream->pool->host,
		    answer->error == NULL ? "no address" : answer->error);
	connect_next(upstream);
}

static void
resolve_and_connect(struct upstream *upstream)
{
	struct resolver_name *name = upstream->pool->name;
	struct resolver_wait *wait;

	if (name == NULL || !resolver_answer(name)->is_pending) {
		connect_next(upstream);
		return;
	}
	upstream->state = UPSTREAM_RESOLVING;
	wait = resolver_wait(name, on_resolved, upstream);
	if (upstream->state == UPSTREAM_RESOLVING)
		upstream->wait = wait;
}

/*
 * Whether a kept-alive connection still stands, asked of the kernel: for
 * requests that must not be sent twice.
 */
static bool
still_stands(const struct upstream *upstream)
{
	char byte;

	return recv(upstream->link.stream.fd, &byte, 1,
	    MSG_PEEK | MSG_DONTWAIT) == -1 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK);
}

static struct upstream *
take_kept(struct exchange *exchange, struct upstream_pool *pool)
{
	struct worker *worker = exchange->worker;
	bool may_repeat =
	    http_method_is_idempotent(exchange->request.method_id);
	struct upstream *upstream;

	while ((upstream = upstream_pool_take(worker, pool)) != NULL) {
		if (may_repeat || still_stands(upstream))
			return upstream;
		upstream_close(upstream);
	}
	return NULL;
}

static int64_t
connect_timeout_ms(const struct exchange *exchange)
{
	const struct routed_service *service = exchange->choice.service;

	return service->spec.connect_timeout_ms > 0 ?
	    service->spec.connect_timeout_ms :
	    exchange->worker->settings->http.connect_timeout_ms;
}

void
upstream_begin(struct exchange *exchange, bool is_fresh)
{
	static const struct upstream_report no_memory = {
		.failure = UPSTREAM_CONNECT_FAILED,
	};
	struct worker *worker = exchange->worker;
	struct upstream_pool *pool;
	struct upstream *upstream = NULL;

	pool = upstream_pools_get(worker->pools, exchange->choice.backend);
	if (pool != NULL && !is_fresh &&
	    (upstream = take_kept(exchange, pool)) != NULL) {
		upstream->exchange = exchange;
		exchange->upstream = upstream;
		upstream->is_reused = true;
		stats_add(&worker->counters->upstream_reuses, 1);
		upstream_send_request(upstream);
		return;
	}
	if (pool == NULL || (upstream = new_upstream(worker, pool)) == NULL) {
		exchange_upstream_failed(exchange, &no_memory);
		return;
	}
	upstream->exchange = exchange;
	exchange->upstream = upstream;
	worker_set_timer(worker, &upstream->timer,
	    connect_timeout_ms(exchange));
	resolve_and_connect(upstream);
}
