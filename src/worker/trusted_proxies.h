/*
 * worker/trusted_proxies.h - whose forwarding fields are believed.
 *
 * Parsed once at each load of the settings; asked once a connection.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_TRUSTED_PROXIES_H
#define WORKER_TRUSTED_PROXIES_H

#include <netinet/in.h>
#include <stdbool.h>

#include "common/compat.h"
#include "conf/settings.h"

struct trusted_proxies;

/*
 * Reads addresses and CIDR blocks, IPv4 and IPv6.  Host bits behind the
 * prefix are ignored.  Returns NULL with errno: ENOMEM, or EINVAL with
 * *bad_r the entry that is neither.
 */
struct trusted_proxies *trusted_proxies_new(const struct address_list *,
    const char **bad_r);
void trusted_proxies_free(struct trusted_proxies **);

/* IPv4 addresses are given mapped. */
bool trusted_proxies_include(const struct trusted_proxies *,
    const struct in6_addr *);

#endif
