/*
 * routing/standing.c - may this backend be taken now, and how gladly?
 */
/* SPDX-License-Identifier: ISC */
#include "routing/standing.h"

/* The weight in units that a drain leaves: a straight line to nothing. */
static int64_t
drained_weight(const struct router_config *config,
    const struct routed_backend *backend, struct instant now)
{
	const struct health_detail *detail =
	    health_detail(config->health, backend->slot);
	int64_t start_ns, span_ns, left_ns;

	if (detail == NULL)
		return 0;
	start_ns = atomic_load_explicit(&detail->drain_start_ns,
	    memory_order_relaxed);
	span_ns = atomic_load_explicit(&detail->drain_span_ms,
	    memory_order_relaxed) * NS_PER_MS;
	left_ns = start_ns + span_ns - now.ns;
	if (span_ns <= 0 || left_ns <= 0)
		return 0;
	if (left_ns > span_ns)
		left_ns = span_ns;
	return (int64_t)((double)backend->spec.weight * WEIGHT_UNIT *
	    ((double)left_ns / (double)span_ns));
}

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
    const struct routed_backend *backend, const struct standing *standing)
{
	uint32_t flags = standing->flags;

	if ((flags & HEALTH_MAINTENANCE) != 0)
		return REFUSED_MAINTENANCE;
	if ((flags & HEALTH_DRAIN) != 0 && standing->weight == 0 &&
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
    const struct routed_backend *backend, struct instant now)
{
	struct standing standing = {
		.weight = (int64_t)backend->spec.weight * WEIGHT_UNIT,
	};

	if (config->health != NULL)
		standing.flags = health_get(config->health, backend->slot,
		    backend->generation);
	if ((standing.flags & HEALTH_DRAIN) != 0)
		standing.weight = drained_weight(config, backend, now);
	standing.refusal = refusal_of(config, backend, &standing);
	standing.is_half_open = standing.refusal == REFUSED_BREAKER &&
	    (standing.flags & HEALTH_HALF_OPEN) != 0 &&
	    (standing.flags & HEALTH_DOWN) == 0 && standing.weight > 0;
	standing.tier = tier_of(spec, backend, standing.flags, now);
	return standing;
}
