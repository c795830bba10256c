/*
 * worker/refusals.h - the answers that sluice gives by itself.
 *
 * One row each: status, the stable word for logs and clients, what is
 * said to people, Retry-After.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_REFUSALS_H
#define WORKER_REFUSALS_H

#include <stdint.h>

#include "common/bytes.h"
#include "http/head.h"
#include "routing/router.h"
#include "worker/upstream.h"

struct refusal {
	unsigned int status;
	const char *word;		/* for log and client */
	const char *detail;
	uint32_t retry_after_s;
	const char *proxy_error;	/* RFC 9209, section 2.3 */
};

enum refusal_kind {
	REFUSAL_LOOP,			/* the request passed here before */
	REFUSAL_BODY_LARGE,
	REFUSAL_BODY_FRAMING,		/* a bad chunk */
	REFUSAL_HEAD_TIMEOUT,
	REFUSAL_BODY_TIMEOUT,
	REFUSAL_BODY_SLOW,
	REFUSAL_CONNECTIONS,		/* over max_connections */
	REFUSAL_QUEUE_TIMEOUT,
	REFUSAL_HEAD_OVERFLOW,		/* the head grew past its buffer */
	REFUSAL_SHUTDOWN,		/* cut at the end of a drain */
	REFUSAL_RATE_LIMITED,
	REFUSAL_WEBSOCKET,		/* the route takes none */
};

const struct refusal *refusal_of(enum refusal_kind);
/* Why no backend was chosen; not for REFUSED_NOT. */
const struct refusal *refusal_of_route(enum route_refusal);
const struct refusal *refusal_of_upstream(enum upstream_failure);

/* Fields and body that go with it, beyond what every own answer has. */
struct bytes refusal_extra_fields(const struct refusal *);
struct refusal_page {
	struct bytes body, content_type; /* empty: the common page */
};
struct refusal_page refusal_page(const struct refusal *, bool wants_json);

#endif
