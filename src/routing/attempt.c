/*
 * routing/attempt.c - one attempt over what may serve, from the outside in:
 * tiers, the routes that share the path, a route's targets.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/attempt.h"

#include "routing/records.h"
#include "routing/router_state.h"

/* How often a table that changes under our hands is read again. */
#define CHOOSE_TRIES_MAX 1000

/* The choice shows the first route and service that came into question,
 * and in the end those that serve. */
static void
show_route(struct attempt *attempt, struct cached_route *cached)
{
	struct route_choice *choice = attempt->choice;

	if (choice->route == &cached->route)
		return;
	if (choice->route != NULL)
		router_put_route(attempt->router, choice->route);
	cached->item.references++;
	choice->route = &cached->route;
}

/* A turn that ended in a drain's refusal was a turn: it is paid for by
 * the one whose it was. */
static void
pay_refused_turn(const struct attempt *attempt, struct turn_set *set)
{
	uint32_t first;

	set->excluded = 0;
	if (attempt->is_drained && (first = turns_best(set)) != TURN_NONE)
		turns_take(set, first);
}

static bool
try_targets(struct attempt *attempt, struct cached_route *cached)
{
	const struct route_spec *spec = &cached->route.spec;
	int64_t weights[TABLE_TARGETS_MAX];
	struct turn_set set = {
		.turns = cached->turns,
		.weights = weights,
		.count = spec->target_count,
	};
	uint32_t best;

	for (uint32_t i = 0; i < spec->target_count; i++)
		weights[i] = spec->targets[i].weight;
	while ((best = turns_best(&set)) != TURN_NONE) {
		if (attempt_try_service(attempt, spec->targets[best].service)) {
			turns_take(&set, best);
			return true;
		}
		set.excluded |= UINT64_C(1) << best;
	}
	pay_refused_turn(attempt, &set);
	return false;
}

static bool
try_route(struct attempt *attempt, uint32_t slot)
{
	struct cached_route *cached =
	    records_route(&attempt->router->records, slot);
	const struct route_spec *spec;
	bool has_backend;

	if (cached == NULL)
		return false;
	if (attempt->choice->route == NULL)
		show_route(attempt, cached);
	if (cached->route.has_condition) {
		const struct condition_spec *seen = attempt->choice->condition;

		if (!attempt_passes(attempt, &cached->route.spec.condition,
		    &cached->draw)) {
			if (attempt->choice->condition != seen)
				show_route(attempt, cached);
			return false;
		}
	}
	spec = &cached->route.spec;
	if (spec->target_count == 1 && spec->targets[0].weight > 0)
		has_backend = attempt_try_service(attempt,
		    spec->targets[0].service);
	else
		has_backend = try_targets(attempt, cached);
	if (has_backend)
		show_route(attempt, cached);
	return has_backend;
}

/* The sum of the weights of all backends behind a route. */
static int64_t
route_weight(struct records *records, uint32_t slot)
{
	struct cached_route *cached = records_route(records, slot);
	int64_t sum = 0;

	if (cached == NULL)
		return 0;
	for (uint32_t i = 0; i < cached->route.spec.target_count; i++) {
		const struct route_target *target =
		    &cached->route.spec.targets[i];
		const struct cached_service *service;

		if (target->weight == 0)
			continue;
		service = records_service(records, target->service);
		if (service != NULL)
			sum += service->weight_sum;
	}
	return sum;
}

static bool
try_shared(struct attempt *attempt, struct cached_path *path)
{
	int64_t weights[TABLE_SHARED_MAX];
	struct turn_set set = {
		.turns = path->turns,
		.weights = weights,
		.count = path->route_count,
	};
	uint32_t best;

	for (uint32_t i = 0; i < path->route_count; i++)
		weights[i] = route_weight(&attempt->router->records,
		    path->turns[i].slot);
	while ((best = turns_best(&set)) != TURN_NONE) {
		if (try_route(attempt, path->turns[best].slot)) {
			turns_take(&set, best);
			return true;
		}
		set.excluded |= UINT64_C(1) << best;
	}
	pay_refused_turn(attempt, &set);
	return false;
}

/* What a match leads to: one route, or those that share the path. */
struct behind {
	uint32_t route;			/* TABLE_NONE: see path */
	struct cached_path *path;
};

static bool
try_tiers(struct attempt *attempt, const struct behind *behind)
{
	for (int tier = TIER_PROVEN; tier < TIER_COUNT; tier++) {
		attempt->tier = (enum backend_tier)tier;
		if (tier != TIER_PROVEN &&
		    (attempt->tiers_seen & 1u << tier) == 0)
			continue;
		if (behind->route != TABLE_NONE ?
		    try_route(attempt, behind->route) :
		    try_shared(attempt, behind->path))
			return true;
	}
	return false;
}

static void
try_match(struct attempt *attempt, const struct path_match *match)
{
	struct behind behind = { .route = match->route };

	if (match->route == TABLE_NONE) {
		behind.path = records_path(&attempt->router->records,
		    match->entry, match->version);
		if (behind.path == NULL || behind.path->route_count == 0)
			return;
	}
	/* Where nobody behind a shared path had a weight, one is shown. */
	if (!try_tiers(attempt, &behind) && attempt->choice->route == NULL &&
	    behind.path != NULL)
		(void)try_route(attempt, behind.path->turns[0].slot);
}

static enum route_refusal
refusal_of_lookup(enum table_result result)
{
	return result == TABLE_ABSENT ? REFUSED_NO_ROUTE : REFUSED_TABLE;
}

/*
 * One look at the table.  Returns false when the table changed while
 * records were read from it, so that they may not belong together; and
 * when a backend was there, but never in the turn of its tier: healthd
 * proved it in between.
 */
static bool
choose_once(struct attempt *attempt)
{
	struct records *records = &attempt->router->records;
	const struct route_query *query = attempt->query;
	struct route_choice *choice = attempt->choice;
	uint64_t change_count = route_table_change_count(records->table);
	uint64_t read_count = records->read_count;
	enum table_result result;

	*choice = (struct route_choice){ .refusal = REFUSED_NOT };
	attempt->tiers_seen = 0;
	attempt->is_drained = false;
	attempt->serial = ++attempt->router->serial;
	records->has_failed = false;
	result = route_table_lookup(records->table, query->space, query->host,
	    query->path, &choice->match);
	if (result != TABLE_FOUND) {
		choice->refusal = refusal_of_lookup(result);
		return true;
	}
	try_match(attempt, &choice->match);
	if (choice->backend == NULL && choice->refusal == REFUSED_NOT) {
		if (records->has_failed)
			choice->refusal = REFUSED_TABLE;
		else if (attempt->tiers_seen == 0)
			choice->refusal = REFUSED_NO_BACKEND;
		else
			return false;
	}
	return records->read_count == read_count ||
	    route_table_change_count(records->table) == change_count;
}

void
attempt_choose(struct attempt *attempt)
{
	for (int tries = 0; tries < CHOOSE_TRIES_MAX; tries++) {
		if (choose_once(attempt))
			return;
		router_release(attempt->router, attempt->choice);
	}
	attempt->choice->refusal = REFUSED_TABLE;
}

/* While the route stands as it was, its service's slot has no other
 * tenant. */
bool
attempt_choose_same_service(struct attempt *attempt,
    const struct route_choice *old)
{
	if (old->service == NULL || old->route == NULL ||
	    old->route->version != route_table_route_version(
	    attempt->router->config.table, old->route->slot))
		return false;
	for (int tier = TIER_PROVEN; tier < TIER_SUSPECT; tier++) {
		attempt->tier = (enum backend_tier)tier;
		if (!attempt_try_service(attempt, old->service->slot))
			continue;
		show_route(attempt, cached_route_of(old->route));
		attempt->choice->match = old->match;
		return true;
	}
	router_release(attempt->router, attempt->choice);
	return false;
}
