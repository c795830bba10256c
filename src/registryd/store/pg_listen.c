/*
 * registryd/store/pg_listen.c - the connection on which news are heard.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_listen.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/store/pg_address.h"
#include "registryd/store/pg_connection.h"
#include "registryd/store/pg_pause.h"

#define PING_S 5.

struct pg_listen {
	struct store *store;
	struct ev_loop *loop;
	char *url;			/* NULL: nobody would be heard */
	int64_t timeout_ms;
	struct pg_address *address;
	struct pg_connection *connection;	/* NULL: none */
	struct pg_connection *dead;	/* freed when the loop turns */
	struct random_stream random;
	uint32_t failure_count;		/* in a row */
	uint32_t turn;			/* which server is tried first */
	bool is_asked;			/* whether it is still good */
	bool is_refused;		/* LISTEN was */
	bool has_own_url;
	ev_timer retry, ping;
};

/* Whoever hears what is told on a channel. */
static void
tell(struct pg_listen *listen, const char *channel, uint64_t generation)
{
	struct store *store = listen->store;
	store_news_fn *hear = store->on_news;
	void *context = store->on_news_context;

	if (strcmp(channel, "sluice_generation") != 0) {
		hear = strcmp(channel, "sluice_wanted") == 0
		    ? store->on_wanted : store->on_instances;
		context = store->on_instances_context;
	}
	if (hear != NULL)
		hear(context, generation);
}

static void
pause_then_retry(struct pg_listen *listen)
{
	ev_timer_stop(listen->loop, &listen->retry);
	ev_timer_set(&listen->retry,
	    pg_pause_ms(listen->failure_count++, &listen->random) / 1000.,
	    0.);
	ev_timer_start(listen->loop, &listen->retry);
}

static void
drop(struct pg_listen *listen)
{
	ev_timer_stop(listen->loop, &listen->ping);
	listen->store->figures.is_listening = false;
	listen->is_asked = false;
	listen->dead = listen->connection;
	listen->connection = NULL;
	pause_then_retry(listen);
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
	struct pg_listen *listen = context;

	(void)tag;
	if (listen->failure_count == 0)
		log_warn("store: postgres: LISTEN: %s: changes of others are "
			 "read each store.follow_interval", error->message);
	listen->is_refused = true;
}

static void
on_synced(void *context)
{
	struct pg_listen *listen = context;

	listen->is_asked = false;
	if (listen->is_refused || pg_connection_is_no_use(listen->connection)) {
		listen->turn++;
		pg_connection_retire(listen->connection);
		drop(listen);
		return;
	}
	if (listen->store->figures.is_listening)
		return;			/* it was asked */
	listen->failure_count = 0;
	listen->store->figures.is_listening = true;
	tell(listen, "sluice_generation", 0);
	tell(listen, "sluice_instances", 0);
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
	struct pg_listen *listen = context;

	listen->is_refused = false;
	pg_connection_set_user(connection, &listen_user, context);
	pg_connection_send(connection, QUERY_LISTEN, NULL, 0, 0);
	pg_connection_send(connection, QUERY_LISTEN_INSTANCES, NULL, 0, 0);
	pg_connection_send(connection, QUERY_LISTEN_WANTED, NULL, 0, 0);
	pg_connection_sync(connection);
	ev_timer_again(listen->loop, &listen->ping);
}

static void
on_lost(void *context, struct pg_connection *connection, const char *message)
{
	struct pg_listen *listen = context;

	(void)connection;
	if (listen->store->figures.is_listening)
		log_warn("store: postgres: news are not heard: %s; trying "
			 "again", message);
	listen->turn++;
	drop(listen);
}

static void
on_notified(void *context, const char *channel, const char *payload)
{
	unsigned long long generation;

	if (bytes_to_number(bytes_of(payload), INT64_MAX, &generation) == 0)
		tell(context, channel, generation);
}

static const struct pg_owner listen_owner = {
	.connected = on_connected,
	.lost = on_lost,
	.notified = on_notified,
};

static void
on_address(void *context, const struct pg_places *places, const char *error)
{
	struct pg_listen *listen = context;
	const struct pg_server server = {
		.url = listen->url,
		.places = places,
		.timeout_ms = listen->timeout_ms,
		.name = "sluice news",
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
	pg_address_ask(listen->address, listen->turn);
}

static void
on_ping(struct ev_loop *loop, ev_timer *ping, int events)
{
	struct pg_listen *listen = ping->data;

	(void)loop, (void)events;
	if (listen->is_asked)
		return;			/* its time-out will tell */
	listen->is_asked = true;
	pg_connection_send(listen->connection, QUERY_PING, NULL, 0, 0);
	pg_connection_sync(listen->connection);
}

void
pg_listen_again(struct pg_listen *listen)
{
	if (listen->connection == NULL ||
	    listen->connection->state == PG_CONNECTING)
		return;			/* it is being made */
	pg_connection_retire(listen->connection);
	listen->failure_count = 0;
	drop(listen);
}

void
pg_listen_give_up(struct pg_listen *listen)
{
	if (listen->has_own_url)
		return;
	if (listen->connection != NULL) {
		pg_connection_retire(listen->connection);
		drop(listen);
	}
	ev_timer_stop(listen->loop, &listen->retry);
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
	ev_timer_init(&listen->ping, on_ping, 0., PING_S);
	listen->retry.data = listen;
	listen->ping.data = listen;
	listen->has_own_url = settings->store.listen_url[0] != '\0';
	if (settings->store.pooler && !listen->has_own_url)
		return listen;
	if ((listen->url = strdup(listen->has_own_url
		? settings->store.listen_url : settings->store.url)) == NULL ||
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
	if (listen->url != NULL)
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
	ev_timer_stop(listen->loop, &listen->ping);
	pg_address_free(&listen->address);
	pg_connection_free(&listen->connection);
	pg_connection_free(&listen->dead);
	free(listen->url);
	free(listen);
}
