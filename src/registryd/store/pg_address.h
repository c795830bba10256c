/*
 * registryd/store/pg_address.h - where the servers of a URL are, unblocking.
 *
 * libpq itself would wait for a name's resolution.  So host names are
 * resolved beforehand, and libpq is given the addresses besides.
 *
 * It tries the places in their order, but spends all its time on one that
 * does not answer at all; so the next try begins with the next place.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_ADDRESS_H
#define REGISTRYD_STORE_PG_ADDRESS_H

#include <ev.h>
#include <stdint.h>

#include "common/compat.h"

struct pg_address;

/* libpq's host, hostaddr and port: lists of one length, that of count; all
 * NULL, and count 0, when the URL is enough. */
struct pg_places {
	const char *hosts, *addresses, *ports;
	uint32_t count;
};

/* places NULL: there is none, and error says why.  Borrowed. */
typedef void pg_address_fn(void *context, const struct pg_places *places,
    const char *error);

/* NULL when out of memory. */
struct pg_address *pg_address_new(struct ev_loop *, const char *url,
    pg_address_fn *, void *context);
void pg_address_free(struct pg_address **);

/* Asks; the answer may come from within.  turn: the place to come first,
 * counted round and round.  Nothing happens while an answer is awaited. */
void pg_address_ask(struct pg_address *, uint32_t turn);

/* Which database a URL leads to, without who asks and how, malloc()ed;
 * NULL when out of memory. */
char *pg_target(const char *url);

#endif
