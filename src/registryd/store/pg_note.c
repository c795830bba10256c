/*
 * registryd/store/pg_note.c - changes of notes, and events, as one
 * PostgreSQL transaction.
 *
 * All in one go, and COMMIT only when every answer was good.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/change.h"
#include "registryd/store/pg_job.h"

struct note_writing {
	struct pg_job job;
	uint32_t count, sent_count;
	bool is_ending;
};

static struct note_writing *
writing_of(struct pg_job *job)
{
	return CONTAINER_OF(job, struct note_writing, job);
}

static void
send_more(struct note_writing *writing)
{
	const struct store_request *request = writing->job.request;
	struct statement statement;

	while (writing->sent_count < writing->count &&
	    !pg_connection_is_full(writing->job.connection)) {
		uint32_t i = writing->sent_count++;

		if (request->type == REQUEST_EVENTS)
			event_statement(&request->ask.events.list[i],
			    &statement);
		else
			note_change_statement(&request->ask.notes->list[i],
			    &statement);
		pg_job_send(&writing->job, statement.query, statement.cells,
		    statement.cell_count, 0);
	}
	pg_job_sync(&writing->job);
}

static void
start(struct pg_job *job)
{
	struct note_writing *writing = writing_of(job);

	pg_job_send(job, QUERY_BEGIN, NULL, 0, 0);
	if (job->request->type == REQUEST_EVENTS) {
		writing->count = job->request->ask.events.count;
		pg_job_send(job, QUERY_LOCK_GENERATION, NULL, 0, 0);
	} else {
		writing->count = job->request->ask.notes->count;
		pg_job_send(job, QUERY_RAISE_NOTE_VERSION, NULL, 0, 0);
	}
	send_more(writing);
}

static void
answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	(void)tag;
	if (query == QUERY_HOLD_SESSION && PQntuples(result) == 0)
		pg_job_fail_hold(job);
}

/* Whether others should look: not for what is only staged. */
static bool
is_news(const struct store_request *request)
{
	const struct note_changes *notes = request->ask.notes;

	for (uint32_t i = 0; request->type == REQUEST_NOTES &&
	    i < notes->count; i++)
		if (notes->list[i].op != NOTE_HOLD &&
		    (notes->list[i].kind == NOTE_SESSION ||
			notes->list[i].kind == NOTE_TOKEN))
			return true;
	return false;
}

static void
synced(struct pg_job *job)
{
	struct note_writing *writing = writing_of(job);

	if (writing->is_ending) {
		pg_job_end(job);
		return;
	}
	if (!job->is_failed && writing->sent_count < writing->count) {
		send_more(writing);
		return;
	}
	writing->is_ending = true;
	if (!job->is_failed && is_news(job->request)) {
		const struct cell none = cell_text("0");

		pg_job_send(job, QUERY_NOTIFY, &none, 1, 0);
	}
	pg_job_send(job, job->is_failed ? QUERY_ROLLBACK : QUERY_COMMIT, NULL,
	    0, 0);
	pg_job_sync(job);
}

static const struct pg_job_type note_type = {
	.is_commit = true,
	.start = start,
	.answered = answered,
	.synced = synced,
};

struct pg_job *
pg_notes_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct note_writing), &note_type, request);
}
