/*
 * registryd/api_explain.c - /v1/explain: where a request would go, and why.
 *
 * Makes the head that the client would send and reads it with the
 * parser of the worker; asks the router of the worker, on the live
 * segment; then looks up who last changed the route.
 */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "registryd/api_parts.h"
#include "registryd/control.h"
#include "routing/condition.h"
#include "shm/limits.h"

#define STANDINGS_MAX	 1000
#define EXPLAIN_READ_MAX (1u << 20)

/* One explanation on its way. */
struct explanation {
	struct registry *registry;
	struct admin_request *request;
	struct http_request asked;	/* borrows from head */
	struct buf head;
	struct in6_addr client;
	struct buf json;
	struct json_writer writer;
	bool has_change;
};

static void
free_explanation(struct explanation *explanation)
{
	buf_free(&explanation->head);
	buf_free(&explanation->json);
	free(explanation);
}

/* What is asked ---------------------------------------------------------- */

static int
add_head(struct explanation *explanation, struct bytes method,
    struct bytes url)
{
	struct buf *head = &explanation->head;
	struct bytes field;
	uint32_t next = 0;

	/* An absolute-form target carries the host; RFC 9112, 3.2.2. */
	buf_printf(head, "%.*s %.*s HTTP/1.1\r\nHost: %s\r\n",
	    BYTES_ARGS(method), BYTES_ARGS(url),
	    url.data[0] == '/' ? "" : "placeholder");
	while (api_query(explanation->request, "header", &next, &field)) {
		if (memchr(field.data, '\r', field.len) != NULL ||
		    memchr(field.data, '\n', field.len) != NULL)
			return -1;
		if (!bytes_start_with(field, bytes_of("Host:")))
			buf_printf(head, "%.*s\r\n", BYTES_ARGS(field));
	}
	buf_append_text(head, "\r\n");
	return head->is_failed ? -1 : 0;
}

static bool
read_client(struct admin_request *request, struct in6_addr *client_r)
{
	struct bytes from = bytes_of("127.0.0.1");
	struct in_addr v4;

	(void)api_query(request, "from", NULL, &from);
	if (inet_pton(AF_INET6, from.data, client_r) == 1)
		return true;
	if (inet_pton(AF_INET, from.data, &v4) != 1)
		return false;
	memset(client_r, 0, sizeof(*client_r));
	client_r->s6_addr[10] = client_r->s6_addr[11] = 0xff;
	memcpy(&client_r->s6_addr[12], &v4, sizeof(v4));
	return true;
}

/* NULL, or what is wrong with the question. */
static const char *
read_question(struct explanation *explanation)
{
	struct bytes method = bytes_of("GET"), url = bytes_of("");
	enum http_fault fault;

	(void)api_query(explanation->request, "method", NULL, &method);
	if (!api_query(explanation->request, "url", NULL, &url) ||
	    url.len == 0)
		return "url is needed, such as url=http://host/path";
	if (!read_client(explanation->request, &explanation->client))
		return "from must be an address";
	if (add_head(explanation, method, url) == -1)
		return "a header must be one line, \"Name: value\"";
	fault = http_request_parse(buf_bytes(&explanation->head),
	    &explanation->asked);
	return fault == HTTP_FAULT_NONE ? NULL : http_fault_text(fault);
}

static struct bytes
field_of(const void *request, struct bytes name)
{
	const struct http_request *asked = request;
	const struct http_field *field = http_field_find_name(&asked->fields,
	    name);

	return field == NULL ? bytes_of("") : field->value;
}

/* What is answered ------------------------------------------------------- */

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
write_match(struct explanation *explanation, const struct route_choice *choice)
{
	struct json_writer *writer = &explanation->writer;
	struct path_copy path;
	struct arena arena;

	arena_init(&arena, EXPLAIN_READ_MAX);
	json_write_key(writer, "match");
	if (route_table_read_path(explanation->registry->table,
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
write_limit(struct explanation *explanation, const struct route_spec *route)
{
	const struct rate_limit_spec *limit = &route->rate_limit;
	struct json_writer *writer = &explanation->writer;
	struct limit_verdict verdict;

	json_write_key(writer, "rate_limit");
	if (limit->requests == 0 || explanation->registry->limits == NULL) {
		json_write_null(writer);
		return;
	}
	limits_look(explanation->registry->limits,
	    limits_key(route->id, &explanation->client), limit,
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
write_route(struct explanation *explanation, const struct routed_route *route)
{
	struct json_writer *writer = &explanation->writer;

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
	    &explanation->client);
	write_limit(explanation, &route->spec);
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
write_breaker(struct explanation *explanation,
    const struct routed_service *service,
    const struct backend_standing *standing)
{
	struct json_writer *writer = &explanation->writer;
	const struct model_backend *backend =
	    explanation->registry->model == NULL ? NULL :
	    model_find_backend(explanation->registry->model, standing->id);
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
	breaker_write(writer, explanation->registry->health, backend);
	if ((standing->flags & HEALTH_HALF_OPEN) == 0 ||
	    explanation->registry->limits == NULL)
		return;
	write_integer(writer, "trials_taken", limits_trials_taken(
	    explanation->registry->limits, &trial));
	write_integer(writer, "trials_allowed",
	    service->spec.breaker.half_open_requests);
}

static void
write_standing(struct explanation *explanation,
    const struct routed_service *service,
    const struct backend_standing *standing)
{
	struct json_writer *writer = &explanation->writer;

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
	write_breaker(explanation, service, standing);
	write_flags(writer, standing->flags);
	json_write_end(writer, '}');
}

static void
write_service(struct explanation *explanation,
    const struct routed_service *service)
{
	struct json_writer *writer = &explanation->writer;
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
	    &explanation->client);
	json_write_end(writer, '}');
	standings = calloc(STANDINGS_MAX, sizeof(*standings));
	if (standings != NULL)
		count = router_explain_service(explanation->registry->router,
		    service, &explanation->client, clock_now(), standings,
		    STANDINGS_MAX);
	json_write_key(writer, "backends");
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < count; i++)
		write_standing(explanation, service, &standings[i]);
	json_write_end(writer, ']');
	free(standings);
}

static void
write_choice(struct explanation *explanation,
    const struct route_choice *choice)
{
	struct json_writer *writer = &explanation->writer;
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
write_asked(struct explanation *explanation)
{
	struct json_writer *writer = &explanation->writer;

	json_write_key(writer, "request");
	json_write_begin(writer, '{');
	write_bytes(writer, "method", explanation->asked.method);
	write_bytes(writer, "host", explanation->asked.host);
	write_bytes(writer, "path", explanation->asked.path);
	json_write_end(writer, '}');
	write_integer(writer, "generation",
	    route_table_generation(explanation->registry->table));
}

/* Who changed it --------------------------------------------------------- */

static void
on_row(void *context, const struct store_history *row)
{
	struct explanation *explanation = context;
	struct json_writer *writer = &explanation->writer;
	char at[CLOCK_RFC3339_SIZE];

	if (explanation->has_change)
		return;
	explanation->has_change = true;
	clock_format_rfc3339(row->at_wall_ms, at);
	json_write_key(writer, "changed");
	json_write_begin(writer, '{');
	write_integer(writer, "generation", row->generation);
	json_write_key(writer, "at");
	json_write_text(writer, at);
	json_write_key(writer, "who");
	json_write_text(writer, row->who);
	json_write_key(writer, "from");
	json_write_text(writer, row->from);
	json_write_key(writer, "channel");
	json_write_text(writer, row->channel);
	json_write_key(writer, "action");
	json_write_text(writer, row->action);
	json_write_end(writer, '}');
}

static void
finish(struct explanation *explanation)
{
	if (!explanation->has_change) {
		json_write_key(&explanation->writer, "changed");
		json_write_null(&explanation->writer);
	}
	json_write_end(&explanation->writer, '}');
	admin_reply_json(explanation->request, 200, &explanation->json);
	free_explanation(explanation);
}

static void
on_history(void *context, const struct store_outcome *outcome)
{
	(void)outcome;			/* without: "changed" is null */
	finish(context);
}

static void
find_change(struct explanation *explanation, uint64_t route_id)
{
	char key[24];
	const struct store_history_query query = {
		.to = INT64_MAX,
		.limit = 1,
		.kind = "route",
		.key = key,
		.newest_first = true,
		.row = on_row,
		.done = on_history,
		.context = explanation,
	};

	snprintf(key, sizeof(key), "%" PRIu64, route_id);
	if (route_id == 0 ||
	    store_history(explanation->registry->store, &query) == -1)
		finish(explanation);
}

static void
explain(struct explanation *explanation)
{
	struct router *router = explanation->registry->router;
	const struct route_query query = {
		.host = explanation->asked.host,
		.path = explanation->asked.path,
		.client = explanation->client,
		.field = field_of,
		.request = &explanation->asked,
	};
	struct route_choice choice;
	uint64_t route_id;

	router_choose(router, &query, clock_now(), &choice);
	explanation->writer = json_writer(&explanation->json);
	json_write_begin(&explanation->writer, '{');
	write_asked(explanation);
	if (choice.refusal == REFUSED_NO_ROUTE ||
	    choice.refusal == REFUSED_TABLE) {
		json_write_key(&explanation->writer, "match");
		json_write_null(&explanation->writer);
	} else {
		write_match(explanation, &choice);
	}
	write_route(explanation, choice.route);
	write_service(explanation, choice.service);
	write_choice(explanation, &choice);
	route_id = choice.route == NULL ? 0 : choice.route->spec.id;
	router_release(router, &choice);
	find_change(explanation, route_id);
}

void
api_explain(struct registry *registry, struct admin_request *request)
{
	struct explanation *explanation = calloc(1, sizeof(*explanation));
	const char *fault;

	if (explanation == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return;
	}
	explanation->registry = registry;
	explanation->request = request;
	fault = read_question(explanation);
	if (fault != NULL) {
		api_reply_problem(request, 400, "bad_query", "%s", fault);
		free_explanation(explanation);
		return;
	}
	explain(explanation);
}
