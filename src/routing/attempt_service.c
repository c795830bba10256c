/*
 * routing/attempt_service.c - one attempt's part in a service: whom of its
 * backends it takes, and what stands in the way.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/attempt.h"
#include "routing/balance.h"
#include "routing/condition.h"
#include "routing/records.h"
#include "routing/router_state.h"
#include "routing/standing.h"

/* 2^32 divided by the golden ratio. */
#define GOLDEN_STEP UINT32_C(0x9e3779b9)

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

bool
attempt_passes(struct attempt *attempt, const struct condition_spec *condition,
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

/*
 * Of a service with more than WHOLE_MAX backends, PART_SIZE that stand side
 * by side are looked at, another part each time, so that a choice costs the
 * same for a hundred backends and for ten thousand.  A part is drawn as
 * often as the weights in it say, and taken as often as they can be taken
 * (von Neumann's rejection), so that shares are those of a small service.
 * Where PARTS_MAX parts in a row were not taken, all are looked at.
 */
#define WHOLE_MAX 64
#define PART_SIZE 16
#define PARTS_MAX 8
#define DRAWS_MAX 32

struct part {
	uint32_t first, end;
};

static struct part
whole(const struct routed_service *service)
{
	return (struct part){ 0, service->spec.backend_count };
}

/* A hash must look at all to find its own. */
static bool
is_in_parts(const struct cached_service *cached)
{
	const struct service_spec *spec = &cached->service.spec;

	return spec->backend_count > WHOLE_MAX && cached->weight_max > 0 &&
	    spec->policy != BALANCE_HASH_CLIENT &&
	    spec->policy != BALANCE_HASH_HEADER;
}

/* That of a backend that is drawn by weight: drawn evenly, and taken as
 * often as its weight is in the greatest.  Where hardly any is, all. */
static struct part
draw_part(struct attempt *attempt, const struct cached_service *cached)
{
	const struct routed_service *service = &cached->service;
	struct random_stream *random = &attempt->router->random;
	uint32_t count = service->spec.backend_count;

	for (int i = 0; i < DRAWS_MAX; i++) {
		uint32_t drawn = random_below(random, count);
		uint32_t first = drawn - drawn % PART_SIZE;

		if (random_below(random, cached->weight_max) >=
		    service->backends[drawn].spec.weight)
			continue;
		return (struct part){ first,
			count - first < PART_SIZE ? count : first + PART_SIZE };
	}
	return whole(service);
}

static int64_t
weight_of(const struct routed_service *service, const struct part *part)
{
	int64_t sum = 0;

	for (uint32_t i = part->first; i < part->end; i++)
		sum += service->backends[i].spec.weight;
	return sum * WEIGHT_UNIT;
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
    struct part part, struct line_up *line)
{
	struct candidate *candidates = attempt->router->records.candidates;
	const struct standing_query query = { &attempt->query->client,
		attempt->now };

	*line = (struct line_up){ .is_all_draining = true };
	for (uint32_t i = part.first; i < part.end; i++) {
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

/* As often as the weight that can be taken is in that of the part. */
static bool
is_taken(struct attempt *attempt, const struct line_up *line, int64_t weight)
{
	uint64_t random;

	if (line->weight_sum >= weight)
		return line->count > 0;
	random = random_next(&attempt->router->random);
	return (int64_t)(random % (uint64_t)weight) < line->weight_sum;
}

static void
line_up_some(struct attempt *attempt, const struct cached_service *cached,
    struct line_up *line)
{
	const struct routed_service *service = &cached->service;
	int parts = is_in_parts(cached) ? PARTS_MAX : 0;

	for (; parts > 0; parts--) {
		struct part part = draw_part(attempt, cached);

		line_up(attempt, service, part, line);
		if (line->trial != NULL ||
		    is_taken(attempt, line, weight_of(service, &part)))
			return;
	}
	line_up(attempt, service, whole(service), line);
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

	line_up_some(attempt, cached, &line);
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

/* As show_route() does for the route. */
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

bool
attempt_try_service(struct attempt *attempt, uint32_t slot)
{
	struct cached_service *cached =
	    records_service(&attempt->router->records, slot);
	struct route_choice *choice = attempt->choice;
	const struct condition_spec *seen = choice->condition;
	struct routed_backend *backend = NULL;

	if (cached == NULL)
		return false;
	if (!cached->service.has_condition ||
	    attempt_passes(attempt, &cached->service.spec.condition,
	    &cached->draw))
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
