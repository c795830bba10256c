/*
 * healthd/attempt.h - one probe: a connection, and perhaps a request.
 *
 * Never blocks; one descriptor and one timer.  The outcome is always
 * told later, from the loop, never from inside attempt_start().
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_ATTEMPT_H
#define HEALTHD_ATTEMPT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/bytes.h"
#include "common/compat.h"

struct attempt;

struct attempt_request {
	struct sockaddr_storage address;
	socklen_t address_len;
	int64_t timeout_ms;		/* for all of it */
	bool is_http;			/* false: a connect is enough */
	struct bytes path, host;	/* borrowed for the call */
	uint16_t status_min, status_max;
};

struct attempt_outcome {
	bool is_answered;
	bool is_judged;			/* false: we could not even ask (out of
					 * descriptors or ports) */
	bool is_connected;		/* it got that far */
	int error;			/* errno; 0: none */
	uint32_t status;		/* of HTTP; 0: none */
	char reason[64];		/* "connect: Connection refused" */
};

/* The attempt is over, and freed behind the call. */
typedef void attempt_done_fn(void *context, const struct attempt_outcome *);

/* NULL when out of memory. */
struct attempt *attempt_start(struct ev_loop *, const struct attempt_request *,
    attempt_done_fn *, void *context);

/* Ends it untold; *p becomes NULL.  A NULL *p is allowed. */
void attempt_cancel(struct attempt **);

#endif
