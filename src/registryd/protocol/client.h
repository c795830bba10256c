/*
 * registryd/protocol/client.h - one client of the registration
 * protocol: its socket, its lines, one command at a time.
 *
 *	lines -> parse -> command -> answer -> next line
 *
 * A command that cannot answer at once keeps the connection busy; what
 * follows waits in the buffer, so that answers come in order.  A
 * connection whose peer left while it was busy is freed once its command
 * is over.
 *
 * client.c has the lines, client_io.c the stream.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_CLIENT_H
#define REGISTRYD_PROTOCOL_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/json.h"
#include "daemon/stream.h"
#include "registryd/protocol/line.h"

struct protocol;
struct session;
struct tls_context;

struct client {
	LIST_ENTRY(client) of_protocol;
	struct protocol *protocol;
	struct session *session;	/* NULL: none (yet, or any more) */
	struct stream stream;		/* closed: the peer left */
	TAILQ_ENTRY(client) of_handshakes;
	bool is_shaking_hands;		/* on that list */
	ev_io io;
	ev_timer timer;			/* idle_timeout, a handshake's, or a
					 * close's rest */
	struct buf in, out;
	size_t scanned;			/* of in, without a line's end */
	struct buf text;		/* the line that is being carried out */
	struct protocol_line line;	/* slices of text */
	bool is_busy;			/* the command has not answered */
	bool is_waiting;		/* the command is to be tried again */
	bool is_reading;		/* there is room for more */
	bool is_ended;			/* the peer sends no more */
	bool is_closing;		/* no more commands */
	bool is_shutting;		/* the end waits for room to be said */
	bool is_shut;			/* our side is shut,
					 * theirs is awaited */
	bool is_advancing;
	bool is_local;			/* loopback, or a unix socket */
	char from[80];
};

/* tls NULL: a bare socket.  fd becomes the client's. */
void client_open(struct protocol *, int fd, const struct tls_context *tls);
/* At once, whatever is under way. */
void client_close(struct client *);
/* Only of a closed one that is not busy. */
void client_free(struct client *);
/* Tries again what waits, and goes on. */
void client_advance(struct client *);
/* Answers what was asked no more; closes when all is sent. */
void client_finish(struct client *);

/* Writes what there is, and goes on with a close that waits for it. */
void client_flush(struct client *);
/* Begins idle_timeout anew. */
void client_restart_idle(struct client *);
/* Reads on, or no more for the while. */
void client_read(struct client *, bool is_reading);

static inline bool
client_is_connected(const struct client *client)
{
	return client->stream.fd != -1;
}

/* Sends a line that was not asked for, "\n" added. */
void client_send(struct client *, struct bytes line);

/* Answers the command, and goes on with the next. */
void client_answer(struct client *, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* "ERROR|fault" */
void client_refuse(struct client *, const char *fault);
/* "WORD|json"; the buffer is freed. */
void client_answer_json(struct client *, const char *word,
    struct buf *json);

/* A writer whose texts can stand in an answer. */
static inline struct json_writer
client_writer(struct buf *buf)
{
	struct json_writer writer = json_writer(buf);

	writer.escapes_pipe = true;
	return writer;
}

#endif
