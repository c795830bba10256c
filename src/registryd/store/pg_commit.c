/*
 * registryd/store/pg_commit.c - a commit as one PostgreSQL transaction.
 *
 * Three round trips, however many changes: begin, generation and ids; all
 * changes, pipelined, with no more than PG_SENT_MAX answers outstanding;
 * then COMMIT, which is sent only when every answer was good.  Of very many
 * changes, new objects go many in a statement (pg_bulk.h).
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/store/change.h"
#include "registryd/store/pg_bulk.h"
#include "registryd/store/pg_job.h"

enum commit_stage {
	COMMIT_BEGINNING,
	COMMIT_CHANGING,
	COMMIT_CLOSING,			/* all sent, or one failed */
	COMMIT_COMMITTING,
	COMMIT_ROLLING_BACK,
};

struct commit {
	struct pg_job job;
	enum commit_stage stage;
	struct commit_stamp stamp;
	struct change_backup *backup;
	struct change_plan plan;
	bool is_played;			/* it was made before */
	uint64_t played_generation;
	int64_t played_wall_ms;
	uint32_t sent_count;		/* changes */
	uint32_t notes_sent_count;
	struct pg_bulk bulk;
};

static struct commit *
commit_of(struct pg_job *job)
{
	return CONTAINER_OF(job, struct commit, job);
}

static const struct store_commit *
asked(const struct commit *commit)
{
	return &commit->job.request->ask.commit;
}

static void
allocate_ids(struct commit *commit, enum object_kind kind,
    enum store_query query)
{
	struct change_ids ids = change_ids_needed(asked(commit), kind);
	const struct cell cells[] = {
		cell_integer(ids.count),
		cell_integer((int64_t)ids.highest),
	};

	/* The tag brings the count along with the answer. */
	if (ids.count > 0 || ids.highest > 0)
		pg_job_send(&commit->job, query, cells, COUNT_OF(cells),
		    ids.count);
}

static void
start(struct pg_job *job)
{
	struct commit *commit = commit_of(job);

	pg_job_send(job, QUERY_BEGIN, NULL, 0, 0);
	pg_job_send(job, QUERY_NEXT_GENERATION, NULL, 0, 0);
	if (asked(commit)->spool_id != NULL) {
		const struct cell id = cell_text(asked(commit)->spool_id);

		/* Behind the generation's lock: nobody is making it now. */
		pg_job_send(job, QUERY_SELECT_PLAYED, &id, 1, 0);
	}
	allocate_ids(commit, OBJECT_BACKEND, QUERY_ALLOCATE_BACKEND_IDS);
	allocate_ids(commit, OBJECT_ROUTE, QUERY_ALLOCATE_ROUTE_IDS);
	pg_job_sync(job);
}

/* Nothing more of this transaction is worth sending. */
static void
close_sending(struct commit *commit)
{
	if (commit->stage != COMMIT_CHANGING)
		return;
	commit->stage = COMMIT_CLOSING;
	pg_job_sync(&commit->job);
}

static void
fail_conflict(struct commit *commit, uint32_t seq)
{
	commit->job.is_failed = true;
	if (commit->job.request->outcome.result == STORE_OK)
		change_fail_conflict(commit->job.request,
		    &asked(commit)->changes[seq - 1]);
}

static void send_changes(struct commit *);

static void
answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	struct commit *commit = commit_of(job);
	uint64_t first = (uint64_t)pg_result_integer(result, 0) - tag + 1;

	if (query == QUERY_NEXT_GENERATION) {
		commit->stamp.generation =
		    (uint64_t)pg_result_integer(result, 0);
		commit->stamp.at_wall_ms = pg_result_integer(result, 1);
	} else if (query == QUERY_SELECT_PLAYED) {
		commit->is_played = PQntuples(result) > 0;
		commit->played_generation =
		    (uint64_t)pg_result_integer(result, 0);
		commit->played_wall_ms = pg_result_integer(result, 1);
	} else if (query == QUERY_ALLOCATE_BACKEND_IDS) {
		commit->stamp.next_backend_id = first;
	} else if (query == QUERY_ALLOCATE_ROUTE_IDS) {
		commit->stamp.next_route_id = first;
	} else if (query_touches_one(query) && pg_result_touched(result) == 0) {
		fail_conflict(commit, tag);
		close_sending(commit);
	} else if (query == QUERY_HOLD_SESSION && PQntuples(result) == 0) {
		pg_job_fail_hold(job);
		close_sending(commit);
	} else if (pg_bulk_answered(&commit->bulk, query) &&
	    commit->stage == COMMIT_CHANGING) {
		send_changes(commit);
	}
}

static void
failed(struct pg_job *job, uint32_t tag, const struct pg_error *error)
{
	struct commit *commit = commit_of(job);

	if (strcmp(error->sqlstate, "23505") == 0 && tag > 0 &&
	    tag <= asked(commit)->change_count)
		fail_conflict(commit, tag);
	close_sending(commit);
}

static int
out_of_memory(struct commit *commit)
{
	pg_job_fail(&commit->job, STORE_UNAVAILABLE, "out of memory");
	return -1;
}

static int
send_bulk(struct commit *commit, uint32_t seq, int end)
{
	return pg_bulk_send(&commit->bulk, &commit->job, seq, end) == 0
		   ? 0 : out_of_memory(commit);
}

/* What stands in a statement of many rows cannot be told apart: only what
 * has an id that nobody has yet, and history. */
static bool
may_wait(const struct commit *commit, enum store_query query, bool is_new)
{
	if (asked(commit)->change_count < PG_BULK_CHANGES_MIN)
		return false;
	return pg_bulk_takes(query) && (is_new || query == QUERY_INSERT_CHANGE);
}

static int
send_statement(struct commit *commit, const struct statement *statement,
    uint32_t seq, bool is_new)
{
	if (may_wait(commit, statement->query, is_new))
		return pg_bulk_add(&commit->bulk, statement) == 0
			   ? 0 : out_of_memory(commit);
	/* A new service leans on nothing; others may lean on what waits, but
	 * nobody on history. */
	if (statement->query != QUERY_INSERT_SERVICE &&
	    send_bulk(commit, seq, PG_BULK_HISTORY) == -1)
		return -1;
	pg_job_send(&commit->job, statement->query, statement->cells,
	    statement->cell_count, seq);
	return 0;
}

/* 0, or -1 with the job failed. */
static int
send_change(struct commit *commit, uint32_t seq)
{
	struct store_change *change = &asked(commit)->changes[seq - 1];
	bool is_new = change_is_creation(change) &&
	    change->kind != OBJECT_SERVICE && change_id(change) == 0;

	if (change_is_creation(change) && change->expected_version != 0) {
		fail_conflict(commit, seq);
		return -1;
	}
	change_stamp(change, &commit->stamp);
	if (change_plan_make(&commit->plan, asked(commit), seq,
		&commit->stamp) == -1)
		return out_of_memory(commit);
	for (uint32_t i = 0; i < commit->plan.count; i++)
		if (send_statement(commit, &commit->plan.statements[i], seq,
			is_new) == -1)
			return -1;
	if (pg_bulk_is_full(&commit->bulk) ||
	    seq == asked(commit)->change_count)
		return send_bulk(commit, seq, PG_BULK_KINDS);
	return 0;
}

static void
send_notes(struct commit *commit)
{
	const struct note_changes *notes = asked(commit)->notes;
	struct statement statement;

	if (notes != NULL && notes->count > 0 && commit->notes_sent_count == 0)
		pg_job_send(&commit->job, QUERY_RAISE_NOTE_VERSION, NULL, 0,
		    0);
	while (notes != NULL && commit->notes_sent_count < notes->count &&
	    !pg_connection_is_full(commit->job.connection)) {
		note_change_statement(
		    &notes->list[commit->notes_sent_count++], &statement);
		pg_job_send(&commit->job, statement.query, statement.cells,
		    statement.cell_count, 0);
	}
}

static bool
is_all_sent(const struct commit *commit)
{
	const struct note_changes *notes = asked(commit)->notes;

	return commit->sent_count == asked(commit)->change_count &&
	    (notes == NULL || commit->notes_sent_count == notes->count);
}

static void
send_changes(struct commit *commit)
{
	while (commit->sent_count < asked(commit)->change_count &&
	    !pg_connection_is_full(commit->job.connection) &&
	    !pg_bulk_is_busy(&commit->bulk)) {
		if (send_change(commit, commit->sent_count + 1) == -1) {
			close_sending(commit);
			return;
		}
		commit->sent_count++;
	}
	if (commit->sent_count == asked(commit)->change_count)
		send_notes(commit);
	if (is_all_sent(commit))
		close_sending(commit);
	else
		pg_connection_ask_answers(commit->job.connection);
}

static void
drained(struct pg_job *job)
{
	struct commit *commit = commit_of(job);

	if (commit->stage == COMMIT_CHANGING)
		send_changes(commit);
}

/* Of this transaction: others are told when it is committed. */
static void
send_notification(struct commit *commit)
{
	char generation[24];
	struct cell cell;

	snprintf(generation, sizeof(generation), "%" PRIu64,
	    commit->stamp.generation);
	cell = cell_text(generation);
	pg_job_send(&commit->job, QUERY_NOTIFY, &cell, 1, 0);
}

static void
send_played(struct commit *commit)
{
	const struct cell cells[] = {
		cell_text(asked(commit)->spool_id),
		cell_integer((int64_t)commit->stamp.generation),
		cell_integer(commit->stamp.at_wall_ms),
	};

	if (asked(commit)->spool_id != NULL)
		pg_job_send(&commit->job, QUERY_INSERT_PLAYED, cells,
		    COUNT_OF(cells), 0);
}

/* The answer is that of then; of all this nothing is kept. */
static void
answer_played(struct commit *commit)
{
	commit->stamp.generation = commit->played_generation;
	commit->stamp.at_wall_ms = commit->played_wall_ms;
	for (uint32_t i = 0; i < asked(commit)->change_count; i++)
		change_stamp(&asked(commit)->changes[i], &commit->stamp);
	commit->stage = COMMIT_ROLLING_BACK;
	pg_job_send(&commit->job, QUERY_ROLLBACK, NULL, 0, 0);
	pg_job_sync(&commit->job);
}

static void
set_outcome(struct commit *commit)
{
	struct store_outcome *outcome = &commit->job.request->outcome;

	outcome->generation = commit->stamp.generation;
	outcome->at_wall_ms = commit->stamp.at_wall_ms;
}

static void
end_transaction(struct commit *commit)
{
	bool is_failed = commit->job.is_failed;

	commit->stage = is_failed ? COMMIT_ROLLING_BACK : COMMIT_COMMITTING;
	if (!is_failed) {
		send_played(commit);
		send_notification(commit);
	}
	pg_job_send(&commit->job, is_failed ? QUERY_ROLLBACK : QUERY_COMMIT,
	    NULL, 0, 0);
	pg_job_sync(&commit->job);
}

static void
synced(struct pg_job *job)
{
	struct commit *commit = commit_of(job);

	switch (commit->stage) {
	case COMMIT_BEGINNING:
		if (!job->is_failed && commit->is_played) {
			answer_played(commit);
			break;
		}
		if (!job->is_failed &&
		    !change_is_expected(asked(commit), &commit->stamp)) {
			change_fail_generation(job->request);
			job->is_failed = true;
		}
		if (job->is_failed) {
			end_transaction(commit);
			break;
		}
		commit->stage = COMMIT_CHANGING;
		send_changes(commit);
		break;
	case COMMIT_CHANGING:
	case COMMIT_CLOSING:
		end_transaction(commit);
		break;
	case COMMIT_COMMITTING:
		set_outcome(commit);
		pg_job_end(job);
		break;
	case COMMIT_ROLLING_BACK:
		if (commit->is_played && !job->is_failed)
			set_outcome(commit);
		pg_job_end(job);
		break;
	}
}

static void
ended(struct pg_job *job)
{
	struct commit *commit = commit_of(job);

	if (job->is_failed)
		change_backup_restore(commit->backup, asked(commit));
	job->request->outcome.is_unknown = job->is_failed &&
	    commit->stage == COMMIT_COMMITTING;
	change_backup_free(&commit->backup);
	change_plan_free(&commit->plan);
	pg_bulk_free(&commit->bulk);
}

static const struct pg_job_type commit_type = {
	.is_commit = true,
	.start = start,
	.answered = answered,
	.failed = failed,
	.synced = synced,
	.drained = drained,
	.ended = ended,
};

struct pg_job *
pg_commit_new(struct store_request *request)
{
	struct pg_job *job = pg_job_new(sizeof(struct commit), &commit_type,
	    request);

	if (job != NULL && change_backup_new(&request->ask.commit,
		&commit_of(job)->backup) == -1) {
		free(job);
		return NULL;
	}
	return job;
}
