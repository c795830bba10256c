/*
 * shm/route_pack.c - the bodies of records, as runs of bytes.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/route_pack.h"

#include <stdlib.h>
#include <string.h>

#define PACK_SIZE_MIN 256
#define PACK_ALIGN    8

void
pack_reset(struct packer *packer)
{
	packer->len = 0;
	packer->has_failed = false;
}

void
pack_free(struct packer *packer)
{
	free(packer->data);
	*packer = (struct packer){ 0 };
}

static void
pack_raw(struct packer *packer, const void *data, size_t len)
{
	if (packer->size - packer->len < len) {
		size_t size = (packer->len + len) * 2 + PACK_SIZE_MIN;
		char *larger = realloc(packer->data, size);

		if (larger == NULL) {
			packer->has_failed = true;
			return;
		}
		packer->data = larger;
		packer->size = size;
	}
	if (len > 0)
		memcpy(packer->data + packer->len, data, len);
	packer->len += len;
}

static void
pack_u32(struct packer *packer, uint32_t value)
{
	pack_raw(packer, &value, sizeof(value));
}

static void
pack_u64(struct packer *packer, uint64_t value)
{
	pack_raw(packer, &value, sizeof(value));
}

static void
pack_text(struct packer *packer, struct bytes text)
{
	uint16_t len = (uint16_t)text.len;

	pack_raw(packer, &len, sizeof(len));
	pack_raw(packer, text.data, text.len);
}

void
pack_finish(struct packer *packer)
{
	static const char zeroes[PACK_ALIGN];

	pack_raw(packer, zeroes,
	    (PACK_ALIGN - packer->len % PACK_ALIGN) % PACK_ALIGN);
}

static void
unpack_raw(struct unpacker *unpacker, void *data, size_t len)
{
	if (unpacker->left < len) {
		unpacker->has_failed = true;
		memset(data, 0, len);
		return;
	}
	memcpy(data, unpacker->data, len);
	unpacker->data += len;
	unpacker->left -= len;
}

static uint32_t
unpack_u32(struct unpacker *unpacker)
{
	uint32_t value;

	unpack_raw(unpacker, &value, sizeof(value));
	return value;
}

static uint64_t
unpack_u64(struct unpacker *unpacker)
{
	uint64_t value;

	unpack_raw(unpacker, &value, sizeof(value));
	return value;
}

static struct bytes
unpack_text(struct unpacker *unpacker)
{
	struct bytes text;
	uint16_t len;

	unpack_raw(unpacker, &len, sizeof(len));
	if (unpacker->left < len) {
		unpacker->has_failed = true;
		return bytes_slice(NULL, 0);
	}
	text = bytes_slice(unpacker->data, len);
	unpacker->data += len;
	unpacker->left -= len;
	return text;
}

/* What a body says of a condition, before what it has to say of it. */
#define CONDITION_MAINTENANCE 1u
#define CONDITION_DRAIN	      2u

static void
pack_condition(struct packer *packer, const struct condition_spec *condition)
{
	uint32_t says = 0;

	if (condition->in_maintenance)
		says |= CONDITION_MAINTENANCE;
	if (condition->drain_start_ns != 0)
		says |= CONDITION_DRAIN;
	pack_u32(packer, says);
	if ((says & CONDITION_MAINTENANCE) != 0) {
		pack_u64(packer, (uint64_t)condition->maintenance_until_ns);
		pack_text(packer, condition->page_url);
		pack_text(packer, condition->allow);
	}
	if ((says & CONDITION_DRAIN) != 0) {
		pack_u64(packer, (uint64_t)condition->drain_start_ns);
		pack_u64(packer, (uint64_t)condition->drain_span_ms);
	}
}

static void
unpack_condition(struct unpacker *unpacker, struct condition_spec *condition)
{
	uint32_t says = unpack_u32(unpacker);

	*condition = (struct condition_spec){ 0 };
	if ((says & CONDITION_MAINTENANCE) != 0) {
		condition->in_maintenance = true;
		condition->maintenance_until_ns =
		    (int64_t)unpack_u64(unpacker);
		condition->page_url = unpack_text(unpacker);
		condition->allow = unpack_text(unpacker);
	}
	if ((says & CONDITION_DRAIN) != 0) {
		condition->drain_start_ns = (int64_t)unpack_u64(unpacker);
		condition->drain_span_ms = (int64_t)unpack_u64(unpacker);
	}
}

void
pack_backend(struct packer *packer, const struct backend_spec *spec)
{
	pack_u32(packer, spec->weight);
	pack_u32(packer, (uint32_t)spec->kind << 16 | spec->port);
	pack_u32(packer, spec->max_connections);
	pack_text(packer, spec->host);
	pack_text(packer, spec->base_path);
	pack_condition(packer, &spec->condition);
}

void
unpack_backend(struct unpacker *unpacker, struct backend_spec *spec)
{
	uint32_t kind_port;

	spec->weight = unpack_u32(unpacker);
	kind_port = unpack_u32(unpacker);
	spec->kind = (enum backend_kind)(kind_port >> 16);
	spec->port = (uint16_t)kind_port;
	spec->max_connections = unpack_u32(unpacker);
	spec->host = unpack_text(unpacker);
	spec->base_path = unpack_text(unpacker);
	unpack_condition(unpacker, &spec->condition);
}

static void
pack_probe(struct packer *packer, const struct probe_spec *probe)
{
	pack_u32(packer, (uint32_t)probe->kind);
	pack_u32(packer, probe->interval_ms);
	pack_u32(packer, probe->timeout_ms);
	pack_u32(packer, (uint32_t)probe->rise << 16 | probe->fall);
	pack_u32(packer, (uint32_t)probe->status_min << 16 | probe->status_max);
	pack_text(packer, probe->path);
	pack_text(packer, probe->host);
}

static void
unpack_probe(struct unpacker *unpacker, struct probe_spec *probe)
{
	uint32_t pair;

	probe->kind = (enum probe_kind)unpack_u32(unpacker);
	probe->interval_ms = unpack_u32(unpacker);
	probe->timeout_ms = unpack_u32(unpacker);
	pair = unpack_u32(unpacker);
	probe->rise = (uint16_t)(pair >> 16);
	probe->fall = (uint16_t)pair;
	pair = unpack_u32(unpacker);
	probe->status_min = (uint16_t)(pair >> 16);
	probe->status_max = (uint16_t)pair;
	probe->path = unpack_text(unpacker);
	probe->host = unpack_text(unpacker);
}

static void
pack_breaker(struct packer *packer, const struct breaker_spec *breaker)
{
	pack_u32(packer, breaker->threshold);
	if (breaker->threshold == 0)
		return;
	pack_u32(packer, breaker->open_ms);
	pack_u32(packer, breaker->half_open_requests);
	pack_u32(packer, breaker->window_ms);
}

static void
unpack_breaker(struct unpacker *unpacker, struct breaker_spec *breaker)
{
	*breaker = (struct breaker_spec){
		.threshold = unpack_u32(unpacker),
	};
	if (breaker->threshold == 0)
		return;
	breaker->open_ms = unpack_u32(unpacker);
	breaker->half_open_requests = unpack_u32(unpacker);
	breaker->window_ms = unpack_u32(unpacker);
}

void
pack_service(struct packer *packer, const struct service_spec *spec)
{
	pack_u32(packer, (uint32_t)spec->policy);
	pack_u32(packer, spec->connect_timeout_ms);
	pack_u32(packer, spec->response_timeout_ms);
	pack_u32(packer, spec->queue_timeout_ms);
	pack_u32(packer, spec->retries);
	pack_probe(packer, &spec->probe);
	pack_text(packer, spec->name);
	pack_text(packer, spec->hash_header);
	pack_breaker(packer, &spec->breaker);
	pack_condition(packer, &spec->condition);
}

void
unpack_service(struct unpacker *unpacker, struct service_spec *spec)
{
	spec->policy = (enum balance_policy)unpack_u32(unpacker);
	spec->connect_timeout_ms = unpack_u32(unpacker);
	spec->response_timeout_ms = unpack_u32(unpacker);
	spec->queue_timeout_ms = unpack_u32(unpacker);
	spec->retries = unpack_u32(unpacker);
	unpack_probe(unpacker, &spec->probe);
	spec->name = unpack_text(unpacker);
	spec->hash_header = unpack_text(unpacker);
	unpack_breaker(unpacker, &spec->breaker);
	unpack_condition(unpacker, &spec->condition);
}

bool
route_needs_body(const struct route_spec *spec)
{
	return spec->target_count > 1 || spec->host_rewrite.len > 0 ||
	    spec->max_body_bytes > 0 || spec->header_count > 0 ||
	    spec->rate_limit.requests > 0 || spec->refuses_websocket ||
	    spec->condition.in_maintenance ||
	    spec->condition.drain_start_ns != 0;
}

enum route_flag {
	ROUTE_DRY_RUN = 1u << 0,
	ROUTE_TELLS_LIMIT = 1u << 1,
	ROUTE_NO_WEBSOCKET = 1u << 2,
};

void
pack_route(struct packer *packer, const struct route_spec *spec)
{
	pack_u64(packer, spec->max_body_bytes);
	for (uint32_t i = 1; i < spec->target_count; i++) {
		pack_u32(packer, spec->targets[i].service);
		pack_u32(packer, spec->targets[i].weight);
	}
	pack_text(packer, spec->host_rewrite);
	pack_u32(packer, spec->header_count);
	for (uint32_t i = 0; i < spec->header_count; i++) {
		const struct header_edit *edit = &spec->headers[i];

		pack_u32(packer,
		    (uint32_t)edit->op << 1 | (edit->of_request ? 1 : 0));
		pack_text(packer, edit->name);
		pack_text(packer, edit->value);
	}
	pack_u32(packer, spec->rate_limit.requests);
	pack_u32(packer, spec->rate_limit.window_ms);
	pack_u32(packer, (spec->rate_limit.is_dry_run ? ROUTE_DRY_RUN : 0) |
		(spec->rate_limit.is_told ? ROUTE_TELLS_LIMIT : 0) |
		(spec->refuses_websocket ? ROUTE_NO_WEBSOCKET : 0));
	pack_condition(packer, &spec->condition);
}

static const struct header_edit *
unpack_headers(struct unpacker *unpacker, struct arena *arena, uint32_t count)
{
	struct header_edit *edits;

	if (count > TABLE_HEADERS_MAX) {
		unpacker->has_failed = true;
		return NULL;
	}
	if (count == 0)
		return NULL;
	if ((edits = arena_alloc(arena, count * sizeof(*edits))) == NULL) {
		unpacker->has_failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t kind = unpack_u32(unpacker);

		edits[i].op = (enum header_edit_op)(kind >> 1);
		edits[i].of_request = (kind & 1) != 0;
		edits[i].name = unpack_text(unpacker);
		edits[i].value = unpack_text(unpacker);
	}
	return edits;
}

void
unpack_route(struct unpacker *unpacker, struct arena *arena,
    struct route_spec *spec)
{
	uint32_t flags;

	spec->max_body_bytes = unpack_u64(unpacker);
	for (uint32_t i = 1; i < spec->target_count; i++) {
		spec->targets[i].service = unpack_u32(unpacker);
		spec->targets[i].weight = unpack_u32(unpacker);
	}
	spec->host_rewrite = unpack_text(unpacker);
	spec->header_count = unpack_u32(unpacker);
	spec->headers = unpack_headers(unpacker, arena, spec->header_count);
	spec->rate_limit.requests = unpack_u32(unpacker);
	spec->rate_limit.window_ms = unpack_u32(unpacker);
	flags = unpack_u32(unpacker);
	spec->rate_limit.is_dry_run = (flags & ROUTE_DRY_RUN) != 0;
	spec->rate_limit.is_told = (flags & ROUTE_TELLS_LIMIT) != 0;
	spec->refuses_websocket = (flags & ROUTE_NO_WEBSOCKET) != 0;
	unpack_condition(unpacker, &spec->condition);
}
