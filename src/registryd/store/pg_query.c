/*
 * registryd/store/pg_query.c - queries out, answers in, over one connection.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/store/pg_connection.h"

#define INT8_OID 20
#define INT2_OID 21
#define INT4_OID 23

static void
note_sent(struct pg_connection *connection, enum pg_sent_type type,
    enum store_query query, uint32_t tag)
{
	uint32_t at;

	/* Users stop at PG_SENT_MAX, and none sends as many in one go. */
	invariant(connection->sent_count < connection->sent_size);
	at = (connection->sent_first + connection->sent_count++) %
	    connection->sent_size;
	connection->sent[at] = (struct pg_sent){ type, query, tag };
	if (connection->sent_count == 1)
		pg_connection_set_due(connection, true);
}

static struct pg_sent
pop_sent(struct pg_connection *connection)
{
	struct pg_sent sent = connection->sent[connection->sent_first];

	connection->sent_first =
	    (connection->sent_first + 1) % connection->sent_size;
	connection->sent_count--;
	pg_connection_set_due(connection, connection->sent_count > 0);
	return sent;
}

/* What could not be sent is a connection that is no more: the loop will
 * tell, so that nobody is told from within his own call. */
static void
tell_lost_later(struct pg_connection *connection)
{
	connection->is_broken = true;
	ev_feed_event(connection->loop, &connection->readable, EV_READ);
}

/* Each cell's text; integers are written into digits. */
static void
cells_to_values(const struct cell *cells, uint32_t count,
    const char *values_r[CELLS_MAX], char digits[CELLS_MAX][24])
{
	for (uint32_t i = 0; i < count; i++) {
		switch (cells[i].type) {
		case CELL_NULL:
			values_r[i] = NULL;
			break;
		case CELL_INTEGER:
			snprintf(digits[i], sizeof(digits[i]), "%" PRId64,
			    cells[i].integer);
			values_r[i] = digits[i];
			break;
		case CELL_TEXT:
			values_r[i] = cells[i].text.data;
			break;
		}
	}
}

/* For a pooler, behind which each transaction may meet another session. */
static void
send_unnamed(struct pg_connection *connection, enum store_query query,
    const struct cell *cells, uint32_t count, uint32_t tag)
{
	const char *values[CELLS_MAX];
	char digits[CELLS_MAX][24];

	cells_to_values(cells, count, values, digits);
	if (PQsendQueryParams(connection->handle, postgres_queries[query].sql,
		(int)count, NULL, values, NULL, NULL, 0) == 0)
		tell_lost_later(connection);
	else
		note_sent(connection, PG_SENT_QUERY, query, tag);
}

void
pg_connection_send(struct pg_connection *connection, enum store_query query,
    const struct cell *cells, uint32_t count, uint32_t tag)
{
	const struct store_query_text *text = &postgres_queries[query];
	const char *values[CELLS_MAX];
	char digits[CELLS_MAX][24];

	if (connection->state != PG_READY)
		return;
	if (connection->is_pooled) {
		send_unnamed(connection, query, cells, count, tag);
		return;
	}
	if (!connection->is_prepared[query]) {
		if (PQsendPrepare(connection->handle, text->name, text->sql, 0,
			NULL) == 0) {
			tell_lost_later(connection);
			return;
		}
		connection->is_prepared[query] = true;
		note_sent(connection, PG_SENT_PREPARE, query, tag);
	}
	cells_to_values(cells, count, values, digits);
	if (PQsendQueryPrepared(connection->handle, text->name, (int)count,
		values, NULL, NULL, 0) == 0) {
		tell_lost_later(connection);
		return;
	}
	note_sent(connection, PG_SENT_QUERY, query, tag);
}

void
pg_connection_sync(struct pg_connection *connection)
{
	if (connection->state != PG_READY)
		return;
	if (PQpipelineSync(connection->handle) == 0) {
		tell_lost_later(connection);
		return;
	}
	note_sent(connection, PG_SENT_SYNC, QUERY_COUNT, 0);
	pg_connection_flush(connection);
}

void
pg_connection_ask_answers(struct pg_connection *connection)
{
	if (connection->state != PG_READY)
		return;
	if (PQsendFlushRequest(connection->handle) == 0)
		tell_lost_later(connection);
	pg_connection_flush(connection);
}

void
pg_connection_run_script(struct pg_connection *connection, const char *sql)
{
	if (connection->state != PG_READY)
		return;
	invariant(connection->sent_count == 0);
	if (PQexitPipelineMode(connection->handle) == 0 ||
	    PQsendQuery(connection->handle, sql) == 0) {
		tell_lost_later(connection);
		return;
	}
	connection->state = PG_SCRIPT;
	pg_connection_set_due(connection, true);
	pg_connection_flush(connection);
}

static void
tell_failed(struct pg_connection *connection, uint32_t tag,
    const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary =
	    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	struct pg_error error = {
		.sqlstate = sqlstate == NULL ? "" : sqlstate,
		.message = strdup(primary != NULL ? primary
			: PQresultErrorMessage(result)),
	};

	if (error.message != NULL && connection->user != NULL)
		connection->user->failed(connection->user_context, tag, &error);
	free(error.message);
}

static bool
is_good(const PGresult *result)
{
	return PQresultStatus(result) == PGRES_COMMAND_OK ||
	    PQresultStatus(result) == PGRES_TUPLES_OK;
}

/* The answer to what was sent first. */
static void
take_answer(struct pg_connection *connection, const PGresult *result)
{
	const struct pg_sent *sent = &connection->sent[connection->sent_first];

	if (sent->type == PG_SENT_PREPARE && !is_good(result))
		connection->is_prepared[sent->query] = false;
	if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
		return;			/* what went wrong was told */
	if (!is_good(result))
		tell_failed(connection, sent->tag, result);
	else if (sent->type == PG_SENT_QUERY && connection->user != NULL)
		connection->user->answered(connection->user_context,
		    sent->query, sent->tag, result);
}

static void
tell_drained(struct pg_connection *connection)
{
	if (connection->sent_count >= PG_SENT_MAX / 2) {
		connection->has_drained = false;
		return;
	}
	if (connection->has_drained)
		return;
	connection->has_drained = true;
	if (connection->user != NULL && connection->user->drained != NULL)
		connection->user->drained(connection->user_context);
}

static void
take_pipeline(struct pg_connection *connection)
{
	PGresult *result;

	while (connection->state == PG_READY && connection->sent_count > 0 &&
	    PQisBusy(connection->handle) == 0) {
		result = PQgetResult(connection->handle);
		if (result == NULL) {
			if (!connection->is_answered) {
				pg_connection_lose(connection,
				    "an answer is missing");
				return;
			}
			/* The end of one query's answers. */
			connection->is_answered = false;
			(void)pop_sent(connection);
			tell_drained(connection);
		} else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			(void)pop_sent(connection);
			if (connection->user != NULL)
				connection->user->synced(
				    connection->user_context);
		} else {
			take_answer(connection, result);
			connection->is_answered = true;
			PQclear(result);
		}
	}
}

static void
take_script(struct pg_connection *connection)
{
	PGresult *result;

	while (PQisBusy(connection->handle) == 0) {
		result = PQgetResult(connection->handle);
		if (result == NULL) {
			pg_connection_set_due(connection, false);
			if (PQenterPipelineMode(connection->handle) == 0) {
				pg_connection_lose(connection,
				    PQerrorMessage(connection->handle));
				return;
			}
			connection->state = PG_READY;
			connection->user->synced(connection->user_context);
			return;
		}
		if (!is_good(result))
			tell_failed(connection, 0, result);
		PQclear(result);
	}
}

void
pg_connection_take_answers(struct pg_connection *connection)
{
	if (connection->state == PG_SCRIPT)
		take_script(connection);
	else
		take_pipeline(connection);
	if (connection->state != PG_LOST && (connection->is_broken ||
		PQstatus(connection->handle) == CONNECTION_BAD))
		pg_connection_lose(connection,
		    PQerrorMessage(connection->handle));
}

void
pg_result_cells(const PGresult *result, int row, struct cell *cells_r,
    int count)
{
	for (int i = 0; i < count; i++) {
		const char *value = PQgetvalue(result, row, i);
		Oid type = PQftype(result, i);

		if (PQgetisnull(result, row, i))
			cells_r[i] = cell_text(NULL);
		else if (type == INT8_OID || type == INT4_OID ||
		    type == INT2_OID)
			cells_r[i] = cell_integer(strtoll(value, NULL, 10));
		else
			cells_r[i] = (struct cell){ .type = CELL_TEXT,
				.text = bytes_slice(value,
				    (size_t)PQgetlength(result, row, i)) };
	}
}

int64_t
pg_result_integer(const PGresult *result, int column)
{
	if (PQntuples(result) < 1 || PQnfields(result) <= column)
		return 0;
	return strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

void
pg_result_moment(const PGresult *result, struct store_outcome *outcome)
{
	outcome->generation = (uint64_t)pg_result_integer(result, 0);
	outcome->moment_wall_ms = pg_result_integer(result, 2);
	outcome->identity[0] = '\0';
	if (PQntuples(result) > 0)
		strncat(outcome->identity, PQgetvalue(result, 0, 1),
		    sizeof(outcome->identity) - 1);
}

uint64_t
pg_result_touched(const PGresult *result)
{
	/* Writable by libpq's prototype alone. */
	return strtoull(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
}
