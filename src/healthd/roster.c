/*
 * healthd/roster.c - the route table, taken in as backends to watch.
 */
/* SPDX-License-Identifier: ISC */
#include "healthd/roster.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "ipc/health_msg.h"

/* A service with all its backends: 65,536 of about 400 bytes each. */
#define ROSTER_ARENA_BYTES (64u << 20)

/* The table is read at most for this part of the time: 1 / n. */
#define ROSTER_REST_FACTOR 20

struct roster {
	const struct route_table *table;
	struct monitor *monitor;
	struct arena arena;
	uint64_t change_count;		/* taken in whole */
	bool is_complete;		/* that change count is known */
	struct instant rest_until;
};

struct roster *
roster_new(const struct route_table *table, struct monitor *monitor)
{
	struct roster *roster = calloc(1, sizeof(*roster));

	if (roster == NULL)
		return NULL;
	roster->table = table;
	roster->monitor = monitor;
	arena_init(&roster->arena, ROSTER_ARENA_BYTES);
	return roster;
}

void
roster_free(struct roster **p)
{
	struct roster *roster = *p;

	*p = NULL;
	if (roster == NULL)
		return;
	arena_free(&roster->arena);
	free(roster);
}

/* Puts a service's backends.  False when it could not be read now. */
static bool
take_service(struct roster *roster, uint32_t slot)
{
	struct service_copy service;
	enum table_result result;

	arena_reset(&roster->arena);
	result = route_table_read_service(roster->table, slot, &roster->arena,
	    &service);
	if (result == TABLE_ABSENT)
		return true;
	if (result != TABLE_FOUND) {
		log_warn("service at slot %u: not read: %s", slot,
		    result == TABLE_BUSY ? "the table is busy" :
					   "out of memory");
		return false;
	}
	for (uint32_t i = 0; i < service.spec.backend_count; i++)
		monitor_put(roster->monitor, &service.backends[i],
		    &service.spec);
	return true;
}

static void
take_all(struct roster *roster)
{
	struct table_extent extent;
	bool is_whole = true;

	route_table_extent(roster->table, &extent);
	monitor_begin(roster->monitor);
	for (uint32_t slot = 0; slot < extent.services; slot++)
		is_whole = take_service(roster, slot) && is_whole;
	monitor_end(roster->monitor, is_whole);
	roster->is_complete = is_whole;
}

void
roster_take_changes(struct roster *roster)
{
	uint64_t change_count = route_table_change_count(roster->table);
	struct instant began = clock_now(), ended;

	if (roster->is_complete && roster->change_count == change_count)
		return;
	if (instant_is_before(began, roster->rest_until))
		return;
	take_all(roster);
	roster->change_count = change_count;
	ended = clock_now();
	roster->rest_until = instant_after_ms(ended,
	    instant_diff_ms(ended, began) * ROSTER_REST_FACTOR);
}

/* The services of the slots, each once; the slots that are empty now are
 * dropped. */
static uint32_t
services_of(struct roster *roster, const uint32_t *slots, uint32_t count,
    uint32_t services[HEALTH_MSG_SLOTS])
{
	uint32_t service_count = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct backend_copy backend;
		enum table_result result;
		uint32_t j = 0;

		arena_reset(&roster->arena);
		result = route_table_read_backend(roster->table, slots[i],
		    &roster->arena, &backend);
		if (result == TABLE_ABSENT)
			monitor_drop(roster->monitor, slots[i]);
		if (result != TABLE_FOUND || backend.spec.service == TABLE_NONE)
			continue;
		while (j < service_count && services[j] != backend.spec.service)
			j++;
		if (j == service_count)
			services[service_count++] = backend.spec.service;
	}
	return service_count;
}

void
roster_take_slots(struct roster *roster, const uint32_t *slots,
    uint32_t count)
{
	uint32_t services[HEALTH_MSG_SLOTS];

	if (count > HEALTH_MSG_SLOTS) {
		roster_take_changes(roster);
		return;
	}
	count = services_of(roster, slots, count, services);
	monitor_begin(roster->monitor);
	for (uint32_t i = 0; i < count; i++)
		(void)take_service(roster, services[i]);
	monitor_end(roster->monitor, false);
}
