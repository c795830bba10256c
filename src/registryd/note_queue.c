/*
 * registryd/note_queue.c - notes on their way to the store, many at once.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/note_queue.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/log.h"

struct note_wait {
	STAILQ_ENTRY(note_wait) entry;
	note_done_fn *done;
	void *context;
};

STAILQ_HEAD(note_waits, note_wait);

/* What goes in one transaction, and who waits for it. */
struct batch {
	struct note_changes changes;
	struct note_waits waits;
};

struct note_queue {
	struct ev_loop *loop;
	note_write_fn *write;
	void *write_context;
	struct batch gathered, sent;
	bool is_sending;
	ev_timer turn;
	void (*on_idle)(void *context);
	void *idle_context;
	void (*on_kept)(void *context, const struct note_changes *);
	void *kept_context;
};

bool
note_queue_is_idle(const struct note_queue *queue)
{
	return !queue->is_sending && STAILQ_EMPTY(&queue->gathered.waits);
}

static void
finish(struct note_queue *queue, bool is_kept)
{
	struct note_waits done = STAILQ_HEAD_INITIALIZER(done);
	struct note_wait *wait;

	queue->is_sending = false;
	if (is_kept && queue->on_kept != NULL)
		queue->on_kept(queue->kept_context, &queue->sent.changes);
	note_changes_clear(&queue->sent.changes);
	STAILQ_CONCAT(&done, &queue->sent.waits);
	if (!STAILQ_EMPTY(&queue->gathered.waits))
		ev_timer_start(queue->loop, &queue->turn);
	while ((wait = STAILQ_FIRST(&done)) != NULL) {
		STAILQ_REMOVE_HEAD(&done, entry);
		if (wait->done != NULL)
			wait->done(wait->context, is_kept);
		free(wait);
	}
	if (note_queue_is_idle(queue) && queue->on_idle != NULL)
		queue->on_idle(queue->idle_context);
}

static void
on_written(void *context, const struct store_outcome *outcome)
{
	struct note_queue *queue = context;

	if (outcome->result != STORE_OK)
		log_warn("store: notes: %s", outcome->message);
	finish(queue, outcome->result == STORE_OK);
}

static void
on_turn(struct ev_loop *loop, ev_timer *turn, int events)
{
	struct note_queue *queue = turn->data;
	struct store_commit commit = {
		.actor = { "sluice", "", "session", "", NULL },
		.done = on_written,
	};

	(void)loop;
	(void)events;
	if (queue->is_sending || STAILQ_EMPTY(&queue->gathered.waits))
		return;
	queue->sent.changes = queue->gathered.changes;
	queue->gathered.changes = (struct note_changes){ 0 };
	STAILQ_CONCAT(&queue->sent.waits, &queue->gathered.waits);
	queue->is_sending = true;
	commit.notes = &queue->sent.changes;
	commit.context = queue;
	if (queue->write(queue->write_context, &commit) == 0)
		return;
	log_warn("store: notes: %m");
	finish(queue, false);
}

int
note_queue_put(struct note_queue *queue, struct note_changes *changes,
    note_done_fn *done, void *context)
{
	struct note_wait *wait = calloc(1, sizeof(*wait));

	if (wait == NULL ||
	    note_changes_move(&queue->gathered.changes, changes) == -1) {
		free(wait);
		note_changes_clear(changes);
		return -1;
	}
	note_changes_clear(changes);
	wait->done = done;
	wait->context = context;
	STAILQ_INSERT_TAIL(&queue->gathered.waits, wait, entry);
	if (!queue->is_sending)
		ev_timer_start(queue->loop, &queue->turn);
	return 0;
}

void
note_queue_on_idle(struct note_queue *queue, void (*on_idle)(void *context),
    void *context)
{
	queue->on_idle = on_idle;
	queue->idle_context = context;
}

void
note_queue_on_kept(struct note_queue *queue,
    void (*on_kept)(void *context, const struct note_changes *),
    void *context)
{
	queue->on_kept = on_kept;
	queue->kept_context = context;
}

struct note_queue *
note_queue_new(struct ev_loop *loop, note_write_fn *write, void *context)
{
	struct note_queue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL)
		return NULL;
	queue->loop = loop;
	queue->write = write;
	queue->write_context = context;
	STAILQ_INIT(&queue->gathered.waits);
	STAILQ_INIT(&queue->sent.waits);
	ev_timer_init(&queue->turn, on_turn, 0.0, 0.0);
	queue->turn.data = queue;
	return queue;
}

static void
drop_waits(struct note_waits *waits)
{
	struct note_wait *wait;

	while ((wait = STAILQ_FIRST(waits)) != NULL) {
		STAILQ_REMOVE_HEAD(waits, entry);
		free(wait);
	}
}

void
note_queue_free(struct note_queue **p)
{
	struct note_queue *queue = *p;

	*p = NULL;
	if (queue == NULL)
		return;
	ev_timer_stop(queue->loop, &queue->turn);
	note_changes_clear(&queue->gathered.changes);
	note_changes_clear(&queue->sent.changes);
	drop_waits(&queue->gathered.waits);
	drop_waits(&queue->sent.waits);
	free(queue);
}
