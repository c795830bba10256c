/*
 * registryd/guard.c - no accident empties the table.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/guard.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/arena.h"
#include "common/log.h"
#include "registryd/static_objects.h"

#define READ_MAX (1u << 20)

bool
guard_is_too_much(const struct settings *settings,
    const struct guard_loss *loss)
{
	return loss->routed >= GUARD_ROUTES_MIN &&
	    (uint64_t)loss->removed * 100 >
		(uint64_t)loss->routed * settings->store.max_shrink;
}

/* Static sections are not the store's to remove. */
static bool
is_static(const struct route_table *table, uint32_t slot, struct arena *arena)
{
	struct route_copy copy;

	return route_table_read_route(table, slot, arena, &copy) ==
		   TABLE_FOUND &&
	    (copy.spec.id & STATIC_ID_BIT) != 0;
}

void
guard_compare(const struct model *model, const struct route_table *table,
    struct guard_loss *loss_r)
{
	struct table_extent extent;
	struct arena arena;

	*loss_r = (struct guard_loss){ 0 };
	arena_init(&arena, READ_MAX);
	route_table_extent(table, &extent);
	for (uint32_t entry = 0; entry < extent.entries; entry++) {
		const struct model_path *path;
		struct path_copy copy;

		arena_reset(&arena);
		if (route_table_read_path(table, entry, &arena, &copy) !=
			TABLE_FOUND ||
		    (copy.spec.route_count > 0 &&
			is_static(table, copy.spec.routes[0], &arena)))
			continue;
		path = model_find_path(model, copy.host, copy.prefix);
		loss_r->routed++;
		loss_r->removed += path == NULL || path->route_count == 0;
	}
	arena_free(&arena);
}

void
guard_describe(const struct guard *guard, char text[GUARD_TEXT_SIZE])
{
	snprintf(text, GUARD_TEXT_SIZE, "generation %" PRIu64
	    " of the store would remove %zu of %zu paths: held; mend the "
	    "store, or sluicectl store accept", guard->generation,
	    guard->loss.removed, guard->loss.routed);
}

static void
hold(struct guard *guard, uint64_t generation, const struct guard_loss *loss)
{
	bool is_news = !guard->is_held || guard->generation != generation ||
	    guard->loss.removed != loss->removed;
	char text[GUARD_TEXT_SIZE];

	guard->held_count += !guard->is_held;
	guard->is_held = true;
	guard->is_accepted = false;
	guard->generation = generation;
	guard->loss = *loss;
	guard_describe(guard, text);
	if (is_news)
		log_error("store: %s", text);
}

bool
guard_lets_through(struct guard *guard, const struct settings *settings,
    const struct model *model, const struct route_table *table)
{
	struct guard_loss loss;

	guard_compare(model, table, &loss);
	if (guard_is_too_much(settings, &loss) &&
	    (!guard->is_accepted || guard->generation != model->generation ||
		loss.removed > guard->loss.removed)) {
		hold(guard, model->generation, &loss);
		return false;
	}
	if (guard->is_held)
		log_notice("store: generation %" PRIu64
		    ": no longer held: %zu of %zu paths go",
		    model->generation, loss.removed, loss.routed);
	guard->is_held = false;
	guard->is_accepted = false;
	return true;
}
