/*
 * registryd/protocol/config_pairs.c - headers and options as they are
 * staged.
 *
 * ALL is each route, those to come as well: it is kept with the session,
 * and takes the place of what a route had under that name.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <strings.h>

#include "common/quantity.h"
#include "registryd/object_json.h"
#include "registryd/protocol/config.h"

#define OUT_OF_MEMORY "store unavailable"

void
pairs_clear(struct pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->count; i++) {
		free(pairs->list[i].name);
		free(pairs->list[i].value);
	}
	free(pairs->list);
	*pairs = (struct pairs){ 0 };
}

const struct pair *
pairs_find(const struct pairs *pairs, const char *name)
{
	for (uint32_t i = 0; i < pairs->count; i++)
		if (strcasecmp(pairs->list[i].name, name) == 0)
			return &pairs->list[i];
	return NULL;
}

static void
drop(struct pairs *pairs, const char *name)
{
	const struct pair *pair = pairs_find(pairs, name);
	uint32_t index;

	if (pair == NULL)
		return;
	index = (uint32_t)(pair - pairs->list);
	free(pairs->list[index].name);
	free(pairs->list[index].value);
	pairs->count--;
	memmove(&pairs->list[index], &pairs->list[index + 1],
	    (pairs->count - index) * sizeof(*pairs->list));
}

/* value NULL: to be taken away. */
static const char *
put(struct pairs *pairs, const char *name, const char *value)
{
	struct pair pair, *longer;

	drop(pairs, name);
	if (pairs->count >= CONFIG_PAIRS_MAX)
		return "invalid format";
	longer = realloc(pairs->list, (pairs->count + 1) * sizeof(*longer));
	if (longer == NULL)
		return OUT_OF_MEMORY;
	pairs->list = longer;
	pair.name = strdup(name);
	pair.value = value == NULL ? NULL : strdup(value);
	if (pair.name == NULL || (value != NULL && pair.value == NULL)) {
		free(pair.name);
		free(pair.value);
		return OUT_OF_MEMORY;
	}
	pairs->list[pairs->count++] = pair;
	return NULL;
}

int
pairs_copy(const struct pairs *pairs, struct pairs *copy_r)
{
	*copy_r = (struct pairs){ 0 };
	for (uint32_t i = 0; i < pairs->count; i++) {
		if (put(copy_r, pairs->list[i].name, pairs->list[i].value) ==
		    NULL)
			continue;
		pairs_clear(copy_r);
		return -1;
	}
	return 0;
}

static bool
is_value_equal(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
pairs_equal(const struct pairs *a, const struct pairs *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i].name, b->list[i].name) != 0 ||
		    !is_value_equal(a->list[i].value, b->list[i].value))
			return false;
	return true;
}

/* Staging ---------------------------------------------------------------- */

/* One change on its way to the session or to some routes. */
struct pair_change {
	struct session_config *config;
	bool is_header;
	const char *name;
	const char *value;		/* NULL: a removal */
};

static struct pairs *
of_session(const struct pair_change *change)
{
	return change->is_header ? &change->config->headers :
				   &change->config->options;
}

static struct pairs *
of_route(const struct pair_change *change, struct session_route *route)
{
	return change->is_header ? &route->headers : &route->options;
}

/* A removal takes back what was set; a header that nobody set is taken
 * out of the backend's answers. */
static const char *
change_session(const struct pair_change *change)
{
	struct pairs *pairs = of_session(change);
	const struct pair *there = pairs_find(pairs, change->name);

	if (change->value != NULL)
		return put(pairs, change->name, change->value);
	if (there == NULL && change->is_header)
		return put(pairs, change->name, NULL);
	if (there != NULL && there->value != NULL)
		drop(pairs, change->name);
	return NULL;
}

static const char *
change_route(const struct pair_change *change, struct session_route *route)
{
	struct pairs *pairs = of_route(change, route);
	const struct pair *own = pairs_find(pairs, change->name);
	const struct pair *shared = pairs_find(of_session(change),
	    change->name);
	bool had_value = own != NULL && own->value != NULL;

	if (change->value != NULL)
		return put(pairs, change->name, change->value);
	if (own != NULL)
		drop(pairs, change->name);
	if ((shared != NULL && shared->value != NULL) ||
	    (change->is_header && !had_value))
		return put(pairs, change->name, NULL);
	return NULL;
}

static const char *
change_all(const struct pair_change *change)
{
	struct session_config *config = change->config;
	const char *fault = NULL;
	bool had_any = false;

	for (uint32_t i = 0; i < config->count; i++) {
		struct session_route *route = config->routes[i];

		if (pairs_find(of_route(change, route), change->name) == NULL)
			continue;
		if ((route = config_own(config, i)) == NULL)
			return OUT_OF_MEMORY;
		drop(of_route(change, route), change->name);
		had_any = true;
	}
	if (change->value != NULL || !had_any ||
	    pairs_find(of_session(change), change->name) != NULL)
		fault = change_session(change);
	return fault;
}

static const char *
change_target(const struct pair_change *change, struct bytes target)
{
	struct session_config *config = change->config;
	const char *fault = NULL;
	bool is_found = false;

	if (bytes_is(target, "ALL"))
		return change_all(change);
	for (uint32_t i = 0; i < config->count && fault == NULL; i++) {
		struct session_route *route;

		if (!target_has(target, config->routes[i]))
			continue;
		is_found = true;
		if ((route = config_own(config, i)) == NULL)
			return OUT_OF_MEMORY;
		fault = change_route(change, route);
	}
	return is_found ? fault : "route not found";
}

/* Every item of a list must be known, so that none is lost silently. */
static bool
is_target_known(const struct session_config *config, struct bytes target)
{
	struct bytes item;
	bool is_known = true;

	if (bytes_is(target, "ALL"))
		return true;
	while (is_known && bytes_next_field(&target, ',', &item)) {
		is_known = false;
		for (uint32_t i = 0; i < config->count && !is_known; i++)
			is_known = target_has(item, config->routes[i]);
	}
	return is_known;
}

static const char *
stage_pair(struct session_config *config, bool is_header,
    const struct protocol_line *line, bool is_removal)
{
	char *name = bytes_duplicate(bytes_trim(line->fields[2]));
	char *value = is_removal ? NULL : bytes_duplicate(line->fields[3]);
	const struct pair_change change = { config, is_header, name, value };
	const char *fault = NULL;

	if (name == NULL || (!is_removal && value == NULL))
		fault = OUT_OF_MEMORY;
	else if (name[0] == '\0' || (is_header && header_edit_fault(name,
		     value == NULL ? "" : value) != NULL))
		fault = "invalid format";
	else if (!is_target_known(config, line->fields[1]))
		fault = "route not found";
	if (fault == NULL)
		fault = change_target(&change, line->fields[1]);
	free(name);
	free(value);
	return fault;
}

const char *
stage_headers_set(struct session_config *config,
    const struct protocol_line *line)
{
	return stage_pair(config, true, line, false);
}

const char *
stage_headers_remove(struct session_config *config,
    const struct protocol_line *line)
{
	return stage_pair(config, true, line, true);
}

static const char *
check_option(struct bytes key, struct bytes value)
{
	static const char *const spans[] = { "timeout",
		"health_check_interval", "health_check_timeout" };
	static const char *const switches[] = { "websocket", "compression",
		"http2", "http3" };
	int64_t span_ms;

	for (size_t i = 0; i < COUNT_OF(spans); i++)
		if (bytes_is(key, spans[i]) &&
		    (quantity_parse_span(value, true, &span_ms) == -1 ||
			span_ms > INT32_MAX))
			return "invalid duration";
	for (size_t i = 0; i < COUNT_OF(switches); i++)
		if (bytes_is(key, switches[i]) && !bytes_is(value, "true") &&
		    !bytes_is(value, "false"))
			return "invalid format";
	return NULL;
}

const char *
stage_options_set(struct session_config *config,
    const struct protocol_line *line)
{
	const char *fault = check_option(bytes_trim(line->fields[2]),
	    line->fields[3]);

	return fault != NULL ? fault : stage_pair(config, false, line, false);
}

const char *
stage_options_remove(struct session_config *config,
    const struct protocol_line *line)
{
	return stage_pair(config, false, line, true);
}

const char *
config_option(const struct session_config *config,
    const struct session_route *route, const char *key)
{
	const struct pair *pair = pairs_find(&route->options, key);

	if (pair == NULL)
		pair = pairs_find(&config->options, key);
	return pair == NULL ? NULL : pair->value;
}
