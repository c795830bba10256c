/*
 * shm/worker_ring.c - the ring of failures that a worker saw.
 *
 * One writer, which never waits; each cell is its own little seqlock, so
 * that a reader sees when it was overtaken.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/worker_layout.h"

_Static_assert((FAILURE_RING_SIZE & (FAILURE_RING_SIZE - 1)) == 0,
    "a power of two");

#define TRIAL_BIT 0x100u

static void
put(word *at, uint64_t value)
{
	atomic_store_explicit(at, value, memory_order_release);
}

static bool
back_ring(struct worker_stats *stats)
{
	uint64_t offset = (uint64_t)((char *)stats->ring - stats->region.base);

	if (LIKELY(atomic_load_explicit(&stats->page->is_ring_backed,
		memory_order_relaxed) != 0))
		return true;
	if (region_allocate(&stats->region, offset,
		FAILURE_RING_SIZE * sizeof(struct ring_cell)) == -1)
		return false;
	atomic_store_explicit(&stats->page->is_ring_backed, 1,
	    memory_order_release);
	return true;
}

void
worker_stats_push_failure(struct worker_stats *stats,
    const struct failure *failure)
{
	uint64_t head = word_load(&stats->page->ring_head);
	struct ring_cell *cell;

	if (!back_ring(stats)) {
		stats_add(&stats->page->counters.stats_lost, 1);
		return;
	}
	cell = &stats->ring[head % FAILURE_RING_SIZE];
	put(&cell->turn, 0);
	put(&cell->backend, word_pair(failure->backend, failure->generation));
	put(&cell->kind, word_pair(failure->trial_round,
	    (uint32_t)failure->kind | (failure->is_trial ? TRIAL_BIT : 0)));
	put(&cell->success_count, failure->success_count);
	put(&cell->at_ns, (uint64_t)failure->at_ns);
	put(&cell->turn, head + 1);
	put(&stats->page->ring_head, head + 1);
}

/* Copies failure number `turn` out; false when it was overwritten. */
static bool
read_cell(const struct ring_cell *cell, uint64_t turn, struct failure *failure)
{
	uint64_t backend, kind;

	if (word_load(&cell->turn) != turn)
		return false;
	backend = word_load(&cell->backend);
	failure->backend = word_high(backend);
	failure->generation = word_low(backend);
	kind = word_load(&cell->kind);
	failure->kind = (enum failure_kind)(kind & (TRIAL_BIT - 1));
	failure->is_trial = (kind & TRIAL_BIT) != 0;
	failure->trial_round = (uint16_t)word_high(kind);
	failure->success_count = word_load(&cell->success_count);
	failure->at_ns = (int64_t)word_load(&cell->at_ns);
	return word_load(&cell->turn) == turn;
}

bool
worker_stats_next_failure(const struct worker_stats *stats, uint64_t *cursor,
    struct failure *failure, uint64_t *lost)
{
	uint64_t head = word_load(&stats->page->ring_head);

	if (*cursor > head)
		*cursor = 0;		/* of a region that is no more */
	if (head - *cursor > FAILURE_RING_SIZE) {
		*lost += head - FAILURE_RING_SIZE - *cursor;
		*cursor = head - FAILURE_RING_SIZE;
	}
	while (*cursor < head) {
		const struct ring_cell *cell =
		    &stats->ring[*cursor % FAILURE_RING_SIZE];

		++*cursor;
		if (read_cell(cell, *cursor, failure))
			return true;
		++*lost;
	}
	return false;
}
