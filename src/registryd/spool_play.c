/*
 * registryd/spool_play.c - what was kept is played into PostgreSQL.
 *
 * One after the other, each as a write that comes before all that wait, so
 * that nothing is planned in between; nothing is followed in between
 * either, since what is played would come back older than what lies over
 * it.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/model_check.h"
#include "registryd/registry.h"
#include "registryd/spool_parts.h"
#include "registryd/store/change.h"

#define AGAIN_S 1.0

static void play_next(struct spool *);

bool
spool_is_playing(const struct spool *spool)
{
	return spool != NULL && spool->is_playing;
}

/* Later changes of the same object ---------------------------------------- */

struct touch {
	const struct store_change *change;
	uint32_t order;
	bool *skip;
};

static int
compare_keys(const struct store_change *a, const struct store_change *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == OBJECT_SERVICE)
		return strcmp(a->object.service->name,
		    b->object.service->name);
	if (change_id(a) == change_id(b))
		return 0;
	return change_id(a) < change_id(b) ? -1 : 1;
}

static int
compare_touches(const void *left, const void *right)
{
	const struct touch *a = left, *b = right;
	int order = compare_keys(a->change, b->change);

	if (order != 0)
		return order;
	return a->order < b->order ? -1 : 1;
}

static uint32_t
count_changes(const struct spool *spool)
{
	const struct spool_entry *entry;
	uint32_t count = 0;

	TAILQ_FOREACH(entry, &spool->waiting, entry)
		count += entry->body.changes.count;
	return count;
}

/* 0, or -1 when out of memory. */
static int
list_touches(struct spool *spool, struct touch *touches)
{
	struct spool_entry *entry;
	uint32_t count = 0;

	TAILQ_FOREACH(entry, &spool->waiting, entry) {
		free(entry->skips);
		entry->skips = calloc(entry->body.changes.count + 1,
		    sizeof(*entry->skips));
		if (entry->skips == NULL)
			return -1;
		for (uint32_t i = 0; i < entry->body.changes.count; i++) {
			touches[count] = (struct touch){
				&entry->body.changes.list[i], count,
				&entry->skips[i] };
			count++;
		}
	}
	return 0;
}

/* What is played must not be put over what is kept behind it. */
static int
mark_skips(struct spool *spool)
{
	uint32_t count = count_changes(spool);
	struct touch *touches = calloc(count + 1, sizeof(*touches));
	int result;

	if (touches == NULL)
		return -1;
	result = list_touches(spool, touches);
	if (result == 0 && count > 0)
		qsort(touches, count, sizeof(*touches), compare_touches);
	for (uint32_t i = 0; result == 0 && i + 1 < count; i++)
		*touches[i].skip = compare_keys(touches[i].change,
		    touches[i + 1].change) == 0;
	free(touches);
	return result;
}

/* The write --------------------------------------------------------------- */

/* The version that PostgreSQL gave to what is expected. */
static uint64_t
expected_now(const struct spool *spool, uint64_t expected)
{
	for (uint32_t low = 0, high = spool->version_count; low < high;) {
		uint32_t middle = low + (high - low) / 2;
		const struct spool_version *version =
		    &spool->versions[middle];

		if (version->spooled == expected)
			return version->generation;
		if (version->spooled < expected)
			low = middle + 1;
		else
			high = middle;
	}
	return expected;
}

static int
plan_play(struct write *write, const struct model *model, void *context)
{
	struct spool *spool = context;
	const struct spool_body *body = &TAILQ_FIRST(&spool->waiting)->body;
	struct object_changes changes = { 0 };
	int result = note_changes_copy(&write->notes, &body->notes);

	(void)model;
	for (uint32_t i = 0; i < body->changes.count && result == 0; i++) {
		result = object_changes_add(&changes, &body->changes.list[i]);
		if (result == 0)
			changes.list[i].expected_version = expected_now(spool,
			    changes.list[i].expected_version);
	}
	write->changes = changes.list;
	write->change_count = changes.count;
	write->change_size = changes.size;
	return result == 0 ? 0 :
			     problem_set(&write->problem, 503,
				 "out_of_memory", NULL, "out of memory");
}

/* Afterwards -------------------------------------------------------------- */

static void
on_marked(void *context, const struct store_outcome *outcome)
{
	struct spool_entry *entry = context;
	struct spool *spool = entry->spool;

	if (outcome->result != STORE_OK)
		return;			/* spool_rewrite() */
	TAILQ_REMOVE(&spool->marking, entry, entry);
	if (entry->row.state == SPOOL_DROPPED)
		spool_add_dropped(spool, entry);
	else
		spool_entry_free(entry);
	if (TAILQ_EMPTY(&spool->marking) && spool->waiting_count == 0)
		replica_forget_spooled(spool->registry->replica,
		    spool->last_seq, spool->forget_dropped);
}

void
spool_mark(struct spool_entry *entry)
{
	if (replica_spool(entry->spool->registry->replica, &entry->row, NULL,
		on_marked, entry) == -1)
		log_error("store: spool: out of memory: change %llu",
		    (unsigned long long)entry->row.seq);
}

/* It is decided on; state and what goes with it are set. */
static void
settle(struct spool *spool, struct spool_entry *entry)
{
	spool_take_out(spool, entry);
	TAILQ_INSERT_TAIL(&spool->marking, entry, entry);
	spool_mark(entry);
}

static void
played(struct spool *spool, struct spool_entry *entry, uint64_t generation)
{
	entry->row.state = SPOOL_PLAYED;
	entry->row.generation = generation;
	spool->played_count++;
	if (entry->body.changes.count > 0 &&
	    spool_note_played(spool, &entry->row) == -1)
		log_error("store: spool: out of memory: what leans on change "
			  "%llu will be dropped",
		    (unsigned long long)entry->row.seq);
	settle(spool, entry);
}

static void
drop(struct spool *spool, struct spool_entry *entry, const char *reason)
{
	char *copy = strdup(reason), key[CHANGE_KEY_SIZE];

	for (uint32_t i = 0; i < entry->body.changes.count; i++) {
		const struct store_change *change =
		    &entry->body.changes.list[i];

		log_warn("store: spool: change %llu, %s %s by %s (%s, %s): "
			 "dropped: %s", (unsigned long long)entry->row.seq,
		    object_kind_name(change->kind), change_key(change, key),
		    entry->row.who, entry->row.from, entry->row.channel,
		    reason);
	}
	if (copy != NULL) {
		free((void *)(uintptr_t)entry->row.reason);
		entry->row.reason = copy;
	}
	entry->row.state = SPOOL_DROPPED;
	spool->dropped_count++;
	spool->has_dropped = true;
	settle(spool, entry);
}

static void
stop_playing(struct spool *spool)
{
	spool->is_playing = false;
	ev_timer_stop(spool->registry->loop, &spool->again);
	ev_timer_start(spool->registry->loop, &spool->again);
}

static void
finish_playing(struct spool *spool)
{
	struct registry *registry = spool->registry;

	log_notice("store: spool: all is played: %llu changes, and %llu "
		   "dropped, since the start",
	    (unsigned long long)spool->played_count,
	    (unsigned long long)spool->dropped_count);
	spool->is_playing = false;
	spool->version_count = 0;
	/* What was changed more than once is not known as it is there. */
	if (spool->has_dropped)
		registry_load_again(registry);
	else
		follow_skipped(registry, spool->base);
	spool->has_dropped = spool->has_base = false;
}

/* Not the change is at fault, and it may go better later. */
static bool
is_passing(const struct problem *problem)
{
	static const char *const words[] = { "store_unavailable",
		"store_full", "out_of_memory" };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(problem->word, words[i]) == 0)
			return true;
	return false;
}

static bool
is_stored(const struct problem *problem)
{
	return problem->status == 0 ||
	    strcmp(problem->word, "not_published") == 0 ||
	    strcmp(problem->word, "not_applied") == 0;
}

static void
on_played(struct write *write, void *context)
{
	struct spool *spool = context;
	struct spool_entry *entry = TAILQ_FIRST(&spool->waiting);

	if (is_stored(&write->problem)) {
		played(spool, entry, write->generation);
	} else if (is_passing(&write->problem)) {
		stop_playing(spool);
		return;
	} else {
		drop(spool, entry, write->problem.detail);
	}
	play_next(spool);
}

static void
play_next(struct spool *spool)
{
	struct registry *registry = spool->registry;
	const struct spool_entry *entry = TAILQ_FIRST(&spool->waiting);
	struct write *write;

	if (entry == NULL) {
		finish_playing(spool);
		return;
	}
	if (!entry->is_kept || registry->is_leaving || registry->is_stale ||
	    registry->guard.is_held ||
	    (write = write_new(plan_play, on_played, spool)) == NULL) {
		stop_playing(spool);
		return;
	}
	snprintf(write->who, sizeof(write->who), "%s", entry->row.who);
	snprintf(write->from, sizeof(write->from), "%s", entry->row.from);
	snprintf(write->request_id, sizeof(write->request_id), "%s",
	    entry->row.request_id);
	snprintf(write->cause, sizeof(write->cause), "%s",
	    entry->body.cause == NULL ? "" : entry->body.cause);
	write->channel = entry->row.channel;
	write->spool_id = entry->row.id;
	write->skips = entry->skips;
	write_queue_submit_first(registry->writes, write);
}

void
spool_play(struct spool *spool)
{
	struct registry *registry;

	if (spool == NULL || spool->is_playing || spool->waiting_count == 0)
		return;
	registry = spool->registry;
	if (registry->model == NULL || registry->is_stale ||
	    registry->is_leaving || registry->guard.is_held)
		return;
	if (mark_skips(spool) == -1) {
		stop_playing(spool);
		return;
	}
	log_notice("store: spool: playing %u changes", spool->waiting_count);
	spool->is_playing = true;
	if (!spool->has_base)
		spool->base = registry->model->generation;
	spool->has_base = true;
	play_next(spool);
}

void
spool_disown(struct spool *spool)
{
	struct spool_entry *entry;

	while (spool != NULL &&
	    (entry = TAILQ_FIRST(&spool->waiting)) != NULL)
		drop(spool, entry, "it was kept for another database");
	if (spool != NULL)
		spool->has_dropped = false;
}

/* What could not be played then is tried again, once all is followed. */
static void
on_again(struct ev_loop *loop, ev_timer *again, int events)
{
	struct spool *spool = again->data;

	(void)events;
	if (spool_is_waiting(spool))
		follow_now(spool->registry);
	else
		ev_timer_stop(loop, again);
}

void
spool_play_init(struct spool *spool)
{
	TAILQ_INIT(&spool->marking);
	ev_timer_init(&spool->again, on_again, AGAIN_S, AGAIN_S);
	spool->again.data = spool;
}
