/*
 * shm/table_put.c - backends, services and routes of the table.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "shm/table_change.h"
#include "shm/table_heap.h"
#include "shm/table_record.h"

#define TEXT_MAX 0xffff			/* of a packed text */

static int
refuse(void)
{
	errno = EINVAL;
	return -1;
}

/* Whether the slot holds a record of the kind. */
static bool
is_live(const struct table_store *store, enum record_kind kind, uint32_t slot)
{
	return record_is_known(store, kind, slot) &&
	    word_high(record_get(store, kind, slot, 0)) != 0;
}

static bool
is_probe_valid(const struct probe_spec *probe)
{
	return probe->path.len <= TEXT_MAX && probe->host.len <= TEXT_MAX;
}

/* Puts what was packed into a block; its "place | bytes" is *body_r. */
static int
put_body(struct table_store *store, struct packer *packer, uint64_t *body_r)
{
	uint32_t place;

	pack_finish(packer);
	if (packer->has_failed) {
		errno = ENOSPC;
		return -1;
	}
	if (heap_alloc_copy(store, packer->data, packer->len, &place) == -1)
		return -1;
	*body_r = word_pair(place, (uint32_t)packer->len);
	return 0;
}

static void
free_body(struct table_store *store, uint64_t body)
{
	if (word_high(body) != 0)
		heap_free(store, word_high(body), words_for(word_low(body)));
}

/* A new version for a service whose backend has changed: who keeps a copy
 * of the service keeps its backends with it. */
static void
touch_service(struct table_store *store, uint32_t service)
{
	uint64_t version;

	if (!is_live(store, RECORD_SERVICE, service))
		return;
	version = record_get(store, RECORD_SERVICE, service, SERVICE_VERSION);
	record_put(store, RECORD_SERVICE, service, SERVICE_VERSION,
	    word_pair(record_new_version(store), word_low(version)));
}

/* Whether a live backend has the address of spec. */
static bool
is_same_address(const struct table_store *store, uint32_t slot,
    const struct backend_spec *spec)
{
	uint64_t body = record_get(store, RECORD_BACKEND, slot, BACKEND_BODY);
	const word *words = store->copies[store->target] + store->layout.heap +
	    word_high(body);
	struct backend_spec old;
	char data[64 + TABLE_HOST_MAX];	/* all but the end of base_path */
	size_t len = word_low(body) < sizeof(data) ? word_low(body)
						   : sizeof(data);
	struct unpacker unpacker = { data, len, false };

	for (size_t i = 0; i < len; i += WORD_BYTES) {
		uint64_t value = word_load(words++);

		memcpy(data + i, &value, len - i < WORD_BYTES ? len - i
							      : WORD_BYTES);
	}
	unpack_backend(&unpacker, &old);
	return old.kind == spec->kind && old.port == spec->port &&
	    bytes_equal(old.host, spec->host);
}

static bool
is_backend_valid(const struct table_store *store,
    const struct backend_spec *spec)
{
	return spec->weight <= UINT16_MAX &&
	    spec->host.len <= TABLE_HOST_MAX &&
	    spec->base_path.len <= TABLE_PATH_MAX &&
	    (spec->service == TABLE_NONE ||
		record_is_known(store, RECORD_SERVICE, spec->service));
}

int
change_put_backend(struct table_store *store, struct packer *packer,
    uint32_t *slot, const struct backend_spec *spec)
{
	uint32_t generation = 0;
	uint64_t body;

	if (!is_backend_valid(store, spec) ||
	    (*slot != TABLE_NONE && !is_live(store, RECORD_BACKEND, *slot)))
		return refuse();
	pack_reset(packer);
	pack_backend(packer, spec);
	if (put_body(store, packer, &body) == -1)
		return -1;
	if (*slot == TABLE_NONE) {
		if (record_alloc(store, RECORD_BACKEND, slot) == -1)
			return -1;
	} else {
		uint64_t old = record_get(store, RECORD_BACKEND, *slot,
		    BACKEND_GENERATION);

		if (is_same_address(store, *slot, spec))
			generation = word_high(old);
		if (word_low(old) != spec->service)
			touch_service(store, word_low(old));
		free_body(store,
		    record_get(store, RECORD_BACKEND, *slot, BACKEND_BODY));
	}
	if (generation == 0)
		generation = record_new_version(store);
	record_put(store, RECORD_BACKEND, *slot, BACKEND_GENERATION,
	    word_pair(generation, spec->service));
	record_put(store, RECORD_BACKEND, *slot, BACKEND_ID, spec->id);
	record_put(store, RECORD_BACKEND, *slot, BACKEND_BODY, body);
	touch_service(store, spec->service);
	return 0;
}

int
change_remove_backend(struct table_store *store, uint32_t slot)
{
	if (!is_live(store, RECORD_BACKEND, slot))
		return refuse();
	free_body(store,
	    record_get(store, RECORD_BACKEND, slot, BACKEND_BODY));
	record_free(store, RECORD_BACKEND, slot);
	return 0;
}

static bool
is_service_valid(const struct table_store *store,
    const struct service_spec *spec)
{
	if (spec->name.len > TABLE_NAME_MAX ||
	    spec->hash_header.len > TABLE_NAME_MAX ||
	    spec->backend_count > TABLE_BACKENDS_MAX ||
	    !is_probe_valid(&spec->probe))
		return false;
	for (uint32_t i = 0; i < spec->backend_count; i++)
		if (!record_is_known(store, RECORD_BACKEND, spec->backends[i]))
			return false;
	return true;
}

static void
free_list(struct table_store *store, uint32_t slot)
{
	uint32_t count = word_low(
	    record_get(store, RECORD_SERVICE, slot, SERVICE_VERSION));
	uint32_t place = word_high(
	    record_get(store, RECORD_SERVICE, slot, SERVICE_LIST));

	if (count > 0)
		heap_free(store, place, (count + 1) / 2);
}

int
change_put_service(struct table_store *store, struct packer *packer,
    uint32_t *slot, const struct service_spec *spec)
{
	uint32_t list = 0;
	uint64_t body;

	if (!is_service_valid(store, spec) ||
	    (*slot != TABLE_NONE && !is_live(store, RECORD_SERVICE, *slot)))
		return refuse();
	if (*slot == TABLE_NONE) {
		if (record_alloc(store, RECORD_SERVICE, slot) == -1)
			return -1;
	} else {
		free_list(store, *slot);
		free_body(store,
		    record_get(store, RECORD_SERVICE, *slot, SERVICE_BODY));
	}
	pack_reset(packer);
	pack_service(packer, spec);
	if (put_body(store, packer, &body) == -1)
		return -1;
	if (spec->backend_count > 0 &&
	    heap_alloc_slots(store, spec->backends, spec->backend_count,
		&list) == -1)
		return -1;
	record_put(store, RECORD_SERVICE, *slot, SERVICE_VERSION,
	    word_pair(record_new_version(store), spec->backend_count));
	record_put(store, RECORD_SERVICE, *slot, SERVICE_LIST,
	    word_pair(list, 0));
	record_put(store, RECORD_SERVICE, *slot, SERVICE_BODY, body);
	return 0;
}

int
change_remove_service(struct table_store *store, uint32_t slot)
{
	if (!is_live(store, RECORD_SERVICE, slot))
		return refuse();
	free_list(store, slot);
	free_body(store,
	    record_get(store, RECORD_SERVICE, slot, SERVICE_BODY));
	record_free(store, RECORD_SERVICE, slot);
	return 0;
}

static bool
is_route_valid(const struct table_store *store, const struct route_spec *spec)
{
	if (spec->label.len > TABLE_NAME_MAX ||
	    spec->host_rewrite.len > TABLE_HOST_MAX ||
	    spec->target_count > TABLE_TARGETS_MAX ||
	    spec->header_count > TABLE_HEADERS_MAX)
		return false;
	for (uint32_t i = 0; i < spec->target_count; i++)
		if (!record_is_known(store, RECORD_SERVICE,
			spec->targets[i].service))
			return false;
	for (uint32_t i = 0; i < spec->header_count; i++)
		if (spec->headers[i].name.len > TEXT_MAX ||
		    spec->headers[i].value.len > TEXT_MAX)
			return false;
	return true;
}

static void
free_route_texts(struct table_store *store, uint32_t slot)
{
	uint64_t at = record_place(&store->layout, RECORD_ROUTE, slot);

	heap_free_text(store, at + ROUTE_LABEL,
	    word_low(store_get(store, at + ROUTE_VERSION)) >> 1 & 0xff);
	free_body(store, store_get(store, at + ROUTE_EXTRA));
}

int
change_put_route(struct table_store *store, struct packer *packer,
    uint32_t *slot, const struct route_spec *spec)
{
	struct route_target first = { TABLE_NONE, 0 };
	uint64_t at, body = 0;

	if (!is_route_valid(store, spec) ||
	    (*slot != TABLE_NONE && !is_live(store, RECORD_ROUTE, *slot)))
		return refuse();
	if (*slot != TABLE_NONE)
		free_route_texts(store, *slot);
	else if (record_alloc(store, RECORD_ROUTE, slot) == -1)
		return -1;
	at = record_place(&store->layout, RECORD_ROUTE, *slot);
	pack_reset(packer);
	if (route_needs_body(spec)) {
		pack_route(packer, spec);
		if (put_body(store, packer, &body) == -1)
			return -1;
	}
	if (spec->target_count > 0)
		first = spec->targets[0];
	store_put(store, at + ROUTE_VERSION,
	    word_pair(record_new_version(store), spec->target_count << 16 |
		(uint32_t)spec->label.len << 1 | (spec->strip_prefix ? 1 : 0)));
	store_put(store, at + ROUTE_ID, spec->id);
	store_put(store, at + ROUTE_EXTRA, body);
	store_put(store, at + ROUTE_LINK,
	    word_pair(first.service, first.weight));
	return heap_put_text(store, at + ROUTE_LABEL, spec->label);
}

int
change_remove_route(struct table_store *store, uint32_t slot)
{
	if (!is_live(store, RECORD_ROUTE, slot))
		return refuse();
	free_route_texts(store, slot);
	record_free(store, RECORD_ROUTE, slot);
	return 0;
}
