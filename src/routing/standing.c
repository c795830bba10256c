/*
 * routing/standing.c - may this backend be taken now, and how gladly?
 */
/* SPDX-License-Identifier: ISC */
#include "routing/standing.h"

#include "routing/condition.h"

static bool
is_busy(const struct router_config *config,
    const struct routed_backend *backend)
{
	return backend->spec.max_connections > 0 && config->in_flight != NULL &&
	    config->in_flight(config->context, backend->slot,
	    backend->spec.id) >= backend->spec.max_connections;
}

/* In the order of enum route_refusal. */
static enum route_refusal
refusal_of(const struct router_config *config,
    const struct routed_backend *backend, const struct standing *standing,
    const struct standing_query *query)
{
	uint32_t flags = standing->flags;

	if (backend->has_condition &&
	    condition_keeps_out(&backend->spec.condition, query->client,
	    query->now))
		return REFUSED_MAINTENANCE;
	if (standing->is_draining && standing->weight == 0 &&
	    backend->spec.weight > 0)
		return REFUSED_DRAINING;
	if ((flags & (HEALTH_BREAKER | HEALTH_HALF_OPEN)) != 0)
		return REFUSED_BREAKER;
	if ((flags & HEALTH_DOWN) != 0)
		return REFUSED_UNHEALTHY;
	if (standing->weight == 0)
		return REFUSED_NO_BACKEND;
	if (is_busy(config, backend))
		return REFUSED_BUSY;
	return REFUSED_NOT;
}

static enum backend_tier
tier_of(const struct service_spec *spec, const struct routed_backend *backend,
    uint32_t flags, struct instant now)
{
	if (instant_is_before(now, backend->suspect_until))
		return TIER_SUSPECT;
	if ((flags & HEALTH_UP) != 0 || spec->probe.kind == PROBE_OFF)
		return TIER_PROVEN;
	return TIER_UNPROVEN;
}

struct standing
standing_of(const struct router_config *config, const struct service_spec *spec,
    const struct routed_backend *backend, const struct standing_query *query)
{
	struct standing standing = {
		.weight = (int64_t)backend->spec.weight * WEIGHT_UNIT,
	};

	if (config->health != NULL)
		standing.flags = health_get(config->health, backend->slot,
		    backend->generation);
	if (backend->has_condition &&
	    backend->spec.condition.drain_start_ns != 0) {
		standing.is_draining = true;
		standing.weight = (int64_t)((double)standing.weight *
		    condition_share_left(&backend->spec.condition,
		    query->now));
	}
	standing.refusal = refusal_of(config, backend, &standing, query);
	standing.is_half_open = standing.refusal == REFUSED_BREAKER &&
	    (standing.flags & HEALTH_HALF_OPEN) != 0 &&
	    (standing.flags & HEALTH_DOWN) == 0 && standing.weight > 0;
	standing.tier = tier_of(spec, backend, standing.flags, query->now);
	return standing;
}
