/*
 * registryd/api_state.c - /livez, /readyz, /version and /v1/log.
 */
/* SPDX-License-Identifier: ISC */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "registryd/api_parts.h"
#include "shm/segment.h"

/* healthd's words are stale when it has not turned its loop for this long. */
#define BEAT_STALE_MS 5000

void
api_livez(struct registry *registry, struct admin_request *request)
{
	struct buf json = { 0 };

	(void)registry;
	buf_append_text(&json, "{\"status\":\"alive\"}");
	admin_reply_json(request, 200, &json);
}

/* /readyz ---------------------------------------------------------------- */

struct readiness {
	bool has_table, is_stopping, is_store_up, is_health_fresh, is_held;
	bool is_spool_empty;
	struct store_figures figures;
	int64_t beat_age_ms;		/* -1: healthd was never there */
};

static void
look(struct registry *registry, struct readiness *readiness)
{
	int64_t beat = atomic_load_explicit(
	    &health_beat(registry->health)->wall_ms, memory_order_relaxed);

	store_figures(registry->store, &readiness->figures);
	readiness->has_table = registry_has_table(registry);
	readiness->is_stopping = registry_is_stopping(registry);
	readiness->is_held = registry->guard.is_held;
	readiness->is_store_up = readiness->figures.is_up &&
	    registry->model != NULL && !registry->bring_up.is_served;
	readiness->is_spool_empty = !spool_is_waiting(registry->spool);
	readiness->beat_age_ms = beat == 0 ? -1 : clock_wall_ms() - beat;
	readiness->is_health_fresh = readiness->beat_age_ms >= 0 &&
	    readiness->beat_age_ms < BEAT_STALE_MS;
}

static const char *
word_of(const struct readiness *readiness)
{
	if (readiness->is_stopping)
		return "stopping";
	if (!readiness->has_table)
		return "not_ready";
	if (!readiness->is_store_up || !readiness->is_health_fresh ||
	    readiness->is_held || !readiness->is_spool_empty)
		return "degraded";
	return "ready";
}

static void
write_part(struct json_writer *writer, const char *name, bool is_good,
    const char *detail)
{
	json_write_key(writer, name);
	json_write_begin(writer, '{');
	json_write_key(writer, "status");
	json_write_text(writer, is_good ? "ok" : "degraded");
	json_write_key(writer, "detail");
	json_write_text(writer, detail);
	json_write_end(writer, '}');
}

/* "generation 12, as the database 3 s ago; routed from" */
static void
write_replica(struct registry *registry, struct json_writer *writer)
{
	struct replica_figures figures;
	struct spool_figures spool;
	char text[256];

	if (registry->replica == NULL)
		return;
	replica_figures(registry->replica, &figures);
	if (figures.generation == 0)
		snprintf(text, sizeof(text), "empty%s%s",
		    figures.is_good ? "" : ": ", figures.error);
	else
		snprintf(text, sizeof(text), "generation %llu, as the "
		    "database %lld s ago%s%s%s",
		    (unsigned long long)figures.generation,
		    (long long)(clock_wall_ms() - figures.confirmed_wall_ms) /
			1000,
		    registry->bring_up.is_served ? "; routed from" : "",
		    figures.is_good ? "" : "; ", figures.error);
	write_part(writer, "replica", figures.is_good, text);
	spool_figures(registry->spool, &spool);
	snprintf(text, sizeof(text), "%u changes wait for the database",
	    spool.waiting_count);
	write_part(writer, "spool", spool.waiting_count == 0,
	    spool.waiting_count == 0 ? "" : text);
}

static void
write_parts(struct registry *registry, struct json_writer *writer,
    const struct readiness *readiness)
{
	char text[GUARD_TEXT_SIZE] = "";

	json_write_key(writer, "generation");
	json_write_integer(writer,
	    (int64_t)route_table_generation(registry->table));
	if (registry->model != NULL) {
		json_write_key(writer, "services");
		json_write_integer(writer,
		    (int64_t)registry->model->services.count);
		json_write_key(writer, "backends");
		json_write_integer(writer,
		    (int64_t)registry->model->backends.count);
		json_write_key(writer, "routes");
		json_write_integer(writer,
		    (int64_t)registry->model->routes.count);
	}
	json_write_key(writer, "parts");
	json_write_begin(writer, '{');
	write_part(writer, "table", readiness->has_table,
	    readiness->has_table ? "" : "nothing has been published yet");
	write_part(writer, "store", readiness->is_store_up,
	    readiness->figures.is_up && !readiness->is_store_up ?
		"not read yet" :
		readiness->figures.error);
	if (readiness->is_held)
		guard_describe(&registry->guard, text);
	write_part(writer, "guard", !readiness->is_held, text);
	if (readiness->beat_age_ms < 0)
		snprintf(text, sizeof(text), "healthd has not been seen yet");
	else
		snprintf(text, sizeof(text), "healthd's words are %lld ms old",
		    (long long)readiness->beat_age_ms);
	write_part(writer, "health", readiness->is_health_fresh, text);
	write_replica(registry, writer);
	json_write_end(writer, '}');
}

void
api_readyz(struct registry *registry, struct admin_request *request)
{
	struct readiness readiness;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	look(registry, &readiness);
	json_write_begin(&writer, '{');
	json_write_key(&writer, "status");
	json_write_text(&writer, word_of(&readiness));
	if (api_query_flag(request, "verbose"))
		write_parts(registry, &writer, &readiness);
	json_write_end(&writer, '}');
	admin_reply_json(request,
	    readiness.has_table && !readiness.is_stopping ? 200 : 503, &json);
}

/* /version --------------------------------------------------------------- */

void
api_version(struct registry *registry, struct admin_request *request)
{
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);
	struct store_figures figures;

	store_figures(registry->store, &figures);
	json_write_begin(&writer, '{');
	json_write_key(&writer, "name");
	json_write_text(&writer, PACKAGE_NAME);
	json_write_key(&writer, "version");
	json_write_text(&writer, PACKAGE_VERSION);
	json_write_key(&writer, "options");
	json_write_text(&writer, CONFIGURE_OPTIONS);
	json_write_key(&writer, "layout");
	json_write_integer(&writer, SEGMENT_LAYOUT_VERSION);
	json_write_key(&writer, "schema");
	json_write_integer(&writer, figures.schema_version);
	json_write_end(&writer, '}');
	admin_reply_json(request, 200, &json);
}

/* /v1/log ---------------------------------------------------------------- */

static void
reply_level(struct admin_request *request, enum log_level level)
{
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "level");
	json_write_text(&writer, log_level_name(level));
	json_write_end(&writer, '}');
	admin_reply_json(request, 200, &json);
}

void
api_log_get(struct registry *registry, struct admin_request *request)
{
	(void)registry;
	reply_level(request, log_get_level());
}

/* 0, or -1 with *problem. */
static int
parse_level(struct bytes body, enum log_level *level_r,
    struct problem *problem)
{
	struct json_doc *doc;
	size_t offset;
	int value, result = -1;
	char *name = NULL;

	if (json_parse(body, &doc, &offset) == -1)
		return problem_set(problem, 400, "bad_json", NULL,
		    "the body is not JSON: fault at byte %zu", offset);
	value = json_member(doc, json_root(doc), "level");
	if (value != JSON_NONE)
		name = json_string(doc, value);
	if (name != NULL && json_count(doc, json_root(doc)) == 1)
		result = log_level_parse(bytes_of(name), level_r);
	if (result == -1)
		problem_invalid(problem, "/level",
		    "{\"level\": L} with L one of error, warn, notice, info, "
		    "debug is expected");
	free(name);
	json_doc_free(&doc);
	return result;
}

/* Master tells every role, us too; we do not wait for it. */
void
api_log_put(struct registry *registry, struct admin_request *request)
{
	struct role_log_level order;
	struct problem problem;
	enum log_level level;

	if (parse_level(request->body, &level, &problem) == -1) {
		admin_reply_problem(request, &problem);
		return;
	}
	order.level = level;
	log_set_level(level);
	log_notice("log level %s by %s (%s)", log_level_name(level),
	    request->who, request->from);
	if (registry->daemon->master == NULL ||
	    channel_send(registry->daemon->master, FROM_ROLE_LOG_LEVEL_PLEASE,
		&order, sizeof(order), NULL, 0) == -1) {
		api_reply_problem(request, 503, "no_master",
		    "the master cannot be reached; only registryd obeyed");
		return;
	}
	reply_level(request, level);
}
