/*
 * daemon/resolver.h - host names to addresses, without blocking (c-ares).
 *
 * A name that is asked for once is kept and asked again in the
 * background, at the pace of its TTL (1 s .. 60 s), while somebody holds
 * it.  A failed or empty answer changes nothing: the last good one is
 * kept.  Address literals and unix paths need no resolver.
 */
/* SPDX-License-Identifier: ISC */
#ifndef DAEMON_RESOLVER_H
#define DAEMON_RESOLVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/bytes.h"
#include "common/compat.h"

#define RESOLVER_ADDRESSES_MAX 16

struct resolver;
struct resolver_name;

/* The port of each is 0. */
struct resolver_answer {
	struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
	uint32_t count;			/* 0: none yet */
	uint32_t version;		/* changes with the addresses */
	bool is_pending;		/* the first answer is not here yet */
	const char *error;		/* of the latest try; NULL: good */
};

/* NULL with errno. */
struct resolver *resolver_new(struct ev_loop *);
void resolver_free(struct resolver **);

/* A counted reference to a name; NULL when out of memory. */
struct resolver_name *resolver_hold(struct resolver *, struct bytes host);
void resolver_release(struct resolver *, struct resolver_name **);

/* What is known now; good until the loop turns. */
const struct resolver_answer *resolver_answer(const struct resolver_name *);

/* Called once, when the first answer (or failure) is here.  At once if it
 * is here already.  resolver_cancel() takes the wish back. */
typedef void resolver_fn(void *context, const struct resolver_answer *);
struct resolver_wait;
struct resolver_wait *resolver_wait(struct resolver_name *, resolver_fn *,
    void *context);
void resolver_cancel(struct resolver_wait **);

#endif
