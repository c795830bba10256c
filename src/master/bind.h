/*
 * master/bind.h - one listening socket.
 */
/* SPDX-License-Identifier: ISC */
#ifndef MASTER_BIND_H
#define MASTER_BIND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "common/compat.h"
#include "http/url.h"

union bind_address {
	struct sockaddr base;
	struct sockaddr_storage storage;
	struct sockaddr_un local;
};

struct bind_target {
	union bind_address address;
	socklen_t len;
	bool is_dual;			/* IPv6 that takes IPv4 as well */
};

/*
 * Makes the address to bind from what the operator wrote; relative unix
 * paths are in dir.  Returns NULL, or what is wrong with it.
 */
MUST_CHECK const char *bind_resolve(const struct listen_address *,
    const char *dir, struct bind_target *target_r);

/*
 * Binds and listens.  is_shared: with SO_REUSEPORT.  A port 0 that the
 * kernel has chosen is put into target.
 * Returns the socket (close-on-exec, non-blocking), or -1 with errno.
 */
MUST_CHECK int bind_tcp(struct bind_target *target, bool is_shared,
    uint32_t backlog);

/* 0 if nobody else holds the address, or -1: SO_REUSEPORT alone would share
 * it with another program of the same user, silently. */
MUST_CHECK int bind_probe(const struct bind_target *);

/*
 * Sends new connections to the first slots of a SO_REUSEPORT group only
 * (0: to all), before the others are closed with what waits in them.
 * fd is any of the group.  Returns 0, or -1 with errno.
 */
MUST_CHECK int bind_steer(int fd, uint32_t slots);

/*
 * Removes a socket that nobody answers on, then binds and listens, mode
 * 0660 and group gid ((gid_t)-1: ours).  Returns the socket or -1 with
 * errno; EADDRINUSE: somebody answers.
 */
MUST_CHECK int bind_unix(const struct bind_target *target, gid_t gid,
    uint32_t backlog);

#endif
