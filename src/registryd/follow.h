/*
 * registryd/follow.h - what other instances change is routed here, too.
 *
 * Asked for when the store tells news, when it can be heard again, on a
 * slow timer (store.follow_interval), and when a commit of ours came
 * behind others' that we have not seen.  Runs as a write of the queue that
 * changes nothing in the store, so that nothing is planned on a model
 * that is half followed.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_FOLLOW_H
#define REGISTRYD_FOLLOW_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "registryd/store/store.h"
#include "shm/worker_stats.h"

struct model;
struct registry;

/* An object that somebody changed, or the key of one that is gone. */
struct news_item {
	enum object_kind kind;
	bool is_gone;
	union {
		struct service service;
		struct backend backend;
		struct route route;
	} object;
	char *key;			/* of what is gone */
};

struct follow {
	ev_timer timer;
	bool is_queued;
	bool must_read;			/* something may have been missed */
	uint64_t told;			/* the latest generation told of */
	uint64_t asked;			/* what that was when read */
	bool has_gap;
	uint64_t gap;			/* read from here, not the model's */

	/* of the read under way */
	bool is_read, is_failed;
	bool hears_notes;		/* those of others, too */
	struct store_outcome outcome;
	struct news_item *items;
	size_t count, size;
	int64_t age_ms;			/* of the oldest change, when read */
	struct instant read;

	/* for /metrics: from a commit elsewhere until it was routed here */
	uint64_t buckets[STATS_BUCKETS], sum_us;
};

/* Nothing happens where the store cannot be followed. */
void follow_start(struct registry *);
void follow_stop(struct registry *);
/* The settings changed. */
void follow_reload(struct registry *);

/* From which generation on the model may lack something. */
uint64_t follow_since(const struct registry *);

/*
 * For registry_load.c: asks for what was changed since, outside of a
 * write, in the database that registry->identity names; then, when that
 * was answered, takes it into a model (and the replica), but publishes
 * nothing.  follow_take() returns 0, or -1 when all must be loaded again.
 * note, unless NULL, is told all notes there are.
 */
MUST_CHECK int follow_read(struct registry *, uint64_t since,
    void (*note)(void *context, const struct store_note *),
    store_done_fn *done);
MUST_CHECK int follow_take(struct registry *, struct model *,
    uint64_t since);
/* What was read is of no more use. */
void follow_forget(struct follow *);

/* The store is there again. */
void follow_now(struct registry *);

/* A commit of ours came behind others, of after that generation. */
void follow_skipped(void *registry, uint64_t since);

#endif
