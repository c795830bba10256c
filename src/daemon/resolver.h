/*
 * daemon/resolver.h - host names to addresses, without blocking (c-ares).
 *
 * A name that is asked for once is kept and asked again in the
 * background, at the pace of its TTL (1 s .. 60 s), while somebody holds
 * it.  A failed or empty answer changes nothing: the last good one is
 * kept, and the question repeated after pauses that grow.  /etc/hosts
 * comes first.  Address literals are answered at once.
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

/* The port of each is 0.  IPv4 first, then IPv6, each in a fixed order:
 * servers like to rotate, and that is no change. */
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

/* Asks these servers, "127.0.0.1:5353,[::1]:53", in place of those of
 * resolv.conf(5).  Returns 0, or -1 if the list is malformed. */
MUST_CHECK int resolver_set_servers(struct resolver *, const char *servers);

/* A counted reference to a name; NULL with errno: ENOMEM, or EINVAL when
 * it has a NUL inside.  Release all before resolver_free(). */
struct resolver_name *resolver_hold(struct resolver *, struct bytes host);
void resolver_release(struct resolver *, struct resolver_name **);

/* Asks again now, out of turn: its addresses do not answer. */
void resolver_refresh(struct resolver_name *);

/* What is known now; good until the loop turns. */
const struct resolver_answer *resolver_answer(const struct resolver_name *);

/*
 * Called once, when the first answer (or failure) is here; the wait is
 * over then, and its pointer no good any more.  Called at once if it is
 * here already, or if memory is out: NULL is returned.
 * resolver_cancel() takes the wish back.
 */
typedef void resolver_fn(void *context, const struct resolver_answer *);
struct resolver_wait;
struct resolver_wait *resolver_wait(struct resolver_name *, resolver_fn *,
    void *context);
void resolver_cancel(struct resolver_wait **);

#endif
