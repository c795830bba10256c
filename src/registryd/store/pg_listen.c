/*
 * registryd/store/pg_listen.c - the connection on which news are heard.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_listen.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/random.h"
#include "registryd/store/pg_address.h"
#include "registryd/store/pg_connection.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS   10000

struct pg_listen {
	struct store *store;
	struct ev_loop *loop;
	char *url;
	int64_t timeout_ms;
	struct pg_address *address;
	struct pg_connection *connection;	/* NULL: none */
	struct pg_connection *dead;	/* freed when the loop turns */
	struct random_stream random;
	uint32_t failure_count;		/* in a row */
	ev_timer retry;
};

static void
tell_news(struct pg_listen *listen, uint64_t generation)
{
	if (listen->store->on_news != NULL)
		listen->store->on_news(listen->store->on_news_context,
		    generation);
}

static void
tell_instances(struct pg_listen *listen, uint64_t generation)
{
	if (listen->store->on_instances != NULL)
		listen->store->on_instances(
		    listen->store->on_instances_context, generation);
}

static void
pause_then_retry(struct pg_listen *listen)
{
	uint32_t pause_ms = PAUSE_MAX_MS;

	if (listen->failure_count < 6)
		pause_ms = (uint32_t)PAUSE_FIRST_MS << listen->failure_count;
	listen->failure_count++;
	pause_ms = pause_ms / 2 +
	    random_below(&listen->random, pause_ms / 2 + 1);
	ev_timer_stop(listen->loop, &listen->retry);
	ev_timer_set(&listen->retry, pause_ms / 1000., 0.);
	ev_timer_start(listen->loop, &listen->retry);
}

/* The user of the connection --------------------------------------------- */

static void
on_answered(void *context, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	(void)context, (void)query, (void)tag, (void)result;
}

static void
on_failed(void *context, uint32_t tag, const struct pg_error *error)
{
	(void)context, (void)tag;
	log_warn("store: postgres: LISTEN: %s: changes of others are read "
		 "each store.follow_interval", error->message);
}

static void
on_synced(void *context)
{
	struct pg_listen *listen = context;

	listen->failure_count = 0;
	listen->store->figures.is_listening = true;
	tell_news(listen, 0);
	tell_instances(listen, 0);
}

static const struct pg_user listen_user = {
	.answered = on_answered,
	.failed = on_failed,
	.synced = on_synced,
};

/* Its owner -------------------------------------------------------------- */

static void
on_connected(void *context, struct pg_connection *connection)
{
	pg_connection_set_user(connection, &listen_user, context);
	pg_connection_send(connection, QUERY_LISTEN, NULL, 0, 0);
	pg_connection_send(connection, QUERY_LISTEN_INSTANCES, NULL, 0, 0);
	pg_connection_sync(connection);
}

static void
on_lost(void *context, struct pg_connection *connection, const char *message)
{
	struct pg_listen *listen = context;

	if (listen->store->figures.is_listening)
		log_warn("store: postgres: news are not heard: %s; trying "
			 "again", message);
	listen->store->figures.is_listening = false;
	listen->dead = connection;
	listen->connection = NULL;
	pause_then_retry(listen);
}

static void
on_notified(void *context, const char *channel, const char *payload)
{
	unsigned long long generation;

	if (bytes_to_number(bytes_of(payload), INT64_MAX, &generation) == -1)
		return;
	if (strcmp(channel, "sluice_instances") == 0)
		tell_instances(context, generation);
	else
		tell_news(context, generation);
}

static const struct pg_owner listen_owner = {
	.connected = on_connected,
	.lost = on_lost,
	.notified = on_notified,
};

static void
on_address(void *context, const char *hosts, const char *addresses,
    const char *error)
{
	struct pg_listen *listen = context;
	const struct pg_server server = {
		listen->url, hosts, addresses, listen->timeout_ms,
		"sluice news",
	};

	if (error == NULL)
		listen->connection = pg_connection_new(listen->loop, &server,
		    &listen_owner, listen);
	if (listen->connection == NULL)
		pause_then_retry(listen);
}

static void
on_retry(struct ev_loop *loop, ev_timer *retry, int events)
{
	struct pg_listen *listen = retry->data;

	(void)loop, (void)events;
	pg_connection_free(&listen->dead);
	pg_address_ask(listen->address);
}

struct pg_listen *
pg_listen_new(struct store *store, struct ev_loop *loop,
    const struct settings *settings)
{
	struct pg_listen *listen = calloc(1, sizeof(*listen));

	if (listen == NULL)
		return NULL;
	listen->store = store;
	listen->loop = loop;
	listen->timeout_ms = settings->store.query_timeout_ms;
	random_fill(&listen->random, sizeof(listen->random));
	ev_timer_init(&listen->retry, on_retry, 0., 0.);
	listen->retry.data = listen;
	if ((listen->url = strdup(settings->store.url)) == NULL ||
	    (listen->address = pg_address_new(loop, listen->url, on_address,
		 listen)) == NULL) {
		free(listen->url);
		free(listen);
		return NULL;
	}
	return listen;
}

void
pg_listen_start(struct pg_listen *listen)
{
	ev_timer_start(listen->loop, &listen->retry);
}

void
pg_listen_free(struct pg_listen **p)
{
	struct pg_listen *listen = *p;

	*p = NULL;
	if (listen == NULL)
		return;
	ev_timer_stop(listen->loop, &listen->retry);
	pg_address_free(&listen->address);
	pg_connection_free(&listen->connection);
	pg_connection_free(&listen->dead);
	free(listen->url);
	free(listen);
}
