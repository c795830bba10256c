/*
 * routing/router.c - from a request to a backend.
 *
 * An attempt goes over what may serve, from the outside in: tiers, the
 * routes that share the path, a route's targets, a service's backends.
 * Each level takes turns, and passes on when the one whose turn it is
 * has nobody; what stood in the way is remembered as the refusal.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/router.h"

#include <stdlib.h>

#include "routing/balance.h"
#include "routing/condition.h"
#include "routing/records.h"
#include "routing/router_state.h"
#include "routing/standing.h"

#define CACHE_MAX_DEFAULT 65536
/* A shared path may need as many at once. */
#define CACHE_MAX_LEAST (TABLE_SHARED_MAX * TABLE_TARGETS_MAX)

/* How often a table that changes under our hands is read again. */
#define CHOOSE_TRIES_MAX 1000

/* 2^32 divided by the golden ratio. */
#define GOLDEN_STEP UINT32_C(0x9e3779b9)

struct attempt {
	struct router *router;
	const struct route_query *query;
	const uint32_t *tried;		/* slots that are out of the question */
	uint32_t tried_count;
	struct instant now;
	uint64_t serial;
	bool is_retry;			/* it was let through before */
	enum backend_tier tier;		/* looked for in this round */
	unsigned int tiers_seen;	/* bit: there was one of it */
	bool is_drained;		/* a drain refused it: only those that
					 * do not drain may take it over */
	struct route_choice *choice;	/* refusal: the first of those seen */
};

int
router_new(const struct router_config *config, struct router **router_r)
{
	struct router *router;
	uint32_t cache_max = config->cache_max;

	if ((router = calloc(1, sizeof(*router))) == NULL)
		return -1;
	if (cache_max == 0)
		cache_max = CACHE_MAX_DEFAULT;
	if (cache_max < CACHE_MAX_LEAST)
		cache_max = CACHE_MAX_LEAST;
	router->config = *config;
	router->random.state = config->seed;
	records_init(&router->records, config->table, cache_max,
	    (uint32_t)random_next(&router->random));
	*router_r = router;
	return 0;
}

void
router_free(struct router **p)
{
	struct router *router = *p;

	*p = NULL;
	if (router == NULL)
		return;
	records_free(&router->records);
	free(router);
}

void
router_set_drop_user(struct router *router, router_drop_user_fn *drop_user,
    void *context)
{
	router->records.drop_user = drop_user;
	router->records.drop_context = context;
}

/* References ------------------------------------------------------------- */

struct routed_route *
router_get_route(struct router *router, uint32_t slot)
{
	struct cached_route *cached = records_route(&router->records, slot);

	if (cached == NULL)
		return NULL;
	cached->item.references++;
	return &cached->route;
}

struct routed_service *
router_get_service(struct router *router, uint32_t slot)
{
	struct cached_service *cached = records_service(&router->records, slot);

	if (cached == NULL)
		return NULL;
	cached->item.references++;
	return &cached->service;
}

void
router_put_route(struct router *router, struct routed_route *route)
{
	slot_cache_release(&router->records.routes,
	    &cached_route_of(route)->item);
}

void
router_put_service(struct router *router, struct routed_service *service)
{
	slot_cache_release(&router->records.services,
	    &cached_service_of(service)->item);
}

void
router_release(struct router *router, struct route_choice *choice)
{
	if (choice->route != NULL)
		router_put_route(router, choice->route);
	if (choice->service != NULL)
		router_put_service(router, choice->service);
	*choice = (struct route_choice){ .refusal = REFUSED_NOT };
}

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

static void
show_service(struct attempt *attempt, struct cached_service *cached)
{
	struct route_choice *choice = attempt->choice;

	if (choice->service == &cached->service)
		return;
	if (choice->service != NULL)
		router_put_service(attempt->router, choice->service);
	cached->item.references++;
	choice->service = &cached->service;
}

/* A service's backends --------------------------------------------------- */

/* The first in the order of precedence counts, but for one that is only
 * full: it is still there, and waiting for it may help. */
static void
refuse(struct attempt *attempt, enum route_refusal refusal)
{
	struct route_choice *choice = attempt->choice;

	if (choice->refusal == REFUSED_BUSY)
		return;
	if (choice->refusal == REFUSED_NOT || refusal < choice->refusal ||
	    refusal == REFUSED_BUSY)
		choice->refusal = refusal;
}

/* The page of the first that is in maintenance is shown. */
static void
refuse_maintenance(struct attempt *attempt,
    const struct condition_spec *condition)
{
	if (attempt->choice->condition == NULL)
		attempt->choice->condition = condition;
	refuse(attempt, REFUSED_MAINTENANCE);
}

/*
 * Whether a draining route or service lets this request through.
 * Multiples of the golden ratio, modulo 1, fill any share of the unit
 * evenly from the first on (Weyl, 1916; Knuth, TAOCP 6.4).
 */
static bool
draw_admits(struct attempt *attempt, struct drain_draw *draw, double share)
{
	if (draw->serial == attempt->serial)
		return draw->is_admitted;
	draw->serial = attempt->serial;
	draw->is_admitted = false;
	if (!attempt->is_drained) {
		draw->phase += GOLDEN_STEP;
		draw->is_admitted = (double)draw->phase < share * 0x1p32;
	}
	return draw->is_admitted;
}

/* Whether the condition of a route or service lets the request on. */
static bool
passes(struct attempt *attempt, const struct condition_spec *condition,
    struct drain_draw *draw)
{
	if (condition_keeps_out(condition, &attempt->query->client,
	    attempt->now)) {
		refuse_maintenance(attempt, condition);
		return false;
	}
	if (condition->drain_start_ns == 0 || attempt->is_retry ||
	    draw_admits(attempt, draw,
	    condition_share_left(condition, attempt->now)))
		return true;
	attempt->is_drained = true;
	refuse(attempt, REFUSED_DRAINING);
	return false;
}

static bool
was_tried(const struct attempt *attempt, uint32_t slot)
{
	for (uint32_t i = 0; i < attempt->tried_count; i++)
		if (attempt->tried[i] == slot)
			return true;
	return false;
}

/* A trial goes before everything else, or a breaker would never close
 * while others do well. */
static bool
takes_trial(const struct attempt *attempt, const struct standing *standing,
    const struct service_spec *spec, const struct routed_backend *backend)
{
	const struct router_config *config = &attempt->router->config;
	struct limit_trial trial = { backend->slot, backend->generation, 0 };
	uint32_t max = spec->breaker.half_open_requests;

	if (!standing->is_half_open || attempt->tier != TIER_PROVEN ||
	    config->take_trial == NULL)
		return false;
	trial.round = health_round(config->health, backend->slot,
	    backend->generation);
	if (!config->take_trial(config->context, &trial, max > 0 ? max : 1))
		return false;
	attempt->choice->trial_round = trial.round;
	return true;
}

/* Those of the tier, lined up in records.candidates. */
struct line_up {
	uint32_t count;
	bool is_all_draining;
	int64_t weight_sum, full_weight_sum; /* as drained, and before */
	struct routed_backend *trial;	/* goes first; or NULL */
};

static void
line_up(struct attempt *attempt, const struct routed_service *service,
    struct line_up *line)
{
	struct candidate *candidates = attempt->router->records.candidates;
	const struct standing_query query = { &attempt->query->client,
		attempt->now };

	*line = (struct line_up){ .is_all_draining = true };
	for (uint32_t i = 0; i < service->spec.backend_count; i++) {
		struct routed_backend *backend = &service->backends[i];
		struct standing standing;

		if (was_tried(attempt, backend->slot))
			continue;
		standing = standing_of(&attempt->router->config, &service->spec,
		    backend, &query);
		if (takes_trial(attempt, &standing, &service->spec, backend)) {
			line->trial = backend;
			return;
		}
		if (standing.refusal == REFUSED_MAINTENANCE) {
			refuse_maintenance(attempt, &backend->spec.condition);
			continue;
		}
		if (standing.refusal != REFUSED_NOT) {
			refuse(attempt, standing.refusal);
			continue;
		}
		attempt->tiers_seen |= 1u << standing.tier;
		if (standing.tier != attempt->tier)
			continue;
		candidates[line->count].backend = backend;
		candidates[line->count++].weight = standing.weight;
		line->weight_sum += standing.weight;
		line->full_weight_sum +=
		    (int64_t)backend->spec.weight * WEIGHT_UNIT;
		if (!standing.is_draining)
			line->is_all_draining = false;
	}
}

/*
 * Where all that could serve are draining, their share and no more is
 * served here; dealt out as in draw_admits().
 */
static bool
drain_admits(struct cached_service *cached, const struct line_up *line)
{
	double share = (double)line->weight_sum / (double)line->full_weight_sum;

	cached->drain_phase += GOLDEN_STEP;
	return (double)cached->drain_phase < share * 0x1p32;
}

static struct routed_backend *
pick_backend(struct attempt *attempt, struct cached_service *cached)
{
	struct router *router = attempt->router;
	struct balance balance = {
		.config = &router->config,
		.random = &router->random,
		.query = attempt->query,
		.spec = &cached->service.spec,
		.candidates = router->records.candidates,
	};
	struct line_up line;

	line_up(attempt, &cached->service, &line);
	if (line.trial != NULL) {
		attempt->choice->is_trial = true;
		return line.trial;
	}
	if (line.count == 0)
		return NULL;
	if (line.is_all_draining &&
	    (attempt->is_drained || !drain_admits(cached, &line))) {
		attempt->is_drained = true;
		refuse(attempt, REFUSED_DRAINING);
		return NULL;
	}
	balance.count = line.count;
	return balance_pick(&balance);
}

/* From the outside in ---------------------------------------------------- */

static bool
try_service(struct attempt *attempt, uint32_t slot)
{
	struct cached_service *cached =
	    records_service(&attempt->router->records, slot);
	struct route_choice *choice = attempt->choice;
	const struct condition_spec *seen = choice->condition;
	struct routed_backend *backend = NULL;

	if (cached == NULL)
		return false;
	if (!cached->service.has_condition ||
	    passes(attempt, &cached->service.spec.condition, &cached->draw))
		backend = pick_backend(attempt, cached);
	/* The condition that is told of is part of what is shown. */
	if (backend != NULL || choice->service == NULL ||
	    choice->condition != seen)
		show_service(attempt, cached);
	if (backend == NULL)
		return false;
	choice->backend = backend;
	choice->condition = NULL;
	choice->refusal = REFUSED_NOT;
	return true;
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
		if (try_service(attempt, spec->targets[best].service)) {
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

		if (!passes(attempt, &cached->route.spec.condition,
		    &cached->draw)) {
			if (attempt->choice->condition != seen)
				show_route(attempt, cached);
			return false;
		}
	}
	spec = &cached->route.spec;
	if (spec->target_count == 1 && spec->targets[0].weight > 0)
		has_backend = try_service(attempt, spec->targets[0].service);
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

static bool
try_path(struct attempt *attempt, struct cached_path *path)
{
	for (int tier = TIER_PROVEN; tier < TIER_COUNT; tier++) {
		attempt->tier = (enum backend_tier)tier;
		if (tier != TIER_PROVEN &&
		    (attempt->tiers_seen & 1u << tier) == 0)
			continue;
		if (path->route_count == 1 ?
		    try_route(attempt, path->turns[0].slot) :
		    try_shared(attempt, path))
			return true;
	}
	if (attempt->choice->route == NULL) /* nobody behind it had a weight */
		(void)try_route(attempt, path->turns[0].slot);
	return false;
}

static enum route_refusal
refusal_of_lookup(enum table_result result)
{
	return result == TABLE_ABSENT ? REFUSED_NO_ROUTE : REFUSED_TABLE;
}

/*
 * One look at the table.  Returns false when the table changed while
 * records were read from it, so that they may not belong together.
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
	struct cached_path *path;

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
	path = records_path(records, choice->match.entry,
	    choice->match.version);
	if (path != NULL && path->route_count > 0)
		(void)try_path(attempt, path);
	if (choice->backend == NULL && choice->refusal == REFUSED_NOT)
		choice->refusal = records->has_failed ? REFUSED_TABLE :
		    REFUSED_NO_BACKEND;
	return records->read_count == read_count ||
	    route_table_change_count(records->table) == change_count;
}

static void
choose(struct attempt *attempt)
{
	for (int tries = 0; tries < CHOOSE_TRIES_MAX; tries++) {
		if (choose_once(attempt))
			return;
		router_release(attempt->router, attempt->choice);
	}
	attempt->choice->refusal = REFUSED_TABLE;
}

void
router_choose(struct router *router, const struct route_query *query,
    struct instant now, struct route_choice *choice_r)
{
	struct attempt attempt = {
		.router = router,
		.query = query,
		.now = now,
		.choice = choice_r,
	};

	choose(&attempt);
}

/* Another of the same service, of the tiers that are not suspect.  While
 * the route stands as it was, its service's slot has no other tenant. */
static bool
choose_same_service(struct attempt *attempt, const struct route_choice *old)
{
	if (old->service == NULL || old->route == NULL ||
	    old->route->version != route_table_route_version(
	    attempt->router->config.table, old->route->slot))
		return false;
	for (int tier = TIER_PROVEN; tier < TIER_SUSPECT; tier++) {
		attempt->tier = (enum backend_tier)tier;
		if (!try_service(attempt, old->service->slot))
			continue;
		show_route(attempt, cached_route_of(old->route));
		attempt->choice->match = old->match;
		return true;
	}
	router_release(attempt->router, attempt->choice);
	return false;
}

bool
router_choose_other(struct router *router, const struct route_query *query,
    const uint32_t *tried, uint32_t tried_count, struct instant now,
    struct route_choice *choice)
{
	struct route_choice other = { .refusal = REFUSED_NOT };
	struct attempt attempt = {
		.router = router,
		.query = query,
		.tried = tried,
		.tried_count = tried_count,
		.now = now,
		.is_retry = true,
		.choice = &other,
	};

	if (!choose_same_service(&attempt, choice))
		choose(&attempt);
	if (other.backend == NULL) {
		router_release(router, &other);
		return false;
	}
	router_release(router, choice);
	*choice = other;
	return true;
}

/* Drains ----------------------------------------------------------------- */

static struct instant
earlier(struct instant a, struct instant b)
{
	if (a.ns == 0 || (b.ns != 0 && b.ns < a.ns))
		return b;
	return a;
}

struct instant
router_drain_end(struct router *router, const struct route_choice *choice)
{
	const struct cached_route *route;
	const struct cached_service *service;
	struct instant end = { 0 };

	if (choice->route == NULL || choice->backend == NULL)
		return end;
	route = records_route(&router->records, choice->route->slot);
	if (route != NULL && route->route.spec.id == choice->route->spec.id)
		end = condition_drain_end(&route->route.spec.condition);
	service = records_service(&router->records, choice->service->slot);
	if (service == NULL || !bytes_equal(service->service.spec.name,
	    choice->service->spec.name))
		return end;
	end = earlier(end,
	    condition_drain_end(&service->service.spec.condition));
	for (uint32_t i = 0; i < service->service.spec.backend_count; i++) {
		const struct routed_backend *backend =
		    &service->service.backends[i];

		if (backend->slot == choice->backend->slot &&
		    backend->spec.id == choice->backend->spec.id)
			end = earlier(end,
			    condition_drain_end(&backend->spec.condition));
	}
	return end;
}

/* What this process saw -------------------------------------------------- */

/* The backend of a choice in the version of its service that is kept now;
 * NULL when that is the choice's own or has no such tenant. */
static struct routed_backend *
kept_twin(struct router *router, const struct route_choice *choice)
{
	struct cached_service *kept;

	kept = records_kept_service(&router->records, choice->service->slot);
	if (kept == NULL || &kept->service == choice->service)
		return NULL;
	for (uint32_t i = 0; i < kept->service.spec.backend_count; i++) {
		struct routed_backend *backend = &kept->service.backends[i];

		if (backend->slot == choice->backend->slot &&
		    backend->generation == choice->backend->generation)
			return backend;
	}
	return NULL;
}

static void
set_suspect(struct router *router, const struct route_choice *choice,
    struct instant until)
{
	struct routed_backend *twin;

	if (choice->backend == NULL)
		return;
	choice->backend->suspect_until = until;
	if ((twin = kept_twin(router, choice)) != NULL)
		twin->suspect_until = until;
}

void
router_note_failure(struct router *router, const struct route_choice *choice,
    struct instant now)
{
	set_suspect(router, choice,
	    instant_after_ms(now, router->config.suspect_ms));
}

void
router_note_success(struct router *router, const struct route_choice *choice)
{
	set_suspect(router, choice, (struct instant){ 0 });
}
