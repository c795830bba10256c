/*
 * registryd/store/memory_history.c - the history of what is in plain memory.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "registryd/store/history.h"
#include "registryd/store/memory_db.h"

int
memory_history_add(struct memory_db *db, const struct store_history *row)
{
	size_t size = db->history_size == 0 ? 64 : db->history_size * 2;
	struct store_history *history;

	if (db->history_count == db->history_size) {
		history = realloc(db->history, size * sizeof(*history));
		if (history == NULL)
			return -1;
		db->history = history;
		db->history_size = size;
	}
	if (history_copy(row, &db->history[db->history_count]) == -1)
		return -1;
	db->history_count++;
	return 0;
}

void
memory_history_cut(struct memory_db *db, size_t count)
{
	while (db->history_count > count)
		history_clear(&db->history[--db->history_count]);
}

/* Whether the row comes after row seq (0: all rows) of the generation. */
static bool
is_behind(const struct store_history *row, uint64_t generation, uint64_t seq)
{
	if (row->generation != generation)
		return row->generation > generation;
	return seq != 0 && row->seq > seq;
}

static bool
is_asked_for(const struct store_history_query *query,
    const struct store_history *row)
{
	return (query->is_whole ||
		   is_behind(row, query->from, query->from_seq)) &&
	    !is_behind(row, query->to, query->to_seq) &&
	    (query->kind == NULL || strcmp(row->kind, query->kind) == 0) &&
	    (query->key == NULL || strcmp(row->key, query->key) == 0);
}

void
memory_db_history(const struct memory_db *db, struct store_request *request)
{
	const struct store_history_query *query = &request->ask.history;
	uint32_t left = query->limit;

	for (size_t i = 0; i < db->history_count && left > 0; i++) {
		size_t at = query->newest_first ? db->history_count - 1 - i : i;

		if (!is_asked_for(query, &db->history[at]))
			continue;
		query->row(query->context, &db->history[at]);
		left--;
	}
	request->outcome.generation = db->horizon;
}

/* All of them, or none. */
void
memory_db_tell(struct memory_db *db, struct store_request *request)
{
	const struct store_events *events = &request->ask.events;
	size_t count = db->history_count;
	uint64_t seq = 0;

	if (count > 0 && db->history[count - 1].generation == db->generation)
		seq = db->history[count - 1].seq;
	for (uint32_t i = 0; i < events->count; i++) {
		struct store_history row = events->list[i];

		row.generation = db->generation;
		row.seq = ++seq;
		if (memory_history_add(db, &row) == 0)
			continue;
		memory_history_cut(db, count);
		request_fail(request, STORE_UNAVAILABLE, "out of memory");
		return;
	}
}

void
memory_db_measure(const struct memory_db *db, struct store_request *request)
{
	*request->ask.extent = (struct store_extent){
		.row_count = db->history_count,
		.oldest_wall_ms = db->history_count == 0 ?
		    0 :
		    db->history[0].at_wall_ms,
	};
}

/* How many of the first rows are to go. */
static size_t
count_old(const struct memory_db *db, const struct store_prune_order *order)
{
	size_t count = 0;

	for (size_t i = 0; i < db->history_count && i < order->limit; i++) {
		const struct store_history *row = &db->history[i];

		if (row->generation > order->floor)
			break;
		if (row->at_wall_ms < order->older_than_wall_ms ||
		    i < order->excess)
			count = i + 1;
	}
	return count;
}

void
memory_db_prune(struct memory_db *db, struct store_request *request)
{
	size_t count = count_old(db, &request->ask.prune);

	if (count == 0)
		return;
	db->horizon = db->history[count - 1].generation;
	for (size_t i = 0; i < count; i++)
		history_clear(&db->history[i]);
	db->history_count -= count;
	memmove(db->history, db->history + count,
	    db->history_count * sizeof(*db->history));
	request->outcome.row_count = count;
}
