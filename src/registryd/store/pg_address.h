/*
 * registryd/store/pg_address.h - where the server of a URL is, unblocking.
 *
 * libpq itself would wait for the name's resolution.  So a host name is
 * resolved beforehand, and libpq is given the addresses besides; what else
 * a URL may say (sockets, several hosts, hostaddr) it is left to read.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_ADDRESS_H
#define REGISTRYD_STORE_PG_ADDRESS_H

#include <ev.h>

#include "common/compat.h"

struct pg_address;

/* hosts, addresses: libpq's host and hostaddr, equally long lists; both
 * NULL when the URL is enough.  error: why there is none, or NULL. */
typedef void pg_address_fn(void *context, const char *hosts,
    const char *addresses, const char *error);

/* NULL when out of memory. */
struct pg_address *pg_address_new(struct ev_loop *, const char *url,
    pg_address_fn *, void *context);
void pg_address_free(struct pg_address **);

/* Asks; the answer may come from within.  Nothing happens while an answer
 * is awaited. */
void pg_address_ask(struct pg_address *);

/* Which database a URL leads to, without who asks and how, malloc()ed;
 * NULL when out of memory. */
char *pg_target(const char *url);

#endif
