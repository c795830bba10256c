/*
 * worker/client.h - a connection of a client, over HTTP/1.
 *
 *	WAITING   between requests, no byte of the next one yet
 *	IN_HEAD   a head is arriving
 *	BUSY      an exchange runs; bytes of the next request stay in `in`
 *	ENDING    its answer is complete, and still being written
 *	TUNNEL    the link is lent
 *	LINGERING the last answer is written; what still comes is dropped,
 *	          so that the answer is not lost to a reset
 *
 * One request at a time: answers leave in order.  The head of a request
 * stays at the front of `in` until its exchange is finished.
 *
 * There may be very many that wait, so what only a running request needs
 * is kept in its exchange.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_CLIENT_H
#define WORKER_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http/forward.h"
#include "worker/link.h"
#include "worker/wheel.h"
#include "worker/worker.h"

enum client_state {
	CLIENT_WAITING,
	CLIENT_IN_HEAD,
	CLIENT_BUSY,
	CLIENT_ENDING,
	CLIENT_TUNNEL,
	CLIENT_LINGERING,
	CLIENT_OVER,
};

struct client {
	struct link link;
	struct worker *worker;
	union {
		TAILQ_ENTRY(client) entry; /* of the worker's clients */
		SLIST_ENTRY(client) unused; /* once it is over */
	};
	struct wheel_timer timer;
	enum client_state state;
	bool is_half_closed;		/* it sends no more;
					 * it may still read */
	bool is_processing;		/* its loop is up the stack */
	bool is_first;			/* no request was seen yet */
	bool is_seen;			/* by client_watch_new() */

	bool is_trusted;

	/* the request, see also struct client_course */
	bool is_body_complete;

	/* the answer */
	bool keeps_alive;
	bool is_chunked;
	bool has_trailers;

	uint32_t head_len;
	struct http_head_scan scan;
	struct exchange *exchange;

	/* who it is */
	uint32_t space;
	uint32_t trusted_version;	/* of the list that it was judged by */
	struct in6_addr address;	/* IPv4 mapped; ::, a unix socket */
	const struct bytes *listen_port; /* the listener's */
};

/* An accepted connection. */
struct client_origin {
	int fd;				/* becomes the client's own */
	const struct sockaddr_storage *address;
	const struct bytes *listen_port; /* good for ever */
	uint32_t space;
};

/* Closes fd when out of memory. */
void client_open(struct worker *, const struct client_origin *);

/* Once a tick: begins to watch those that came since the last one. */
void client_watch_new(struct worker *);

/* Closes those that have said nothing since their last answer. */
void client_close_idle(struct worker *);
/* Cuts everything that still runs, at the end of a drain. */
void client_cut_all(struct worker *);

/* Between client.c, client_h1.c and client_answer.c ---------------------- */

struct client_ops;
struct refusal;

/* How an exchange speaks to an HTTP/1 client. */
const struct client_ops *client_h1_ops(void);

/* Uses what has arrived. */
void client_process(struct client *);

/* Gives the exchange what has arrived of the request's body. */
void client_pump_body(struct client *);

/* Answers a head that never became whole. */
void client_refuse_unread(struct client *, const struct refusal *);

/* Drops what has arrived of the body.  True: that was all of it. */
bool client_discard_body(struct client *);

/* Gives the body from its start once more, if it is all here. */
bool client_rewind_body(struct client *);

/* The answer is written: the next request, or the end. */
void client_answer_done(struct client *);

/* The connection is broken; the exchange is told. */
void client_broken(struct client *);

/* Something is awaited of the client now: look each second. */
void client_watch_progress(struct client *);

/* The exchange has let go. */
void client_close(struct client *);

#endif
