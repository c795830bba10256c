/*
 * worker/drains.c - what is in flight where a drain is on.
 */
/* SPDX-License-Identifier: ISC */
#include "worker/drains.h"

#include "worker/client.h"
#include "worker/exchange.h"
#include "worker/tunnel.h"

static struct backend_stats *
stats_of(const struct exchange *exchange)
{
	const struct routed_backend *backend = exchange->choice.backend;

	return worker_stats_kept_backend(exchange->worker->stats,
	    backend->slot, backend->spec.id);
}

static bool
is_in_flight(const struct client *client)
{
	return client->exchange != NULL && client->exchange->is_trying;
}

/* The figure starts anew each second. */
static void
forget_oldest(struct worker *worker)
{
	const struct client *client;

	TAILQ_FOREACH(client, &worker->clients, entry)
		if (is_in_flight(client))
			atomic_store_explicit(
			    &stats_of(client->exchange)->oldest_ns, 0,
			    memory_order_relaxed);
}

static void
note_age(const struct exchange *exchange)
{
	struct backend_stats *stats = stats_of(exchange);
	int64_t oldest_ns = atomic_load_explicit(&stats->oldest_ns,
	    memory_order_relaxed);

	if (oldest_ns == 0 || exchange->started.ns < oldest_ns)
		atomic_store_explicit(&stats->oldest_ns, exchange->started.ns,
		    memory_order_relaxed);
}

void
drains_look(struct worker *worker)
{
	uint64_t change_count = route_table_change_count(worker->table);
	struct client *client, *next;

	/* Nothing drained then, and nothing has changed since. */
	if (!worker->has_drains && worker->drains_seen == change_count)
		return;
	worker->drains_seen = change_count;
	worker->has_drains = false;
	forget_oldest(worker);
	for (client = TAILQ_FIRST(&worker->clients); client != NULL;
	    client = next) {
		struct exchange *exchange = client->exchange;
		struct instant end;

		next = TAILQ_NEXT(client, entry);
		if (!is_in_flight(client))
			continue;
		end = router_drain_end(worker->router, &exchange->choice);
		if (end.ns != 0) {
			worker->has_drains = true;
			note_age(exchange);
		}
		if (exchange->tunnel != NULL)
			tunnel_set_end(exchange->tunnel, end);
	}
}
