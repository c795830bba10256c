/*
 * registryd/route_key.h - what makes a route the same one elsewhere.
 *
 * Ids are each store's own; another sluice knows a route by its domains,
 * prefixes, priority and the services that it leads to.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_ROUTE_KEY_H
#define REGISTRYD_ROUTE_KEY_H

#include "common/buf.h"
#include "registryd/store/object.h"

/* Appends the key of a canonical route: text without tabs, of an order
 * that does not depend on that of the route's lists. */
void route_key_write(const struct route *, struct buf *);

#endif
