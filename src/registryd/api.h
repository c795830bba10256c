/*
 * registryd/api.h - the admin API: which handler answers what.
 *
 * The endpoints are rows of one table (api_rows.c): method, path,
 * handler, and what /openapi.json says of them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_API_H
#define REGISTRYD_API_H

#include "common/compat.h"
#include "registryd/admin_server.h"

struct registry;

typedef void api_handle_fn(struct registry *, struct admin_request *);

struct api_row {
	const char *method;		/* "GET"; HEAD is answered by it, too */
	const char *path;		/* "/v1/services/{name}" */
	api_handle_fn *handle;
	const char *query;		/* parameters known: "limit cursor";
					 * NULL: none; those of all writes
					 * apart */
	const char *body;		/* schema of the body; NULL: none */
	const char *answer;		/* the good answer's schema, or NULL */
	unsigned int status;		/* of the good answer */
	bool is_write;			/* takes dry_run, and what waits */
	const char *summary;
};

const struct api_row *api_rows(size_t *count_r);

/* admin_handle_fn; context is the registry. */
void api_handle(void *context, struct admin_request *);

/*
 * A query parameter, decoded, in the request's arena.  Returns false when
 * it is not there.  *next (0 at first) walks those of equal names.
 */
bool api_query(struct admin_request *, const char *name, uint32_t *next,
    struct bytes *value_r);
/* A flag: absent false; present without value, or "true": true. */
bool api_query_flag(struct admin_request *, const char *name);

/* A segment of the path that must be an id; 0 when it is none. */
uint64_t api_id(const struct admin_request *, uint32_t segment);

/* Decodes %XX into the arena; false on a bad escape or NUL. */
bool api_decode(struct arena *, struct bytes text, bool plus_is_space,
    struct bytes *decoded_r);

/* Appends text as a segment of a path: %XX for all but unreserved. */
void api_encode(struct buf *, struct bytes text);

void api_reply_problem(struct admin_request *, unsigned int status,
    const char *word, const char *format, ...) PRINTF_LIKE(4, 5);

/* The text as JSON; text NULL: out of memory. */
void api_reply_text(struct admin_request *, unsigned int status, char *text);

/*
 * Whether If-Match or If-None-Match forbid going on with an object of
 * that version (0: there is none).  Returns 0, or -1 with *problem
 * (412).
 */
MUST_CHECK int api_check_match(const struct admin_request *, uint64_t version,
    struct problem *);

/* GET's If-None-Match: answers 304 and returns true. */
bool api_reply_not_modified(struct admin_request *, uint64_t version);

#endif
