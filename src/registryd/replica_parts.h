/*
 * registryd/replica_parts.h - what the files of the replica share.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_REPLICA_PARTS_H
#define REGISTRYD_REPLICA_PARTS_H

#include "registryd/replica.h"

#include "registryd/registry.h"

struct spool_wait {
	store_done_fn *done;		/* or NULL */
	void *context;
};

/* What goes into one transaction. */
struct gathered {
	struct object_changes changes;
	struct note_changes notes;
	bool replaces_notes;
	struct store_spooled *rows;	/* of the spool; texts borrowed */
	struct spool_wait *waits;	/* for each of them */
	uint32_t row_count, row_size;
	uint64_t forget_played, forget_dropped;
};

/* How far a copy of the model is; the range is the one under way. */
struct copying {
	bool is_on, has_more;
	enum object_kind kind;
	char *after_name, *upto_name;	/* NULL: from the first; to the last */
	uint64_t after_id, upto_id;
};

struct replica {
	struct registry *registry;
	struct store *store;
	struct gathered next, sent;
	struct copying copying;
	bool is_sending, is_range_sent;
	bool is_broken, is_copy_due;
	bool must_confirm;
	bool is_spool_due;		/* some of it may be lost */
	char identity[STORE_IDENTITY_SIZE];
	char sent_identity[STORE_IDENTITY_SIZE];
	bool is_begun_anew;		/* of another database, or of an
					 * earlier state of it: what is
					 * there is of no use */
	bool is_identity_due;		/* it is not in the file */
	struct replica_batch batch;	/* what was sent */
	struct replica_range range;
	struct note_changes all_notes;	/* between begin and end */
	bool is_reading_notes, are_notes_failed, are_notes_lost;
	char error[160];
	uint64_t generation;		/* of the file */
	int64_t confirmed_wall_ms;	/* of the file */
	uint64_t failed_count;
	ev_timer turn;
	void (*on_idle)(void *context);
	void *idle_context;
};

/* replica.c: writes what is due, so much later; when the file is broken,
 * not before it is tried again. */
void replica_turn_after(struct replica *, double seconds);

/* replica_put.c */
void replica_clear_gathered(struct gathered *);

/* replica_copy.c */
/* All that there is, as it is then; changes so far are among it. */
void replica_begin_copy(struct replica *);
void replica_end_copy(struct replica *);
/* The next range is what is sent; 0, or -1 when out of memory. */
MUST_CHECK int replica_copy_range(struct replica *);
/* The range has been written. */
void replica_step_copy(struct replica *);

#endif
