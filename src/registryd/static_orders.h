/*
 * registryd/static_orders.h - maintenance and drain of what stands in the
 * configuration file.
 *
 * Static objects are not in the store, and each sluice has its own: so are
 * the orders to them.  An order is a note of the store, under this sluice's
 * name, the kind and the key of its object; it makes no generation, but
 * history tells of it as of the file itself.  It waits there while the file
 * does not have the object.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STATIC_ORDERS_H
#define REGISTRYD_STATIC_ORDERS_H

#include "common/compat.h"
#include "registryd/store/store.h"

struct model;
struct registry;
struct write;

/* The object's condition is to be so, at the sluice of that name.  0, or -1
 * when out of memory. */
MUST_CHECK int static_order_add(struct note_changes *, const char *sluice,
    enum object_kind, const char *key, const struct condition *);

/* The name that notes go by; "-" where nobody shares the store. */
const char *static_order_sluice(const struct registry *);

/* A note of the store, for a model that has the static objects. */
void static_order_load(const struct registry *, struct model *,
    const struct store_note *);

/* The write's orders are stored: the model has them now, and history. */
void static_orders_applied(struct registry *, const struct write *);

#endif
