/*
 * ctl/client.h - one request to the admin API, one answer, blocking.
 *
 * sluicectl is a program for a person or a script at a prompt: it may
 * wait, but never longer than the time-out it was given.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdint.h>

#include "common/buf.h"
#include "common/compat.h"

enum client_result {
	CLIENT_ANSWERED,		/* whatever the status */
	CLIENT_UNREACHABLE,
	CLIENT_TIMED_OUT,
};

struct client_request {
	const char *address;		/* "unix:/path", "/path", "host:port" */
	const char *method;
	const char *target;		/* path and query, encoded */
	struct bytes body;		/* JSON; empty: none */
	int64_t timeout_ms;		/* for all of it */
};

struct client_answer {
	unsigned int status;
	struct buf body;		/* the caller's, to be freed */
	char error[256];		/* unless CLIENT_ANSWERED */
	char stale[256];		/* instances not waited for; "" */
};

enum client_result client_ask(const struct client_request *,
    struct client_answer *answer_r);

/* Takes a piece of a body; false: enough. */
typedef bool client_take_fn(void *context, struct bytes piece);

/*
 * Asks, and hands the body over as it comes, for as long as it comes;
 * timeout_ms is for the head alone.  An answer that is not 200 is left in
 * answer_r.
 */
enum client_result client_follow(const struct client_request *,
    client_take_fn *, void *context, struct client_answer *answer_r);

/* Appends text, percent-encoded for use in a query or a path segment. */
void client_encode(struct buf *, struct bytes text);

#endif
