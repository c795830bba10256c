/*
 * registryd/store/store_sqlite.c - the driver of a SQLite file.
 *
 * The loop's thread appends requests to one queue; a thread of our own
 * carries them out in order and appends rows and answers to another, which
 * an ev_async has the loop empty.  The mutex guards the two queues and
 * is_stopping, and nothing else is shared: a request belongs to whoever
 * took it off a queue.  The thread waits while more than EVENTS_MAX rows
 * have not been taken, so that a load stays in bounded memory.
 */
/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/store/driver.h"
#include "registryd/store/events.h"
#ifdef HAVE_POSTGRESQL
#include "registryd/store/pg_address.h"
#endif
#include "registryd/store/sqlite_db.h"

#define EVENTS_MAX 4096
#define WAKE_ROWS  256			/* divides EVENTS_MAX */

struct store_sqlite {
	struct store store;
	char *path;
	char *target;			/* NULL: it is no replica */
	ev_async wakeup;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t has_work, has_room;
	struct request_list requests;
	struct event_list events;
	uint32_t event_count;
	bool is_stopping;
	struct sqlite_db db;		/* the thread's alone */
};

/* The thread ----------------------------------------------------------- */

/*
 * 0, or -1 when the store is going; takes the event either way.  Rows wake
 * the loop by the hundred: their answer comes behind them, and wakes it
 * whatever their number.
 */
static int
post(struct store_sqlite *sqlite, struct store_event *event)
{
	bool is_last = event->type == EVENT_DONE;
	bool is_stopping, wakes;

	pthread_mutex_lock(&sqlite->mutex);
	while (sqlite->event_count >= EVENTS_MAX && !sqlite->is_stopping)
		pthread_cond_wait(&sqlite->has_room, &sqlite->mutex);
	is_stopping = sqlite->is_stopping;
	STAILQ_INSERT_TAIL(&sqlite->events, event, entry);
	sqlite->event_count++;
	wakes = is_last || sqlite->event_count % WAKE_ROWS == 0;
	pthread_mutex_unlock(&sqlite->mutex);
	if (wakes)
		ev_async_send(sqlite->store.loop, &sqlite->wakeup);
	return is_stopping ? -1 : 0;
}

/* What the rows of a request need to find their way. */
struct row_context {
	struct store_sqlite *sqlite;
	struct store_request *request;
};

static int
post_service(void *context, struct service *service)
{
	struct row_context *row = context;
	struct store_event *event = event_new(EVENT_SERVICE, row->request);

	if (event == NULL) {
		service_clear(service);
		return -1;
	}
	event->body.service = *service;
	return post(row->sqlite, event);
}

static int
post_backend(void *context, struct backend *backend)
{
	struct row_context *row = context;
	struct store_event *event = event_new(EVENT_BACKEND, row->request);

	if (event == NULL) {
		backend_clear(backend);
		return -1;
	}
	event->body.backend = *backend;
	return post(row->sqlite, event);
}

static int
post_route(void *context, struct route *route)
{
	struct row_context *row = context;
	struct store_event *event = event_new(EVENT_ROUTE, row->request);

	if (event == NULL) {
		route_clear(route);
		return -1;
	}
	event->body.route = *route;
	return post(row->sqlite, event);
}

static int
post_note(void *context, const struct store_note *note)
{
	struct row_context *row = context;
	struct store_event *event = event_new_note(row->request, note);

	return event == NULL ? -1 : post(row->sqlite, event);
}

static int
post_spooled(void *context, const struct store_spooled *spooled)
{
	struct row_context *row = context;
	struct store_event *event = event_new_spooled(row->request, spooled);

	return event == NULL ? -1 : post(row->sqlite, event);
}

static int
post_history(void *context, const struct store_history *history)
{
	struct row_context *row = context;
	struct store_event *event = event_new_history(row->request, history);

	return event == NULL ? -1 : post(row->sqlite, event);
}

static void
ping(struct sqlite_db *db, struct store_request *request)
{
	int code = sqlite_db_run(db, QUERY_PING, NULL, 0, NULL, NULL);

	if (code != SQLITE_OK)
		sqlite_db_fail(db, request, code);
}

static void
carry_out(struct store_sqlite *sqlite, struct store_request *request)
{
	struct row_context context = { sqlite, request };
	const struct sqlite_sink sink = {
		.service = post_service,
		.backend = post_backend,
		.route = post_route,
		.note = post_note,
		.spooled = post_spooled,
		.history = post_history,
		.context = &context,
	};

	/* A file that could not be opened is tried again by each request. */
	if (sqlite->db.handle == NULL &&
	    sqlite_db_open(&sqlite->db, request) == -1)
		return;
	switch (request->type) {
	case REQUEST_OPEN:
		break;
	case REQUEST_LOAD:
		sqlite_db_load(&sqlite->db, request, &sink);
		break;
	case REQUEST_COMMIT:
		sqlite_db_commit(&sqlite->db, request);
		break;
	case REQUEST_NOTES:
		sqlite_db_write_notes(&sqlite->db, request);
		break;
	case REQUEST_EVENTS:
		sqlite_db_tell(&sqlite->db, request);
		break;
	case REQUEST_MEASURE:
		sqlite_db_measure(&sqlite->db, request);
		break;
	case REQUEST_PRUNE:
		sqlite_db_prune(&sqlite->db, request);
		break;
	case REQUEST_HISTORY:
		sqlite_db_history(&sqlite->db, request, &sink);
		break;
	case REQUEST_FOLLOW:		/* never: can_follow */
	case REQUEST_READ_NOTES:
	case REQUEST_PUT_INSTANCE:
	case REQUEST_REMOVE_INSTANCE:
	case REQUEST_LIST_INSTANCES:
	case REQUEST_WANT_INSTANCES:
		break;
	case REQUEST_PING:
		ping(&sqlite->db, request);
		break;
	case REQUEST_REPLICATE:
		sqlite_replica_put(&sqlite->db, request);
		break;
	}
}

/* The next request, or NULL when the store is going. */
static struct store_request *
next_request(struct store_sqlite *sqlite)
{
	struct store_request *request = NULL;

	pthread_mutex_lock(&sqlite->mutex);
	while (STAILQ_EMPTY(&sqlite->requests) && !sqlite->is_stopping)
		pthread_cond_wait(&sqlite->has_work, &sqlite->mutex);
	if (!sqlite->is_stopping) {
		request = STAILQ_FIRST(&sqlite->requests);
		STAILQ_REMOVE_HEAD(&sqlite->requests, entry);
	}
	pthread_mutex_unlock(&sqlite->mutex);
	return request;
}

static void *
run(void *argument)
{
	struct store_sqlite *sqlite = argument;
	struct store_request *request;
	struct store_event *done;

	while ((request = next_request(sqlite)) != NULL) {
		/* Without memory for the answer there is none: wait. */
		while ((done = event_new(EVENT_DONE, request)) == NULL)
			sched_yield();
		carry_out(sqlite, request);
		if (sqlite->db.target != NULL)
			sqlite_replica_judge(&sqlite->db, request);
		done->body.done.query_count = sqlite->db.query_count;
		done->body.done.query_failed_count =
		    sqlite->db.query_failed_count;
		done->body.done.query_us_sum = sqlite->db.query_us_sum;
		done->body.done.schema_version = sqlite->db.schema_version;
		done->body.done.set_aside_count = sqlite->db.set_aside_count;
		done->body.done.is_open = sqlite->db.handle != NULL;
		(void)post(sqlite, done);	/* the last word either way */
	}
	sqlite_db_close(&sqlite->db);
	return NULL;
}

/* The loop ------------------------------------------------------------- */

static void
note_done(struct store_sqlite *sqlite, const struct store_event *event)
{
	struct store_figures *figures = &sqlite->store.figures;
	const struct store_request *request = event->request;
	enum store_result result = request->outcome.result;

	figures->query_count = event->body.done.query_count;
	figures->query_failed_count = event->body.done.query_failed_count;
	figures->query_us_sum = event->body.done.query_us_sum;
	figures->schema_version = event->body.done.schema_version;
	figures->set_aside_count = event->body.done.set_aside_count;
	if (event->body.done.is_open && figures->open == 0)
		figures->connect_count++;
	figures->pool_size = 1;
	figures->open = event->body.done.is_open;
	figures->idle = figures->open;
	if (!event->body.done.is_open || result == STORE_UNAVAILABLE)
		store_note_up(&sqlite->store, false, request->message);
	else
		store_note_up(&sqlite->store, true, NULL);
}

static void
on_wakeup(struct ev_loop *loop, ev_async *wakeup, int events)
{
	struct store_sqlite *sqlite = wakeup->data;
	struct event_list taken = STAILQ_HEAD_INITIALIZER(taken);
	struct store_event *event;

	(void)loop, (void)events;
	pthread_mutex_lock(&sqlite->mutex);
	STAILQ_CONCAT(&taken, &sqlite->events);
	sqlite->event_count = 0;
	pthread_cond_signal(&sqlite->has_room);
	pthread_mutex_unlock(&sqlite->mutex);
	while ((event = STAILQ_FIRST(&taken)) != NULL) {
		STAILQ_REMOVE_HEAD(&taken, entry);
		if (event->type == EVENT_DONE)
			note_done(sqlite, event);
		event_deliver(&event);
	}
}

/* Signals are for the loop's thread. */
static int
start_thread(struct store_sqlite *sqlite)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&sqlite->thread, NULL, run, sqlite);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0 ? 0 : -1;
}

static char *
path_of(const struct settings *settings, const char *file)
{
	char *path;

	if (settings->store.path[0] != '\0')
		return strdup(settings->store.path);
	if (asprintf(&path, "%s/%s", settings->state_dir, file) == -1)
		return NULL;
	return path;
}

/* target: of a replica, the caller's; else NULL. */
static int
new_of(struct ev_loop *loop, const struct settings *settings,
    const char *file, const char *target, struct store **store_r)
{
	struct store_sqlite *sqlite = calloc(1, sizeof(*sqlite));

	if (sqlite == NULL || (sqlite->path = path_of(settings, file)) == NULL)
		goto fail;
	if (target != NULL && (sqlite->target = strdup(target)) == NULL)
		goto fail;
	sqlite->db.target = sqlite->target;
	sqlite->store.loop = loop;
	sqlite->db.path = sqlite->path;
	STAILQ_INIT(&sqlite->requests);
	STAILQ_INIT(&sqlite->events);
	pthread_mutex_init(&sqlite->mutex, NULL);
	pthread_cond_init(&sqlite->has_work, NULL);
	pthread_cond_init(&sqlite->has_room, NULL);
	ev_async_init(&sqlite->wakeup, on_wakeup);
	sqlite->wakeup.data = sqlite;
	ev_async_start(loop, &sqlite->wakeup);
	if (start_thread(sqlite) == 0) {
		*store_r = &sqlite->store;
		return 0;
	}
	ev_async_stop(loop, &sqlite->wakeup);
fail:
	if (sqlite != NULL) {
		free(sqlite->path);
		free(sqlite->target);
	}
	free(sqlite);
	return -1;
}

static int
sqlite_new(struct ev_loop *loop, const struct settings *settings,
    struct store **store_r, const char **error_r)
{
	*error_r = "sqlite: out of memory, or no thread to be had";
	return new_of(loop, settings, "sluice.db", NULL, store_r);
}

static void
sqlite_free(struct store *store)
{
	struct store_sqlite *sqlite =
	    CONTAINER_OF(store, struct store_sqlite, store);
	struct store_request *request;
	struct store_event *event;

	pthread_mutex_lock(&sqlite->mutex);
	sqlite->is_stopping = true;
	pthread_cond_signal(&sqlite->has_work);
	pthread_cond_signal(&sqlite->has_room);
	pthread_mutex_unlock(&sqlite->mutex);
	pthread_join(sqlite->thread, NULL);
	ev_async_stop(store->loop, &sqlite->wakeup);
	while ((request = STAILQ_FIRST(&sqlite->requests)) != NULL) {
		STAILQ_REMOVE_HEAD(&sqlite->requests, entry);
		request_drop(&request);
	}
	while ((event = STAILQ_FIRST(&sqlite->events)) != NULL) {
		STAILQ_REMOVE_HEAD(&sqlite->events, entry);
		event_drop(&event);
	}
	pthread_mutex_destroy(&sqlite->mutex);
	pthread_cond_destroy(&sqlite->has_work);
	pthread_cond_destroy(&sqlite->has_room);
	free(sqlite->path);
	free(sqlite->target);
	free(sqlite);
}

static int
sqlite_submit(struct store *store, struct store_request *request)
{
	struct store_sqlite *sqlite =
	    CONTAINER_OF(store, struct store_sqlite, store);

	pthread_mutex_lock(&sqlite->mutex);
	STAILQ_INSERT_TAIL(&sqlite->requests, request, entry);
	pthread_cond_signal(&sqlite->has_work);
	pthread_mutex_unlock(&sqlite->mutex);
	return 0;
}

const struct store_driver_row store_sqlite_driver = {
	.new = sqlite_new,
	.free = sqlite_free,
	.submit = sqlite_submit,
};

/* The replica, a file of this driver -------------------------------------- */

#ifdef HAVE_POSTGRESQL
int
store_replica_new(struct ev_loop *loop, const struct settings *settings,
    struct store **store_r, const char **error_r)
{
	char *target = pg_target(settings->store.url);
	int result = -1;

	*store_r = NULL;
	*error_r = "replica: out of memory, or no thread to be had";
	if (target != NULL)
		result = new_of(loop, settings, "replica.db", target, store_r);
	free(target);
	if (result == -1)
		return -1;
	(*store_r)->driver = &store_sqlite_driver;
	(*store_r)->figures.driver = STORE_SQLITE;
	return 0;
}
#else
int
store_replica_new(struct ev_loop *loop, const struct settings *settings,
    struct store **store_r, const char **error_r)
{
	(void)loop, (void)settings;
	*store_r = NULL;
	*error_r = "replica: of nothing: postgres is not built in";
	return -1;
}
#endif
