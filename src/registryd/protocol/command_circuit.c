/*
 * registryd/protocol/command_circuit.c - CIRCUIT_BREAKER_STATUS and _RESET.
 *
 * A route has a backend for each of its domains, and each has a breaker;
 * the status shown is that of the one that stands worst.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/breaker_order.h"
#include "registryd/protocol/apply.h"
#include "registryd/protocol/command.h"
#include "registryd/registry.h"
#include "shm/route_table.h"

#define READ_MAX  65536
#define SECOND_MS 1000
#define GET(field) atomic_load_explicit(&(field), memory_order_relaxed)

/* The route that a command names.  NULL: answered. */
static const struct session_route *
find_route(struct client *client)
{
	const struct session *session = client->session;
	struct bytes id = client->line.fields[1];
	const struct session_route *route = config_find(&session->active, id);

	if (route == NULL && config_find(&session->staged, id) == NULL) {
		client_refuse(client, "route not found");
	} else if (route == NULL) {
		client_refuse(client, "backend status unavailable");
	} else if (!route->has_breaker) {
		client_refuse(client, "circuit breaker not found");
		route = NULL;
	}
	return route;
}

static const struct model_backend *
backend_at(const struct client *client, const struct session_route *route,
    uint32_t domain)
{
	return place_backend(client->protocol->registry->model,
	    client->session->service, route->hosts[domain], route);
}

/* Status ----------------------------------------------------------------- */

struct breaker_status {
	const struct model_backend *backend;
	const struct health_detail *detail;
	uint32_t flags;
};

static int
severity(uint32_t state)
{
	return state == BREAKER_OPEN ? 2 : state == BREAKER_HALF_OPEN;
}

static bool
is_worse(const struct health_detail *detail, const struct breaker_status *than)
{
	return than->detail == NULL || severity(GET(detail->breaker_state)) >
	    severity(GET(than->detail->breaker_state));
}

static uint32_t
read_flags(const struct registry *registry, uint32_t slot)
{
	struct backend_copy copy;
	struct arena arena;
	uint32_t flags = 0;

	arena_init(&arena, READ_MAX);
	if (route_table_read_backend(registry->table, slot, &arena, &copy) ==
	    TABLE_FOUND)
		flags = health_get(registry->health, slot, copy.generation);
	arena_free(&arena);
	return flags;
}

static bool
find_status(const struct client *client, const struct session_route *route,
    struct breaker_status *status_r)
{
	const struct registry *registry = client->protocol->registry;

	*status_r = (struct breaker_status){ 0 };
	for (uint32_t i = 0; i < route->domain_count; i++) {
		const struct model_backend *backend = backend_at(client,
		    route, i);
		const struct health_detail *detail;

		if (backend == NULL || backend->slot == TABLE_NONE)
			continue;
		detail = health_detail(registry->health, backend->slot);
		if (detail == NULL ||
		    GET(detail->backend_id) != backend->object.id ||
		    !is_worse(detail, status_r))
			continue;
		status_r->backend = backend;
		status_r->detail = detail;
		status_r->flags = read_flags(registry, backend->slot);
	}
	return status_r->backend != NULL;
}

static void
write_wall(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE] = "";

	if (wall_ms != 0)
		clock_format_rfc3339(wall_ms, text);
	json_write_key(writer, key);
	json_write_text(writer, text);
}

static void
write_condition(struct json_writer *writer, const struct condition *condition)
{
	int64_t left_ms = 0;

	if (condition->drain_at_wall_ms != 0)
		left_ms = condition->drain_at_wall_ms +
		    condition->drain_span_ms - clock_wall_ms();
	json_write_key(writer, "in_maintenance");
	json_write_bool(writer, condition->in_maintenance);
	json_write_key(writer, "draining");
	json_write_bool(writer, condition->drain_at_wall_ms != 0);
	json_write_key(writer, "drain_remaining_seconds");
	json_write_integer(writer,
	    left_ms <= 0 ? 0 : (left_ms + SECOND_MS - 1) / SECOND_MS);
}

static void
write_status(struct json_writer *writer, const struct breaker_status *status)
{
	static const char *const words[] = { "closed", "half-open", "open" };
	const struct health_detail *detail = status->detail;

	json_write_begin(writer, '{');
	json_write_key(writer, "state");
	json_write_text(writer, words[severity(GET(detail->breaker_state))]);
	json_write_key(writer, "failures");
	json_write_integer(writer, GET(detail->failures));
	json_write_key(writer, "successes");
	json_write_integer(writer, GET(detail->successes));
	write_wall(writer, "last_failure", GET(detail->failed_wall_ms));
	json_write_key(writer, "healthy");
	json_write_bool(writer, (status->flags & HEALTH_DOWN) == 0);
	write_condition(writer, &status->backend->object.condition);
	write_wall(writer, "next_attempt",
	    GET(detail->next_attempt_wall_ms));
	json_write_end(writer, '}');
}

void
command_circuit_status(struct client *client)
{
	const struct session_route *route = find_route(client);
	struct breaker_status status;
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	if (route == NULL)
		return;
	if (!find_status(client, route, &status)) {
		client_refuse(client, "backend status unavailable");
		return;
	}
	write_status(&writer, &status);
	client_answer_json(client, "CIRCUIT_STATUS_OK", &buf);
}

/* Reset ------------------------------------------------------------------ */

/* Orders that healthd has not answered yet. */
struct resetting {
	struct client *client;
	uint32_t pending;
	bool is_failed;
};

static void
note_answer(struct resetting *resetting, bool is_done)
{
	resetting->is_failed |= !is_done;
	if (--resetting->pending > 0)
		return;
	if (resetting->is_failed)
		client_refuse(resetting->client,
		    "backend status unavailable");
	else
		client_answer(resetting->client, "CIRCUIT_OK");
	free(resetting);
}

static void
on_obeyed(void *context, bool is_done)
{
	note_answer(context, is_done);
}

void
command_circuit_reset(struct client *client)
{
	const struct session_route *route = find_route(client);
	struct store_actor actor = { .channel = "session", .request_id = "" };
	char name[SESSION_NAME_SIZE];
	struct resetting *resetting;

	if (route == NULL)
		return;
	actor.who = session_name(client->session, name);
	actor.from = client->session->from;
	if ((resetting = calloc(1, sizeof(*resetting))) == NULL) {
		client_refuse(client, "backend status unavailable");
		return;
	}
	resetting->client = client;
	resetting->pending = 1;		/* ours, until all are ordered */
	for (uint32_t i = 0; i < route->domain_count; i++) {
		const struct model_backend *backend = backend_at(client,
		    route, i);

		if (backend != NULL && breaker_order(
			client->protocol->registry, backend->object.id,
			BREAKER_RESET, &actor, on_obeyed, resetting) == 0)
			resetting->pending++;
		else
			resetting->is_failed = true;
	}
	note_answer(resetting, true);
}
