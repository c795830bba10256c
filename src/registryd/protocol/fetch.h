/*
 * registryd/protocol/fetch.h - one GET of a service's URL, on the loop.
 *
 * For BACKEND_TEST and the polls of maintenance: only the status of the
 * answer counts.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_FETCH_H
#define REGISTRYD_PROTOCOL_FETCH_H

#include <ev.h>

#include "common/bytes.h"
#include "common/compat.h"
#include "daemon/resolver.h"

struct fetch;

struct fetch_outcome {
	unsigned int status;		/* 0: no answer */
	const char *error;		/* a sentence, when there is none */
	int64_t took_ms;
};

/* The fetch is over and freed. */
typedef void fetch_done_fn(void *context, const struct fetch_outcome *);

/*
 * Begins to GET the URL (as url_parse_backend() takes it; an empty path
 * is "/").  done comes from the loop.  NULL with errno: ENOMEM, EINVAL
 * (no such URL).
 */
struct fetch *fetch_start(struct ev_loop *, struct resolver *,
    struct bytes url, int64_t timeout_ms, fetch_done_fn *, void *context);
/* done does not come any more; *p becomes NULL, and may be. */
void fetch_cancel(struct fetch **p);

#endif
