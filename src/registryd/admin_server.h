/*
 * registryd/admin_server.h - HTTP/1.1 for the admin API.
 *
 * Listeners and connections, up to a whole request; what it means is the
 * handler's business (registryd/api.h).  One request of a connection is
 * with the handler at a time; pipelined ones wait in the connection's
 * buffer.  Bounded: connections, head, body, time.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_ADMIN_SERVER_H
#define REGISTRYD_ADMIN_SERVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/compat.h"
#include "http/head.h"
#include "registryd/problem.h"

#define ADMIN_CONNECTIONS_MAX 1024
#define ADMIN_SEGMENTS_MAX    8

struct admin_server;
struct admin_connection;

/* One request, from its last byte until admin_reply(). */
struct admin_request {
	struct http_request http;
	struct bytes body;
	struct arena arena;		/* for what belongs to the request */
	char who[64], from[80], id[64];	/* for the log and history */

	/* what registryd/api.c finds */
	struct bytes segments[ADMIN_SEGMENTS_MAX]; /* decoded */
	const struct api_row *row;

	/* Takes the answer, which is to be given later, and returns true;
	 * asked once.  Texts are borrowed, but for content_type, which is
	 * static.  NULL: nobody does. */
	bool (*hold)(void *context, struct admin_request *,
	    unsigned int status, const char *content_type, struct bytes body);
	void *hold_context;

	/* what follows is the server's own */
	struct admin_connection *connection; /* NULL: the client left */
	void (*gone)(void *context);	/* a stream's; NULL: it is none */
	void *gone_context;
	struct buf fields;		/* of the answer: whole lines */
	char *head;
	struct buf body_buf;
};

/* Sees to it that admin_reply*() is called exactly once, now or later. */
typedef void admin_handle_fn(void *context, struct admin_request *);

MUST_CHECK int admin_server_new(struct ev_loop *, admin_handle_fn *,
    void *context, struct admin_server **server_r);
void admin_server_free(struct admin_server **);

/* The largest body that is taken; 16 MiB until said otherwise. */
void admin_server_set_body_limit(struct admin_server *, uint64_t bytes);

/* Accepts from fd, which becomes the server's own. 0 or -1 and errno. */
MUST_CHECK int admin_server_listen(struct admin_server *, int fd);

/* Stops accepting; idle connections are closed, others after their
 * answer. */
void admin_server_drain(struct admin_server *);
/* No connection is open; on_idle tells once, when draining. */
bool admin_server_is_idle(const struct admin_server *);
void admin_server_on_idle(struct admin_server *, void (*)(void *context),
    void *context);

/*
 * An answer that goes on: the head is sent at once, then what
 * admin_stream_write() gives, until the client leaves or sluice stops;
 * gone() is called then, exactly once, and the request is no more.
 */
typedef void admin_gone_fn(void *context);
void admin_stream_begin(struct admin_request *, const char *content_type,
    admin_gone_fn *gone, void *context);
/* A client that does not read loses its connection (and gone() comes
 * from within). */
void admin_stream_write(struct admin_request *, struct bytes);

/* Adds a field to the coming answer. */
void admin_add_field(struct admin_request *, const char *name,
    const char *format, ...) PRINTF_LIKE(3, 4);

/* Answers, and takes the request. content_type NULL: no body. */
void admin_reply(struct admin_request *, unsigned int status,
    const char *content_type, struct bytes body);
/* A JSON body, which is freed; 500 when it could not be made. */
void admin_reply_json(struct admin_request *, unsigned int status,
    struct buf *json);
void admin_reply_problem(struct admin_request *, const struct problem *);

#endif
