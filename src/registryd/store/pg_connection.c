/*
 * registryd/store/pg_connection.c - one connection to PostgreSQL, on the loop.
 *
 * libpq may swap the socket while it connects (another address of the
 * same host), so both watchers are set anew after each step.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_connection.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server ends a slow statement by itself, and the connection lives; we
 * only step in when it does not. */
#define GRACE_MS 500

/* To connect, where there is another to be tried. */
#define CONNECT_ONE_MS 2000

static void on_readable(struct ev_loop *, ev_io *, int);
static void on_writable(struct ev_loop *, ev_io *, int);
static void on_timeout(struct ev_loop *, ev_timer *, int);

/* Notices are nobody's business. */
static void
ignore_notice(void *context, const PGresult *result)
{
	(void)context, (void)result;
}

/*
 * What stands before the URL (dbname) is overridden by it, and overridden
 * by what stands behind.  A peer that went away without a word is noticed
 * by the kernel: it asks after 10 s of silence, thrice, and gives up on
 * what was sent and is not acknowledged.  Of several servers the one that
 * takes writes is wanted.
 */
static PGconn *
start_connect(const struct pg_server *server)
{
	const struct pg_places *places = server->places;
	char unacknowledged_ms[24];
	/* A NULL value is as if the keyword were not there. */
	const char *const keywords[] = { "fallback_application_name",
		"client_encoding", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout",
		"target_session_attrs", "dbname", "host", "hostaddr", "port",
		NULL };
	const char *const values[] = { server->name, "UTF8", "10", "3", "3",
		unacknowledged_ms, places->count > 1 ? "read-write" : NULL,
		server->url, places->hosts, places->addresses, places->ports,
		NULL };

	snprintf(unacknowledged_ms, sizeof(unacknowledged_ms), "%" PRId64,
	    server->timeout_ms + GRACE_MS);
	/* expand_dbname: the url may be postgres:// or key=value text. */
	return PQconnectStartParams(keywords, values, 1);
}

/* Whether libpq was told to look for a server that takes writes. */
static bool
wants_writes(PGconn *handle)
{
	PQconninfoOption *options = PQconninfo(handle);
	bool is_wanted = false;

	if (options == NULL)
		return false;
	for (PQconninfoOption *option = options; option->keyword != NULL;
	    option++)
		if (strcmp(option->keyword, "target_session_attrs") == 0 &&
		    option->val != NULL)
			is_wanted = strcmp(option->val, "read-write") == 0 ||
			    strcmp(option->val, "primary") == 0;
	PQconninfoFree(options);
	return is_wanted;
}

/* A server that may be one of several gets less time. */
static int64_t
connect_timeout_ms(const struct pg_server *server)
{
	if (server->places->count > 1 &&
	    server->timeout_ms > CONNECT_ONE_MS)
		return CONNECT_ONE_MS;
	return server->timeout_ms == 0 ? 0 : server->timeout_ms + GRACE_MS;
}

struct pg_connection *
pg_connection_new(struct ev_loop *loop, const struct pg_server *server,
    const struct pg_owner *owner, void *context)
{
	struct pg_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->loop = loop;
	connection->owner = owner;
	connection->owner_context = context;
	connection->sent_size = PG_SENT_MAX * 2;
	connection->sent = calloc(connection->sent_size,
	    sizeof(*connection->sent));
	ev_init(&connection->readable, on_readable);
	/* An answer that is there came in time, however late we are. */
	ev_set_priority(&connection->readable, 1);
	ev_init(&connection->writable, on_writable);
	connection->is_pooled = server->is_pooled;
	connection->timeout_s = server->timeout_ms == 0 ? 0. :
	    (double)(server->timeout_ms + GRACE_MS) / 1e3;
	ev_timer_init(&connection->timeout, on_timeout, 0.,
	    (double)connect_timeout_ms(server) / 1e3);
	connection->readable.data = connection;
	connection->writable.data = connection;
	connection->timeout.data = connection;
	if (connection->sent == NULL ||
	    (connection->handle = start_connect(server)) == NULL) {
		free(connection->sent);
		free(connection);
		return NULL;
	}
	PQsetNoticeReceiver(connection->handle, ignore_notice, NULL);
	ev_timer_again(loop, &connection->timeout);
	/* The first step: wait for the socket to be writable; one that
	 * failed already is told by the timer at once. */
	if (PQstatus(connection->handle) == CONNECTION_BAD) {
		ev_timer_stop(loop, &connection->timeout);
		ev_timer_set(&connection->timeout, 0., 0.);
		ev_timer_start(loop, &connection->timeout);
	} else {
		ev_io_set(&connection->writable, PQsocket(connection->handle),
		    EV_WRITE);
		ev_io_start(loop, &connection->writable);
	}
	return connection;
}

static void
stop_watchers(struct pg_connection *connection)
{
	ev_io_stop(connection->loop, &connection->readable);
	ev_io_stop(connection->loop, &connection->writable);
	ev_timer_stop(connection->loop, &connection->timeout);
}

void
pg_connection_free(struct pg_connection **p)
{
	struct pg_connection *connection = *p;

	*p = NULL;
	if (connection == NULL)
		return;
	stop_watchers(connection);
	PQfinish(connection->handle);
	free(connection->sent);
	free(connection);
}

void
pg_connection_retire(struct pg_connection *connection)
{
	stop_watchers(connection);
	connection->state = PG_LOST;
}

void
pg_connection_set_user(struct pg_connection *connection,
    const struct pg_user *user, void *context)
{
	connection->user = user;
	connection->user_context = context;
}

/* libpq tells of each server that it tried in a line, or more. */
static void
join_lines(const char *message, char *line, size_t size)
{
	struct bytes rest = bytes_of(message), each;
	size_t len = 0;

	line[0] = '\0';
	while (bytes_next_field(&rest, '\n', &each) && len < size) {
		each = bytes_trim(each);
		if (each.len > 0)
			len += (size_t)snprintf(line + len, size - len,
			    "%s%.*s", len == 0 ? "" : "; ", BYTES_ARGS(each));
	}
}

void
pg_connection_lose(struct pg_connection *connection, const char *message)
{
	char line[200];

	if (connection->state == PG_LOST)
		return;
	pg_connection_retire(connection);
	join_lines(message, line, sizeof(line));
	connection->owner->lost(connection->owner_context, connection, line);
}

static void
watch(struct pg_connection *connection, bool reads, bool writes)
{
	int fd = PQsocket(connection->handle);

	ev_io_stop(connection->loop, &connection->readable);
	ev_io_stop(connection->loop, &connection->writable);
	ev_io_set(&connection->readable, fd, EV_READ);
	ev_io_set(&connection->writable, fd, EV_WRITE);
	if (reads)
		ev_io_start(connection->loop, &connection->readable);
	if (writes)
		ev_io_start(connection->loop, &connection->writable);
}

static void
become_ready(struct pg_connection *connection)
{
	if (PQsetnonblocking(connection->handle, 1) == -1 ||
	    PQenterPipelineMode(connection->handle) == 0) {
		pg_connection_lose(connection,
		    PQerrorMessage(connection->handle));
		return;
	}
	connection->state = PG_READY;
	connection->opened = connection->used = clock_now();
	connection->must_write = wants_writes(connection->handle);
	ev_timer_stop(connection->loop, &connection->timeout);
	connection->timeout.repeat = connection->timeout_s;
	watch(connection, true, false);
	connection->owner->connected(connection->owner_context, connection);
}

static void
connect_step(struct pg_connection *connection)
{
	switch (PQconnectPoll(connection->handle)) {
	case PGRES_POLLING_READING:
		watch(connection, true, false);
		break;
	case PGRES_POLLING_WRITING:
		watch(connection, false, true);
		break;
	case PGRES_POLLING_OK:
		become_ready(connection);
		break;
	case PGRES_POLLING_FAILED:
	default:
		pg_connection_lose(connection,
		    PQerrorMessage(connection->handle));
		break;
	}
}

void
pg_connection_flush(struct pg_connection *connection)
{
	int left;

	if (connection->state == PG_LOST)
		return;
	left = PQflush(connection->handle);
	if (left == -1)
		/* What the server said last may still be there to read. */
		ev_feed_event(connection->loop, &connection->readable, EV_READ);
	if (left == 1)
		ev_io_start(connection->loop, &connection->writable);
	else
		ev_io_stop(connection->loop, &connection->writable);
}

void
pg_connection_set_due(struct pg_connection *connection, bool is_due)
{
	if (is_due)
		ev_timer_again(connection->loop, &connection->timeout);
	else
		ev_timer_stop(connection->loop, &connection->timeout);
}

bool
pg_connection_is_no_use(const struct pg_connection *connection)
{
	static const char *const parameters[] = { "in_hot_standby",
		"default_transaction_read_only" };

	if (connection->was_refused || connection->is_confused)
		return true;
	/* Told of by servers since version 14, whenever it changes. */
	for (size_t i = 0; i < COUNT_OF(parameters); i++) {
		const char *value = PQparameterStatus(connection->handle,
		    parameters[i]);

		if (connection->must_write && value != NULL &&
		    strcmp(value, "on") == 0)
			return true;
	}
	return false;
}

static void
take_notifications(struct pg_connection *connection)
{
	PGnotify *notification;

	while ((notification = PQnotifies(connection->handle)) != NULL) {
		if (connection->owner->notified != NULL)
			connection->owner->notified(connection->owner_context,
			    notification->relname, notification->extra);
		PQfreemem(notification);
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *readable, int events)
{
	struct pg_connection *connection = readable->data;

	(void)loop, (void)events;
	if (connection->state == PG_CONNECTING) {
		connect_step(connection);
		return;
	}
	if (PQconsumeInput(connection->handle) == 0) {
		pg_connection_lose(connection,
		    PQerrorMessage(connection->handle));
		return;
	}
	take_notifications(connection);
	pg_connection_take_answers(connection);
}

static void
on_writable(struct ev_loop *loop, ev_io *writable, int events)
{
	struct pg_connection *connection = writable->data;

	(void)loop, (void)events;
	if (connection->state == PG_CONNECTING)
		connect_step(connection);
	else
		pg_connection_flush(connection);
}

/* PQcancel() makes a connection of its own and waits for it: for ever, if
 * nobody answers, so that there must not be many of them. */
#define CANCELS_MAX 4
static atomic_uint cancel_count;

static void *
cancel(void *argument)
{
	PGcancel *order = argument;
	char error[256];

	(void)PQcancel(order, error, sizeof(error));
	PQfreeCancel(order);
	atomic_fetch_sub(&cancel_count, 1);
	return NULL;
}

static void
start_cancel(PGconn *handle)
{
	PGcancel *order;
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;

	if (atomic_load(&cancel_count) >= CANCELS_MAX ||
	    (order = PQgetCancel(handle)) == NULL)
		return;
	atomic_fetch_add(&cancel_count, 1);
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, &attributes, cancel, order) != 0) {
		PQfreeCancel(order);
		atomic_fetch_sub(&cancel_count, 1);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timeout, int events)
{
	struct pg_connection *connection = timeout->data;

	(void)loop, (void)events;
	if (PQstatus(connection->handle) == CONNECTION_BAD) {
		pg_connection_lose(connection,
		    PQerrorMessage(connection->handle));
		return;
	}
	if (connection->state == PG_CONNECTING) {
		pg_connection_lose(connection, "timed out while connecting");
		return;
	}
	start_cancel(connection->handle);
	pg_connection_lose(connection, "timed out; store.query_timeout");
}
