/*
 * registryd/store/pg_setup.c - makes a new connection ready, and migrates.
 *
 * The first connection of the program brings the schema up to date: one
 * transaction under an advisory lock, so that of several instances that
 * start together one migrates and the others find it done.  A schema that
 * is as it should be is only looked at, which a role without any right to
 * change it may do as well.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/store/pg_job.h"

enum setup_stage {
	SETUP_SETTING,			/* of the connection */
	SETUP_FINDING,			/* whether there is a schema */
	SETUP_LOOKING,			/* at its version, without a lock */
	SETUP_READING,			/* the version, under the lock */
	SETUP_RUNNING,			/* a migration */
	SETUP_NOTING,			/* that it was run */
	SETUP_COMMITTING,
	SETUP_ROLLING_BACK,
};

struct setup {
	struct pg_job job;
	enum setup_stage stage;
	bool has_schema;
	uint32_t version;		/* of the schema as it is now */
};

static struct setup *
setup_of(struct pg_job *job)
{
	return CONTAINER_OF(job, struct setup, job);
}

static void
start(struct pg_job *job)
{
	const struct cell timeout = cell_integer(job->pool->query_timeout_ms);

	if (job->connection->is_pooled)
		pg_job_send(job, QUERY_PING, NULL, 0, 0);
	else
		pg_job_send(job, QUERY_SET_UP, &timeout, 1, 0);
	pg_job_sync(job);
}

static void
answered(struct pg_job *job, enum store_query query, uint32_t tag,
    const PGresult *result)
{
	(void)tag;
	if (query == QUERY_HAS_SCHEMA_VERSION)
		setup_of(job)->has_schema = pg_result_integer(result, 0) != 0;
	if (query == QUERY_SELECT_SCHEMA_VERSION)
		setup_of(job)->version = (uint32_t)pg_result_integer(result, 0);
}

/* Roles that may only read and write rows are common. */
static void
failed(struct pg_job *job, uint32_t tag, const struct pg_error *error)
{
	const struct setup *setup = setup_of(job);

	(void)tag;
	if (strcmp(error->sqlstate, "42501") != 0 ||
	    setup->stage < SETUP_READING)
		return;
	pg_job_fail(job, STORE_REFUSED, "postgres: the schema is at version "
	    "%" PRIu32 ", this program needs %" PRIu32 ", and this role may "
	    "not change it (%s); run sluicectl migrate up as its owner",
	    setup->version, postgres_migration_count, error->message);
}

static void
ask(struct setup *setup, enum setup_stage stage, enum store_query query)
{
	setup->stage = stage;
	pg_job_send(&setup->job, query, NULL, 0, 0);
	pg_job_sync(&setup->job);
}

static void
read_version(struct setup *setup)
{
	setup->stage = SETUP_READING;
	pg_job_send(&setup->job, QUERY_BEGIN, NULL, 0, 0);
	pg_job_send(&setup->job, QUERY_LOCK_MIGRATIONS, NULL, 0, 0);
	pg_job_send(&setup->job, QUERY_CREATE_SCHEMA_VERSION, NULL, 0, 0);
	pg_job_send(&setup->job, QUERY_SELECT_SCHEMA_VERSION, NULL, 0, 0);
	pg_job_sync(&setup->job);
}

static void
finish(struct setup *setup, enum setup_stage stage)
{
	setup->stage = stage;
	pg_job_send(&setup->job, stage == SETUP_COMMITTING
		? QUERY_COMMIT : QUERY_ROLLBACK, NULL, 0, 0);
	pg_job_sync(&setup->job);
}

static void
run_next(struct setup *setup)
{
	if (setup->version > postgres_migration_count) {
		pg_job_fail(&setup->job, STORE_REFUSED, "postgres: schema "
		    "version %" PRIu32 " is newer than this program, which "
		    "knows %" PRIu32 "; install a newer sluice",
		    setup->version, postgres_migration_count);
		finish(setup, SETUP_ROLLING_BACK);
	} else if (setup->version == postgres_migration_count) {
		finish(setup, SETUP_COMMITTING);
	} else {
		setup->stage = SETUP_RUNNING;
		pg_connection_run_script(setup->job.connection,
		    postgres_migrations[setup->version].up);
	}
}

static void
note_run(struct setup *setup)
{
	const struct store_migration *migration =
	    &postgres_migrations[setup->version++];
	const struct cell cells[] = {
		cell_integer(migration->version),
		cell_text(migration->name),
		cell_integer(clock_wall_ms()),
	};

	setup->stage = SETUP_NOTING;
	pg_job_send(&setup->job, QUERY_INSERT_SCHEMA_VERSION, cells,
	    COUNT_OF(cells), 0);
	pg_job_sync(&setup->job);
}

static void
end_migrated(struct setup *setup)
{
	setup->job.pool->is_migrated = true;
	setup->job.pool->store->figures.schema_version = setup->version;
	pg_job_end(&setup->job);
}

static void
synced(struct pg_job *job)
{
	struct setup *setup = setup_of(job);

	if (job->is_failed && setup->stage >= SETUP_READING &&
	    setup->stage != SETUP_ROLLING_BACK) {
		finish(setup, SETUP_ROLLING_BACK);
		return;
	}
	switch (setup->stage) {
	case SETUP_SETTING:
		if (job->is_failed || job->pool->is_migrated)
			pg_job_end(job);
		else
			ask(setup, SETUP_FINDING, QUERY_HAS_SCHEMA_VERSION);
		break;
	case SETUP_FINDING:
		if (job->is_failed)
			pg_job_end(job);
		else if (setup->has_schema)
			ask(setup, SETUP_LOOKING, QUERY_SELECT_SCHEMA_VERSION);
		else
			read_version(setup);
		break;
	case SETUP_LOOKING:
		if (job->is_failed)
			pg_job_end(job);
		else if (setup->version == postgres_migration_count)
			end_migrated(setup);
		else if (setup->version > postgres_migration_count)
			run_next(setup);
		else
			read_version(setup);
		break;
	case SETUP_READING:
	case SETUP_NOTING:
		run_next(setup);
		break;
	case SETUP_RUNNING:
		note_run(setup);
		break;
	case SETUP_COMMITTING:
		end_migrated(setup);
		break;
	case SETUP_ROLLING_BACK:
		pg_job_end(job);
		break;
	}
}

static const struct pg_job_type setup_type = {
	.start = start,
	.answered = answered,
	.failed = failed,
	.synced = synced,
};

struct pg_job *
pg_setup_new(struct store_request *request)
{
	return pg_job_new(sizeof(struct setup), &setup_type, request);
}
