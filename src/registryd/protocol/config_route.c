/*
 * registryd/protocol/config_route.c - routes as they are staged.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "http/url.h"
#include "registryd/protocol/config.h"
#include "shm/route_spec.h"

#define OUT_OF_MEMORY "store unavailable"
#define DOMAINS_MAX   64

/* "http://" and something behind it is the form; what is wrong with the
 * rest makes it invalid. */
const char *
backend_url_fault(struct bytes url)
{
	static const char *const schemes[] = { "http://", "https://",
		"unix:" };
	struct backend_url parsed;
	bool has_form = false;

	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (url.len > strlen(schemes[i]) &&
		    bytes_start_with(url, bytes_of(schemes[i])))
			has_form = true;
	if (!has_form)
		return "invalid backend url format";
	return url_parse_backend(url, &parsed) == NULL ? NULL :
							 "invalid backend url";
}

static const char *
parse_priority(struct bytes text, int32_t *priority_r)
{
	bool is_negative = text.len > 0 && text.data[0] == '-';
	unsigned long long number;

	if (is_negative)
		text = bytes_slice(text.data + 1, text.len - 1);
	if (bytes_to_number(text, INT32_MAX, &number) == -1)
		return "invalid number";
	*priority_r = is_negative ? -(int32_t)number : (int32_t)number;
	return NULL;
}

int
route_add_host(struct session_route *route, struct bytes domain)
{
	uint32_t at = route->domain_count;
	char canonical[256], **longer;

	longer = realloc(route->domains, (at + 1) * sizeof(*longer));
	if (longer == NULL)
		return -1;
	route->domains = longer;
	longer = realloc(route->hosts, (at + 1) * sizeof(*longer));
	if (longer == NULL)
		return -1;
	route->hosts = longer;
	route->hosts[at] = NULL;
	if (url_normalise_domain(domain, canonical) == NULL &&
	    (route->hosts[at] = strdup(canonical)) == NULL)
		return -1;
	if ((route->domains[at] = bytes_duplicate(domain)) == NULL) {
		free(route->hosts[at]);
		return -1;
	}
	route->domain_count++;
	return 0;
}

void
route_clear_hosts(struct session_route *route)
{
	for (uint32_t i = 0; i < route->domain_count; i++) {
		free(route->domains[i]);
		free(route->hosts[i]);
	}
	free(route->domains);
	free(route->hosts);
	route->domains = route->hosts = NULL;
	route->domain_count = 0;
}

static const char *
set_domains(struct session_route *route, struct bytes list)
{
	struct bytes item;

	route_clear_hosts(route);
	while (bytes_next_field(&list, ',', &item)) {
		item = bytes_trim(item);
		if (item.len == 0)
			continue;
		if (route->domain_count == DOMAINS_MAX)
			return "invalid format";
		if (route_add_host(route, item) == -1)
			return OUT_OF_MEMORY;
	}
	return route->domain_count == 0 ? "no domains specified" : NULL;
}

static const char *
set_text(char **text, struct bytes value)
{
	char *copy = bytes_duplicate(value);

	if (copy == NULL)
		return OUT_OF_MEMORY;
	free(*text);
	*text = copy;
	return NULL;
}

static const char *
set_path(struct session_route *route, struct bytes path)
{
	char canonical[TABLE_PATH_MAX + 1];

	path = bytes_trim(path);
	if (path.len == 0)
		return "path cannot be empty";
	free(route->prefix);
	route->prefix = NULL;
	if (url_normalise_prefix(path, canonical, sizeof(canonical)) == NULL &&
	    (route->prefix = strdup(canonical)) == NULL)
		return OUT_OF_MEMORY;
	return set_text(&route->path, path);
}

static const char *
set_url(struct session_route *route, struct bytes url)
{
	const char *fault = backend_url_fault(url);

	return fault != NULL ? fault : set_text(&route->url, url);
}

static const char *
set_priority(struct session_route *route, struct bytes value)
{
	return parse_priority(value, &route->priority);
}

/* Takes the route, whatever comes of it. */
static const char *
add_route(struct session_config *config, struct session_route *route,
    const char *fault)
{
	if (fault == NULL && config->count >= CONFIG_ROUTES_MAX)
		fault = "invalid format";
	if (fault == NULL && config_add(config, route) == -1)
		fault = OUT_OF_MEMORY;
	if (fault != NULL) {
		session_route_release(route);
		return fault;
	}
	route->number = config->next_number++;
	return NULL;
}

static struct session_route *
new_route(void)
{
	struct session_route *route = calloc(1, sizeof(*route));

	if (route != NULL)
		route->references = 1;
	return route;
}

const char *
stage_route_add(struct session_config *config,
    const struct protocol_line *line)
{
	struct session_route *route = new_route();
	const char *fault;

	if (route == NULL)
		return OUT_OF_MEMORY;
	fault = set_domains(route, line->fields[1]);
	if (fault == NULL)
		fault = set_path(route, line->fields[2]);
	if (fault == NULL)
		fault = set_url(route, line->fields[3]);
	if (fault == NULL)
		fault = set_priority(route, line->fields[4]);
	return add_route(config, route, fault);
}

/* ROUTE_ADD_BULK --------------------------------------------------------- */

/* What a line of the protocol could not have held. */
static bool
is_reserved(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f ||
		    *text == '|')
			return true;
	return false;
}

static const char *
read_domains(struct session_route *route, const struct json_doc *doc,
    int list)
{
	int element = JSON_NONE;

	if (list == JSON_NONE)
		return "no domains specified";
	if (json_type(doc, list) != JSON_ARRAY)
		return "invalid json";
	while (json_each(doc, list, &element, NULL)) {
		char *domain = json_string(doc, element);
		struct bytes trimmed = bytes_trim(bytes_of(domain));
		int result = 0;

		if (domain != NULL && (is_reserved(domain) ||
			strchr(domain, ',') != NULL))
			result = -1;
		else if (domain != NULL && trimmed.len > 0)
			result = route->domain_count < DOMAINS_MAX ?
			    route_add_host(route, trimmed) :
			    -1;
		free(domain);
		if (domain == NULL || result == -1)
			return "invalid json";
	}
	return route->domain_count == 0 ? "no domains specified" : NULL;
}

static const char *
read_text(struct session_route *route, const struct json_doc *doc, int value,
    const char *(*set)(struct session_route *, struct bytes))
{
	const char *fault;
	char *text;

	if (value == JSON_NONE)
		return set(route, bytes_of(""));
	if ((text = json_string(doc, value)) == NULL)
		return "invalid json";
	fault = is_reserved(text) ? "invalid json" :
				    set(route, bytes_of(text));
	free(text);
	return fault;
}

static const char *
read_route(struct session_config *config, const struct json_doc *doc,
    int object)
{
	struct session_route *route = new_route();
	int priority = json_member(doc, object, "priority");
	int64_t number = 0;
	const char *fault = NULL;

	if (route == NULL)
		return OUT_OF_MEMORY;
	if (json_type(doc, object) != JSON_OBJECT)
		fault = "invalid json";
	if (fault == NULL)
		fault = read_domains(route, doc,
		    json_member(doc, object, "domains"));
	if (fault == NULL)
		fault = read_text(route, doc,
		    json_member(doc, object, "path"), set_path);
	if (fault == NULL)
		fault = read_text(route, doc,
		    json_member(doc, object, "backend_url"), set_url);
	if (fault == NULL && priority != JSON_NONE &&
	    json_integer(doc, priority, INT32_MIN, INT32_MAX, &number) == -1)
		fault = "invalid number";
	route->priority = (int32_t)number;
	return add_route(config, route, fault);
}

const char *
stage_route_add_bulk(struct session_config *config,
    const struct protocol_line *line)
{
	const char *fault = NULL;
	struct json_doc *doc;
	int element = JSON_NONE;
	size_t offset;

	if (json_parse(line->fields[1], &doc, &offset) == -1)
		return "invalid json";
	if (json_type(doc, json_root(doc)) != JSON_ARRAY)
		fault = "invalid json";
	while (fault == NULL && json_each(doc, json_root(doc), &element, NULL))
		fault = read_route(config, doc, element);
	json_doc_free(&doc);
	return fault;
}

/* ROUTE_UPDATE ----------------------------------------------------------- */

const char *
stage_route_update(struct session_config *config,
    const struct protocol_line *line)
{
	static const struct {
		const char *name;
		const char *(*set)(struct session_route *, struct bytes);
	} fields[] = {
		{ "backend_url", set_url },
		{ "priority", set_priority },
		{ "domains", set_domains },
		{ "path", set_path },
	};
	const struct session_route *there = config_find(config,
	    line->fields[1]);
	struct session_route *route = NULL;
	size_t field = 0;

	if (there == NULL)
		return "route not found";
	while (field < COUNT_OF(fields) &&
	    !bytes_is(line->fields[2], fields[field].name))
		field++;
	if (field == COUNT_OF(fields))
		return "unknown field";
	for (uint32_t i = 0; i < config->count && route == NULL; i++)
		if (config->routes[i] == there)
			route = config_own(config, i);
	if (route == NULL)
		return OUT_OF_MEMORY;
	return fields[field].set(route, line->fields[3]);
}
