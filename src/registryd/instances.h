/*
 * registryd/instances.h - the sluices that share the store, and ourselves.
 *
 * We put a row about ourselves when the table shows another generation (at
 * most one a second: a burst of changes is one write), and every
 * store.heartbeat; and take it away when we stop.  Who waits for others to
 * show a generation (api_wait.c) asks for it: then they write at once, and
 * tell; nobody is told otherwise.
 *
 * The rows are read with each heartbeat, for /metrics, and while somebody
 * waits for them.
 *
 * Our name is the setting instance, "@" and the host.  Another sluice may
 * have it, too: who finds its row taken takes it back, and the next time
 * adds "#" and the run to its own name.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_INSTANCES_H
#define REGISTRYD_INSTANCES_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/compat.h"
#include "registryd/store/store.h"

struct registry;

#define INSTANCE_NAME_SIZE 192
#define INSTANCE_RUN_SIZE  17

/* A row as it was read; texts follow the struct. */
struct instance_row {
	STAILQ_ENTRY(instance_row) entry;
	struct store_instance instance;
};
STAILQ_HEAD(instance_list, instance_row);

/* The rows are read again, or could not be (error).  May stop listening. */
struct instances_listener {
	LIST_ENTRY(instances_listener) entry;
	void (*heard)(void *context, const struct store_outcome *);
	void *context;
};

struct instances {
	char name[INSTANCE_NAME_SIZE], host[80];
	char run[INSTANCE_RUN_SIZE];
	ev_timer beat;
	ev_timer pause;			/* after a write */
	bool has_row;			/* our run wrote it before */
	struct instant taken;		/* by another run; ns 0: never */
	bool is_writing, must_write;
	uint64_t shown, told;		/* generation; of the last write */
	uint64_t wanted;		/* to be told of; 0: none is */
	void (*gone)(void *context);	/* our row is away; while leaving */
	void *gone_context;

	struct instance_list rows, coming;
	bool is_reading, must_read;
	ev_timer poll;			/* while somebody listens */
	LIST_HEAD(, instances_listener) listeners;
};

void instances_start(struct registry *);
void instances_stop(struct registry *);
/* The settings changed. */
void instances_reload(struct registry *);

/* The table shows another generation. */
void instances_published(struct registry *, uint64_t generation);
/* The store can be reached again. */
void instances_up(struct registry *);

/* Takes our row away; gone() tells when that is done or cannot be, maybe
 * from within. */
void instances_leave(struct registry *, void (*gone)(void *context),
    void *context);

/* Reads the rows and tells all who listen; they go on being told, when an
 * instance tells, and now and then. */
void instances_listen(struct registry *, struct instances_listener *);
/* Asks all to tell when they show it. */
void instances_want(struct registry *, uint64_t generation);
void instances_ignore(struct instances_listener *);

/* Of a store that nobody shares: ourselves alone. */
void instances_self(const struct registry *, struct store_instance *self_r);

#endif
