/*
 * registryd/spool_parts.h - what a spool is; for spool*.c.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_SPOOL_PARTS_H
#define REGISTRYD_SPOOL_PARTS_H

#include <ev.h>

#include "common/random.h"
#include "registryd/spool.h"

TAILQ_HEAD(spool_list, spool_entry);

/* A version that was given here, and the one that PostgreSQL gave. */
struct spool_version {
	uint64_t spooled, generation;
};

struct spool {
	struct registry *registry;
	struct spool_list waiting, dropped;
	struct spool_list marking;	/* decided; the file is to be told */
	uint32_t waiting_count, dropped_length;
	size_t waiting_bytes;
	uint64_t last_seq, forget_dropped;
	struct random_stream random;
	uint64_t spooled_count, played_count, dropped_count;

	/* while it is played */
	bool is_playing;
	bool has_dropped;		/* the model has what is not to be */
	bool has_base;
	uint64_t base;			/* the generation before the first */
	struct spool_version *versions;	/* of what was played, by seq */
	uint32_t version_count, version_size;
	ev_timer again;
};

void spool_entry_free(struct spool_entry *);
/* Out of those that wait; it is the caller's then. */
void spool_take_out(struct spool *, struct spool_entry *);
/* Takes the entry; the oldest goes when there are too many. */
void spool_add_dropped(struct spool *, struct spool_entry *);
/* 0, or -1 when out of memory. */
MUST_CHECK int spool_note_played(struct spool *,
    const struct store_spooled *);

/* spool_play.c */
/* Tells the file of what was decided. */
void spool_mark(struct spool_entry *);
void spool_play_init(struct spool *);

#endif
