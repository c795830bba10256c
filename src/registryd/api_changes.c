/*
 * registryd/api_changes.c - /v1/changes and /v1/changes/A..B.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/api_parts.h"

#define RANGE_SEGMENT 2			/* of /v1/changes/A..B */

/* A list of changes on its way from the store. */
struct change_list {
	struct registry *registry;
	struct admin_request *request;
	struct api_list list;
	struct store_history_query query;
	bool is_range;			/* all of it, or nothing */
	uint64_t latest, latest_seq;	/* of the last row */
};

static void
write_json(struct json_writer *writer, const char *key, const char *json)
{
	json_write_key(writer, key);
	if (json == NULL)
		json_write_null(writer);
	else
		json_write_raw(writer, bytes_of(json));
}

static void
write_key(struct json_writer *writer, const struct store_history *row)
{
	unsigned long long id;

	json_write_key(writer, "key");
	if (strcmp(row->kind, "service") == 0 ||
	    bytes_to_number(bytes_of(row->key), INT64_MAX, &id) == -1)
		json_write_text(writer, row->key);
	else
		json_write_integer(writer, (int64_t)id);
}

static void
on_row(void *context, const struct store_history *row)
{
	struct change_list *changes = context;
	struct json_writer *writer = &changes->list.writer;
	char at[CLOCK_RFC3339_SIZE];

	changes->list.count++;
	changes->latest = row->generation;
	changes->latest_seq = row->seq;
	clock_format_rfc3339(row->at_wall_ms, at);
	json_write_begin(writer, '{');
	json_write_key(writer, "generation");
	json_write_integer(writer, (int64_t)row->generation);
	json_write_key(writer, "at");
	json_write_text(writer, at);
	json_write_key(writer, "who");
	json_write_text(writer, row->who);
	json_write_key(writer, "from");
	json_write_text(writer, row->from);
	json_write_key(writer, "channel");
	json_write_text(writer, row->channel);
	json_write_key(writer, "request_id");
	json_write_text(writer, row->request_id);
	json_write_key(writer, "kind");
	json_write_text(writer, row->kind);
	write_key(writer, row);
	json_write_key(writer, "action");
	json_write_text(writer, row->action);
	write_json(writer, "before", row->before_json);
	write_json(writer, "after", row->after_json);
	json_write_key(writer, "cause");
	json_write_text(writer, row->cause);
	json_write_end(writer, '}');
}

static void
on_done(void *context, const struct store_outcome *outcome)
{
	struct change_list *changes = context;
	struct problem problem;
	char next[48];

	if (outcome->result != STORE_OK) {
		buf_free(&changes->list.buf);
		api_reply_problem(changes->request, 503, "store_unavailable",
		    "the history cannot be read: %s",
		    outcome->message == NULL ? "" : outcome->message);
	} else if (changes->is_range &&
	    api_history_reaches(&changes->query, outcome->generation,
		&problem) == -1) {
		buf_free(&changes->list.buf);
		admin_reply_problem(changes->request, &problem);
	} else {
		snprintf(next, sizeof(next), "%" PRIu64 ".%" PRIu64,
		    changes->latest, changes->latest_seq);
		api_list_reply(changes->registry, changes->request,
		    &changes->list,
		    changes->list.count >= changes->query.limit ? next :
								 NULL);
	}
	free(changes);
}

int
api_history_reaches(const struct store_history_query *query,
    uint64_t horizon, struct problem *problem)
{
	/* Of a generation at the horizon some rows may be gone. */
	if (query->from_seq == 0 ? query->from >= horizon
				 : query->from > horizon)
		return 0;
	return problem_set(problem, 410, "history_gone", NULL,
	    "history reaches back to generation %" PRIu64 "; what came before "
	    "was removed, see store.history_age and store.history_rows",
	    horizon);
}

/* Asks the store; query is filled but for where the rows go. */
static void
ask(struct registry *registry, struct admin_request *request,
    struct store_history_query *query)
{
	struct change_list *changes = calloc(1, sizeof(*changes));

	query->row = on_row;
	query->done = on_done;
	query->context = changes;
	if (changes != NULL) {
		changes->registry = registry;
		changes->request = request;
		changes->query = *query;
		changes->is_range = !query->is_whole;
		api_list_begin(&changes->list);
		if (store_history(registry->store, query) == 0)
			return;
		buf_free(&changes->list.buf);
		free(changes);
	}
	api_reply_problem(request, 503, "store_unavailable",
	    "the history cannot be read now; try again");
}

/* A cursor is the row that the page before ended with, GENERATION.SEQ.
 * false: answered. */
static bool
read_cursor(struct admin_request *request, struct bytes cursor,
    unsigned long long *generation_r, unsigned long long *seq_r)
{
	struct bytes seq = cursor, generation;

	if (bytes_next_field(&seq, '.', &generation) && seq.data != NULL &&
	    bytes_to_number(generation, INT64_MAX, generation_r) == 0 &&
	    bytes_to_number(seq, INT64_MAX, seq_r) == 0 &&
	    *generation_r > 0 && *seq_r > 0)
		return true;
	api_reply_problem(request, 400, "bad_query",
	    "cursor is not one that was given out");
	return false;
}

/* The word itself; NULL: there is no such kind. */
static const char *
kind_of(struct bytes word)
{
	enum object_kind kind;

	if (bytes_is(word, "store"))
		return "store";
	if (bytes_is(word, "certificate"))
		return "certificate";
	if (object_kind_parse(word.data, &kind) == -1)
		return NULL;
	return object_kind_name(kind);
}

void
api_changes(struct registry *registry, struct admin_request *request)
{
	struct store_history_query query = { .newest_first = true,
		.is_whole = true, .to = INT64_MAX };
	unsigned long long generation, seq;
	struct api_page page;
	struct bytes value;

	if (!api_has_model(registry, request) || !api_page(request, &page))
		return;
	if (page.cursor.len > 0) {
		if (!read_cursor(request, page.cursor, &generation, &seq))
			return;
		query.to = generation - (seq == 1);
		query.to_seq = seq - 1;	/* 0: all of the one before */
	}
	if (api_query(request, "kind", NULL, &value)) {
		query.kind = kind_of(value);
		if (query.kind == NULL) {
			api_reply_problem(request, 400, "bad_query", "kind "
			    "must be service, backend, route, store or "
			    "certificate");
			return;
		}
	}
	if (api_query(request, "key", NULL, &value))
		query.key = value.data;
	query.limit = page.limit;
	ask(registry, request, &query);
}

void
api_changes_range(struct registry *registry, struct admin_request *request)
{
	struct bytes range = request->segments[RANGE_SEGMENT];
	const char *dots = strstr(range.data, "..");
	struct store_history_query query = { 0 };
	unsigned long long from, to, seq = 0;
	struct api_page page;

	if (!api_has_model(registry, request) || !api_page(request, &page))
		return;
	if (dots == NULL ||
	    bytes_to_number(bytes_slice(range.data,
				(size_t)(dots - range.data)),
		INT64_MAX, &from) == -1 ||
	    bytes_to_number(bytes_of(dots + 2), INT64_MAX, &to) == -1 ||
	    from > to) {
		api_reply_problem(request, 400, "bad_range",
		    "a range is A..B, generations with A not over B");
		return;
	}
	if (page.cursor.len > 0 &&
	    !read_cursor(request, page.cursor, &from, &seq))
		return;
	query.from = from;
	query.from_seq = seq;
	query.to = to;
	query.limit = page.limit;
	ask(registry, request, &query);
}
