/*
 * registryd/store/memory_commit.c - a commit in plain memory, whole or not.
 *
 * Each change is carried out and noted; when one cannot be, those before
 * it are taken back in reverse.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/clock.h"
#include "registryd/store/change.h"
#include "registryd/store/memory_db.h"

/* One change that was carried out. */
struct step {
	struct memory_object *before, *after;	/* either may be NULL */
};

struct transaction {
	struct memory_db *db;
	struct store_request *request;
	struct commit_stamp stamp;
	struct step *steps;
	uint32_t step_count;
	size_t history_count;		/* before the commit */
};

static void
fail_memory(struct transaction *transaction)
{
	request_fail(transaction->request, STORE_UNAVAILABLE, "out of memory");
}

/* The service of that name gets references more; false: there is none. */
static bool
refer(struct memory_db *db, const char *name, int references)
{
	struct memory_object *service = memory_table_find(db, OBJECT_SERVICE,
	    (union memory_key){ .name = name });

	if (service == NULL)
		return false;
	service->reference_count += (uint32_t)references;
	return true;
}

/* The first of the services that object names and that is not there. */
static const char *
missing_service(struct memory_db *db, const struct memory_object *object)
{
	const struct route *route = &object->body.route;

	if (object->kind == OBJECT_BACKEND &&
	    !refer(db, object->body.backend.service, 0))
		return object->body.backend.service;
	if (object->kind != OBJECT_ROUTE)
		return NULL;
	for (uint32_t i = 0; i < route->target_count; i++)
		if (!refer(db, route->targets[i].service, 0))
			return route->targets[i].service;
	return NULL;
}

static void
refer_all(struct memory_db *db, const struct memory_object *object,
    int references)
{
	const struct route *route = &object->body.route;

	if (object->kind == OBJECT_BACKEND)
		(void)refer(db, object->body.backend.service, references);
	if (object->kind != OBJECT_ROUTE)
		return;
	for (uint32_t i = 0; i < route->target_count; i++)
		(void)refer(db, route->targets[i].service, references);
}

/* Puts in for out, with the references of both. */
static void
swap(struct memory_db *db, struct memory_object *out, struct memory_object *in)
{
	if (out != NULL && in != NULL)
		in->reference_count = out->reference_count;
	if (out != NULL)
		refer_all(db, out, -1);
	memory_table_swap(db, out, in);
	if (in != NULL)
		refer_all(db, in, 1);
}

static int
check_step(struct transaction *transaction, const struct store_change *change,
    const struct step *step)
{
	bool is_creation = change_is_creation(change);
	const char *missing;

	if (is_creation ? step->before != NULL || change->expected_version != 0
			: step->before == NULL ||
		(change->expected_version != 0 &&
		    memory_object_version(step->before) !=
			change->expected_version)) {
		change_fail_conflict(transaction->request, change);
		return -1;
	}
	if (step->after == NULL && step->before->reference_count > 0) {
		request_fail(transaction->request, STORE_REFUSED,
		    "service %s: is named by backends or routes",
		    change->object.service->name);
		return -1;
	}
	if (step->after != NULL && (missing = missing_service(transaction->db,
		step->after)) != NULL) {
		request_fail(transaction->request, STORE_REFUSED,
		    "service %s: does not exist", missing);
		return -1;
	}
	return 0;
}

static union memory_key
key_of(const struct store_change *change)
{
	if (change->kind == OBJECT_SERVICE)
		return (union memory_key){
			.name = change->object.service->name
		};
	return (union memory_key){ .id = change_id(change) };
}

static int
carry_out(struct transaction *transaction, struct store_change *change)
{
	struct step step = { 0 };

	change_stamp(change, &transaction->stamp);
	step.before = memory_table_find(transaction->db, change->kind,
	    key_of(change));
	if (!change->is_removal &&
	    ((step.after = memory_object_copy(change)) == NULL ||
		memory_table_reserve(transaction->db, change->kind) == -1)) {
		memory_object_free(&step.after);
		fail_memory(transaction);
		return -1;
	}
	if (check_step(transaction, change, &step) == -1) {
		memory_object_free(&step.after);
		return -1;
	}
	swap(transaction->db, step.before, step.after);
	transaction->steps[transaction->step_count++] = step;
	return 0;
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static int
note_history(struct transaction *transaction,
    const struct store_change *change, uint32_t seq)
{
	const struct store_commit *commit = &transaction->request->ask.commit;
	char key[CHANGE_KEY_SIZE];
	char *after = NULL;
	int result = -1;

	if (!change->is_removal && commit->describe != NULL &&
	    (after = commit->describe(change)) == NULL)
		goto done;
	result = memory_history_add(transaction->db, &(struct store_history){
		.generation = transaction->stamp.generation,
		.seq = seq,
		.at_wall_ms = transaction->stamp.at_wall_ms,
		.who = or_empty(commit->actor.who),
		.from = or_empty(commit->actor.from),
		.channel = or_empty(commit->actor.channel),
		.request_id = or_empty(commit->actor.request_id),
		.kind = object_kind_name(change->kind),
		.key = change_key(change, key),
		.action = change_action(change),
		.before_json = change->before_json,
		.after_json = after,
		.cause = or_empty(commit->actor.cause),
	    });
done:
	free(after);
	if (result == -1)
		fail_memory(transaction);
	return result;
}

static void
roll_back(struct transaction *transaction)
{
	struct memory_db *db = transaction->db;

	while (transaction->step_count > 0) {
		struct step *step =
		    &transaction->steps[--transaction->step_count];

		swap(db, step->after, step->before);
		memory_object_free(&step->after);
	}
	memory_history_cut(db, transaction->history_count);
}

static void
finish(struct transaction *transaction)
{
	struct memory_db *db = transaction->db;
	struct store_outcome *outcome = &transaction->request->outcome;

	for (uint32_t i = 0; i < transaction->step_count; i++)
		memory_object_free(&transaction->steps[i].before);
	db->generation = transaction->stamp.generation;
	db->last_backend_id = transaction->stamp.next_backend_id - 1;
	db->last_route_id = transaction->stamp.next_route_id - 1;
	outcome->generation = transaction->stamp.generation;
	outcome->at_wall_ms = transaction->stamp.at_wall_ms;
}

/* The first new id: above all that were given or are brought along. */
static uint64_t
first_id(const struct store_commit *commit, enum object_kind kind,
    uint64_t last)
{
	struct change_ids ids = change_ids_needed(commit, kind);

	return (ids.highest > last ? ids.highest : last) + 1;
}

static int
carry_out_all(struct transaction *transaction)
{
	const struct store_commit *commit = &transaction->request->ask.commit;

	if (!change_is_expected(commit, &transaction->stamp)) {
		change_fail_generation(transaction->request);
		return -1;
	}
	for (uint32_t i = 0; i < commit->change_count; i++)
		if (carry_out(transaction, &commit->changes[i]) == -1 ||
		    note_history(transaction, &commit->changes[i],
			i + 1) == -1)
			return -1;
	if (memory_notes_apply(transaction->db, commit->notes) == -1) {
		fail_memory(transaction);
		return -1;
	}
	return 0;
}

void
memory_db_commit(struct memory_db *db, struct store_request *request)
{
	const struct store_commit *commit = &request->ask.commit;
	struct change_backup *backup = NULL;
	struct transaction transaction = {
		.db = db,
		.request = request,
		.history_count = db->history_count,
		.stamp = {
			.generation = db->generation + 1,
			.at_wall_ms = clock_wall_ms(),
			.next_backend_id = first_id(commit, OBJECT_BACKEND,
			    db->last_backend_id),
			.next_route_id = first_id(commit, OBJECT_ROUTE,
			    db->last_route_id),
		},
	};

	transaction.steps = calloc((size_t)commit->change_count + 1,
	    sizeof(*transaction.steps));
	if (transaction.steps == NULL ||
	    change_backup_new(commit, &backup) == -1) {
		fail_memory(&transaction);
	} else if (carry_out_all(&transaction) == -1) {
		roll_back(&transaction);
		change_backup_restore(backup, commit);
	} else {
		finish(&transaction);
	}
	change_backup_free(&backup);
	free(transaction.steps);
}
