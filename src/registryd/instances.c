/*
 * registryd/instances.c - the sluices that share the store, and ourselves.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/instances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/random.h"
#include "registryd/registry.h"

/* From one write of our row to the next, if nobody asks for it. */
#define PAUSE_S 1.0
/* A row is good for so many heartbeats. */
#define BEATS_GOOD 3
/* A row that was taken from us twice in so long has two owners. */
#define NAMESAKE_WITHIN_MS INT64_C(86400000)
/* While somebody listens: what was told may have been lost. */
#define POLL_S 1.0

static void write_row(struct registry *);
static void read_rows(struct registry *);

void
instances_self(const struct registry *registry, struct store_instance *self_r)
{
	const struct instances *instances = &registry->instances;

	*self_r = (struct store_instance){
		.name = instances->name,
		.run = instances->run,
		.host = instances->host,
		.version = PACKAGE_VERSION,
		.started_wall_ms = registry->started_wall_ms,
		.generation = instances->shown,
		.seen_wall_ms = clock_wall_ms(),
	};
}

static bool
is_up(const struct registry *registry)
{
	struct store_figures figures;

	store_figures(registry->store, &figures);
	return figures.is_up;
}

/* Our row ---------------------------------------------------------------- */

/* Whether the row is taken again and again, and not just what a server that
 * lost its last moments has of an earlier run of ours. */
static bool
has_namesake(struct instances *instances)
{
	struct instant before = instances->taken, now = clock_now();

	instances->taken = now;
	return before.ns != 0 &&
	    instant_diff_ms(now, before) < NAMESAKE_WITHIN_MS;
}

/* A second name, which nobody else has. */
static void
change_name(struct instances *instances)
{
	char name[INSTANCE_NAME_SIZE];

	if (strchr(instances->name, '#') != NULL || !has_namesake(instances))
		return;
	memcpy(name, instances->name, sizeof(name));
	snprintf(instances->name, sizeof(instances->name), "%.160s#%.8s", name,
	    instances->run);
	log_warn("instance \"%s\": another sluice on this store has that "
		 "name, too; we are \"%s\" there: set instance, or the name "
		 "of the host, apart", name, instances->name);
}

static void
on_written(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct instances *instances = &registry->instances;

	instances->is_writing = false;
	if (instances->gone != NULL) {
		instances_leave(registry, instances->gone,
		    instances->gone_context);
		return;
	}
	if (outcome->result == STORE_OK) {
		instances->has_row = true;
		ev_timer_again(registry->loop, &instances->pause);
		if (instances->must_write)	/* at once, if it is wanted */
			write_row(registry);
	} else if (outcome->result == STORE_CONFLICT &&
	    !registry->is_leaving) {
		change_name(instances);
		instances->has_row = false;
		write_row(registry);
	} else {
		instances->told = 0;	/* the next heartbeat tells */
		log_debug("store: instance: %s", outcome->message);
	}
}

static void
write_row(struct registry *registry)
{
	struct instances *instances = &registry->instances;
	bool is_wanted = instances->wanted != 0 &&
	    instances->shown >= instances->wanted;
	struct store_instance_put put = {
		.good_ms = BEATS_GOOD *
		    registry->daemon->settings->store.heartbeat_ms,
		.takes_over = !instances->has_row,
		.is_news = is_wanted || !instances->has_row,
	};

	instances->must_write = true;
	if (instances->is_writing || instances->gone != NULL ||
	    (!is_wanted && ev_is_active(&instances->pause)) ||
	    !is_up(registry))
		return;
	instances_self(registry, &put.instance);
	instances->must_write = false;
	instances->told = instances->shown;
	if (is_wanted)
		instances->wanted = 0;
	instances->is_writing = store_put_instance(registry->store, &put,
	    on_written, registry) == 0;
}

static void
on_pause(struct ev_loop *loop, ev_timer *pause, int events)
{
	struct registry *registry = pause->data;

	(void)events;
	ev_timer_stop(loop, pause);
	if (registry->instances.must_write)
		write_row(registry);
}

static void
on_beat(struct ev_loop *loop, ev_timer *beat, int events)
{
	struct registry *registry = beat->data;

	(void)loop, (void)events;
	write_row(registry);
	read_rows(registry);
}

void
instances_published(struct registry *registry, uint64_t generation)
{
	struct instances *instances = &registry->instances;

	instances->shown = generation;
	if (store_can_follow(registry->store) &&
	    (instances->told != generation || !instances->has_row))
		write_row(registry);
}

void
instances_up(struct registry *registry)
{
	if (!store_can_follow(registry->store))
		return;
	write_row(registry);
	read_rows(registry);
}

static void
on_removed(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;

	(void)outcome;			/* it will be stale, then */
	registry->instances.gone(registry->instances.gone_context);
}

void
instances_leave(struct registry *registry, void (*gone)(void *context),
    void *context)
{
	struct instances *instances = &registry->instances;
	struct store_instance self;

	instances->gone = gone;
	instances->gone_context = context;
	ev_timer_stop(registry->loop, &instances->beat);
	if (instances->is_writing)
		return;			/* when that is done */
	instances_self(registry, &self);
	if (!instances->has_row || !is_up(registry) ||
	    store_remove_instance(registry->store, &self, on_removed,
		registry) == -1)
		gone(context);
	instances->has_row = false;
}

/* All rows --------------------------------------------------------------- */

static void
free_rows(struct instance_list *rows)
{
	struct instance_row *row;

	while ((row = STAILQ_FIRST(rows)) != NULL) {
		STAILQ_REMOVE_HEAD(rows, entry);
		free(row);
	}
}

static const char *
keep_text(char **end, const char *text)
{
	char *kept = *end;

	*end = stpcpy(kept, text) + 1;
	return kept;
}

static void
on_row(void *context, const struct store_instance *instance)
{
	struct registry *registry = context;
	struct instance_row *row = malloc(sizeof(*row) +
	    strlen(instance->name) + strlen(instance->run) +
	    strlen(instance->host) + strlen(instance->version) + 4);
	char *end;

	if (row == NULL)
		return;
	end = (char *)(row + 1);
	row->instance = *instance;
	row->instance.name = keep_text(&end, instance->name);
	row->instance.run = keep_text(&end, instance->run);
	row->instance.host = keep_text(&end, instance->host);
	row->instance.version = keep_text(&end, instance->version);
	STAILQ_INSERT_TAIL(&registry->instances.coming, row, entry);
}

static void
tell_listeners(struct instances *instances,
    const struct store_outcome *outcome)
{
	struct instances_listener *listener, *next;

	for (listener = LIST_FIRST(&instances->listeners); listener != NULL;
	    listener = next) {
		next = LIST_NEXT(listener, entry);
		listener->heard(listener->context, outcome);
	}
}

static void
on_rows_read(void *context, const struct store_outcome *outcome)
{
	struct registry *registry = context;
	struct instances *instances = &registry->instances;

	instances->is_reading = false;
	if (outcome->result == STORE_OK) {
		free_rows(&instances->rows);
		STAILQ_CONCAT(&instances->rows, &instances->coming);
	}
	free_rows(&instances->coming);
	if (instances->must_read)	/* told of something more meanwhile */
		read_rows(registry);
	tell_listeners(instances, outcome);
}

static void
read_rows(struct registry *registry)
{
	struct instances *instances = &registry->instances;
	const struct store_instance_query query = {
		.row = on_row,
		.done = on_rows_read,
		.context = registry,
	};

	instances->must_read = instances->is_reading;
	if (instances->is_reading)
		return;
	instances->is_reading =
	    store_list_instances(registry->store, &query) == 0;
}

/* An instance told that it shows a generation. */
static void
on_news(void *context, uint64_t generation)
{
	struct registry *registry = context;

	(void)generation;
	if (!LIST_EMPTY(&registry->instances.listeners))
		read_rows(registry);
}

/* Somebody waits for a generation, and is told when we show it. */
static void
on_wanted(void *context, uint64_t generation)
{
	struct registry *registry = context;
	struct instances *instances = &registry->instances;

	if (generation > instances->wanted)
		instances->wanted = generation;
	if (instances->shown >= generation)
		write_row(registry);
}

static void
on_asked(void *context, const struct store_outcome *outcome)
{
	(void)context, (void)outcome;	/* else the poll will find out */
}

void
instances_want(struct registry *registry, uint64_t generation)
{
	(void)!store_want_instances(registry->store, generation, on_asked,
	    registry);
}

static void
on_poll(struct ev_loop *loop, ev_timer *poll, int events)
{
	struct registry *registry = poll->data;

	(void)events;
	if (LIST_EMPTY(&registry->instances.listeners))
		ev_timer_stop(loop, poll);
	else
		read_rows(registry);
}

void
instances_listen(struct registry *registry,
    struct instances_listener *listener)
{
	struct instances *instances = &registry->instances;

	LIST_INSERT_HEAD(&instances->listeners, listener, entry);
	if (!ev_is_active(&instances->poll))
		ev_timer_again(registry->loop, &instances->poll);
	read_rows(registry);
}

void
instances_ignore(struct instances_listener *listener)
{
	LIST_REMOVE(listener, entry);
}

/* Life ------------------------------------------------------------------- */

void
instances_reload(struct registry *registry)
{
	ev_timer *beat = &registry->instances.beat;

	beat->repeat = (double)
	    registry->daemon->settings->store.heartbeat_ms / 1e3;
	if (store_can_follow(registry->store))
		ev_timer_again(registry->loop, beat);
}

void
instances_start(struct registry *registry)
{
	struct instances *instances = &registry->instances;

	STAILQ_INIT(&instances->rows);
	STAILQ_INIT(&instances->coming);
	LIST_INIT(&instances->listeners);
	if (gethostname(instances->host, sizeof(instances->host) - 1) == -1)
		snprintf(instances->host, sizeof(instances->host), "?");
	snprintf(instances->name, sizeof(instances->name), "%s@%s",
	    registry->daemon->settings->instance, instances->host);
	random_hex(instances->run, (sizeof(instances->run) - 1) / 2);
	ev_timer_init(&instances->beat, on_beat, 0.0, 0.0);
	ev_timer_init(&instances->pause, on_pause, 0.0, PAUSE_S);
	ev_timer_init(&instances->poll, on_poll, 0.0, POLL_S);
	instances->beat.data = registry;
	instances->pause.data = registry;
	instances->poll.data = registry;
	if (store_can_follow(registry->store))
		store_set_on_instances(registry->store, on_news, on_wanted,
		    registry);
	instances_reload(registry);
}

void
instances_stop(struct registry *registry)
{
	struct instances *instances = &registry->instances;

	ev_timer_stop(registry->loop, &instances->beat);
	ev_timer_stop(registry->loop, &instances->pause);
	ev_timer_stop(registry->loop, &instances->poll);
	free_rows(&instances->rows);
	free_rows(&instances->coming);
}
