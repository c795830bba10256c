/*
 * registryd/api_database.c - /api/ready, /api/health/db, /api/metrics/db.
 *
 * For monitoring written before /readyz and /metrics.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/clock.h"
#include "registryd/api_parts.h"

/* What is routed from meanwhile. */
static void
write_replica(struct json_writer *writer, const struct registry *registry)
{
	struct replica_figures figures;

	if (registry->replica == NULL)
		return;
	replica_figures(registry->replica, &figures);
	json_write_key(writer, "replica");
	json_write_begin(writer, '{');
	json_write_key(writer, "generation");
	json_write_integer(writer, (int64_t)figures.generation);
	json_write_key(writer, "age_seconds");
	if (figures.confirmed_wall_ms == 0)
		json_write_null(writer);
	else
		json_write_integer(writer,
		    (clock_wall_ms() - figures.confirmed_wall_ms) / 1000);
	json_write_key(writer, "served");
	json_write_bool(writer, registry->bring_up.is_served);
	json_write_end(writer, '}');
}

static void
write_database(struct json_writer *writer,
    const struct store_figures *figures, const struct registry *registry)
{
	bool is_server = figures->driver == STORE_POSTGRES;

	json_write_begin(writer, '{');
	json_write_key(writer, "status");
	json_write_text(writer,
	    !figures->is_up	? "unhealthy" :
		is_server	? "healthy" :
				  "not_configured");
	if (!figures->is_up) {
		json_write_key(writer, "error");
		json_write_text(writer, figures->error);
	}
	if (!figures->is_up && registry != NULL)
		write_replica(writer, registry);
	json_write_end(writer, '}');
}

void
api_ready(struct registry *registry, struct admin_request *request)
{
	bool has_table = registry_has_table(registry);
	bool is_stopping = registry_is_stopping(registry);
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);
	struct store_figures figures;

	store_figures(registry->store, &figures);
	json_write_begin(&writer, '{');
	json_write_key(&writer, "ready");
	json_write_bool(&writer, has_table && !is_stopping);
	if (is_stopping || !has_table) {
		json_write_key(&writer, "reason");
		json_write_text(&writer,
		    is_stopping ? "shutting_down" : "database_unhealthy");
	}
	json_write_key(&writer, "connections");
	json_write_begin(&writer, '{');
	json_write_key(&writer, "database");
	write_database(&writer, &figures, NULL);
	json_write_end(&writer, '}');
	json_write_end(&writer, '}');
	admin_reply_json(request, has_table && !is_stopping ? 200 : 503,
	    &json);
}

static void
on_pinged(void *context, const struct store_outcome *outcome)
{
	struct admin_request *request = context;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	json_write_begin(&writer, '{');
	json_write_key(&writer, "status");
	json_write_text(&writer,
	    outcome->result == STORE_OK ? "healthy" : "unhealthy");
	if (outcome->result != STORE_OK) {
		json_write_key(&writer, "error");
		json_write_text(&writer, outcome->message);
	}
	json_write_end(&writer, '}');
	admin_reply_json(request, outcome->result == STORE_OK ? 200 : 503,
	    &json);
}

/* A round trip where there is a server. */
void
api_health_db(struct registry *registry, struct admin_request *request)
{
	struct store_figures figures;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	store_figures(registry->store, &figures);
	if (figures.driver == STORE_POSTGRES && figures.is_up &&
	    store_ping(registry->store, on_pinged, request) == 0)
		return;
	write_database(&writer, &figures, registry);
	admin_reply_json(request, figures.is_up ? 200 : 503, &json);
}

void
api_metrics_db(struct registry *registry, struct admin_request *request)
{
	struct store_figures figures;
	struct buf json = { 0 };
	struct json_writer writer = json_writer(&json);

	store_figures(registry->store, &figures);
	json_write_begin(&writer, '{');
	json_write_key(&writer, "open");
	json_write_integer(&writer, figures.open);
	json_write_key(&writer, "idle");
	json_write_integer(&writer, figures.idle);
	json_write_key(&writer, "in_use");
	json_write_integer(&writer, figures.in_use);
	json_write_key(&writer, "waiting");
	json_write_integer(&writer, figures.waiting);
	json_write_key(&writer, "query_count");
	json_write_integer(&writer, (int64_t)figures.query_count);
	json_write_key(&writer, "query_seconds");
	json_write_number(&writer, (double)figures.query_us_sum / 1e6);
	json_write_end(&writer, '}');
	admin_reply_json(request, 200, &json);
}
