/*
 * registryd/api_rollback.c - POST /v1/rollback: what there was, again.
 *
 * History since generation N, oldest first: what the first change to an
 * object found there is what there was at N.  What nobody touched since
 * is the same still.  The plan waits until all of it is read, up to the
 * model's own generation; then the difference is one commit.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/api_parts.h"
#include "registryd/object_json.h"
#include "registryd/object_restore.h"

#define PAGE_ROWS 5000

/* What there was of an object; the first row of a key counts. */
struct past {
	enum object_kind kind;
	char *key;
	char *before;			/* NULL: it was not there */
	size_t order;
};

struct rollback {
	struct registry *registry;
	uint64_t to;
	struct past *pasts;
	size_t count, size;
	uint64_t generation, seq;	/* of the last row; at first: to, 0 */
	uint64_t asked_to;
	uint32_t page_count;
	bool is_failed;			/* out of memory */
	bool has_gap;			/* rows were removed by hand */
	uint64_t horizon;
	char error[256];		/* of the store; "" */
};

static void
rollback_free(struct rollback *rollback)
{
	if (rollback == NULL)
		return;
	for (size_t i = 0; i < rollback->count; i++) {
		free(rollback->pasts[i].key);
		free(rollback->pasts[i].before);
	}
	free(rollback->pasts);
	free(rollback);
}

/* Reading ---------------------------------------------------------------- */

static void
on_row(void *context, const struct store_history *row)
{
	struct rollback *rollback = context;
	size_t size = rollback->size == 0 ? 64 : rollback->size * 2;
	struct past *past;

	rollback->page_count++;
	if (row->generation > rollback->generation + 1)
		rollback->has_gap = true;
	rollback->generation = row->generation;
	rollback->seq = row->seq;
	if (store_history_is_event(row))
		return;
	if (rollback->count == rollback->size) {
		past = realloc(rollback->pasts, size * sizeof(*past));
		if (past == NULL) {
			rollback->is_failed = true;
			return;
		}
		rollback->pasts = past;
		rollback->size = size;
	}
	past = &rollback->pasts[rollback->count];
	*past = (struct past){ .order = rollback->count,
		.key = strdup(row->key) };
	if (object_kind_parse(row->kind, &past->kind) == -1)
		rollback->has_gap = true;
	if (row->before_json != NULL)
		past->before = strdup(row->before_json);
	rollback->count++;
	if (past->key == NULL ||
	    (row->before_json != NULL && past->before == NULL))
		rollback->is_failed = true;
}

static int ask(struct rollback *);

/* Whether there is more to be read, and it is being read. */
static bool
goes_on(struct rollback *rollback)
{
	if (rollback->is_failed || rollback->to < rollback->horizon)
		return false;
	if (rollback->page_count == PAGE_ROWS)
		return ask(rollback) == 0;
	rollback->has_gap |= rollback->generation < rollback->asked_to;
	return false;
}

static void
on_read(void *context, const struct store_outcome *outcome)
{
	struct rollback *rollback = context;

	rollback->horizon = outcome->generation;
	if (outcome->result != STORE_OK)
		snprintf(rollback->error, sizeof(rollback->error), "%s",
		    outcome->message == NULL ? "the store is away" :
					       outcome->message);
	else if (goes_on(rollback))
		return;
	write_queue_go_on(rollback->registry->writes);
}

/* The next page; 0, or -1 with the error set. */
static int
ask(struct rollback *rollback)
{
	const struct store_history_query query = {
		.from = rollback->generation,
		.from_seq = rollback->seq,
		.to = rollback->registry->model->generation,
		.limit = PAGE_ROWS,
		.row = on_row,
		.done = on_read,
		.context = rollback,
	};

	rollback->page_count = 0;
	rollback->asked_to = query.to;
	if (store_history(rollback->registry->store, &query) == 0)
		return 0;
	snprintf(rollback->error, sizeof(rollback->error),
	    "the history cannot be read now");
	return -1;
}

/* Planning --------------------------------------------------------------- */

static int
compare_pasts(const void *a, const void *b)
{
	const struct past *one = a, *other = b;
	int result;

	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	if ((result = strcmp(one->key, other->key)) != 0)
		return result;
	return one->order < other->order ? -1 : 1;
}

/* Sorts, and leaves the first of each object. */
static void
keep_first(struct rollback *rollback)
{
	size_t kept = 0;

	if (rollback->count == 0)
		return;
	qsort(rollback->pasts, rollback->count, sizeof(*rollback->pasts),
	    compare_pasts);
	for (size_t i = 0; i < rollback->count; i++) {
		struct past *past = &rollback->pasts[i];

		if (kept > 0 &&
		    rollback->pasts[kept - 1].kind == past->kind &&
		    strcmp(rollback->pasts[kept - 1].key, past->key) == 0) {
			free(past->key);
			free(past->before);
			continue;
		}
		rollback->pasts[kept++] = *past;
	}
	rollback->count = kept;
}

/* Takes the texts; whether they are there and equal. */
static bool
is_same_text(char *a, char *b)
{
	bool is_same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return is_same;
}

static int
put_service(struct write *write, const struct model *model,
    const struct past *past)
{
	const struct model_service *there =
	    model_find_service(model, past->key);
	const struct service *present = there == NULL ? NULL : &there->object;
	struct service service;
	int result = 0;

	if (service_restore(past->before, present, &service,
		&write->problem) == -1)
		return -1;
	if (present == NULL ||
	    !is_same_text(service_text(present), service_text(&service)))
		result = write_put_service(write, &service, present);
	service_clear(&service);
	return result;
}

static int
put_backend(struct write *write, const struct model *model,
    const struct past *past)
{
	const struct model_backend *there = model_find_backend(model,
	    strtoull(past->key, NULL, 10));
	const struct backend *present = there == NULL ? NULL : &there->object;
	struct backend backend;
	int result = 0;

	if (backend_restore(past->before, present, &backend,
		&write->problem) == -1)
		return -1;
	if (present == NULL ||
	    !is_same_text(backend_text(present), backend_text(&backend)))
		result = write_put_backend(write, &backend, present);
	backend_clear(&backend);
	return result;
}

static int
put_route(struct write *write, const struct model *model,
    const struct past *past)
{
	const struct model_route *there = model_find_route(model,
	    strtoull(past->key, NULL, 10));
	const struct route *present = there == NULL ? NULL : &there->object;
	struct route route;
	int result = 0;

	if (route_restore(past->before, present, &route, &write->problem) ==
	    -1)
		return -1;
	if (present == NULL ||
	    !is_same_text(route_text(present), route_text(&route)))
		result = write_put_route(write, &route, present);
	route_clear(&route);
	return result;
}

/* Removes what was not there; nothing if it is gone again. */
static int
remove_object(struct write *write, const struct model *model,
    const struct past *past)
{
	uint64_t id = strtoull(past->key, NULL, 10);
	const struct model_service *service;
	const struct model_backend *backend;
	const struct model_route *route;

	switch (past->kind) {
	case OBJECT_SERVICE:
		service = model_find_service(model, past->key);
		return service == NULL ? 0 :
		    write_remove_service(write, &service->object);
	case OBJECT_BACKEND:
		backend = model_find_backend(model, id);
		return backend == NULL ? 0 :
		    write_remove_backend(write, &backend->object);
	case OBJECT_ROUTE:
		route = model_find_route(model, id);
		return route == NULL ? 0 :
		    write_remove_route(write, &route->object);
	}
	return 0;
}

typedef int change_fn(struct write *, const struct model *,
    const struct past *);

/* In an order that leaves nothing without its service on the way. */
static int
plan_changes(struct write *write, const struct model *model,
    const struct rollback *rollback)
{
	static const struct {
		enum object_kind kind;
		bool was_there;
		change_fn *change;
	} steps[] = {
		{ OBJECT_SERVICE, true, put_service },
		{ OBJECT_BACKEND, true, put_backend },
		{ OBJECT_ROUTE, true, put_route },
		{ OBJECT_ROUTE, false, remove_object },
		{ OBJECT_BACKEND, false, remove_object },
		{ OBJECT_SERVICE, false, remove_object },
	};

	for (size_t step = 0; step < COUNT_OF(steps); step++) {
		for (size_t i = 0; i < rollback->count; i++) {
			const struct past *past = &rollback->pasts[i];

			if (past->kind == steps[step].kind &&
			    (past->before != NULL) == steps[step].was_there &&
			    steps[step].change(write, model, past) == -1)
				return -1;
		}
	}
	return 0;
}

/* {"to": N}; 0, or -1 with *problem. */
static int
read_body(struct bytes body, uint64_t *to_r, struct problem *problem)
{
	struct json_doc *doc;
	size_t offset;
	int64_t to = -1;
	int value;

	if (json_parse(body, &doc, &offset) == -1)
		return problem_set(problem, 400, "bad_json", NULL,
		    "the body is not JSON: fault at byte %zu", offset);
	value = json_member(doc, json_root(doc), "to");
	if (value != JSON_NONE && json_count(doc, json_root(doc)) == 1 &&
	    json_integer(doc, value, 0, INT64_MAX, &to) == -1)
		to = -1;
	json_doc_free(&doc);
	if (to == -1)
		return problem_invalid(problem, "/to",
		    "{\"to\": N} with N a generation is expected");
	*to_r = (uint64_t)to;
	return 0;
}

/* The first call of the plan. */
static int
begin_rollback(struct write *write, const struct model *model,
    struct api_write *api)
{
	struct rollback *rollback = calloc(1, sizeof(*rollback));

	if (rollback == NULL)
		return problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory; try again");
	api->more = rollback;
	rollback->registry = api->registry;
	if (read_body(api->request->body, &rollback->to, &write->problem) ==
	    -1)
		return -1;
	if (rollback->to > model->generation)
		return problem_invalid(&write->problem, "/to",
		    "generation %" PRIu64 " is yet to come: this is %" PRIu64,
		    rollback->to, model->generation);
	rollback->generation = rollback->to;
	return 0;
}

static int
plan_rollback(struct write *write, const struct model *model, void *context)
{
	struct api_write *api = context;
	struct rollback *rollback;

	if (api->more == NULL && begin_rollback(write, model, api) == -1)
		return -1;
	rollback = api->more;
	if (rollback->error[0] != '\0')
		return problem_set(&write->problem, 503, "store_unavailable",
		    NULL, "the history cannot be read: %s", rollback->error);
	if (rollback->is_failed)
		return problem_set(&write->problem, 503, "out_of_memory",
		    NULL, "out of memory; try again");
	if (api_history_reaches(&(struct store_history_query){
		.from = rollback->to }, rollback->horizon,
		&write->problem) == -1)
		return -1;
	if (rollback->has_gap)
		return problem_set(&write->problem, 410, "history_gone", NULL,
		    "history of after generation %" PRIu64 " was removed by "
		    "hand", rollback->to);
	if (rollback->generation < model->generation)
		return ask(rollback) == 0 ? WRITE_WAITS :
		    problem_set(&write->problem, 503, "store_unavailable",
			NULL, "%s", rollback->error);
	keep_first(rollback);
	write->is_bulk = true;
	write->is_restored = true;
	snprintf(write->cause, sizeof(write->cause), "rollback to %" PRIu64,
	    rollback->to);
	return plan_changes(write, model, rollback);
}

static void
on_rolled_back(struct write *write, void *context)
{
	struct api_write *api = context;
	struct rollback *rollback = api->more;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	if (write->problem.status == 0) {
		json_write_begin(&writer, '{');
		json_write_key(&writer, "to");
		json_write_integer(&writer, (int64_t)rollback->to);
		json_write_key(&writer, "generation");
		json_write_integer(&writer, (int64_t)write->generation);
		json_write_key(&writer, "changes");
		json_write_integer(&writer, write->change_count);
		json_write_end(&writer, '}');
	}
	rollback_free(rollback);
	if (json.is_failed)
		buf_free(&json);
	api_write_finish(write, api, 0, json.data);
}

void
api_rollback(struct registry *registry, struct admin_request *request)
{
	api_write_submit(registry, request, plan_rollback, on_rolled_back);
}
