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
	uint64_t gap;			/* read from here; 0: the model's */

	/* of the read under way */
	bool is_read, is_failed;
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

/* A commit of ours came behind others, of after that generation. */
void follow_skipped(void *registry, uint64_t since);

#endif
