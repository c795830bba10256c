/*
 * registryd/spool.c - commits that are kept while PostgreSQL is away.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/random.h"
#include "registryd/registry.h"
#include "registryd/spool_parts.h"
#include "registryd/store/change.h"
#include "registryd/write_parts.h"

#define WAITING_MAX   100000		/* commits */
#define BYTES_MAX     (256u << 20)	/* of their texts */
#define DROPPED_MAX   1000		/* that are still listed */
#define ID_BYTES      16

/* Entries ---------------------------------------------------------------- */

void
spool_entry_free(struct spool_entry *entry)
{
	spooled_clear(&entry->row);
	spool_body_clear(&entry->body);
	change_backup_free(&entry->backup);
	free(entry->skips);
	free(entry);
}

static void
clear_list(struct spool_list *list)
{
	struct spool_entry *entry;

	while ((entry = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, entry, entry);
		spool_entry_free(entry);
	}
}

static void
add_waiting(struct spool *spool, struct spool_entry *entry)
{
	TAILQ_INSERT_TAIL(&spool->waiting, entry, entry);
	spool->waiting_count++;
	spool->waiting_bytes += strlen(entry->row.body);
}

void
spool_take_out(struct spool *spool, struct spool_entry *entry)
{
	TAILQ_REMOVE(&spool->waiting, entry, entry);
	spool->waiting_count--;
	spool->waiting_bytes -= strlen(entry->row.body);
}

void
spool_add_dropped(struct spool *spool, struct spool_entry *entry)
{
	struct spool_entry *oldest;

	TAILQ_INSERT_TAIL(&spool->dropped, entry, entry);
	if (++spool->dropped_length <= DROPPED_MAX)
		return;
	oldest = TAILQ_FIRST(&spool->dropped);
	TAILQ_REMOVE(&spool->dropped, oldest, entry);
	spool->dropped_length--;
	spool->forget_dropped = oldest->row.seq;
	spool_entry_free(oldest);
}

bool
spool_is_waiting(const struct spool *spool)
{
	return spool != NULL && spool->waiting_count > 0;
}

const struct spool_entry *
spool_next(const struct spool *spool, const struct spool_entry *entry)
{
	const struct spool_entry *next;

	if (spool == NULL)
		return NULL;
	if (entry == NULL)
		next = TAILQ_FIRST(&spool->dropped);
	else
		next = TAILQ_NEXT(entry, entry);
	/* What was dropped was kept before all that waits. */
	if (next == NULL &&
	    (entry == NULL || entry->row.state == SPOOL_DROPPED))
		next = TAILQ_FIRST(&spool->waiting);
	return next;
}

void
spool_figures(const struct spool *spool, struct spool_figures *figures_r)
{
	if (spool == NULL) {
		*figures_r = (struct spool_figures){ 0 };
		return;
	}
	*figures_r = (struct spool_figures){
		.waiting_count = spool->waiting_count,
		.spooled_count = spool->spooled_count,
		.played_count = spool->played_count,
		.dropped_count = spool->dropped_count,
	};
}

/* Keeping ---------------------------------------------------------------- */

static bool
is_taking(const struct registry *registry)
{
	struct store_figures figures;

	if (registry->spool == NULL ||
	    registry->daemon->settings->store.outage != OUTAGE_SPOOL ||
	    registry->identity[0] == '\0' || registry->model == NULL)
		return false;
	store_figures(registry->store, &figures);
	return !figures.is_up || spool_is_waiting(registry->spool);
}

static void
on_kept(void *context, const struct store_outcome *outcome)
{
	struct spool_entry *entry = context;
	struct spool *spool = entry->spool;
	struct store_commit commit = entry->commit;
	struct store_outcome answer = *outcome;

	if (outcome->result == STORE_OK) {
		entry->is_kept = true;
		change_backup_free(&entry->backup);
		spool->spooled_count++;
		answer.generation = spool->registry->model->generation;
		answer.at_wall_ms = entry->row.at_wall_ms;
		answer.spooled_seq = entry->row.seq;
	} else {
		change_backup_restore(entry->backup, &commit);
		spool_take_out(spool, entry);
		spool_entry_free(entry);
	}
	commit.done(commit.context, &answer);
}

/* The caller's objects are stamped, too, as a store would. */
static int
copy_commit(struct spool_entry *entry, const struct store_commit *commit,
    struct commit_stamp *stamp)
{
	int result = change_backup_new(commit, &entry->backup);

	if (commit->actor.cause != NULL && result == 0 &&
	    (entry->body.cause = strdup(commit->actor.cause)) == NULL)
		result = -1;
	for (uint32_t i = 0; i < commit->change_count && result == 0; i++) {
		change_stamp(&commit->changes[i], stamp);
		result = object_changes_add(&entry->body.changes,
		    &commit->changes[i]);
	}
	if (result == 0 && commit->notes != NULL)
		result = note_changes_copy(&entry->body.notes, commit->notes);
	return result;
}

static uint64_t
first_id(struct random_stream *random)
{
	return STORE_SPOOLED_FIRST |
	    (random_next(random) & (STORE_SPOOLED_FIRST - 1));
}

static int
write_row(struct spool_entry *entry, const struct store_commit *commit,
    const struct commit_stamp *stamp)
{
	char id[2 * ID_BYTES + 1];
	struct buf body = { 0 };
	int result = -1;

	random_hex(id, ID_BYTES);
	if (spool_body_write(&body, &entry->body) == 0) {
		const struct store_spooled row = {
			.seq = stamp->generation - STORE_SPOOLED_FIRST,
			.id = id,
			.state = SPOOL_WAITING,
			.at_wall_ms = stamp->at_wall_ms,
			.who = commit->actor.who,
			.from = commit->actor.from,
			.channel = commit->actor.channel,
			.request_id = commit->actor.request_id,
			.body = body.data,
		};

		result = spooled_copy(&row, &entry->row);
	}
	buf_free(&body);
	return result;
}

static struct spool_entry *
make_entry(struct spool *spool, const struct store_commit *commit)
{
	struct spool_entry *entry = calloc(1, sizeof(*entry));
	struct commit_stamp stamp = {
		.generation = STORE_SPOOLED_FIRST + spool->last_seq + 1,
		.at_wall_ms = clock_wall_ms(),
		.next_backend_id = first_id(&spool->random),
		.next_route_id = first_id(&spool->random),
	};

	if (entry == NULL)
		return NULL;
	entry->spool = spool;
	entry->commit = *commit;
	if (copy_commit(entry, commit, &stamp) == 0 &&
	    write_row(entry, commit, &stamp) == 0)
		return entry;
	if (entry->backup != NULL)
		change_backup_restore(entry->backup, commit);
	spool_entry_free(entry);
	return NULL;
}

/* 0, or -1 with errno. */
static int
keep(struct spool *spool, const struct store_commit *commit)
{
	struct spool_entry *entry;

	if (spool->waiting_count >= WAITING_MAX ||
	    spool->waiting_bytes >= BYTES_MAX) {
		errno = ENOSPC;
		return -1;
	}
	if ((entry = make_entry(spool, commit)) == NULL)
		return -1;
	if (replica_spool(spool->registry->replica, &entry->row,
		&entry->body.notes, on_kept, entry) == -1) {
		change_backup_restore(entry->backup, commit);
		spool_entry_free(entry);
		return -1;
	}
	spool->last_seq++;
	add_waiting(spool, entry);
	return 0;
}

/* Passing ---------------------------------------------------------------- */

/* A commit on its way to the store, in case it is lost on that. */
struct passage {
	struct registry *registry;
	struct store_commit commit;
};

static void
on_passed(void *context, const struct store_outcome *outcome)
{
	struct passage *passage = context;
	struct registry *registry = passage->registry;
	struct store_commit commit = passage->commit;

	free(passage);
	if (outcome->result == STORE_UNAVAILABLE && !outcome->is_unknown &&
	    is_taking(registry) && keep(registry->spool, &commit) == 0)
		return;
	commit.done(commit.context, outcome);
}

static int
hand_on(struct registry *registry, const struct store_commit *commit)
{
	if (commit->change_count > 0)
		return store_commit(registry->store, commit);
	return store_write_notes(registry->store, commit->notes, commit->done,
	    commit->context);
}

int
spool_commit(struct registry *registry, const struct store_commit *commit)
{
	struct store_commit passed = *commit;
	struct passage *passage;

	if (commit->spool_id != NULL || registry->spool == NULL ||
	    registry->daemon->settings->store.outage != OUTAGE_SPOOL)
		return hand_on(registry, commit);
	if (is_taking(registry))
		return keep(registry->spool, commit);
	if ((passage = calloc(1, sizeof(*passage))) == NULL)
		return -1;
	passage->registry = registry;
	passage->commit = *commit;
	passed.done = on_passed;
	passed.context = passage;
	if (hand_on(registry, &passed) == 0)
		return 0;
	free(passage);
	return -1;
}

/* Loading ---------------------------------------------------------------- */

void
spool_load_begin(struct spool *spool)
{
	if (spool == NULL)
		return;
	clear_list(&spool->waiting);
	clear_list(&spool->dropped);
	spool->waiting_count = spool->dropped_length = 0;
	spool->waiting_bytes = 0;
	spool->version_count = 0;
}

/* Of a commit that was played: the version that its objects have now. */
int
spool_note_played(struct spool *spool, const struct store_spooled *row)
{
	struct spool_version *longer;
	uint32_t size = spool->version_size == 0 ? 16 :
						   2 * spool->version_size;

	if (spool->version_count == spool->version_size) {
		longer = realloc(spool->versions, size * sizeof(*longer));
		if (longer == NULL)
			return -1;
		spool->versions = longer;
		spool->version_size = size;
	}
	spool->versions[spool->version_count++] = (struct spool_version){
		STORE_SPOOLED_FIRST + row->seq, row->generation };
	return 0;
}

static struct spool_entry *
read_entry(const struct store_spooled *row)
{
	struct spool_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL || spooled_copy(row, &entry->row) == -1) {
		free(entry);
		return NULL;
	}
	entry->is_kept = true;
	if (spool_body_read(bytes_of(row->body), &entry->body) == 0)
		return entry;
	log_error("store: spool: change %llu cannot be read: it stays in the "
		  "file, and is not played", (unsigned long long)row->seq);
	spool_entry_free(entry);
	return NULL;
}

void
spool_load(struct spool *spool, const struct store_spooled *row)
{
	struct spool_entry *entry;

	if (spool == NULL)
		return;
	if (row->seq > spool->last_seq)
		spool->last_seq = row->seq;
	if (row->state == SPOOL_PLAYED) {
		if (spool_note_played(spool, row) == -1)
			log_error("store: spool: out of memory");
		return;
	}
	if ((entry = read_entry(row)) == NULL)
		return;
	entry->spool = spool;
	if (row->state == SPOOL_WAITING)
		add_waiting(spool, entry);
	else
		spool_add_dropped(spool, entry);
}

void
spool_rewrite(struct spool *spool)
{
	struct spool_entry *entry;

	if (spool == NULL)
		return;
	TAILQ_FOREACH(entry, &spool->waiting, entry)
		if (entry->is_kept &&
		    replica_spool(spool->registry->replica, &entry->row,
			NULL, NULL, NULL) == -1)
			log_error("store: spool: out of memory: change %llu "
				  "is not in the file",
			    (unsigned long long)entry->row.seq);
	TAILQ_FOREACH(entry, &spool->marking, entry)
		spool_mark(entry);
}

/* Over a model ------------------------------------------------------------ */

static bool
is_in_use(const struct model *model, const struct store_change *change)
{
	const struct model_service *service;

	if (change->kind != OBJECT_SERVICE || !change->is_removal)
		return false;
	service = model_find_service(model, change->object.service->name);
	return service != NULL &&
	    (service->backend_count > 0 || service->target_count > 0);
}

/* What does not fit over it any more is left to be decided on. */
void
spool_overlay(struct spool *spool, struct model *model)
{
	const struct spool_entry *entry;

	if (spool == NULL)
		return;
	TAILQ_FOREACH(entry, &spool->waiting, entry)
		for (uint32_t i = 0; entry->is_kept &&
		    i < entry->body.changes.count; i++) {
			const struct store_change *change =
			    &entry->body.changes.list[i];

			if (is_in_use(model, change) ||
			    write_change_apply(model, change) == -1)
				log_debug("store: spool: change %llu does "
					  "not fit any more",
				    (unsigned long long)entry->row.seq);
		}
}

/* Life ------------------------------------------------------------------- */

struct spool *
spool_new(struct registry *registry)
{
	struct spool *spool;

	if (registry->replica == NULL ||
	    (spool = calloc(1, sizeof(*spool))) == NULL)
		return NULL;
	spool->registry = registry;
	TAILQ_INIT(&spool->waiting);
	TAILQ_INIT(&spool->dropped);
	random_fill(&spool->random, sizeof(spool->random));
	spool_play_init(spool);
	return spool;
}

void
spool_free(struct spool **p)
{
	struct spool *spool = *p;

	*p = NULL;
	if (spool == NULL)
		return;
	ev_timer_stop(spool->registry->loop, &spool->again);
	clear_list(&spool->waiting);
	clear_list(&spool->dropped);
	clear_list(&spool->marking);
	free(spool->versions);
	free(spool);
}
