/*
 * registryd/protocol/config.c - what a session wants.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/protocol/config.h"

#include <stdlib.h>

#include "common/quantity.h"

#define OUT_OF_MEMORY "store unavailable"

/* Routes ----------------------------------------------------------------- */

void
session_route_release(struct session_route *route)
{
	if (route == NULL || --route->references > 0)
		return;
	route_clear_hosts(route);
	free(route->path);
	free(route->prefix);
	free(route->url);
	free(route->health_path);
	pairs_clear(&route->headers);
	pairs_clear(&route->options);
	free(route);
}

static int
copy_domains(const struct session_route *route, struct session_route *copy)
{
	for (uint32_t i = 0; i < route->domain_count; i++)
		if (route_add_host(copy, bytes_of(route->domains[i])) == -1)
			return -1;
	return 0;
}

static struct session_route *
copy_route(const struct session_route *route)
{
	struct session_route *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return NULL;
	*copy = *route;
	copy->references = 1;
	copy->domains = copy->hosts = NULL;
	copy->domain_count = 0;
	copy->headers = copy->options = (struct pairs){ 0 };
	copy->path = strdup(route->path);
	copy->url = strdup(route->url);
	copy->prefix = route->prefix == NULL ? NULL : strdup(route->prefix);
	copy->health_path = route->health_path == NULL ?
	    NULL :
	    strdup(route->health_path);
	if (copy->path != NULL && copy->url != NULL &&
	    (copy->prefix != NULL || route->prefix == NULL) &&
	    (copy->health_path != NULL || route->health_path == NULL) &&
	    copy_domains(route, copy) == 0 &&
	    pairs_copy(&route->headers, &copy->headers) == 0 &&
	    pairs_copy(&route->options, &copy->options) == 0)
		return copy;
	session_route_release(copy);
	return NULL;
}

struct session_route *
config_own(struct session_config *config, uint32_t index)
{
	struct session_route *route = config->routes[index], *copy;

	if (route->references == 1)
		return route;
	if ((copy = copy_route(route)) == NULL)
		return NULL;
	session_route_release(route);
	config->routes[index] = copy;
	return copy;
}

int
config_add(struct session_config *config, struct session_route *route)
{
	struct session_route **longer;
	uint32_t size;

	if (config->count == config->size) {
		size = config->size == 0 ? 4 : 2 * config->size;
		longer = realloc(config->routes, size * sizeof(*longer));
		if (longer == NULL)
			return -1;
		config->routes = longer;
		config->size = size;
	}
	config->routes[config->count++] = route;
	return 0;
}

/* Configs ---------------------------------------------------------------- */

void
config_init(struct session_config *config)
{
	*config = (struct session_config){ .next_number = 1 };
}

void
config_clear(struct session_config *config)
{
	for (uint32_t i = 0; i < config->count; i++)
		session_route_release(config->routes[i]);
	free(config->routes);
	pairs_clear(&config->headers);
	pairs_clear(&config->options);
	config_init(config);
}

int
config_copy(const struct session_config *config, struct session_config *copy_r)
{
	config_init(copy_r);
	copy_r->next_number = config->next_number;
	copy_r->routes = calloc(config->count + 1, sizeof(*copy_r->routes));
	if (copy_r->routes == NULL)
		return -1;
	copy_r->size = config->count + 1;
	for (uint32_t i = 0; i < config->count; i++) {
		copy_r->routes[i] = config->routes[i];
		copy_r->routes[i]->references++;
		copy_r->count++;
	}
	if (pairs_copy(&config->headers, &copy_r->headers) == 0 &&
	    pairs_copy(&config->options, &copy_r->options) == 0)
		return 0;
	config_clear(copy_r);
	return -1;
}

static bool
find_index(const struct session_config *config, uint32_t number,
    uint32_t *index_r)
{
	uint32_t low = 0, high = config->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (config->routes[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	*index_r = low;
	return low < config->count && config->routes[low]->number == number;
}

static bool
parse_id(struct bytes id, uint32_t *number_r)
{
	unsigned long long number;

	if (id.len < 2 || id.data[0] != 'r' ||
	    bytes_to_number(bytes_slice(id.data + 1, id.len - 1), UINT32_MAX,
		&number) == -1)
		return false;
	*number_r = (uint32_t)number;
	return true;
}

const struct session_route *
config_find_number(const struct session_config *config, uint32_t number)
{
	uint32_t index;

	return find_index(config, number, &index) ? config->routes[index] :
						    NULL;
}

const struct session_route *
config_find(const struct session_config *config, struct bytes id)
{
	uint32_t number;

	return parse_id(id, &number) ? config_find_number(config, number) :
				       NULL;
}

static bool
is_meant(struct bytes item, const struct session_route *route)
{
	uint32_t number;

	if (parse_id(item, &number) && number == route->number)
		return true;
	if (bytes_is(item, route->path))
		return true;
	for (uint32_t i = 0; i < route->domain_count; i++)
		if (bytes_equal_nocase(item, bytes_of(route->domains[i])))
			return true;
	return false;
}

bool
target_has(struct bytes target, const struct session_route *route)
{
	struct bytes item;

	if (bytes_is(target, "ALL"))
		return true;
	while (bytes_next_field(&target, ',', &item))
		if (is_meant(bytes_trim(item), route))
			return true;
	return false;
}

/* Staging ---------------------------------------------------------------- */

/* The route that a command names, to be changed; NULL: *fault_r. */
static struct session_route *
own_named(struct session_config *config, struct bytes id,
    const char **fault_r)
{
	struct session_route *route;
	uint32_t number, index;

	*fault_r = "route not found";
	if (!parse_id(id, &number) || !find_index(config, number, &index))
		return NULL;
	if ((route = config_own(config, index)) == NULL)
		*fault_r = OUT_OF_MEMORY;
	return route;
}

static const char *
stage_route_remove(struct session_config *config,
    const struct protocol_line *line)
{
	uint32_t number, index;

	if (!parse_id(line->fields[1], &number) ||
	    !find_index(config, number, &index))
		return "route not found";
	session_route_release(config->routes[index]);
	config->count--;
	memmove(&config->routes[index], &config->routes[index + 1],
	    (config->count - index) * sizeof(*config->routes));
	return NULL;
}

/* Spans that other parts keep in 32 bits. */
static bool
parse_span(struct bytes text, int64_t *span_ms_r)
{
	return quantity_parse_span(text, true, span_ms_r) == 0 &&
	    *span_ms_r <= INT32_MAX;
}

static const char *
stage_health_set(struct session_config *config,
    const struct protocol_line *line)
{
	const char *fault;
	struct session_route *route = own_named(config, line->fields[1],
	    &fault);

	if (route == NULL)
		return fault;
	if (line->fields[2].len == 0)
		return "path cannot be empty";
	if (!parse_span(line->fields[3], &route->health_interval_ms) ||
	    !parse_span(line->fields[4], &route->health_timeout_ms))
		return "invalid duration";
	free(route->health_path);
	if ((route->health_path = bytes_duplicate(line->fields[2])) == NULL)
		return OUT_OF_MEMORY;
	route->has_health = true;
	return NULL;
}

static const char *
stage_ratelimit_set(struct session_config *config,
    const struct protocol_line *line)
{
	const char *fault;
	struct session_route *route = own_named(config, line->fields[1],
	    &fault);
	unsigned long long requests;

	if (route == NULL)
		return fault;
	if (bytes_to_number(line->fields[2], UINT32_MAX, &requests) == -1)
		return "invalid number";
	if (!parse_span(line->fields[3], &route->limit_window_ms) ||
	    route->limit_window_ms == 0)
		return "invalid duration";
	route->limit_requests = (uint32_t)requests;
	route->has_limit = requests > 0;
	return NULL;
}

static const char *
stage_circuit_set(struct session_config *config,
    const struct protocol_line *line)
{
	const char *fault;
	struct session_route *route = own_named(config, line->fields[1],
	    &fault);
	unsigned long long threshold, half_open;

	if (route == NULL)
		return fault;
	if (bytes_to_number(line->fields[2], UINT32_MAX, &threshold) == -1 ||
	    bytes_to_number(line->fields[4], UINT32_MAX, &half_open) == -1)
		return "invalid number";
	if (!parse_span(line->fields[3], &route->breaker_open_ms) ||
	    route->breaker_open_ms == 0)
		return "invalid duration";
	route->breaker_threshold = (uint32_t)threshold;
	route->breaker_half_open = (uint32_t)half_open;
	route->has_breaker = threshold > 0;
	return NULL;
}

const char *
config_stage(struct session_config *config, const struct protocol_line *line)
{
	static const struct {
		enum protocol_command command;
		const char *(*stage)(struct session_config *,
		    const struct protocol_line *);
	} rows[] = {
		{ COMMAND_ROUTE_ADD, stage_route_add },
		{ COMMAND_ROUTE_ADD_BULK, stage_route_add_bulk },
		{ COMMAND_ROUTE_UPDATE, stage_route_update },
		{ COMMAND_ROUTE_REMOVE, stage_route_remove },
		{ COMMAND_HEADERS_SET, stage_headers_set },
		{ COMMAND_HEADERS_REMOVE, stage_headers_remove },
		{ COMMAND_OPTIONS_SET, stage_options_set },
		{ COMMAND_OPTIONS_REMOVE, stage_options_remove },
		{ COMMAND_HEALTH_SET, stage_health_set },
		{ COMMAND_RATELIMIT_SET, stage_ratelimit_set },
		{ COMMAND_CIRCUIT_SET, stage_circuit_set },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].command == line->command)
			return rows[i].stage(config, line);
	return "invalid format";
}
