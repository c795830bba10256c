/*
 * worker/upstream.h - the backend's side of an exchange, over HTTP/1.
 *
 * A connection to a backend is connecting, busy with one exchange, or
 * idle in its backend's pool.  Nobody but upstream_*.c looks inside.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_UPSTREAM_H
#define WORKER_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/bytes.h"
#include "common/compat.h"
#include "daemon/resolver.h"
#include "http/chunked.h"
#include "http/head.h"
#include "worker/link.h"
#include "worker/wheel.h"

struct exchange;
struct upstream_pool;
struct worker;

enum upstream_failure {
	UPSTREAM_CONNECT_FAILED,
	UPSTREAM_CONNECT_TIMEOUT,
	UPSTREAM_UNRESOLVED,		/* its name has no address */
	UPSTREAM_CLOSED,		/* before an answer, or within it */
	UPSTREAM_TIMEOUT,
	UPSTREAM_PROTOCOL,		/* its answer is no HTTP */
};

/* was_stale: a kept-alive connection that brought no byte of an answer;
 * some_sent: bytes of the request may have arrived. */
struct upstream_report {
	enum upstream_failure failure;
	bool was_stale, some_sent;
};

enum upstream_state {
	UPSTREAM_RESOLVING,
	UPSTREAM_CONNECTING,
	UPSTREAM_AWAITS_HEAD,
	UPSTREAM_IN_BODY,
	UPSTREAM_IDLE,
	UPSTREAM_TUNNEL,		/* its link is lent */
	UPSTREAM_OVER,
};

struct upstream {
	struct link link;
	struct worker *worker;
	struct upstream_pool *pool;
	TAILQ_ENTRY(upstream) entry;	/* of the pool's idle ones */
	SLIST_ENTRY(upstream) unused;
	struct wheel_timer timer;
	enum upstream_state state;
	struct exchange *exchange;

	/* connecting */
	struct resolver_wait *wait;
	uint32_t addresses_tried;
	struct instant connect_deadline;

	/* this exchange */
	bool is_reused;
	bool is_write_broken;		/* it no longer reads; it may answer */
	bool is_blocked;		/* the client takes no more for now */
	bool has_trailers;		/* the request's were begun */
	uint32_t bytes_out_before;	/* link.bytes_out at its start */
	struct http_head_scan scan;
	struct http_chunked chunked;
	enum http_body body;
	uint64_t body_left;
	bool keeps_alive;
};

/* Finds or opens a connection to the exchange's chosen backend and sends
 * the request.  is_fresh: not a kept-alive one.  Failures, also at once,
 * come as exchange_upstream_failed(). */
void upstream_begin(struct exchange *, bool is_fresh);

/* The request's body; see exchange_request_*(). */
size_t upstream_request_room(struct upstream *);
size_t upstream_request_data(struct upstream *, struct bytes);
void upstream_request_trailer(struct upstream *, struct bytes line);
void upstream_request_end(struct upstream *);
void upstream_request_flush(struct upstream *);

/* The client takes more of the answer. */
void upstream_resume(struct upstream *);

/* Lets go of the exchange and closes. */
void upstream_abort(struct upstream *);

/* Lends the link to a tunnel; upstream_abort() ends that. */
struct link *upstream_lend_link(struct upstream *);

/* Between upstream_*.c --------------------------------------------------- */

watch_fn upstream_on_event;
wheel_fn upstream_on_timer;

/* Writes what waits, when the socket has room again. */
void upstream_write_waiting(struct upstream *);

/* Something moved: the backend's time starts anew. */
void upstream_touch_timer(struct upstream *);

/* The connect that was begun has ended, well or not. */
void upstream_connect_writable(struct upstream *);

/* Closes; the exchange and the idle list have let go of it before. */
void upstream_close(struct upstream *);

/* A connected stream, or a kept-alive one: sends the request's head. */
void upstream_send_request(struct upstream *);

/* Tells the exchange, and closes. */
void upstream_fail(struct upstream *, enum upstream_failure);

#endif
