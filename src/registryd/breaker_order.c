/*
 * registryd/breaker_order.c - has healthd trip or reset a breaker.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/breaker_order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/registry.h"

#define OBEY_TIMEOUT_S 2.0
#define BREAKER_FLAGS  (HEALTH_BREAKER | HEALTH_HALF_OPEN)

struct breaker_order {
	LIST_ENTRY(breaker_order) pending;
	struct registry *registry;
	uint64_t id, backend_id;
	enum breaker_action action;
	bool was_open;
	char who[64], from[80], request_id[64];
	const char *channel;		/* static */
	ev_timer timer;
	breaker_obeyed_fn *obeyed;
	void *context;
};

/* History ---------------------------------------------------------------- */

/* The backend with the state of its breaker; NULL when out of memory. */
static char *
describe(const struct model_backend *backend, const char *state)
{
	struct buf text = { 0 };
	struct json_writer writer = json_writer(&text);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "service");
	json_write_text(&writer, backend->object.service);
	json_write_key(&writer, "url");
	json_write_text(&writer, backend->object.url);
	json_write_key(&writer, "breaker");
	json_write_text(&writer, state);
	json_write_end(&writer, '}');
	if (text.is_failed)
		buf_free(&text);
	return text.data;
}

/* What is left to say: the action, and by whom. */
static void
tell(struct registry *registry, uint64_t backend_id, bool was_open,
    bool is_open, const struct store_history *said)
{
	const struct model_backend *backend = registry->model == NULL ?
	    NULL :
	    model_find_backend(registry->model, backend_id);
	struct store_history row = *said;
	char key[24], *before, *after;

	if (backend == NULL)
		return;
	snprintf(key, sizeof(key), "%llu", (unsigned long long)backend_id);
	before = describe(backend, was_open ? "open" : "closed");
	after = describe(backend, is_open ? "open" : "closed");
	row.kind = object_kind_name(OBJECT_BACKEND);
	row.key = key;
	row.before_json = before;
	row.after_json = after;
	audit_tell(registry, &row);
	free(before);
	free(after);
}

static bool
is_ordered(const struct registry *registry, uint64_t backend_id)
{
	const struct breaker_order *order;

	LIST_FOREACH(order, &registry->breaker_orders.pending, pending)
		if (order->backend_id == backend_id)
			return true;
	return false;
}

/* Between open and half-open it is not told of: what is dead for days is
 * one row. */
void
breaker_changed(struct registry *registry,
    const struct health_changed *changed)
{
	bool was_open = (changed->flags_before & BREAKER_FLAGS) != 0;
	bool is_open = (changed->flags_after & BREAKER_FLAGS) != 0;
	char reason[sizeof(changed->reason) + 1];

	if (was_open == is_open || is_ordered(registry, changed->backend_id))
		return;
	snprintf(reason, sizeof(reason), "%.*s", (int)sizeof(changed->reason),
	    changed->reason);
	tell(registry, changed->backend_id, was_open, is_open,
	    &(struct store_history){ .channel = "health", .cause = reason,
		.action = is_open ? "open" : "close" });
}

static void
tell_order(const struct breaker_order *order)
{
	tell(order->registry, order->backend_id, order->was_open,
	    order->action == BREAKER_TRIP,
	    &(struct store_history){
		.who = order->who,
		.from = order->from,
		.channel = order->channel,
		.request_id = order->request_id,
		.action = order->action == BREAKER_TRIP ? "trip" : "reset",
	    });
}

/* Orders ----------------------------------------------------------------- */

static void
end_order(struct breaker_order *order, bool is_done)
{
	breaker_obeyed_fn *obeyed = order->obeyed;
	void *context = order->context;

	if (is_done)
		tell_order(order);
	ev_timer_stop(order->registry->loop, &order->timer);
	LIST_REMOVE(order, pending);
	free(order);
	obeyed(context, is_done);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	end_order(timer->data, false);
}

/* What healthd is to be told.  0, or -1 with ENOENT. */
static int
fill_message(const struct registry *registry, uint64_t backend_id,
    struct health_breaker_order *message)
{
	const struct model_backend *backend;
	struct backend_copy copy;
	struct arena arena;
	enum table_result result = TABLE_ABSENT;

	backend = registry->model == NULL ? NULL :
	    model_find_backend(registry->model, backend_id);
	if (backend != NULL && backend->slot != TABLE_NONE) {
		arena_init(&arena, 65536);
		result = route_table_read_backend(registry->table,
		    backend->slot, &arena, &copy);
		message->slot = backend->slot;
		message->generation = copy.generation;
		arena_free(&arena);
	}
	if (result == TABLE_FOUND)
		return 0;
	errno = ENOENT;
	return -1;
}

static void
name_actor(struct breaker_order *order, const struct store_actor *actor)
{
	snprintf(order->who, sizeof(order->who), "%s", actor->who);
	snprintf(order->from, sizeof(order->from), "%s", actor->from);
	snprintf(order->request_id, sizeof(order->request_id), "%s",
	    actor->request_id);
	order->channel = actor->channel;
}

int
breaker_order(struct registry *registry, uint64_t backend_id,
    enum breaker_action action, const struct store_actor *actor,
    breaker_obeyed_fn *obeyed, void *context)
{
	struct breaker_orders *orders = &registry->breaker_orders;
	struct health_breaker_order message = { .action = action };
	struct breaker_order *order;

	if (fill_message(registry, backend_id, &message) == -1)
		return -1;
	if (registry->healthd == NULL) {
		errno = ENOTCONN;
		return -1;
	}
	if ((order = calloc(1, sizeof(*order))) == NULL)
		return -1;
	message.id = order->id = ++orders->last_id;
	if (channel_send(registry->healthd, TO_HEALTHD_BREAKER, &message,
		sizeof(message), NULL, 0) == -1) {
		free(order);
		return -1;
	}
	order->registry = registry;
	order->backend_id = backend_id;
	order->action = action;
	order->was_open = (health_get(registry->health, message.slot,
			       message.generation) &
			      BREAKER_FLAGS) != 0;
	name_actor(order, actor);
	order->obeyed = obeyed;
	order->context = context;
	ev_timer_init(&order->timer, on_timeout, OBEY_TIMEOUT_S, 0.0);
	order->timer.data = order;
	ev_timer_start(registry->loop, &order->timer);
	LIST_INSERT_HEAD(&orders->pending, order, pending);
	return 0;
}

void
breaker_order_obeyed(struct registry *registry,
    const struct health_obeyed *obeyed)
{
	struct breaker_order *order;

	LIST_FOREACH(order, &registry->breaker_orders.pending, pending) {
		if (order->id != obeyed->id)
			continue;
		end_order(order, obeyed->is_done != 0);
		return;
	}
}

void
breaker_orders_end(struct registry *registry)
{
	struct breaker_order *order;

	while ((order = LIST_FIRST(&registry->breaker_orders.pending)) != NULL)
		end_order(order, false);
}
