/*
 * shm/route_view.h - a look at the active copy, as the reader's files
 * share it.
 *
 * Private to the readers of the table.  A view is opened, read from and
 * checked; until the check has said that it is whole, what was read may
 * be of two moments, so every slot and place is held against the limits
 * in the view before it is followed.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_ROUTE_VIEW_H
#define SHM_ROUTE_VIEW_H

#include <stdbool.h>

#include "shm/route_layout.h"
#include "shm/route_table.h"

struct route_table {
	struct region region;
	struct route_layout layout;
	const struct route_control *control;
	const struct copy_head *copies[ROUTE_COPIES];
	_Atomic uint64_t *retry_count;
};

struct route_view {
	const struct route_table *table;
	const struct copy_head *head;
	const word *words;		/* of the copy; the head is the first */
	uint64_t seq;
};

/* Whether a copy shows what is published, whole; *seq_r is for the check
 * that it stayed so. */
static inline bool
route_copy_is_current(const struct copy_head *head, uint64_t state,
    uint64_t *seq_r)
{
	*seq_r = word_load(&head->seq);
	return (*seq_r & 1) == 0 &&
	    word_load(&head->change_count) == state >> 1;
}

/*
 * Opens a view.  False when the copy is being changed: try again.
 *
 * Between batches both copies show the same, and all readers keep to the
 * first: were they to go to and fro with each publication, caches would
 * have to hold both.  The active copy is for the moments when the first
 * is being changed.
 *
 * A reader that is held up behind its load of the state may find in a
 * copy a batch that is complete but not published yet.  Its change count
 * gives it away.
 */
static inline bool
route_view_open(struct route_view *view, const struct route_table *table)
{
	uint64_t state = word_load(&table->control->state);

	view->table = table;
	view->head = table->copies[0];
	view->words = (const word *)view->head;
	if (LIKELY(route_copy_is_current(view->head, state, &view->seq)))
		return true;
	view->head = table->copies[state & 1];
	view->words = (const word *)view->head;
	return route_copy_is_current(view->head, state, &view->seq);
}

/* Whether all that was read so far is of one moment. */
static inline bool
route_view_is_whole(const struct route_view *view)
{
	return LIKELY(atomic_load_explicit(&view->head->seq,
	    memory_order_relaxed) == view->seq);
}

/* The words of a record, NULL when the slot was never used. */
static inline const word *
route_view_record(const struct route_view *view, enum record_kind kind,
    uint32_t slot)
{
	if (UNLIKELY(slot >= word_load(&view->head->extents[kind]) ||
		slot >= view->table->layout.record_max[kind]))
		return NULL;
	return view->words + record_place(&view->table->layout, kind, slot);
}

/* Words in the heap, NULL when they are not all in its used part. */
static inline const word *
route_view_heap(const struct route_view *view, uint32_t place, uint32_t count)
{
	uint64_t used = word_load(&view->head->heap_used);

	if (UNLIKELY(place == 0 || used > view->table->layout.heap_max ||
		(uint64_t)place + count > used))
		return NULL;
	return view->words + view->table->layout.heap + place;
}

/* The words of a short text of a record, NULL when torn. */
static inline const word *
route_view_text(const struct route_view *view, const word *text, size_t len)
{
	if (LIKELY(len <= SHORT_TEXT_MAX))
		return text;
	return route_view_heap(view, word_low(word_load(text)),
	    words_for(len));
}

/* Counts a read that has to be done again. */
static inline void
route_table_count_retry(const struct route_table *table)
{
	atomic_fetch_add_explicit(table->retry_count, 1, memory_order_relaxed);
}

#endif
