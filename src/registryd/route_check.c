/*
 * registryd/route_check.c - what makes a route valid, whoever says it.
 *
 * Domains and prefixes become canonical on the way.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/url.h"
#include "registryd/object_json_parts.h"

/* Drops the text at index i if an earlier one is the same. */
static bool
drop_if_known(char **list, uint32_t *count, uint32_t i)
{
	for (uint32_t j = 0; j < i; j++) {
		if (strcmp(list[i], list[j]) == 0) {
			free(list[i]);
			memmove(&list[i], &list[i + 1],
			    (*count - i - 1) * sizeof(*list));
			(*count)--;
			return true;
		}
	}
	return false;
}

static int
refuse_element(struct problem *problem, const char *list, uint32_t index,
    const char *text, const char *fault)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/%s/%" PRIu32, list, index);
	return problem_invalid(problem, pointer, "\"%.200s\": %s", text,
	    fault);
}

static int
check_domains(struct route *route, struct problem *problem)
{
	char canonical[256];

	if (route->domain_count == 0 &&
	    route_add_domain(route, bytes_of("")) == -1)
		return object_out_of_memory(problem);
	for (uint32_t i = 0; i < route->domain_count;) {
		const char *fault = url_normalise_domain(
		    bytes_of(route->domains[i]), canonical);

		if (fault != NULL)
			return refuse_element(problem, "domains", i,
			    route->domains[i], fault);
		if (text_set(&route->domains[i], bytes_of(canonical)) == -1)
			return object_out_of_memory(problem);
		i += !drop_if_known(route->domains, &route->domain_count, i);
	}
	return 0;
}

static uint32_t
depth_of(const char *prefix)
{
	uint32_t depth = 0;

	for (; *prefix != '\0'; prefix++)
		depth += *prefix == '/';
	return depth;
}

static int
check_prefixes(struct route *route, struct problem *problem)
{
	char canonical[TABLE_PATH_MAX + 1];

	if (route->prefix_count == 0)
		return problem_invalid(problem, "/prefixes",
		    "a route needs a prefix, such as \"/\"");
	for (uint32_t i = 0; i < route->prefix_count;) {
		const char *fault = url_normalise_prefix(
		    bytes_of(route->prefixes[i]), canonical,
		    sizeof(canonical));

		if (fault == NULL && depth_of(canonical) > TABLE_DEPTH_MAX)
			fault = "too many segments";
		if (fault != NULL)
			return refuse_element(problem, "prefixes", i,
			    route->prefixes[i], fault);
		if (text_set(&route->prefixes[i], bytes_of(canonical)) == -1)
			return object_out_of_memory(problem);
		i += !drop_if_known(route->prefixes, &route->prefix_count, i);
	}
	return 0;
}

static int
check_targets(const struct route *route, struct problem *problem)
{
	char pointer[64];

	if (route->target_count == 0)
		return problem_invalid(problem, "/service",
		    "a route needs a service, or targets");
	for (uint32_t i = 0; i < route->target_count; i++) {
		snprintf(pointer, sizeof(pointer), "/targets/%" PRIu32
		    "/service", i);
		if (service_name_check(route->targets[i].service, pointer,
			problem) == -1)
			return -1;
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(route->targets[i].service,
				route->targets[j].service) == 0)
				return problem_invalid(problem, pointer,
				    "the service is named twice");
	}
	return 0;
}

static bool
has_no_blanks(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

int
route_check(struct route *route, struct problem *problem)
{
	if (check_domains(route, problem) == -1 ||
	    check_prefixes(route, problem) == -1 ||
	    check_targets(route, problem) == -1)
		return -1;
	if (!has_no_blanks(route->host_rewrite))
		return problem_invalid(problem, "/host_rewrite",
		    "a host must not contain blanks or control characters");
	return 0;
}
