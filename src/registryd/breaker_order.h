/*
 * registryd/breaker_order.h - has healthd trip or reset a breaker.
 *
 * No change of the store: healthd obeys, workers see its word, and history
 * tells of it (registryd/audit.h), as it tells of breakers that open and
 * close by themselves.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_BREAKER_ORDER_H
#define REGISTRYD_BREAKER_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/compat.h"
#include "common/json.h"
#include "ipc/health_msg.h"
#include "registryd/model.h"
#include "registryd/store/store.h"
#include "shm/health.h"

struct registry;
struct breaker_order;

struct breaker_orders {
	LIST_HEAD(, breaker_order) pending;
	uint64_t last_id;
};

/* The breaker of a backend, as its detail record has it (api_breaker.c). */
void breaker_write(struct json_writer *, const struct health_map *,
    const struct model_backend *);

typedef void breaker_obeyed_fn(void *context, bool is_done);

/*
 * obeyed comes once, when the workers see it or when that failed (no
 * healthd, no such backend there, no answer in time).  Returns 0, or -1
 * with errno, and then obeyed does not come.  The actor is copied.
 */
MUST_CHECK int breaker_order(struct registry *, uint64_t backend_id,
    enum breaker_action, const struct store_actor *, breaker_obeyed_fn *,
    void *context);

/* healthd answered; healthd is gone, or we are going. */
void breaker_order_obeyed(struct registry *, const struct health_obeyed *);
void breaker_orders_end(struct registry *);

/* A breaker changed: told of in history, unless it was an order, which is
 * told of when it is obeyed. */
void breaker_changed(struct registry *, const struct health_changed *);

#endif
