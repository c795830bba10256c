/*
 * registryd/admin_parts.h - shared by admin_server.c, admin_connection.c,
 * admin_read.c and admin_reply.c only.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_ADMIN_PARTS_H
#define REGISTRYD_ADMIN_PARTS_H

#include <sys/queue.h>

#include "http/chunked.h"
#include "registryd/admin_server.h"

#define ADMIN_LISTENERS_MAX  64
#define ADMIN_BODY_TIMEOUT_S 60.0	/* between two pieces of it */

struct admin_listener {
	struct admin_server *server;
	ev_io readable;
};

struct admin_server {
	struct ev_loop *loop;
	admin_handle_fn *handle;
	void *context;
	struct admin_listener listeners[ADMIN_LISTENERS_MAX];
	uint32_t listener_count;
	ev_timer accept_again;		/* after EMFILE */
	LIST_HEAD(, admin_connection) connections;
	LIST_HEAD(, admin_connection) closed; /* freed one loop later */
	ev_timer sweep;
	uint32_t connection_count;
	uint64_t body_limit_bytes;
	bool is_draining;
	void (*on_idle)(void *context);
	void *idle_context;
};

enum admin_state {
	ADMIN_HEAD,			/* waits for a head, or its rest */
	ADMIN_BODY,			/* waits for a body's rest */
	ADMIN_ANSWERING,		/* the handler has the request */
	ADMIN_CLOSING,			/* writes what is left, then closes */
};

struct admin_connection {
	LIST_ENTRY(admin_connection) of_server;
	struct admin_server *server;
	enum admin_state state;
	int fd;
	ev_io readable, writable;
	ev_timer timer;			/* head, body, idle, or write */
	struct buf in, out;
	struct http_head_scan scan;
	struct http_chunked chunked;
	uint64_t body_left;
	struct admin_request *request;	/* in ADMIN_BODY and _ANSWERING */
	bool keeps_alive;
	bool is_busy;			/* in the loop over pipelined
					 * requests */
	char who[64], from[80];
};

/* admin_connection.c */
void connection_open(struct admin_server *, int fd);
void connection_close(struct admin_connection *);
/* Part of a streamed answer is in out. */
void connection_stream(struct admin_connection *);
/* The answer is in out: goes on with what comes next. */
void connection_answered(struct admin_connection *);
/* For so long; 0: it stops. */
void connection_set_timer(struct admin_connection *, double span_s);

/* admin_read.c */
/* Goes on with a head or a body, and hands a whole request over.  false:
 * nothing more can be done with what has arrived. */
bool connection_read_request(struct admin_connection *);

/* admin_reply.c */
void request_free(struct admin_request *);
/* An answer to what was no request. */
void reply_fault(struct admin_connection *, unsigned int status,
    const char *word, const char *detail);

#endif
