/*
 * registryd/protocol/command_condition.c - MAINT_* and DRAIN_*.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/quantity.h"
#include "registryd/model.h"
#include "registryd/protocol/command.h"
#include "registryd/protocol/condition.h"
#include "registryd/protocol/figures.h"
#include "registryd/protocol/poll.h"
#include "registryd/registry.h"

#define SECOND_MS 1000

static const struct bytes all = BYTES_LITERAL("ALL");

/* Maintenance ------------------------------------------------------------ */

/* An order on its way, with what its client waits for behind the ACK. */
struct maintaining {
	struct client *client;
	struct poll *poll;
};

static void
on_maintained(void *context, const char *fault)
{
	struct maintaining *maintaining = context;
	struct client *client = maintaining->client;
	bool was_advancing;

	if (fault != NULL) {
		poll_drop(&maintaining->poll);
		client_refuse(client, fault);
	} else {
		was_advancing = command_answer_first(client, "ACK");
		poll_start(maintaining->poll);
		command_go_on(client, was_advancing);
	}
	free(maintaining);
}

static int
submit(struct maintaining *maintaining, struct condition_order *order)
{
	struct note_changes notes = { 0 };

	maintaining->poll = poll_new(order->session,
	    order->verb == CONDITION_ENTER_MAINTENANCE, order->target,
	    order->page_url);
	if (maintaining->poll == NULL)
		return -1;
	order->notes = &notes;
	if (poll_add_notes(maintaining->poll, &notes) == 0 &&
	    condition_submit(order) == 0)
		return 0;
	note_changes_clear(&notes);
	poll_drop(&maintaining->poll);
	return -1;
}

static void
maintain(struct client *client, bool is_entering, struct bytes page_url)
{
	struct maintaining *maintaining = calloc(1, sizeof(*maintaining));
	struct condition_order order = {
		.verb = is_entering ? CONDITION_ENTER_MAINTENANCE :
				      CONDITION_EXIT_MAINTENANCE,
		.session = client->session,
		.target = client->line.fields[1],
		.page_url = page_url,
		.done = on_maintained,
		.context = maintaining,
	};

	if (maintaining != NULL) {
		maintaining->client = client;
		if (submit(maintaining, &order) == 0)
			return;
		free(maintaining);
	}
	client_refuse(client, "store unavailable");
}

void
command_maint_enter(struct client *client)
{
	struct bytes page_url = bytes_trim(client->line.fields[2]);
	const char *fault = page_url.len == 0 ? NULL :
						backend_url_fault(page_url);

	if (!session_has_target(client->session, client->line.fields[1]))
		client_refuse(client, "route not found");
	else if (fault != NULL)
		client_refuse(client, fault);
	else
		maintain(client, true, page_url);
}

void
command_maint_exit(struct client *client)
{
	if (!session_has_target(client->session, client->line.fields[1]))
		client_refuse(client, "route not found");
	else
		maintain(client, false, bytes_of(""));
}

static bool
is_in_maintenance(const struct condition *condition)
{
	return condition->in_maintenance &&
	    (condition->maintenance_until_wall_ms == 0 ||
		condition->maintenance_until_wall_ms > clock_wall_ms());
}

void
command_maint_status(struct client *client)
{
	const struct model *model = client->protocol->registry->model;
	const struct session_route *listed = NULL;
	const struct model_backend *backend;
	const struct condition *first = NULL;
	struct backend_walk walk = { 0 };
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);
	char text[CLOCK_RFC3339_SIZE] = "";

	json_write_begin(&writer, '{');
	json_write_key(&writer, "in_maintenance");
	json_write_begin(&writer, '[');
	while ((backend = backend_walk_next(&walk, model, client->session,
		    all)) != NULL) {
		if (walk.at == listed ||
		    !is_in_maintenance(&backend->object.condition))
			continue;
		listed = walk.at;
		snprintf(text, sizeof(text), "r%" PRIu32, listed->number);
		json_write_text(&writer, text);
		if (first == NULL)
			first = &backend->object.condition;
	}
	json_write_end(&writer, ']');
	text[0] = '\0';
	if (first != NULL)
		clock_format_rfc3339(first->maintenance_at_wall_ms, text);
	json_write_key(&writer, "maintenance_backend");
	json_write_text(&writer, first == NULL || first->page_url == NULL ?
		"" :
		first->page_url);
	json_write_key(&writer, "entered_at");
	json_write_text(&writer, text);
	json_write_end(&writer, '}');
	client_answer_json(client, "MAINT_STATUS_OK", &buf);
}

/* Drain ------------------------------------------------------------------ */

struct draining {
	struct client *client;
	int64_t end_wall_ms;
};

static void
on_drain_started(void *context, const char *fault)
{
	struct draining *draining = context;
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(draining->end_wall_ms, text);
	if (fault != NULL)
		client_refuse(draining->client, fault);
	else
		client_answer(draining->client, "DRAIN_OK|%s", text);
	free(draining);
}

void
command_drain_start(struct client *client)
{
	struct draining *draining;
	struct condition_order order = {
		.verb = CONDITION_START_DRAIN,
		.session = client->session,
		.target = all,
		.at_wall_ms = clock_wall_ms(),
		.done = on_drain_started,
	};

	if (quantity_parse_span(client->line.fields[1], true,
		&order.span_ms) == -1) {
		client_refuse(client, "invalid duration");
		return;
	}
	if ((draining = calloc(1, sizeof(*draining))) != NULL) {
		draining->client = client;
		draining->end_wall_ms = order.at_wall_ms + order.span_ms;
		order.context = draining;
		if (condition_submit(&order) == 0)
			return;
		free(draining);
	}
	client_refuse(client, "store unavailable");
}

/* The first drain among the session's backends; NULL: none. */
static const struct condition *
find_drain(const struct client *client)
{
	const struct model *model = client->protocol->registry->model;
	const struct model_backend *backend;
	struct backend_walk walk = { 0 };

	while ((backend = backend_walk_next(&walk, model, client->session,
		    all)) != NULL)
		if (backend->object.condition.drain_at_wall_ms != 0)
			return &backend->object.condition;
	return NULL;
}

static void
write_drain(struct json_writer *writer, const struct condition *drain,
    int64_t in_flight)
{
	int64_t span_ms = drain->drain_span_ms;
	int64_t elapsed_ms = clock_wall_ms() - drain->drain_at_wall_ms;
	char text[CLOCK_RFC3339_SIZE];

	if (elapsed_ms < 0)
		elapsed_ms = 0;
	if (elapsed_ms > span_ms)
		elapsed_ms = span_ms;
	clock_format_rfc3339(drain->drain_at_wall_ms, text);
	json_write_begin(writer, '{');
	json_write_key(writer, "active");
	json_write_bool(writer, elapsed_ms < span_ms);
	json_write_key(writer, "started_at");
	json_write_text(writer, text);
	json_write_key(writer, "duration_seconds");
	json_write_integer(writer, (span_ms + SECOND_MS - 1) / SECOND_MS);
	json_write_key(writer, "elapsed_seconds");
	json_write_integer(writer, elapsed_ms / SECOND_MS);
	json_write_key(writer, "remaining_seconds");
	json_write_integer(writer,
	    (span_ms - elapsed_ms + SECOND_MS - 1) / SECOND_MS);
	json_write_key(writer, "traffic_percent");
	json_write_integer(writer, span_ms == 0 ?
		0 :
		(100 * (span_ms - elapsed_ms) + span_ms / 2) / span_ms);
	json_write_key(writer, "in_flight");
	json_write_integer(writer, in_flight);
	json_write_end(writer, '}');
}

void
command_drain_status(struct client *client)
{
	const struct condition *drain = find_drain(client);
	struct buf buf = { 0 };
	struct json_writer writer = client_writer(&buf);

	if (drain == NULL) {
		client_refuse(client, "no drain in progress");
		return;
	}
	write_drain(&writer, drain, figures_in_flight(client->session));
	client_answer_json(client, "DRAIN_STATUS_OK", &buf);
}

static void
on_drain_cancelled(void *context, const char *fault)
{
	struct client *client = context;

	if (fault != NULL)
		client_refuse(client, fault);
	else
		client_answer(client, "DRAIN_OK");
}

void
command_drain_cancel(struct client *client)
{
	const struct condition_order order = {
		.verb = CONDITION_CANCEL_DRAIN,
		.session = client->session,
		.target = all,
		.done = on_drain_cancelled,
		.context = client,
	};

	if (find_drain(client) == NULL)
		client_refuse(client, "no drain in progress");
	else if (condition_submit(&order) == -1)
		client_refuse(client, "store unavailable");
}
