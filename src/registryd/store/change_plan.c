/*
 * registryd/store/change_plan.c - a change of a commit as SQL statements.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "registryd/store/change.h"

static const struct {
	enum store_query insert, update, delete;
} object_queries[] = {
	[OBJECT_SERVICE] = { QUERY_INSERT_SERVICE, QUERY_UPDATE_SERVICE,
	    QUERY_DELETE_SERVICE },
	[OBJECT_BACKEND] = { QUERY_INSERT_BACKEND, QUERY_UPDATE_BACKEND,
	    QUERY_DELETE_BACKEND },
	[OBJECT_ROUTE] = { QUERY_INSERT_ROUTE, QUERY_UPDATE_ROUTE,
	    QUERY_DELETE_ROUTE },
};

static struct statement *
plan_add(struct change_plan *plan, enum store_query query)
{
	struct statement *statement = &plan->statements[plan->count++];

	statement->query = query;
	statement->cell_count = 0;
	return statement;
}

static void
statement_add(struct statement *statement, struct cell cell)
{
	statement->cells[statement->cell_count++] = cell;
}

static int
statement_add_object(struct statement *statement, struct object_texts *texts,
    const struct store_change *change)
{
	switch (change->kind) {
	case OBJECT_SERVICE:
		statement->cell_count = SERVICE_CELLS;
		return service_to_cells(change->object.service, texts,
		    statement->cells);
	case OBJECT_BACKEND:
		statement->cell_count = BACKEND_CELLS;
		return backend_to_cells(change->object.backend, texts,
		    statement->cells);
	case OBJECT_ROUTE:
		statement->cell_count = ROUTE_CELLS;
		return route_to_cells(change->object.route, texts,
		    statement->cells);
	}
	errno = EINVAL;
	return -1;
}

static struct cell
key_cell(const struct store_change *change)
{
	if (change->kind == OBJECT_SERVICE)
		return cell_text(change->object.service->name);
	return cell_integer((int64_t)change_id(change));
}

static void
plan_add_removal(struct change_plan *plan, const struct store_change *change)
{
	struct statement *statement;

	statement = plan_add(plan, object_queries[change->kind].delete);
	statement_add(statement, key_cell(change));
	statement_add(statement,
	    cell_integer((int64_t)change->expected_version));
}

static int
plan_add_put(struct change_plan *plan, const struct store_change *change)
{
	bool is_creation = change_is_creation(change);
	struct statement *statement;

	statement = plan_add(plan, is_creation
		? object_queries[change->kind].insert
		: object_queries[change->kind].update);
	if (statement_add_object(statement, &plan->texts, change) == -1)
		return -1;
	if (!is_creation)
		statement_add(statement,
		    cell_integer((int64_t)change->expected_version));
	if (change->kind != OBJECT_ROUTE)
		return 0;
	if (!is_creation) {
		statement = plan_add(plan, QUERY_DELETE_ROUTE_TARGETS);
		statement_add(statement, key_cell(change));
	}
	statement = plan_add(plan, QUERY_INSERT_ROUTE_TARGETS);
	statement_add(statement, key_cell(change));
	statement_add(statement, cell_text(plan->texts.targets.data));
	return 0;
}

static void
plan_add_history(struct change_plan *plan, const struct store_commit *commit,
    uint32_t seq, const struct commit_stamp *stamp)
{
	const struct store_change *change = &commit->changes[seq - 1];
	const struct store_actor *actor = &commit->actor;
	struct statement *statement = plan_add(plan, QUERY_INSERT_CHANGE);

	statement_add(statement, cell_integer((int64_t)stamp->generation));
	statement_add(statement, cell_integer(seq));
	statement_add(statement, cell_integer(stamp->at_wall_ms));
	statement_add(statement, cell_text(actor->who ? actor->who : ""));
	statement_add(statement, cell_text(actor->from ? actor->from : ""));
	statement_add(statement,
	    cell_text(actor->channel ? actor->channel : ""));
	statement_add(statement,
	    cell_text(actor->request_id ? actor->request_id : ""));
	statement_add(statement, cell_text(object_kind_name(change->kind)));
	statement_add(statement, cell_text(change_key(change, plan->key)));
	statement_add(statement, cell_text(change_action(change)));
	statement_add(statement, cell_text(change->before_json));
	statement_add(statement, cell_text(plan->after_json));
	statement_add(statement, cell_text(actor->cause ? actor->cause : ""));
}

int
change_plan_make(struct change_plan *plan, const struct store_commit *commit,
    uint32_t seq, const struct commit_stamp *stamp)
{
	const struct store_change *change = &commit->changes[seq - 1];

	plan->count = 0;
	free(plan->after_json);
	plan->after_json = NULL;
	if (change->is_removal)
		plan_add_removal(plan, change);
	else if (plan_add_put(plan, change) == -1)
		return -1;
	if (!change->is_removal && commit->describe != NULL &&
	    (plan->after_json = commit->describe(change)) == NULL)
		return -1;
	plan_add_history(plan, commit, seq, stamp);
	return 0;
}

void
change_plan_free(struct change_plan *plan)
{
	free(plan->after_json);
	plan->after_json = NULL;
	object_texts_free(&plan->texts);
}

void
note_change_statement(const struct note_change *change,
    struct statement *statement_r)
{
	static const enum store_query queries[] = {
		[NOTE_PUT] = QUERY_PUT_NOTE,
		[NOTE_REMOVE] = QUERY_DELETE_NOTE,
		[NOTE_REMOVE_ALL] = QUERY_DELETE_NOTES,
		[NOTE_HOLD] = QUERY_HOLD_SESSION,
	};

	statement_r->query = queries[change->op];
	statement_r->cell_count = 0;
	if (change->op != NOTE_HOLD)
		statement_add(statement_r,
		    cell_text(note_kind_name(change->kind)));
	statement_add(statement_r, cell_text(change->key));
	if (change->op == NOTE_PUT || change->op == NOTE_REMOVE)
		statement_add(statement_r, cell_integer(change->seq));
	if (change->op == NOTE_PUT || change->op == NOTE_HOLD)
		statement_add(statement_r, cell_text(change->body));
}

void
event_statement(const struct store_history *event,
    struct statement *statement_r)
{
	statement_r->query = QUERY_INSERT_EVENT;
	statement_r->cell_count = EVENT_CELLS;
	event_to_cells(event, statement_r->cells);
}
