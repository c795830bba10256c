/*
 * routing/records.c - what the router keeps of the table, decoded.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/records.h"

#include <stdlib.h>
#include <string.h>

#include "routing/records_pack.h"

#define SCRATCH_MAX_BYTES ((size_t)256 << 20)

/* A route is read quickly, and many would not fit into a processor's
 * cache; what a service remembers is worth more. */
#define ROUTES_MAX_DEFAULT   16384
#define SERVICES_MAX_DEFAULT 65536

/* Carrying over ---------------------------------------------------------- */

static void
carry_turns(struct turn *turns, uint32_t count, const struct turn *old,
    uint32_t old_count)
{
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < old_count; j++)
			if (turns[i].slot == old[j].slot)
				turns[i].smooth = old[j].smooth;
}

/* The same tenant in the old version, most likely at or behind *next. */
static struct routed_backend *
find_tenant(struct routed_service *old, const struct routed_backend *backend,
    uint32_t *next)
{
	uint32_t count = old->spec.backend_count;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = (*next + i) % count;
		struct routed_backend *tenant = &old->backends[at];

		if (tenant->slot == backend->slot &&
		    tenant->generation == backend->generation) {
			*next = at + 1;
			return tenant;
		}
	}
	return NULL;
}

/*
 * The users of the old version now are the new one's.  While the old one
 * is held it keeps the new one alive, and thereby what its users point to.
 */
static void
carry_service(struct cached_service *cached, struct cached_service *old)
{
	struct routed_service *service = &cached->service;
	uint32_t next = 0;

	cached->drain_phase = old->drain_phase;
	cached->draw.phase = old->draw.phase;
	for (uint32_t i = 0; i < service->spec.backend_count; i++) {
		struct routed_backend *backend = &service->backends[i];
		struct routed_backend *tenant;

		tenant = find_tenant(&old->service, backend, &next);
		if (tenant == NULL)
			continue;
		backend->smooth_weight = tenant->smooth_weight;
		backend->suspect_until = tenant->suspect_until;
		backend->user = tenant->user;
		tenant->has_handed_user_on = tenant->user != NULL;
	}
	old->newer = cached;
	cached->item.references++;
}

/* The cache -------------------------------------------------------------- */

static void
free_plain(void *context, struct cache_item *item)
{
	(void)context;
	free(item);			/* the item is its first member */
}

static void
free_service(void *context, struct cache_item *item)
{
	struct records *records = context;
	struct cached_service *cached =
	    CONTAINER_OF(item, struct cached_service, item);
	struct routed_service *service = &cached->service;

	for (uint32_t i = 0; i < service->spec.backend_count; i++) {
		struct routed_backend *backend = &service->backends[i];

		if (backend->user != NULL && !backend->has_handed_user_on &&
		    records->drop_user != NULL)
			records->drop_user(records->drop_context,
			    backend->user);
	}
	if (cached->newer != NULL)
		slot_cache_release(&records->services, &cached->newer->item);
	free(cached);
}

_Static_assert(offsetof(struct cached_path, item) == 0 &&
    offsetof(struct cached_route, item) == 0, "free_plain()");

void
records_init(struct records *records, const struct route_table *table,
    uint32_t cache_max, uint32_t seed)
{
	*records = (struct records){ .table = table, .seed = seed };
	arena_init(&records->scratch, SCRATCH_MAX_BYTES);
	slot_cache_init(&records->paths,
	    cache_max == 0 ? ROUTES_MAX_DEFAULT : cache_max, free_plain,
	    records);
	slot_cache_init(&records->routes,
	    cache_max == 0 ? ROUTES_MAX_DEFAULT : cache_max, free_plain,
	    records);
	slot_cache_init(&records->services,
	    cache_max == 0 ? SERVICES_MAX_DEFAULT : cache_max, free_service,
	    records);
}

void
records_free(struct records *records)
{
	slot_cache_clear(&records->paths);
	slot_cache_clear(&records->routes);
	slot_cache_clear(&records->services);
	arena_free(&records->scratch);
	free(records->candidates);
}

/* Puts a new record into its cache; frees it when it has no place, which
 * cannot be when an older version of it has one. */
static bool
keep(struct records *records, struct slot_cache *cache, struct cache_item *item,
    uint32_t slot, uint32_t version)
{
	item->slot = slot;
	item->version = version;
	if (slot_cache_put(cache, item) == 0)
		return true;
	records->has_failed = true;
	slot_cache_release(cache, item);
	return false;
}

/* What to do when a record could not be read: true, keep the old one. */
static bool
read_has_failed(struct records *records, enum table_result result,
    struct slot_cache *cache, struct cache_item *old)
{
	if (result == TABLE_ABSENT) {
		if (old != NULL)
			slot_cache_remove(cache, old);
		return false;
	}
	records->has_failed = true;
	return old != NULL;
}

static struct cached_path *
read_path(struct records *records, uint32_t slot, struct cached_path *old)
{
	struct cached_path *path = NULL;
	enum table_result result;
	struct path_copy copy;
	uint32_t count;

	result = route_table_read_path(records->table, slot, &records->scratch,
	    &copy);
	if (result != TABLE_FOUND)
		return read_has_failed(records, result, &records->paths,
		    old == NULL ? NULL : &old->item) ? old : NULL;

	count = copy.spec.route_count;
	if (count > TURNS_MAX)
		count = TURNS_MAX;
	path = calloc(1, sizeof(*path) + count * sizeof(path->turns[0]));
	if (path == NULL) {
		records->has_failed = true;
		return old;
	}
	path->item.references = 1;
	path->route_count = count;
	for (uint32_t i = 0; i < count; i++)
		path->turns[i].slot = copy.spec.routes[i];
	if (old != NULL)
		carry_turns(path->turns, count, old->turns, old->route_count);
	return keep(records, &records->paths, &path->item, slot, copy.version) ?
	    path : NULL;
}

struct cached_path *
records_path(struct records *records, uint32_t slot, uint32_t version)
{
	struct cache_item *item = slot_cache_find(&records->paths, slot);
	struct cached_path *path;

	path = item == NULL ? NULL :
	    CONTAINER_OF(item, struct cached_path, item);
	if (LIKELY(path != NULL && item->version == version)) {
		item->is_recent = true;
		return path;
	}
	records->read_count++;
	path = read_path(records, slot, path);
	arena_reset(&records->scratch);
	return path;
}

static struct cached_route *
read_route(struct records *records, uint32_t slot, struct cached_route *old)
{
	struct cached_route *route;
	enum table_result result;
	struct route_copy copy;

	result = route_table_read_route(records->table, slot, &records->scratch,
	    &copy);
	if (result != TABLE_FOUND)
		return read_has_failed(records, result, &records->routes,
		    old == NULL ? NULL : &old->item) ? old : NULL;

	if ((route = records_pack_route(&copy)) == NULL) {
		records->has_failed = true;
		return old;
	}
	route->route.slot = slot;
	route->route.version = copy.version;
	route->draw.phase = old != NULL ? old->draw.phase :
	    (records->seed += UINT32_C(0x9e3779b9));
	if (old != NULL)
		carry_turns(route->turns, records_turn_count(&copy.spec),
		    old->turns, records_turn_count(&old->route.spec));
	return keep(records, &records->routes, &route->item, slot,
	    copy.version) ? route : NULL;
}

struct cached_route *
records_route(struct records *records, uint32_t slot)
{
	struct cache_item *item = slot_cache_find(&records->routes, slot);
	struct cached_route *route;

	route = item == NULL ? NULL :
	    CONTAINER_OF(item, struct cached_route, item);
	if (LIKELY(route != NULL && item->version ==
	    route_table_route_version(records->table, slot))) {
		item->is_recent = true;
		return route;
	}
	records->read_count++;
	route = read_route(records, slot, route);
	arena_reset(&records->scratch);
	return route;
}

/* Whoever chooses among count backends finds room to line them up. */
static bool
reserve_candidates(struct records *records, uint32_t count)
{
	struct candidate *candidates;

	if (count <= records->candidate_max)
		return true;
	candidates = realloc(records->candidates, count * sizeof(*candidates));
	if (candidates == NULL)
		return false;
	records->candidates = candidates;
	records->candidate_max = count;
	return true;
}

static struct cached_service *
read_service(struct records *records, uint32_t slot, struct cached_service *old)
{
	struct cached_service *cached = NULL;
	enum table_result result;
	struct service_copy copy;

	result = route_table_read_service(records->table, slot,
	    &records->scratch, &copy);
	if (result != TABLE_FOUND)
		return read_has_failed(records, result, &records->services,
		    old == NULL ? NULL : &old->item) ? old : NULL;

	if (reserve_candidates(records, copy.spec.backend_count))
		cached = records_pack_service(&copy);
	if (cached == NULL) {
		records->has_failed = true;
		return old;
	}
	cached->service.slot = slot;
	cached->service.version = copy.version;
	cached->drain_phase = records->seed += UINT32_C(0x9e3779b9);
	cached->draw.phase = cached->drain_phase;
	if (old != NULL)
		carry_service(cached, old);
	return keep(records, &records->services, &cached->item, slot,
	    copy.version) ? cached : NULL;
}

struct cached_service *
records_service(struct records *records, uint32_t slot)
{
	struct cached_service *cached = records_kept_service(records, slot);

	if (LIKELY(cached != NULL && cached->item.version ==
	    route_table_service_version(records->table, slot))) {
		cached->item.is_recent = true;
		return cached;
	}
	records->read_count++;
	cached = read_service(records, slot, cached);
	arena_reset(&records->scratch);
	return cached;
}

struct cached_service *
records_kept_service(const struct records *records, uint32_t slot)
{
	struct cache_item *item = slot_cache_find(&records->services, slot);

	return item == NULL ? NULL :
	    CONTAINER_OF(item, struct cached_service, item);
}
