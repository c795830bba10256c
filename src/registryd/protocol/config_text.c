/*
 * registryd/protocol/config_text.c - a session's wishes as lines and JSON.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "registryd/protocol/config.h"

/* Lines ------------------------------------------------------------------ */

static void
write_pair(struct buf *buf, const char *noun, const char *target,
    const struct pair *pair)
{
	if (pair->value == NULL)
		buf_printf(buf, "0|%s_REMOVE|-|%s|%s\n", noun, target,
		    pair->name);
	else
		buf_printf(buf, "0|%s_SET|-|%s|%s|%s\n", noun, target,
		    pair->name, pair->value);
}

static void
write_pairs(struct buf *buf, const char *target, const struct pairs *headers,
    const struct pairs *options)
{
	for (uint32_t i = 0; i < headers->count; i++)
		write_pair(buf, "HEADERS", target, &headers->list[i]);
	for (uint32_t i = 0; i < options->count; i++)
		write_pair(buf, "OPTIONS", target, &options->list[i]);
}

static void
write_route(struct buf *buf, const struct session_route *route)
{
	buf_printf(buf, "%" PRIu32 "|ROUTE_ADD|-|", route->number);
	for (uint32_t i = 0; i < route->domain_count; i++)
		buf_printf(buf, "%s%s", i == 0 ? "" : ",", route->domains[i]);
	buf_printf(buf, "|%s|%s|%" PRId32 "\n", route->path, route->url,
	    route->priority);
	if (route->has_health)
		buf_printf(buf, "0|HEALTH_SET|-|r%" PRIu32 "|%s|%" PRId64
		    "ms|%" PRId64 "ms\n", route->number, route->health_path,
		    route->health_interval_ms, route->health_timeout_ms);
	if (route->has_limit)
		buf_printf(buf, "0|RATELIMIT_SET|-|r%" PRIu32 "|%" PRIu32
		    "|%" PRId64 "ms\n", route->number, route->limit_requests,
		    route->limit_window_ms);
	if (route->has_breaker)
		buf_printf(buf, "0|CIRCUIT_BREAKER_SET|-|r%" PRIu32 "|%" PRIu32
		    "|%" PRId64 "ms|%" PRIu32 "\n", route->number,
		    route->breaker_threshold, route->breaker_open_ms,
		    route->breaker_half_open);
}

void
config_write_lines(const struct session_config *config, struct buf *buf)
{
	char target[16];

	write_pairs(buf, "ALL", &config->headers, &config->options);
	for (uint32_t i = 0; i < config->count; i++) {
		const struct session_route *route = config->routes[i];

		write_route(buf, route);
		snprintf(target, sizeof(target), "r%" PRIu32, route->number);
		write_pairs(buf, target, &route->headers, &route->options);
	}
}

const char *
config_stage_text(struct session_config *config, struct bytes text)
{
	struct protocol_line line;
	struct bytes number;
	unsigned long long next;

	if (!bytes_next_field(&text, '|', &number) ||
	    bytes_to_number(number, UINT32_MAX, &next) == -1 ||
	    line_parse(text, &line) != LINE_GOOD)
		return "invalid format";
	if (next != 0)
		config->next_number = (uint32_t)next;
	return config_stage(config, &line);
}

/* JSON ------------------------------------------------------------------- */

static void
write_id(struct json_writer *writer, const struct session_route *route)
{
	char id[16];

	snprintf(id, sizeof(id), "r%" PRIu32, route->number);
	json_write_text(writer, id);
}

static bool
is_row_equal(const struct session_route *a, const struct session_route *b)
{
	if (a->domain_count != b->domain_count ||
	    a->priority != b->priority || strcmp(a->path, b->path) != 0 ||
	    strcmp(a->url, b->url) != 0)
		return false;
	for (uint32_t i = 0; i < a->domain_count; i++)
		if (strcmp(a->domains[i], b->domains[i]) != 0)
			return false;
	return true;
}

static bool
is_policy_equal(const struct session_route *a, const struct session_route *b)
{
	if (a->has_health != b->has_health || a->has_limit != b->has_limit ||
	    a->has_breaker != b->has_breaker)
		return false;
	if (a->has_health &&
	    (strcmp(a->health_path, b->health_path) != 0 ||
		a->health_interval_ms != b->health_interval_ms ||
		a->health_timeout_ms != b->health_timeout_ms))
		return false;
	if (a->has_limit && (a->limit_requests != b->limit_requests ||
		a->limit_window_ms != b->limit_window_ms))
		return false;
	return !a->has_breaker ||
	    (a->breaker_threshold == b->breaker_threshold &&
		a->breaker_open_ms == b->breaker_open_ms &&
		a->breaker_half_open == b->breaker_half_open);
}

enum route_change { ROUTE_SAME, ROUTE_ADDED, ROUTE_MODIFIED, ROUTE_REMOVED };

static enum route_change
change_of(const struct session_route *active,
    const struct session_route *staged)
{
	if (active == NULL)
		return ROUTE_ADDED;
	if (staged == NULL)
		return ROUTE_REMOVED;
	return is_row_equal(active, staged) && is_policy_equal(active, staged) ?
	    ROUTE_SAME :
	    ROUTE_MODIFIED;
}

/* Each number once, in order; either route may be NULL, not both. */
static bool
next_route(const struct session_config *active,
    const struct session_config *staged, uint32_t at[2],
    const struct session_route *routes_r[2])
{
	uint32_t number = UINT32_MAX;
	const struct session_config *const configs[2] = { active, staged };

	for (int i = 0; i < 2; i++)
		if (at[i] < configs[i]->count &&
		    configs[i]->routes[at[i]]->number < number)
			number = configs[i]->routes[at[i]]->number;
	for (int i = 0; i < 2; i++) {
		routes_r[i] = NULL;
		if (at[i] < configs[i]->count &&
		    configs[i]->routes[at[i]]->number == number)
			routes_r[i] = configs[i]->routes[at[i]++];
	}
	return routes_r[0] != NULL || routes_r[1] != NULL;
}

static void
write_changed(struct json_writer *writer, const struct session_config *active,
    const struct session_config *staged, enum route_change change)
{
	const struct session_route *routes[2];
	uint32_t at[2] = { 0, 0 };

	json_write_begin(writer, '[');
	while (next_route(active, staged, at, routes))
		if (change_of(routes[0], routes[1]) == change)
			write_id(writer,
			    routes[1] != NULL ? routes[1] : routes[0]);
	json_write_end(writer, ']');
}

struct pair_counts {
	int64_t added, removed;
};

static void
count_pairs(const struct pairs *active, const struct pairs *staged,
    struct pair_counts *counts)
{
	for (uint32_t i = 0; i < staged->count; i++) {
		const struct pair *now = &staged->list[i];
		const struct pair *before = pairs_find(active, now->name);

		if (now->value == NULL)
			counts->removed += before == NULL ||
			    before->value != NULL;
		else
			counts->added += before == NULL ||
			    before->value == NULL ||
			    strcmp(before->value, now->value) != 0;
	}
	for (uint32_t i = 0; i < active->count; i++)
		if (pairs_find(staged, active->list[i].name) == NULL)
			counts->removed++;
}

static void
write_counts(struct json_writer *writer, const struct session_config *active,
    const struct session_config *staged)
{
	static const struct pairs none;
	struct pair_counts headers = { 0 }, options = { 0 };
	const struct session_route *routes[2];
	uint32_t at[2] = { 0, 0 };

	count_pairs(&active->headers, &staged->headers, &headers);
	count_pairs(&active->options, &staged->options, &options);
	while (next_route(active, staged, at, routes)) {
		if (routes[1] == NULL)
			continue;
		count_pairs(routes[0] == NULL ? &none : &routes[0]->headers,
		    &routes[1]->headers, &headers);
		count_pairs(routes[0] == NULL ? &none : &routes[0]->options,
		    &routes[1]->options, &options);
	}
	json_write_key(writer, "headers");
	json_write_begin(writer, '{');
	json_write_key(writer, "added");
	json_write_integer(writer, headers.added);
	json_write_key(writer, "removed");
	json_write_integer(writer, headers.removed);
	json_write_end(writer, '}');
	json_write_key(writer, "options");
	json_write_begin(writer, '{');
	json_write_key(writer, "modified");
	json_write_integer(writer, options.added + options.removed);
	json_write_end(writer, '}');
}

void
config_write_diff(struct json_writer *writer,
    const struct session_config *active, const struct session_config *staged)
{
	json_write_begin(writer, '{');
	json_write_key(writer, "routes");
	json_write_begin(writer, '{');
	json_write_key(writer, "added");
	write_changed(writer, active, staged, ROUTE_ADDED);
	json_write_key(writer, "removed");
	write_changed(writer, active, staged, ROUTE_REMOVED);
	json_write_key(writer, "modified");
	write_changed(writer, active, staged, ROUTE_MODIFIED);
	json_write_end(writer, '}');
	write_counts(writer, active, staged);
	json_write_end(writer, '}');
}

static void
write_row(struct json_writer *writer, const struct session_route *route,
    const char *status)
{
	json_write_begin(writer, '{');
	json_write_key(writer, "route_id");
	write_id(writer, route);
	json_write_key(writer, "domains");
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < route->domain_count; i++)
		json_write_text(writer, route->domains[i]);
	json_write_end(writer, ']');
	json_write_key(writer, "path");
	json_write_text(writer, route->path);
	json_write_key(writer, "backend");
	json_write_text(writer, route->url);
	json_write_key(writer, "priority");
	json_write_integer(writer, route->priority);
	json_write_key(writer, "status");
	json_write_text(writer, status);
	json_write_end(writer, '}');
}

void
config_write_routes(struct json_writer *writer,
    const struct session_config *active, const struct session_config *staged)
{
	const struct session_route *routes[2];
	uint32_t at[2] = { 0, 0 };

	json_write_begin(writer, '[');
	while (next_route(active, staged, at, routes)) {
		if (routes[1] == NULL)
			write_row(writer, routes[0], "pending_removal");
		else if (routes[0] != NULL &&
		    is_row_equal(routes[0], routes[1]))
			write_row(writer, routes[1], "active");
		else
			write_row(writer, routes[1], "staged");
	}
	json_write_end(writer, ']');
}

uint32_t
config_staged_count(const struct session_config *active,
    const struct session_config *staged)
{
	const struct session_route *routes[2];
	uint32_t at[2] = { 0, 0 }, count = 0;

	while (next_route(active, staged, at, routes))
		count += change_of(routes[0], routes[1]) != ROUTE_SAME;
	return count;
}
