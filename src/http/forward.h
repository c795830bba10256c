/*
 * http/forward.h - the head that goes on, made from the head that came.
 *
 * Pure: writes into the caller's buffer.  What sluice adds, drops and
 * replaces on its way through is decided here and nowhere else.
 *
 * Sources: RFC 9110 section 7.6, RFC 7239, RFC 9209.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_FORWARD_H
#define HTTP_FORWARD_H

#include "http/head.h"
#include "shm/route_spec.h"

/* A bounded output; is_full sticks. */
struct http_out {
	char *data;
	size_t len, size;
	bool is_full;
};

/* What is known of the client's connection, made once each. */
struct forward_peer {
	struct bytes address;		/* "192.0.2.7", "2001:db8::1" */
	struct bytes listen_port;	/* "8080" */
	bool is_trusted;		/* in trusted_proxies */
	bool is_tls;
};

struct forward_options {
	bool forwarded;			/* RFC 7239's Forwarded */
	bool traceparent;		/* start one where there is none */
};

struct forward_request {
	const struct http_request *request;
	const struct forward_peer *peer;
	const struct forward_options *options;
	struct bytes host;		/* for Host */
	struct bytes base_path;		/* of the backend */
	size_t strip_len;		/* bytes of path to leave out */
	struct bytes stripped_prefix;	/* for X-Forwarded-Prefix;
					 * may be empty */
	struct bytes request_id;
	const struct header_edit *edits; /* those of_request are obeyed */
	uint32_t edit_count;
	bool is_upgrade;		/* pass Upgrade and Connection:
					 * upgrade */
	bool continues;			/* pass Expect: 100-continue */
};

/*
 * Writes the request head for an HTTP/1.1 backend, its empty line too.
 * The body's framing is kept: Content-Length as it was, chunked made
 * anew (the caller re-encodes).
 */
void http_forward_request(const struct forward_request *, struct http_out *);

/* Whether "Via" shows that the request passed here before (508). */
bool http_forward_is_loop(const struct http_request *);

struct forward_response {
	const struct http_response *response;
	uint8_t client_minor;		/* version of the request: 0 or 1 */
	bool keeps_alive;		/* of the client's connection */
	bool is_chunked;		/* send it chunked: 1.1, and its
					 * length unknown */
	bool is_tunnel;			/* a 101 that is passed on */
	struct bytes request_id;
	struct bytes date;		/* IMF-fixdate, added if missing */
	struct bytes proxy_status;	/* empty: no field */
	struct bytes extra_fields;	/* whole lines with CRLF, or empty */
	const struct header_edit *edits; /* those not of_request are obeyed */
	uint32_t edit_count;
};

/* Writes the response head for the client, its empty line too.  An
 * informational (1xx) response is written with its fields and no more. */
void http_forward_response(const struct forward_response *, struct http_out *);

/* An answer of sluice's own: head and body at once. */
struct own_answer {
	unsigned int status;
	const char *reason_word;	/* stable: "no_route" */
	const char *detail;		/* a sentence, or NULL */
	uint32_t retry_after_s;		/* 0: no field */
	bool wants_json;		/* see http_wants_json() */
	bool is_head;
	bool keeps_alive;
	struct bytes request_id, date;
	struct bytes extra_fields;	/* whole lines with CRLF, or empty */
	struct bytes body;		/* replaces the made one if not empty */
	struct bytes content_type;	/* of that body */
};

void http_forward_own(const struct own_answer *, struct http_out *);

/* By Accept: application/problem+json or application/json preferred over
 * text (RFC 9110, section 12.5.1; quality values obeyed). */
bool http_wants_json(const struct http_fields *);

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define HTTP_DATE_SIZE 30
void http_format_date(int64_t unix_s, char date[HTTP_DATE_SIZE]);

#endif
