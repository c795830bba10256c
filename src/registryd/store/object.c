/*
 * registryd/store/object.c - clearing, copying and naming what is stored.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/object.h"

#include <stdlib.h>
#include <string.h>

static char *
copy_text(const char *text, bool *is_failed)
{
	char *copy = strdup(text == NULL ? "" : text);

	if (copy == NULL)
		*is_failed = true;
	return copy;
}

static void
texts_clear(char **texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

static char **
copy_texts(char *const *texts, uint32_t count, bool *is_failed)
{
	char **copy;

	if (count == 0)
		return NULL;
	if ((copy = calloc(count, sizeof(*copy))) == NULL) {
		*is_failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++)
		copy[i] = copy_text(texts[i], is_failed);
	return copy;
}

static void
text_clear(char **text)
{
	free(*text);
	*text = NULL;
}

void
condition_end_maintenance(struct condition *condition)
{
	condition->in_maintenance = false;
	condition->maintenance_at_wall_ms = 0;
	condition->maintenance_until_wall_ms = 0;
	text_clear(&condition->maintenance_who);
	text_clear(&condition->maintenance_reason);
	text_clear(&condition->page_url);
	text_clear(&condition->allow);
}

void
condition_end_drain(struct condition *condition)
{
	condition->drain_at_wall_ms = 0;
	condition->drain_span_ms = 0;
	condition->drain_outcome = DRAIN_PENDING;
	text_clear(&condition->drain_who);
	text_clear(&condition->drain_reason);
}

void
condition_clear(struct condition *condition)
{
	condition_end_maintenance(condition);
	condition_end_drain(condition);
}

bool
condition_is_none(const struct condition *condition)
{
	return !condition->in_maintenance && condition->drain_at_wall_ms == 0;
}

static void
copy_condition(const struct condition *condition, struct condition *copy_r,
    bool *is_failed)
{
	*copy_r = *condition;
	copy_r->maintenance_who = copy_text(condition->maintenance_who,
	    is_failed);
	copy_r->maintenance_reason = copy_text(condition->maintenance_reason,
	    is_failed);
	copy_r->page_url = copy_text(condition->page_url, is_failed);
	copy_r->allow = copy_text(condition->allow, is_failed);
	copy_r->drain_who = copy_text(condition->drain_who, is_failed);
	copy_r->drain_reason = copy_text(condition->drain_reason, is_failed);
}

int
condition_copy(const struct condition *condition, struct condition *copy_r)
{
	bool is_failed = false;

	copy_condition(condition, copy_r, &is_failed);
	if (!is_failed)
		return 0;
	condition_clear(copy_r);
	return -1;
}

void
service_clear(struct service *service)
{
	free(service->name);
	free(service->hash_header);
	free(service->probe_path);
	free(service->probe_host);
	condition_clear(&service->condition);
	*service = (struct service){ 0 };
}

void
backend_clear(struct backend *backend)
{
	free(backend->service);
	free(backend->url);
	condition_clear(&backend->condition);
	*backend = (struct backend){ 0 };
}

static void
headers_clear(struct header_edit *headers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)headers[i].name.data);
		free((void *)(uintptr_t)headers[i].value.data);
	}
	free(headers);
}

void
route_clear(struct route *route)
{
	free(route->label);
	texts_clear(route->domains, route->domain_count);
	texts_clear(route->prefixes, route->prefix_count);
	for (uint32_t i = 0; i < route->target_count; i++)
		free(route->targets[i].service);
	free(route->host_rewrite);
	headers_clear(route->headers, route->header_count);
	condition_clear(&route->condition);
	*route = (struct route){ 0 };
}

int
service_copy_object(const struct service *service, struct service *copy_r)
{
	bool is_failed = false;

	*copy_r = *service;
	copy_r->name = copy_text(service->name, &is_failed);
	copy_r->hash_header = copy_text(service->hash_header, &is_failed);
	copy_r->probe_path = copy_text(service->probe_path, &is_failed);
	copy_r->probe_host = copy_text(service->probe_host, &is_failed);
	copy_condition(&service->condition, &copy_r->condition, &is_failed);
	if (!is_failed)
		return 0;
	service_clear(copy_r);
	return -1;
}

int
backend_copy_object(const struct backend *backend, struct backend *copy_r)
{
	bool is_failed = false;

	*copy_r = *backend;
	copy_r->service = copy_text(backend->service, &is_failed);
	copy_r->url = copy_text(backend->url, &is_failed);
	copy_condition(&backend->condition, &copy_r->condition, &is_failed);
	if (!is_failed)
		return 0;
	backend_clear(copy_r);
	return -1;
}

static struct header_edit *
copy_headers(const struct header_edit *headers, uint32_t count,
    bool *is_failed)
{
	struct header_edit *copy;

	if (count == 0)
		return NULL;
	if ((copy = calloc(count, sizeof(*copy))) == NULL) {
		*is_failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++) {
		copy[i] = headers[i];
		copy[i].name.data = bytes_duplicate(headers[i].name);
		copy[i].value.data = bytes_duplicate(headers[i].value);
		if (copy[i].name.data == NULL || copy[i].value.data == NULL)
			*is_failed = true;
	}
	return copy;
}

int
route_copy_object(const struct route *route, struct route *copy_r)
{
	bool is_failed = false;

	*copy_r = *route;
	copy_r->label = copy_text(route->label, &is_failed);
	copy_r->domains = copy_texts(route->domains, route->domain_count,
	    &is_failed);
	if (copy_r->domains == NULL)
		copy_r->domain_count = 0;
	copy_r->prefixes = copy_texts(route->prefixes, route->prefix_count,
	    &is_failed);
	if (copy_r->prefixes == NULL)
		copy_r->prefix_count = 0;
	for (uint32_t i = 0; i < route->target_count; i++)
		copy_r->targets[i].service =
		    copy_text(route->targets[i].service, &is_failed);
	copy_r->host_rewrite = copy_text(route->host_rewrite, &is_failed);
	copy_r->headers = copy_headers(route->headers, route->header_count,
	    &is_failed);
	if (copy_r->headers == NULL)
		copy_r->header_count = 0;
	copy_condition(&route->condition, &copy_r->condition, &is_failed);
	if (!is_failed)
		return 0;
	route_clear(copy_r);
	return -1;
}

static const char *const kind_names[] = {
	[OBJECT_SERVICE] = "service",
	[OBJECT_BACKEND] = "backend",
	[OBJECT_ROUTE] = "route",
};

static const char *const origin_names[] = {
	[ORIGIN_API] = "api",
	[ORIGIN_REGISTER] = "register",
	[ORIGIN_FILE] = "file",
	[ORIGIN_SESSION] = "session",
};

static const char *const policy_names[] = {
	[BALANCE_ROUND_ROBIN] = "round_robin",
	[BALANCE_LEAST_CONNECTIONS] = "least_connections",
	[BALANCE_TWO_CHOICES] = "two_choices",
	[BALANCE_HASH_CLIENT] = "hash_client",
	[BALANCE_HASH_HEADER] = "hash_header",
};

static const char *const probe_names[] = {
	[PROBE_OFF] = "off",
	[PROBE_CONNECT] = "connect",
	[PROBE_HTTP] = "http",
};

static const char *const outcome_names[] = {
	[DRAIN_PENDING] = "pending",
	[DRAIN_CLEAN] = "clean",
	[DRAIN_FORCED] = "forced",
};

/* The index of word among names, or -1. */
static int
find_name(const char *const *names, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], word) == 0)
			return (int)i;
	return -1;
}

const char *
object_kind_name(enum object_kind kind)
{
	return kind_names[kind];
}

const char *
object_origin_name(enum object_origin origin)
{
	return origin_names[origin];
}

const char *
balance_policy_name(enum balance_policy policy)
{
	return policy_names[policy];
}

const char *
probe_kind_name(enum probe_kind kind)
{
	return probe_names[kind];
}

const char *
drain_outcome_name(enum drain_outcome outcome)
{
	return outcome_names[outcome];
}

int
object_kind_parse(const char *word, enum object_kind *kind_r)
{
	int i = find_name(kind_names, COUNT_OF(kind_names), word);

	if (i == -1)
		return -1;
	*kind_r = (enum object_kind)i;
	return 0;
}

int
object_origin_parse(const char *word, enum object_origin *origin_r)
{
	int i = find_name(origin_names, COUNT_OF(origin_names), word);

	if (i == -1)
		return -1;
	*origin_r = (enum object_origin)i;
	return 0;
}

int
balance_policy_parse(const char *word, enum balance_policy *policy_r)
{
	int i = find_name(policy_names, COUNT_OF(policy_names), word);

	if (i == -1)
		return -1;
	*policy_r = (enum balance_policy)i;
	return 0;
}

int
probe_kind_parse(const char *word, enum probe_kind *kind_r)
{
	int i = find_name(probe_names, COUNT_OF(probe_names), word);

	if (i == -1)
		return -1;
	*kind_r = (enum probe_kind)i;
	return 0;
}

int
drain_outcome_parse(const char *word, enum drain_outcome *outcome_r)
{
	int i = find_name(outcome_names, COUNT_OF(outcome_names), word);

	if (i == -1)
		return -1;
	*outcome_r = (enum drain_outcome)i;
	return 0;
}
