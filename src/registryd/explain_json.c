/*
 * registryd/explain_json.c - where a request would go, as JSON.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/explain_json.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/control.h"
#include "routing/condition.h"
#include "shm/limits.h"

#define STANDINGS_MAX	 1000
#define EXPLAIN_READ_MAX (1u << 20)

static void
write_bytes(struct json_writer *writer, const char *key, struct bytes value)
{
	json_write_key(writer, key);
	json_write_string(writer, value);
}

static void
write_integer(struct json_writer *writer, const char *key, uint64_t value)
{
	json_write_key(writer, key);
	json_write_integer(writer, (int64_t)value);
}

static void
write_match(const struct explained *explained,
    const struct route_choice *choice)
{
	struct json_writer *writer = explained->writer;
	struct path_copy path;
	struct arena arena;

	arena_init(&arena, EXPLAIN_READ_MAX);
	json_write_key(writer, "match");
	if (route_table_read_path(explained->registry->table,
		choice->match.entry, &arena, &path) != TABLE_FOUND) {
		json_write_null(writer);
	} else {
		json_write_begin(writer, '{');
		write_bytes(writer, "host", path.host);
		write_bytes(writer, "prefix", path.prefix);
		json_write_key(writer, "priority");
		json_write_integer(writer, path.spec.priority);
		write_integer(writer, "sharing", path.spec.route_count);
		json_write_end(writer, '}');
	}
	arena_free(&arena);
}

/* What is ordered, as the client would find it. */
static void
write_condition(struct json_writer *writer,
    const struct condition_spec *condition, const struct in6_addr *client)
{
	struct instant now = clock_now();

	json_write_key(writer, "maintenance");
	json_write_bool(writer, condition_keeps_out(condition, NULL, now));
	json_write_key(writer, "keeps_client_out");
	json_write_bool(writer, condition_keeps_out(condition, client, now));
	json_write_key(writer, "drain_share");
	json_write_number(writer, condition_share_left(condition, now));
}

static void
write_limit(const struct explained *explained, const struct route_spec *route)
{
	const struct rate_limit_spec *limit = &route->rate_limit;
	struct json_writer *writer = explained->writer;
	struct limit_verdict verdict;

	json_write_key(writer, "rate_limit");
	if (limit->requests == 0 || explained->registry->limits == NULL) {
		json_write_null(writer);
		return;
	}
	limits_look(explained->registry->limits,
	    limits_key(route->id, explained->client), limit,
	    clock_now().ns, &verdict);
	json_write_begin(writer, '{');
	write_integer(writer, "requests", limit->requests);
	write_integer(writer, "window_ms", limit->window_ms);
	json_write_key(writer, "dry_run");
	json_write_bool(writer, limit->is_dry_run);
	json_write_key(writer, "allowed");
	json_write_bool(writer, verdict.is_allowed);
	write_integer(writer, "remaining", verdict.remaining);
	write_integer(writer, "reset_ms", (uint64_t)verdict.reset_ms);
	json_write_end(writer, '}');
}

static void
write_route(const struct explained *explained, const struct routed_route *route)
{
	struct json_writer *writer = explained->writer;

	json_write_key(writer, "route");
	if (route == NULL) {
		json_write_null(writer);
		return;
	}
	json_write_begin(writer, '{');
	write_integer(writer, "id", route->spec.id);
	write_bytes(writer, "label", route->spec.label);
	json_write_key(writer, "strip_prefix");
	json_write_bool(writer, route->spec.strip_prefix);
	write_condition(writer, &route->spec.condition,
	    explained->client);
	write_limit(explained, &route->spec);
	json_write_end(writer, '}');
}

static void
write_address(struct json_writer *writer, const struct backend_spec *spec)
{
	struct buf text = { 0 };
	bool is_v6 = spec->kind == BACKEND_TCP &&
	    memchr(spec->host.data, ':', spec->host.len) != NULL;

	if (spec->kind == BACKEND_UNIX)
		buf_printf(&text, "unix:%.*s", BYTES_ARGS(spec->host));
	else
		buf_printf(&text, is_v6 ? "http://[%.*s]:%u" : "http://%.*s:%u",
		    BYTES_ARGS(spec->host), (unsigned int)spec->port);
	write_bytes(writer, "address", buf_bytes(&text));
	buf_free(&text);
}

static void
write_flags(struct json_writer *writer, uint32_t flags)
{
	static const struct {
		enum health_flag flag;
		const char *name;
	} names[] = {
		{ HEALTH_UP, "up" },
		{ HEALTH_DOWN, "down" },
		{ HEALTH_BREAKER, "breaker" },
		{ HEALTH_HALF_OPEN, "half_open" },
	};

	json_write_key(writer, "health");
	json_write_begin(writer, '[');
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (flags & names[i].flag)
			json_write_text(writer, names[i].name);
	json_write_end(writer, ']');
}

/* Its state, and how many of this round's trials were taken. */
static void
write_breaker(const struct explained *explained,
    const struct routed_service *service,
    const struct backend_standing *standing)
{
	struct json_writer *writer = explained->writer;
	const struct model_backend *backend =
	    explained->registry->model == NULL ? NULL :
	    model_find_backend(explained->registry->model, standing->id);
	struct limit_trial trial = { .slot = standing->slot,
		.round = standing->trial_round };

	for (uint32_t i = 0; i < service->spec.backend_count; i++)
		if (service->backends[i].slot == standing->slot)
			trial.generation = service->backends[i].generation;
	json_write_key(writer, "breaker");
	if (backend == NULL) {
		json_write_null(writer);
		return;
	}
	breaker_write(writer, explained->registry->health, backend);
	if ((standing->flags & HEALTH_HALF_OPEN) == 0 ||
	    explained->registry->limits == NULL)
		return;
	write_integer(writer, "trials_taken", limits_trials_taken(
	    explained->registry->limits, &trial));
	write_integer(writer, "trials_allowed",
	    service->spec.breaker.half_open_requests);
}

static void
write_standing(const struct explained *explained,
    const struct routed_service *service,
    const struct backend_standing *standing)
{
	struct json_writer *writer = explained->writer;

	json_write_begin(writer, '{');
	write_integer(writer, "id", standing->id);
	for (uint32_t i = 0; i < service->spec.backend_count; i++)
		if (service->backends[i].slot == standing->slot) {
			write_address(writer, &service->backends[i].spec);
			write_integer(writer, "weight",
			    service->backends[i].spec.weight);
		}
	json_write_key(writer, "eligible");
	json_write_bool(writer, standing->is_eligible);
	json_write_key(writer, "tier");
	json_write_text(writer, standing->tier);
	json_write_key(writer, "why");
	json_write_text(writer, standing->why);
	json_write_key(writer, "maintenance");
	json_write_bool(writer, standing->in_maintenance);
	json_write_key(writer, "drain_share");
	json_write_number(writer, standing->share_left);
	write_breaker(explained, service, standing);
	write_flags(writer, standing->flags);
	json_write_end(writer, '}');
}

static void
write_service(const struct explained *explained,
    const struct routed_service *service)
{
	struct json_writer *writer = explained->writer;
	struct backend_standing *standings;
	uint32_t count = 0;

	json_write_key(writer, "service");
	if (service == NULL) {
		json_write_null(writer);
		return;
	}
	json_write_begin(writer, '{');
	write_bytes(writer, "name", service->spec.name);
	json_write_key(writer, "policy");
	json_write_text(writer, balance_policy_name(service->spec.policy));
	write_condition(writer, &service->spec.condition,
	    explained->client);
	json_write_end(writer, '}');
	standings = calloc(STANDINGS_MAX, sizeof(*standings));
	if (standings != NULL)
		count = router_explain_service(explained->registry->router,
		    service, explained->client, clock_now(), standings,
		    STANDINGS_MAX);
	json_write_key(writer, "backends");
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < count; i++)
		write_standing(explained, service, &standings[i]);
	json_write_end(writer, ']');
	free(standings);
}

static void
write_choice(const struct explained *explained,
    const struct route_choice *choice)
{
	struct json_writer *writer = explained->writer;
	bool is_refused = choice->refusal != REFUSED_NOT;

	json_write_key(writer, "choice");
	if (is_refused || choice->backend == NULL) {
		json_write_null(writer);
	} else {
		json_write_begin(writer, '{');
		write_integer(writer, "backend", choice->backend->spec.id);
		write_address(writer, &choice->backend->spec);
		json_write_end(writer, '}');
	}
	json_write_key(writer, "refusal");
	json_write_text(writer,
	    is_refused ? route_refusal_word(choice->refusal) : NULL);
	json_write_key(writer, "status");
	if (is_refused)
		json_write_integer(writer,
		    choice->refusal == REFUSED_NO_ROUTE ? 404 : 503);
	else
		json_write_null(writer);
}

static void
write_asked(const struct explained *explained)
{
	struct json_writer *writer = explained->writer;

	json_write_key(writer, "request");
	json_write_begin(writer, '{');
	write_bytes(writer, "method", explained->asked->method);
	write_bytes(writer, "host", explained->asked->host);
	write_bytes(writer, "path", explained->asked->path);
	json_write_end(writer, '}');
	write_integer(writer, "generation",
	    route_table_generation(explained->registry->table));
}

void
explain_write(const struct explained *explained,
    const struct route_choice *choice)
{
	write_asked(explained);
	if (choice->refusal == REFUSED_NO_ROUTE ||
	    choice->refusal == REFUSED_TABLE) {
		json_write_key(explained->writer, "match");
		json_write_null(explained->writer);
	} else {
		write_match(explained, choice);
	}
	write_route(explained, choice->route);
	write_service(explained, choice->service);
	write_choice(explained, choice);
}
