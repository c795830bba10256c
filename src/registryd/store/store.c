/*
 * registryd/store/store.c - the one door to three drivers.
 *
 * Turns each call into a request and hands it to the driver.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/store/driver.h"

static const struct store_driver_row *const drivers[] = {
	[STORE_MEMORY] = &store_memory_driver,
	[STORE_SQLITE] = &store_sqlite_driver,
#ifdef HAVE_POSTGRESQL
	[STORE_POSTGRES] = &store_postgres_driver,
#else
	[STORE_POSTGRES] = NULL,
#endif
};

int
store_new(struct ev_loop *loop, const struct settings *settings,
    struct store **store_r, const char **error_r)
{
	const struct store_driver_row *driver = drivers[settings->store.driver];

	*store_r = NULL;
	if (driver == NULL) {
		*error_r =
		    "postgres: not built in; configure --with-postgresql";
		return -1;
	}
	if (driver->new(loop, settings, store_r, error_r) == -1)
		return -1;
	(*store_r)->driver = driver;
	(*store_r)->loop = loop;
	(*store_r)->figures.driver = settings->store.driver;
	return 0;
}

void
store_free(struct store **p)
{
	struct store *store = *p;

	*p = NULL;
	if (store != NULL)
		store->driver->free(store);
}

void
store_set_on_up(struct store *store, store_up_fn *on_up, void *context)
{
	store->on_up = on_up;
	store->on_up_context = context;
}

void
store_note_up(struct store *store, bool is_up, const char *error)
{
	struct store_figures *figures = &store->figures;
	bool is_change = figures->is_up != is_up;

	figures->is_up = is_up;
	figures->error[0] = '\0';
	if (error != NULL)
		strncat(figures->error, error, sizeof(figures->error) - 1);
	if (is_change && store->on_up != NULL)
		store->on_up(store->on_up_context, is_up);
}

static struct store_request *
request_new(enum request_type type, store_done_fn *done, void *context)
{
	struct store_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->type = type;
	request->done = done;
	request->context = context;
	return request;
}

static int
submit(struct store *store, struct store_request *request)
{
	if (store->driver->submit(store, request) == 0)
		return 0;
	request_drop(&request);
	return -1;
}

int
store_open(struct store *store, store_done_fn *done, void *context)
{
	struct store_request *request;

	request = request_new(REQUEST_OPEN, done, context);
	if (request == NULL)
		return -1;
	return submit(store, request);
}

int
store_load(struct store *store, const struct store_loader *loader)
{
	struct store_request *request;

	request = request_new(REQUEST_LOAD, loader->done, loader->context);
	if (request == NULL)
		return -1;
	request->ask.load = *loader;
	return submit(store, request);
}

bool
store_can_follow(const struct store *store)
{
	return store->driver->can_follow;
}

bool
store_is_same_database(const char *identity, const char *other)
{
	size_t len = strcspn(identity, "+");

	return len == strcspn(other, "+") && strncmp(identity, other, len) == 0;
}

void
store_set_on_news(struct store *store, store_news_fn *on_news, void *context)
{
	store->on_news = on_news;
	store->on_news_context = context;
}

int
store_follow(struct store *store, const struct store_follow_query *query)
{
	struct store_request *request;

	invariant(store_can_follow(store));
	request = request_new(REQUEST_FOLLOW, query->loader.done,
	    query->loader.context);
	if (request == NULL)
		return -1;
	request->ask.follow = *query;
	return submit(store, request);
}

int
store_put_instance(struct store *store, const struct store_instance_put *put,
    store_done_fn *done, void *context)
{
	struct store_request *request;

	invariant(store_can_follow(store));
	request = request_new(REQUEST_PUT_INSTANCE, done, context);
	if (request == NULL)
		return -1;
	request->ask.put_instance = *put;
	return submit(store, request);
}

int
store_remove_instance(struct store *store,
    const struct store_instance *instance, store_done_fn *done, void *context)
{
	struct store_request *request;

	invariant(store_can_follow(store));
	request = request_new(REQUEST_REMOVE_INSTANCE, done, context);
	if (request == NULL)
		return -1;
	request->ask.put_instance.instance = *instance;
	return submit(store, request);
}

int
store_list_instances(struct store *store,
    const struct store_instance_query *query)
{
	struct store_request *request;

	invariant(store_can_follow(store));
	request = request_new(REQUEST_LIST_INSTANCES, query->done,
	    query->context);
	if (request == NULL)
		return -1;
	request->ask.list_instances = *query;
	return submit(store, request);
}

int
store_want_instances(struct store *store, uint64_t generation,
    store_done_fn *done, void *context)
{
	struct store_request *request;

	invariant(store_can_follow(store));
	request = request_new(REQUEST_WANT_INSTANCES, done, context);
	if (request == NULL)
		return -1;
	request->ask.wanted = generation;
	return submit(store, request);
}

void
store_set_on_instances(struct store *store, store_news_fn *on_instances,
    store_news_fn *on_wanted, void *context)
{
	store->on_instances = on_instances;
	store->on_wanted = on_wanted;
	store->on_instances_context = context;
}

int
store_commit(struct store *store, const struct store_commit *commit)
{
	struct store_request *request;

	request = request_new(REQUEST_COMMIT, commit->done, commit->context);
	if (request == NULL)
		return -1;
	request->ask.commit = *commit;
	return submit(store, request);
}

int
store_read_notes(struct store *store, const struct store_note_query *query)
{
	struct store_request *request;

	request = request_new(REQUEST_READ_NOTES, query->done, query->context);
	if (request == NULL)
		return -1;
	request->ask.read_notes = *query;
	return submit(store, request);
}

int
store_write_notes(struct store *store, const struct note_changes *notes,
    store_done_fn *done, void *context)
{
	struct store_request *request;

	if ((request = request_new(REQUEST_NOTES, done, context)) == NULL)
		return -1;
	request->ask.notes = notes;
	return submit(store, request);
}

int
store_replicate(struct store *store, const struct replica_batch *batch,
    store_done_fn *done, void *context)
{
	struct store_request *request;

	request = request_new(REQUEST_REPLICATE, done, context);
	if (request == NULL)
		return -1;
	request->ask.replicate = *batch;
	return submit(store, request);
}

int
store_history(struct store *store, const struct store_history_query *query)
{
	struct store_request *request;
	char *key = NULL;

	if (query->key != NULL && (key = strdup(query->key)) == NULL)
		return -1;
	request = request_new(REQUEST_HISTORY, query->done, query->context);
	if (request == NULL) {
		free(key);
		return -1;
	}
	request->ask.history = *query;
	request->ask.history.key = key;
	return submit(store, request);
}

bool
store_history_is_event(const struct store_history *row)
{
	return strcmp(row->action, "create") != 0 &&
	    strcmp(row->action, "update") != 0 &&
	    strcmp(row->action, "delete") != 0;
}

int
store_tell(struct store *store, const struct store_events *events,
    store_done_fn *done, void *context)
{
	struct store_request *request;

	if ((request = request_new(REQUEST_EVENTS, done, context)) == NULL)
		return -1;
	request->ask.events = *events;
	return submit(store, request);
}

int
store_measure_history(struct store *store, struct store_extent *extent_r,
    store_done_fn *done, void *context)
{
	struct store_request *request;

	if ((request = request_new(REQUEST_MEASURE, done, context)) == NULL)
		return -1;
	request->ask.extent = extent_r;
	return submit(store, request);
}

int
store_prune(struct store *store, const struct store_prune_order *order)
{
	struct store_request *request;

	request = request_new(REQUEST_PRUNE, order->done, order->context);
	if (request == NULL)
		return -1;
	request->ask.prune = *order;
	return submit(store, request);
}

int
store_ping(struct store *store, store_done_fn *done, void *context)
{
	struct store_request *request;

	request = request_new(REQUEST_PING, done, context);
	if (request == NULL)
		return -1;
	return submit(store, request);
}

void
store_figures(const struct store *store, struct store_figures *figures_r)
{
	*figures_r = store->figures;
	if (store->driver->figures != NULL)
		store->driver->figures(store, figures_r);
}
