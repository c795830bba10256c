/*
 * routing/records_pack.c - a record of the table in a block of its own.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/records_pack.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "routing/condition.h"

/* Moves a string into the block, at *next. */
static void
pack(char **next, struct bytes *value)
{
	if (value->len > 0)
		memcpy(*next, value->data, value->len);
	value->data = *next;
	*next += value->len;
}

static size_t
condition_text_bytes(const struct condition_spec *condition)
{
	return condition->page_url.len + condition->allow.len;
}

static void
pack_condition(char **next, struct condition_spec *condition)
{
	pack(next, &condition->page_url);
	pack(next, &condition->allow);
}

static size_t
route_text_bytes(const struct route_spec *spec)
{
	size_t size = spec->label.len + spec->host_rewrite.len +
	    condition_text_bytes(&spec->condition);

	for (uint32_t i = 0; i < spec->header_count; i++)
		size += spec->headers[i].name.len + spec->headers[i].value.len;
	return size;
}

/* With turns at their start; the caller sets the phase of the draw. */
static struct cached_route *
new_route(const struct route_spec *spec, size_t more_bytes)
{
	uint32_t turns = records_turn_count(spec);
	struct cached_route *cached = malloc(sizeof(*cached) +
	    turns * sizeof(cached->turns[0]) + more_bytes);

	if (cached == NULL)
		return NULL;
	cached->item = (struct cache_item){ .references = 1 };
	cached->route = (struct routed_route){
		.has_condition = condition_is_set(&spec->condition),
		.spec = *spec,
	};
	cached->draw = (struct drain_draw){ 0 };
	for (uint32_t i = 0; i < turns; i++)
		cached->turns[i] = (struct turn){ spec->targets[i].service,
			0 };
	return cached;
}

struct cached_route *
records_pack_route(const struct route_copy *copy)
{
	const struct route_spec *spec = &copy->spec;
	size_t headers_size = spec->header_count * sizeof(struct header_edit);
	struct cached_route *cached;
	struct header_edit *headers;
	char *text;

	cached = new_route(spec, headers_size + route_text_bytes(spec));
	if (cached == NULL)
		return NULL;
	headers = (struct header_edit *)(void *)&cached->turns[
	    records_turn_count(spec)];
	if (spec->header_count > 0)
		memcpy(headers, spec->headers, headers_size);
	cached->route.spec.headers = headers;

	text = (char *)headers + headers_size;
	pack(&text, &cached->route.spec.label);
	pack(&text, &cached->route.spec.host_rewrite);
	pack_condition(&text, &cached->route.spec.condition);
	for (uint32_t i = 0; i < spec->header_count; i++) {
		pack(&text, &headers[i].name);
		pack(&text, &headers[i].value);
	}
	return cached;
}

static size_t
service_text_bytes(const struct service_copy *copy)
{
	const struct service_spec *spec = &copy->spec;
	size_t size = spec->name.len + spec->hash_header.len +
	    spec->probe.path.len + spec->probe.host.len +
	    condition_text_bytes(&spec->condition);

	for (uint32_t i = 0; i < spec->backend_count; i++)
		size += copy->backends[i].spec.host.len +
		    copy->backends[i].spec.base_path.len +
		    condition_text_bytes(&copy->backends[i].spec.condition);
	return size;
}

/* Of what the backend is, not of its id: one that comes back under
 * another id gets its keys back, on every instance. */
static uint64_t
hash_address(const struct backend_spec *spec)
{
	uint64_t seed = (uint64_t)spec->kind << 16 | spec->port;

	seed = XXH3_64bits_withSeed(spec->base_path.data, spec->base_path.len,
	    seed);
	return XXH3_64bits_withSeed(spec->host.data, spec->host.len, seed);
}

static void
pack_backend(struct routed_backend *backend, const struct backend_copy *copy,
    char **text)
{
	backend->slot = copy->slot;
	backend->generation = copy->generation;
	backend->spec = copy->spec;
	pack(text, &backend->spec.host);
	pack(text, &backend->spec.base_path);
	pack_condition(text, &backend->spec.condition);
	backend->has_condition = condition_is_set(&backend->spec.condition);
	backend->address_hash = hash_address(&backend->spec);
}

struct cached_service *
records_pack_service(const struct service_copy *copy)
{
	uint32_t count = copy->spec.backend_count;
	size_t backends_size = count * sizeof(struct routed_backend);
	struct cached_service *cached;
	struct service_spec *spec;
	char *text;

	cached = calloc(1,
	    sizeof(*cached) + backends_size + service_text_bytes(copy));
	if (cached == NULL)
		return NULL;
	cached->item.references = 1;
	cached->service.spec = copy->spec;
	cached->service.backends = (struct routed_backend *)(cached + 1);
	spec = &cached->service.spec;
	spec->backends = NULL;

	text = (char *)cached->service.backends + backends_size;
	pack(&text, &spec->name);
	pack(&text, &spec->hash_header);
	pack(&text, &spec->probe.path);
	pack(&text, &spec->probe.host);
	pack_condition(&text, &spec->condition);
	cached->service.has_condition = condition_is_set(&spec->condition);
	for (uint32_t i = 0; i < count; i++) {
		pack_backend(&cached->service.backends[i], &copy->backends[i],
		    &text);
		cached->weight_sum += copy->backends[i].spec.weight;
		if (copy->backends[i].spec.weight > cached->weight_max)
			cached->weight_max = copy->backends[i].spec.weight;
	}
	return cached;
}
