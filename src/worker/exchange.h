/*
 * worker/exchange.h - one request and its answer, from end to end.
 *
 * The exchange stands between the client's side and the backend's.  It
 * does not know in which version of HTTP a request came: the client's
 * side is a row of operations.  It decides where the request goes, what
 * is tried again, what is counted and what is logged.
 *
 * Life: the client's side makes it with exchange_new(), fills in the
 * request and calls exchange_begin().  It ends with exchange_finish(),
 * called by the client's side when the answer is written, or when there
 * is nobody to write it to.  Its memory goes when the loop turns, so a
 * caller up the stack may still look at is_over.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_EXCHANGE_H
#define WORKER_EXCHANGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/clock.h"
#include "http/chunked.h"
#include "http/forward.h"
#include "http/head.h"
#include "routing/router.h"
#include "shm/worker_stats.h"
#include "worker/upstream.h"
#include "worker/wheel.h"
#include "worker/worker.h"

struct limit_verdict;
struct link;
struct page;
struct refusal;
struct tunnel;

#define EXCHANGE_TRIES_MAX	2	/* backends asked for one request */
#define EXCHANGE_REQUEST_ID_MAX 128

/* What the exchange asks of the side that speaks with the client.  Any
 * of these may end the exchange: look at is_over behind a call. */
struct client_ops {
	size_t client_bytes;		/* what the client's object is long */
	/* An informational answer (1xx), then the final head. */
	void (*informational)(void *client, const struct http_response *);
	void (*head)(void *client, const struct http_response *);
	/* How much body can be taken for certain. */
	size_t (*room)(void *client);
	/* Returns what was taken of the body. */
	size_t (*data)(void *client, struct bytes);
	/* One line, with its CRLF. */
	void (*trailer)(void *client, struct bytes line);
	/* The answer is complete. */
	void (*end)(void *client);
	/* Writes what the above have gathered. */
	void (*flush)(void *client);
	/* A whole answer of our own; keeps_alive is the client's to fill. */
	void (*own)(void *client, struct own_answer *);
	/* The answer can not be completed. */
	void (*cut)(void *client);
	/* The backend can take the request's body, or more of it. */
	void (*resume)(void *client);
	/* Gives the body from its start again.  False: it is lost. */
	bool (*rewind)(void *client);
	/* The 101 is to be forwarded: *link_r is lent to a tunnel, with the
	 * head in its output, until the exchange is finished. */
	struct link *(*tunnel)(void *client, const struct http_response *);
};

/* What the log tells of the request's own bytes. */
struct exchange_told {
	struct bytes method, target, host, referer, user_agent;
};

/* What the client's side keeps of its connection while a request runs. */
struct client_course {
	struct http_chunked chunked;
	uint64_t body_left;		/* HTTP_BODY_LENGTH */
	/* progress, looked at once a second where something is awaited */
	struct instant progress_at, window_at;
	uint32_t progress_bytes, window_bytes;
};

struct exchange {
	struct worker *worker;
	SLIST_ENTRY(exchange) unused;
	TAILQ_ENTRY(exchange) queue_entry, page_entry;
	struct page *page;		/* of maintenance, that it waits for */
	bool is_over, is_queued;
	bool has_request;		/* one that could be read */
	bool has_line;			/* its first words, for the log */

	/* the client's side */
	const struct client_ops *ops;
	void *client;
	struct client_course course;
	struct forward_peer peer;
	struct in6_addr client_address;
	uint32_t space;			/* of the listener */

	/* where it goes */
	struct route_query query;
	struct route_choice choice;
	struct upstream *upstream;
	struct tunnel *tunnel;
	uint32_t tried[EXCHANGE_TRIES_MAX];
	uint32_t tries;
	struct backend_stats *stats;	/* choice.backend's, since the try
					 * began */
	bool is_trying;			/* counted there */
	bool is_trial_open;		/* choice.is_trial, outcome not told */
	bool is_stale_replayed;		/* an old connection failed it once */
	bool holds_retry;		/* of the budget */
	struct wheel_timer queue_timer;

	/* how far it got */
	bool is_request_complete;	/* all its body went on */
	bool is_answer_seen;		/* a byte of this try's answer came */
	bool is_answer_started;		/* a final head went to the client */
	bool is_answer_complete;
	bool tells_limit;		/* the answer has the fields of it */
	uint64_t body_in, body_out;	/* bytes */
	uint64_t head_in, head_out;

	/* what is told of it */
	struct instant started, opened, sent; /* opened: the latest try */
	int64_t started_wall_ms;
	int64_t connect_us, first_byte_us; /* -1: never came to it */
	unsigned int status;
	const char *reason;		/* stable word, or NULL */
	struct exchange_told *kept;	/* a copy, where the head goes first */
	struct bytes request_id;

	/* from here on: large, and filled by who uses it */
	struct limit_told {
		uint32_t requests, remaining;
		int64_t reset_ms;
	} limit;
	char request_id_text[EXCHANGE_REQUEST_ID_MAX];
	char client_text[INET6_ADDRSTRLEN]; /* peer.address */
	struct http_request request;
};

/* What every exchange touches of itself, its fields left out. */
#define EXCHANGE_HOT_BYTES offsetof(struct exchange, request.host_buf)

/* NULL when out of memory. */
struct exchange *exchange_new(struct worker *);


/* Decides and starts.  request, ops, client, peer and such are set. */
void exchange_begin(struct exchange *);

/* Answers a request that could not be read: malformed, or too late.  head
 * is what there is of it, for the log. */
void exchange_refuse_fault(struct exchange *, enum http_fault,
    struct bytes head);
void exchange_refuse_unread(struct exchange *, const struct refusal *,
    struct bytes head);

/* An answer of our own with its reason, where none was started yet (else
 * the client's connection is cut).  The backend is let go. */
void exchange_refuse(struct exchange *, const struct refusal *);

/* The fields of a limit, whole lines. */
#define EXCHANGE_LIMIT_FIELDS_SIZE 160
struct bytes exchange_limit_fields(const struct exchange *,
    char text[EXCHANGE_LIMIT_FIELDS_SIZE]);

/* A maintenance page that was fetched. */
struct page_answer {
	unsigned int status;
	struct bytes body, content_type;
	struct bytes fields;		/* whole lines with CRLF */
};
void exchange_answer_page(struct exchange *, const struct page_answer *);

/* From the client's side ----------------------------------------------- */

/* How much of the request's body can be taken for certain. */
size_t exchange_request_room(struct exchange *);
/* Returns what was taken. */
size_t exchange_request_data(struct exchange *, struct bytes);
void exchange_request_trailer(struct exchange *, struct bytes line);
void exchange_request_end(struct exchange *);
/* Writes what the above have gathered. */
void exchange_request_flush(struct exchange *);
/* The client takes more of the answer. */
void exchange_answer_resume(struct exchange *);
/* The client left: 499; the backend is dropped. */
void exchange_client_gone(struct exchange *);
/* Counts, logs and ends it. */
void exchange_finish(struct exchange *);

/* From the backend's side ---------------------------------------------- */

/* The backend's side has let go already. */
void exchange_upstream_failed(struct exchange *,
    const struct upstream_report *);
void exchange_upstream_connected(struct exchange *);
/* A head of the backend; false when the exchange ended or was handed to
 * a tunnel by it. */
bool exchange_answer_head(struct exchange *, const struct http_response *);
/* The backend's side has let go already. */
void exchange_answer_end(struct exchange *);

/* Between exchange*.c ---------------------------------------------------- */

void exchange_take_request_id(struct exchange *);
/* Asks the chosen backend. */
void exchange_try(struct exchange *, bool is_fresh);
/* Lets the backend go, whatever it is doing. */
void exchange_drop_upstream(struct exchange *);
/* Answers that no backend was chosen, and why. */
void exchange_refuse_route(struct exchange *);
/* 429, as of a limit's verdict. */
void exchange_refuse_limited(struct exchange *,
    const struct limit_verdict *);
/* Waits for a backend that is busy, for a while.  False: may not wait. */
bool exchange_join_queue(struct exchange *);
void exchange_leave_queue(struct exchange *);
/* Starts those that find a backend now. */
void exchange_serve_queue(struct worker *);

/* Counting and logging (exchange_record.c) ------------------------------- */

void exchange_count_try(struct exchange *);
void exchange_count_try_over(struct exchange *);
void exchange_count_failure(struct exchange *, enum upstream_failure);
/* A trial that led to nothing is another's to make. */
void exchange_return_trial(struct exchange *);
/* A tunnel was opened to its backend (1), or is gone (-1). */
void exchange_count_tunnel(struct exchange *, int32_t change);
void exchange_count_answer(struct exchange *, const struct http_response *);
void exchange_record(struct exchange *);

/* Copies what the log will tell, for a request that outlives the buffer
 * of its head.  0, or -1 when out of memory. */
MUST_CHECK int exchange_keep_told(struct exchange *);

#endif
