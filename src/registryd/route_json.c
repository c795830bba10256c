/*
 * registryd/route_json.c - a route as JSON.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/object_json_parts.h"
#include "shm/limits.h"

MEMBER_RECORD_FUNCTIONS(route)

/* Lists of texts: domains and prefixes ---------------------------------- */

static int
list_add(char ***list, uint32_t *count, struct bytes value)
{
	char **longer = realloc(*list, (*count + 1) * sizeof(**list));

	if (longer == NULL)
		return -1;
	*list = longer;
	if ((longer[*count] = bytes_duplicate(value)) == NULL)
		return -1;
	(*count)++;
	return 0;
}

static void
list_clear(char ***list, uint32_t *count)
{
	for (uint32_t i = 0; i < *count; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*count = 0;
}

int
route_add_domain(struct route *route, struct bytes domain)
{
	return list_add(&route->domains, &route->domain_count, domain);
}

int
route_add_prefix(struct route *route, struct bytes prefix)
{
	return list_add(&route->prefixes, &route->prefix_count, prefix);
}

/* Where a list stands, and what it is called. */
struct list_member {
	const char *name;
	char ***list;
	uint32_t *count;
	uint32_t max;
};

static int
read_list(const struct member_input *input, int value,
    const struct list_member *member)
{
	char pointer[sizeof(input->problem->pointer)];
	int element = JSON_NONE;

	if (json_type(input->doc, value) != JSON_ARRAY ||
	    json_count(input->doc, value) > member->max) {
		snprintf(pointer, sizeof(pointer), "/%s", member->name);
		return problem_invalid(input->problem, pointer,
		    "%s must be an array of at most %" PRIu32 " strings",
		    member->name, member->max);
	}
	list_clear(member->list, member->count);
	while (json_each(input->doc, value, &element, NULL)) {
		char *text = json_string(input->doc, element);
		int result;

		if (text == NULL) {
			snprintf(pointer, sizeof(pointer), "/%s/%" PRIu32,
			    member->name, *member->count);
			return problem_invalid(input->problem, pointer,
			    "%s must hold strings", member->name);
		}
		result = list_add(member->list, member->count,
		    bytes_of(text));
		free(text);
		if (result == -1)
			return object_out_of_memory(input->problem);
	}
	return 0;
}

static void
write_list(struct json_writer *writer, char *const *list, uint32_t count)
{
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < count; i++)
		json_write_text(writer, list[i]);
	json_write_end(writer, ']');
}

/* No domain is the default host. */
static int
read_domains(const struct member_input *input, int value, void *object)
{
	struct route *route = object;
	const struct list_member member = { "domains", &route->domains,
		&route->domain_count, ROUTE_DOMAINS_MAX };

	if (value == JSON_NONE) {
		list_clear(&route->domains, &route->domain_count);
		return 0;
	}
	return read_list(input, value, &member);
}

static void
write_domains(struct json_writer *writer, const void *object)
{
	const struct route *route = object;

	write_list(writer, route->domains, route->domain_count);
}

static int
read_prefixes(const struct member_input *input, int value, void *object)
{
	struct route *route = object;
	const struct list_member member = { "prefixes", &route->prefixes,
		&route->prefix_count, ROUTE_PREFIXES_MAX };

	if (value == JSON_NONE) {
		list_clear(&route->prefixes, &route->prefix_count);
		return 0;
	}
	return read_list(input, value, &member);
}

static void
write_prefixes(struct json_writer *writer, const void *object)
{
	const struct route *route = object;

	write_list(writer, route->prefixes, route->prefix_count);
}

/* Targets ---------------------------------------------------------------- */

static void
clear_targets(struct route *route)
{
	for (uint32_t i = 0; i < route->target_count; i++)
		free(route->targets[i].service);
	memset(route->targets, 0, sizeof(route->targets));
	route->target_count = 0;
}

static int
read_target(const struct member_input *input, int value, struct route *route)
{
	struct route_target_name *target =
	    &route->targets[route->target_count];
	char pointer[sizeof(input->problem->pointer)];
	int weight = json_member(input->doc, value, "weight");
	int64_t number = 1;
	struct bytes key;
	int member = JSON_NONE;

	snprintf(pointer, sizeof(pointer), "/targets/%" PRIu32,
	    route->target_count);
	if (json_type(input->doc, value) != JSON_OBJECT)
		return problem_invalid(input->problem, pointer,
		    "a target is {\"service\": NAME, \"weight\": N}");
	while (json_each(input->doc, value, &member, &key))
		if (!bytes_is(key, "service") && !bytes_is(key, "weight"))
			return problem_set(input->problem, 422,
			    "unknown_member", pointer,
			    "a target has service and weight only");
	if (weight != JSON_NONE &&
	    json_integer(input->doc, weight, 0, 65535, &number) == -1)
		return problem_invalid(input->problem, pointer,
		    "weight must be a whole number from 0 to 65535");
	member = json_member(input->doc, value, "service");
	if (member == JSON_NONE ||
	    (target->service = json_string(input->doc, member)) == NULL)
		return problem_invalid(input->problem, pointer,
		    "a target needs the name of a service");
	target->weight = (uint32_t)number;
	route->target_count++;
	return 0;
}

static int
read_targets(const struct member_input *input, int value, void *object)
{
	struct route *route = object;
	int element = JSON_NONE;

	if (value == JSON_NONE) {
		clear_targets(route);
		return 0;
	}
	if (json_type(input->doc, value) != JSON_ARRAY ||
	    json_count(input->doc, value) > TABLE_TARGETS_MAX)
		return problem_invalid(input->problem, "/targets",
		    "targets must be an array of at most %d services",
		    TABLE_TARGETS_MAX);
	clear_targets(route);
	while (json_each(input->doc, value, &element, NULL))
		if (read_target(input, element, route) == -1)
			return -1;
	return 0;
}

static void
write_targets(struct json_writer *writer, const void *object)
{
	const struct route *route = object;

	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < route->target_count; i++) {
		json_write_begin(writer, '{');
		json_write_key(writer, "service");
		json_write_text(writer, route->targets[i].service);
		json_write_key(writer, "weight");
		json_write_integer(writer, route->targets[i].weight);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

/* Short for one target; beside targets it must say the same. */
static int
read_service(const struct member_input *input, int value, void *object)
{
	struct route *route = object;
	int targets = json_member(input->doc, input->parent, "targets");
	int first = JSON_NONE;
	char *name, *other = NULL;
	bool is_same;

	if (value == JSON_NONE)
		return 0;
	if ((name = json_string(input->doc, value)) == NULL)
		return problem_invalid(input->problem, "/service",
		    "service must be a string");
	if (targets == JSON_NONE) {
		clear_targets(route);
		route->targets[0].service = name;
		route->targets[0].weight = 1;
		route->target_count = 1;
		return 0;
	}
	if (json_count(input->doc, targets) == 1 &&
	    json_each(input->doc, targets, &first, NULL)) {
		first = json_member(input->doc, first, "service");
		other = first == JSON_NONE ? NULL :
					     json_string(input->doc, first);
	}
	is_same = other != NULL && strcmp(name, other) == 0;
	free(name);
	free(other);
	if (!is_same)
		return problem_invalid(input->problem, "/service",
		    "service and targets say different things; leave one out");
	return 0;
}

static void
write_service(struct json_writer *writer, const void *object)
{
	json_write_text(writer,
	    ((const struct route *)object)->targets[0].service);
}

static bool
has_one_target(const void *object)
{
	return ((const struct route *)object)->target_count == 1;
}

/* The rows --------------------------------------------------------------- */

static const char *
conflict_word(unsigned int value)
{
	return value == 0 ? "refuse" : "share";
}

static int
read_conflict(const struct member_input *input, int value, void *object)
{
	struct route *route = object;
	char *word;

	if (value == JSON_NONE) {
		route->is_shared = false;
		return 0;
	}
	word = json_string(input->doc, value);
	for (unsigned int i = 0; i < 2 && word != NULL; i++) {
		if (strcmp(word, conflict_word(i)) == 0) {
			route->is_shared = i != 0;
			free(word);
			return 0;
		}
	}
	free(word);
	return problem_invalid(input->problem, "/on_conflict",
	    "on_conflict must be \"refuse\" or \"share\"");
}

static void
write_conflict(struct json_writer *writer, const void *object)
{
	json_write_text(writer,
	    conflict_word(((const struct route *)object)->is_shared));
}

static int
read_websocket(const struct member_input *input, int value, void *object)
{
	struct route *route = object;
	bool is_passed = true;

	if (value != JSON_NONE &&
	    json_bool(input->doc, value, &is_passed) == -1)
		return problem_invalid(input->problem, "/websocket",
		    "websocket must be true or false");
	route->refuses_websocket = !is_passed;
	return 0;
}

static void
write_websocket(struct json_writer *writer, const void *object)
{
	json_write_bool(writer,
	    !((const struct route *)object)->refuses_websocket);
}

static void
write_id(struct json_writer *writer, const void *object)
{
	json_write_integer(writer, (int64_t)((const struct route *)object)->id);
}

#define SCHEMA_STRINGS "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
#define SCHEMA_TARGETS                                                         \
	"{\"type\":\"array\",\"maxItems\":16,\"items\":{\"type\":\"object\","  \
	"\"required\":[\"service\"],\"properties\":{"                          \
	"\"service\":{\"type\":\"string\"},\"weight\":{\"type\":\"integer\","  \
	"\"minimum\":0,\"maximum\":65535,\"default\":1}}}}"
#define SCHEMA_HEADERS                                                         \
	"{\"type\":\"array\",\"maxItems\":32,\"items\":{\"type\":\"object\","  \
	"\"required\":[\"op\",\"of\",\"name\"],\"properties\":{"               \
	"\"op\":{\"enum\":[\"set\",\"add\",\"remove\"]},"                      \
	"\"of\":{\"enum\":[\"request\",\"response\"]},"                        \
	"\"name\":{\"type\":\"string\"},\"value\":{\"type\":\"string\"}}}}"

static const struct member rate_limit_rows[] = {
	{ .name = "requests", .kind = MEMBER_U32,
	    .offset = offsetof(struct route, rate_limit.requests),
	    .max = LIMIT_REQUESTS_MAX,
	    .help = "Of a client address within the window; 0: no limit." },
	{ .name = "window_ms", .kind = MEMBER_U32,
	    .offset = offsetof(struct route, rate_limit.window_ms), .min = 1,
	    .max = LIMIT_WINDOW_MS_MAX, .preset = 1000,
	    .help = "The window." },
	{ .name = "dry_run", .kind = MEMBER_BOOL,
	    .offset = offsetof(struct route, rate_limit.is_dry_run),
	    .help = "Counts, but refuses nothing." },
	{ .name = "headers", .kind = MEMBER_BOOL,
	    .offset = offsetof(struct route, rate_limit.is_told),
	    .help = "RateLimit-* fields in each answer, not only in 429." },
};

static const struct members rate_limit_members = { rate_limit_rows,
	COUNT_OF(rate_limit_rows), NULL };

const struct members *
members_of_rate_limit(void)
{
	return &rate_limit_members;
}

static int
read_rate_limit(const struct member_input *input, int value, void *object)
{
	return object_read_nested(&rate_limit_members, input, value,
	    "/rate_limit", object);
}

static void
write_rate_limit(struct json_writer *writer, const void *object)
{
	members_write(&rate_limit_members, writer, object);
}

static const struct member route_rows[] = {
	{ .name = "id", .kind = MEMBER_SHOWN, .write = write_id,
	    .schema = SCHEMA_INTEGER, .help = "The key, given by the store." },
	{ .name = "label", .kind = MEMBER_TEXT,
	    .offset = offsetof(struct route, label), .max = TABLE_NAME_MAX,
	    .help = "For logs and metrics; empty: SERVICE-ID." },
	{ .name = "domains", .kind = MEMBER_CUSTOM, .read = read_domains,
	    .write = write_domains, .schema = SCHEMA_STRINGS,
	    .help = "Hosts, \"*.suffix\" too; none: the default host." },
	{ .name = "prefixes", .kind = MEMBER_CUSTOM, .read = read_prefixes,
	    .write = write_prefixes, .schema = SCHEMA_STRINGS,
	    .help = "Path prefixes, matched on segment boundaries." },
	{ .name = "priority", .kind = MEMBER_I32,
	    .offset = offsetof(struct route, priority), .min = INT32_MIN,
	    .max = INT32_MAX,
	    .help = "Higher wins, at one prefix and over a longer one." },
	{ .name = "targets", .kind = MEMBER_CUSTOM, .read = read_targets,
	    .write = write_targets, .schema = SCHEMA_TARGETS,
	    .help = "The services it leads to, by weight." },
	{ .name = "service", .kind = MEMBER_CUSTOM, .read = read_service,
	    .write = write_service, .is_shown = has_one_target,
	    .schema = SCHEMA_STRING, .help = "Short for one target." },
	{ .name = "strip_prefix", .kind = MEMBER_BOOL,
	    .offset = offsetof(struct route, strip_prefix), .max = 1,
	    .help = "Forward the path without the prefix." },
	{ .name = "websocket", .kind = MEMBER_CUSTOM, .read = read_websocket,
	    .write = write_websocket,
	    .schema = "{\"type\":\"boolean\",\"default\":true}",
	    .help = "false: an upgrade to a WebSocket is answered with 403." },
	{ .name = "on_conflict", .kind = MEMBER_CUSTOM, .read = read_conflict,
	    .write = write_conflict,
	    .schema = "{\"enum\":[\"refuse\",\"share\"],"
		      "\"default\":\"refuse\"}",
	    .help = "When another service has the path at equal priority." },
	{ .name = "host_rewrite", .kind = MEMBER_TEXT,
	    .offset = offsetof(struct route, host_rewrite), .max = 255,
	    .help = "The Host to forward; empty: the client's." },
	{ .name = "max_body_bytes", .kind = MEMBER_U64,
	    .offset = offsetof(struct route, max_body_bytes),
	    .max = INT64_MAX, .help = "0: http.max_body." },
	{ .name = "headers", .kind = MEMBER_CUSTOM, .read = route_read_headers,
	    .write = route_write_headers, .schema = SCHEMA_HEADERS,
	    .help = "Changes to request and response fields, in order." },
	{ .name = "rate_limit", .kind = MEMBER_CUSTOM,
	    .read = read_rate_limit, .write = write_rate_limit,
	    .schema = "{\"$ref\":\"#/components/schemas/RateLimit\"}",
	    .help = "How many requests a client may make." },
	MEMBER_ROWS_OF_RECORD(route),
};

static const struct members route_members = { route_rows,
	COUNT_OF(route_rows), "[\"prefixes\"]" };

const struct members *
members_of_route(void)
{
	return &route_members;
}

int
route_init(struct route *route, struct problem *problem)
{
	*route = (struct route){ .origin = ORIGIN_API };
	if (members_preset(&route_members, route, problem) == 0)
		return 0;
	route_clear(route);
	return -1;
}

int
route_read(struct bytes json, bool is_merge, struct route *route,
    struct problem *problem)
{
	return object_read(&route_members, json, is_merge, route, problem);
}

void
route_write(struct json_writer *writer, const struct route *route)
{
	members_write(&route_members, writer, route);
}
