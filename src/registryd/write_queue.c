/*
 * registryd/write_queue.c - changes, one after the other.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/write_queue.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "registryd/bulk_check.h"
#include "registryd/model_check.h"
#include "registryd/object_json.h"
#include "registryd/write_parts.h"

/* Of more at once the log has their number alone; history has them all. */
#define LOGGED_CHANGES_MAX 1000

struct write_queue {
	struct ev_loop *loop;
	struct write_backing backing;
	TAILQ_HEAD(write_list, write) waiting;
	struct write *current;		/* its commit is under way */
	bool is_held;
	ev_timer turn;			/* begin the next one from the loop */
	void (*on_idle)(void *context);
	void *idle_context;
};

static void
log_write_line(const struct write *write)
{
	if (write->change_count > LOGGED_CHANGES_MAX) {
		log_info("%" PRIu32 " changes by %s (%s, %s): generation %llu",
		    write->change_count, write->who, write->from,
		    write->channel, (unsigned long long)write->generation);
		return;
	}
	for (uint32_t i = 0; i < write->change_count; i++) {
		char key[TABLE_NAME_MAX + 1];
		const struct store_change *change = &write->changes[i];

		log_info("%s %s: %s by %s (%s, %s): generation %llu",
		    object_kind_name(change->kind),
		    write_change_key(change, key, sizeof(key)),
		    change->is_removal		? "deleted" :
			change->before_json != NULL ? "updated" :
						      "created",
		    write->who, write->from, write->channel,
		    (unsigned long long)write->generation);
	}
}

static void
finish(struct write_queue *queue, struct write *write)
{
	queue->current = NULL;
	if (write->problem.status != 0)
		log_info("%s: refused for %s (%s): %s", write->channel,
		    write->who, write->from, write->problem.detail);
	write->done(write, write->context);
	write_free(write);
	if (!TAILQ_EMPTY(&queue->waiting))
		ev_timer_start(queue->loop, &queue->turn);
	else if (queue->on_idle != NULL)
		queue->on_idle(queue->idle_context);
}

/* Commit ----------------------------------------------------------------- */

static const struct {
	unsigned int status;
	const char *word, *text;
} store_problems[] = {
	[STORE_OK] = { 0, "", "" },
	[STORE_UNAVAILABLE] = { 503, "store_unavailable",
	    "the store cannot be reached" },
	[STORE_CONFLICT] = { 409, "changed_elsewhere",
	    "it was changed elsewhere meanwhile; read it again" },
	[STORE_FULL] = { 507, "store_full", "the store's disk is full" },
	[STORE_REFUSED] = { 500, "store_refused", "the store refused it" },
};

static void
take_generation(struct write_queue *queue, struct write *write,
    const struct store_outcome *outcome)
{
	const struct write_backing *backing = &queue->backing;
	struct model *model = backing->model(backing->context);

	write->generation = outcome->generation;
	if (outcome->spooled_seq != 0)
		return;			/* none of the store's */
	if (outcome->generation > model->generation + 1)
		backing->skipped(backing->context, model->generation);
	else if (outcome->generation <= model->generation) {
		if (write->spool_id != NULL)
			return;		/* it was played before */
		/* A store that lost commits, and counts them again. */
		backing->is_stale(backing->context);
	}
	model->generation = outcome->generation;
	model->generation_wall_ms = outcome->at_wall_ms;
}

static void
apply(struct write_queue *queue, struct write *write,
    const struct store_outcome *outcome)
{
	const struct write_backing *backing = &queue->backing;
	struct model *model = backing->model(backing->context);

	take_generation(queue, write, outcome);
	for (uint32_t i = 0; i < write->change_count; i++) {
		if (write->skips != NULL && write->skips[i])
			continue;
		if (write_change_apply(model, &write->changes[i]) == 0)
			continue;
		problem_set(&write->problem, 503, "not_applied", NULL,
		    "stored, but not applied yet: %m; it will be");
		log_error("change %llu: apply: %m: loading the store again",
		    (unsigned long long)outcome->generation);
		backing->is_stale(backing->context);
		return;
	}
	backing->applied(backing->context, write);
	if (backing->publish(backing->context, model->generation,
		&write->problem) == 0)
		log_write_line(write);
}

/* To static objects: no change, but the table must show them. */
static void
publish_orders(struct write_queue *queue, struct write *write)
{
	const struct write_backing *backing = &queue->backing;
	const struct model *model = backing->model(backing->context);

	for (uint32_t i = 0; i < write->notes.count; i++) {
		if (write->notes.list[i].kind != NOTE_CONDITION)
			continue;
		(void)backing->publish(backing->context, model->generation,
		    &write->problem);
		return;
	}
}

static void
on_committed(void *context, const struct store_outcome *outcome)
{
	struct write_queue *queue = context;
	struct write *write = queue->current;

	write->spooled_seq = outcome->spooled_seq;
	if (outcome->result == STORE_OK && write->change_count > 0) {
		apply(queue, write, outcome);
	} else if (outcome->result == STORE_OK) {
		queue->backing.applied(queue->backing.context, write);
		publish_orders(queue, write);
		log_debug("%s: notes of %s kept", write->channel, write->who);
	} else {
		problem_set(&write->problem,
		    store_problems[outcome->result].status,
		    store_problems[outcome->result].word, NULL, "%s: %s",
		    store_problems[outcome->result].text,
		    outcome->message == NULL ? "no reason given" :
					       outcome->message);
		if (outcome->result == STORE_CONFLICT &&
		    write->change_count > 0 && write->spool_id == NULL)
			queue->backing.is_stale(queue->backing.context);
	}
	finish(queue, write);
}

static void
commit(struct write_queue *queue, struct write *write)
{
	const struct store_commit commit = {
		.changes = write->changes,
		.change_count = write->change_count,
		.notes = &write->notes,
		.actor = { write->who, write->from, write->channel,
		    write->request_id, write->cause },
		.describe = change_describe,
		.expected_generation = write->is_bulk ? write->generation : 0,
		.spool_id = write->spool_id,
		.done = on_committed,
		.context = queue,
	};

	queue->current = write;
	if (queue->backing.commit(queue->backing.context, &commit) == 0)
		return;
	problem_set(&write->problem, 503, "store_unavailable", NULL,
	    "the store takes no changes now: %m");
	finish(queue, write);
}

/* Turns ------------------------------------------------------------------ */

static int
check(const struct model *model, struct write *write)
{
	if (write->spool_id != NULL)
		return model_check_played(model, write, &write->problem);
	return write->is_bulk ? bulk_check(model, write, &write->problem)
			      : model_check(model, write, &write->problem);
}

static void
begin(struct write_queue *queue, struct write *write)
{
	const struct write_backing *backing = &queue->backing;
	const struct model *model = backing->model(backing->context);
	int planned = -1;

	queue->current = write;
	write->sluice = backing->sluice;
	if (model == NULL) {
		backing->no_model(backing->context, &write->problem);
	} else if ((planned = write->plan(write, model, write->context)) ==
	    WRITE_WAITS) {
		return;
	} else if (planned == 0 &&
	    check(model, write) == 0 && (write->spool_id != NULL ||
		backing->check_room(backing->context, write,
		    &write->problem) == 0)) {
		write->generation = model->generation;
		if (!write->is_dry_run &&
		    (write->change_count > 0 || write->notes.count > 0)) {
			commit(queue, write);
			return;
		}
	}
	finish(queue, write);
}

static void
on_turn(struct ev_loop *loop, ev_timer *turn, int events)
{
	struct write_queue *queue = turn->data;
	struct write *write = TAILQ_FIRST(&queue->waiting);

	(void)events;
	ev_timer_stop(loop, turn);
	if (queue->is_held || queue->current != NULL || write == NULL)
		return;
	TAILQ_REMOVE(&queue->waiting, write, queued);
	begin(queue, write);
}

void
write_queue_submit(struct write_queue *queue, struct write *write)
{
	TAILQ_INSERT_TAIL(&queue->waiting, write, queued);
	ev_timer_start(queue->loop, &queue->turn);
}

void
write_queue_submit_first(struct write_queue *queue, struct write *write)
{
	TAILQ_INSERT_HEAD(&queue->waiting, write, queued);
	ev_timer_start(queue->loop, &queue->turn);
}

void
write_queue_go_on(struct write_queue *queue)
{
	begin(queue, queue->current);
}

void
write_queue_hold(struct write_queue *queue, bool is_held)
{
	queue->is_held = is_held;
	if (!is_held)
		ev_timer_start(queue->loop, &queue->turn);
}

bool
write_queue_is_busy(const struct write_queue *queue)
{
	return queue->current != NULL;
}

bool
write_queue_is_idle(const struct write_queue *queue)
{
	return queue->current == NULL && TAILQ_EMPTY(&queue->waiting);
}

void
write_queue_on_idle(struct write_queue *queue, void (*on_idle)(void *context),
    void *context)
{
	queue->on_idle = on_idle;
	queue->idle_context = context;
}

struct write_queue *
write_queue_new(struct ev_loop *loop, const struct write_backing *backing)
{
	struct write_queue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL)
		return NULL;
	queue->loop = loop;
	queue->backing = *backing;
	TAILQ_INIT(&queue->waiting);
	ev_timer_init(&queue->turn, on_turn, 0.0, 0.0);
	queue->turn.data = queue;
	return queue;
}

void
write_queue_free(struct write_queue **p)
{
	struct write_queue *queue = *p;
	struct write *write;

	*p = NULL;
	if (queue == NULL)
		return;
	ev_timer_stop(queue->loop, &queue->turn);
	while ((write = TAILQ_FIRST(&queue->waiting)) != NULL) {
		TAILQ_REMOVE(&queue->waiting, write, queued);
		write_free(write);
	}
	free(queue);
}
