/*
 * routing/explain.c - the decision in words, for people and logs.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/condition.h"
#include "routing/router.h"
#include "routing/router_state.h"
#include "routing/standing.h"

const char *
route_refusal_word(enum route_refusal refusal)
{
	switch (refusal) {
	case REFUSED_NOT:
		return "";
	case REFUSED_NO_ROUTE:
		return "no_route";
	case REFUSED_MAINTENANCE:
		return "maintenance";
	case REFUSED_DRAINING:
		return "draining";
	case REFUSED_BREAKER:
		return "breaker_open";
	case REFUSED_UNHEALTHY:
		return "no_healthy_backend";
	case REFUSED_NO_BACKEND:
		return "no_backend";
	case REFUSED_BUSY:
		return "backends_busy";
	case REFUSED_TABLE:
		return "table_unreadable";
	}
	return "unknown";
}

static const char *
tier_name(const struct standing *standing)
{
	if (standing->refusal != REFUSED_NOT)
		return "none";
	switch (standing->tier) {
	case TIER_PROVEN:
		return "proven";
	case TIER_UNPROVEN:
		return "unproven";
	case TIER_SUSPECT:
		return "suspect";
	case TIER_COUNT:
		break;
	}
	return "none";
}

static const char *
why_not(const struct standing *standing)
{
	switch (standing->refusal) {
	case REFUSED_MAINTENANCE:
		return "maintenance";
	case REFUSED_DRAINING:
		return "drained";
	case REFUSED_BREAKER:
		return standing->is_half_open ? "breaker half-open" :
		    "breaker open";
	case REFUSED_UNHEALTHY:
		return "down";
	case REFUSED_NO_BACKEND:
		return "weight 0";
	case REFUSED_BUSY:
		return "max_connections reached";
	case REFUSED_NOT:
	case REFUSED_NO_ROUTE:
	case REFUSED_TABLE:
		break;
	}
	return "";
}

uint32_t
router_explain_service(struct router *router,
    const struct routed_service *service, const struct in6_addr *client,
    struct instant now, struct backend_standing *standings, uint32_t max)
{
	const struct standing_query query = { client, now };
	const struct router_config *config = &router->config;
	uint32_t count = service->spec.backend_count;

	if (count > max)
		count = max;
	for (uint32_t i = 0; i < count; i++) {
		const struct routed_backend *backend = &service->backends[i];
		struct standing standing = standing_of(config, &service->spec,
		    backend, &query);

		standings[i] = (struct backend_standing){
			.slot = backend->slot,
			.id = backend->spec.id,
			.flags = standing.flags,
			.is_eligible = standing.refusal == REFUSED_NOT,
			.share_left = condition_share_left(
			    &backend->spec.condition, now),
			.in_maintenance = condition_keeps_out(
			    &backend->spec.condition, NULL, now),
			.trial_round = config->health == NULL ? 0 :
			    health_round(config->health, backend->slot,
			    backend->generation),
			.tier = tier_name(&standing),
			.why = why_not(&standing),
		};
	}
	return count;
}
