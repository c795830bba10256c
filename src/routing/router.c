/*
 * routing/router.c - from a request to a backend: what others see of it.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/router.h"

#include <stdlib.h>

#include "routing/attempt.h"
#include "routing/condition.h"
#include "routing/records.h"
#include "routing/router_state.h"

/* A shared path may need as many at once. */
#define CACHE_MAX_LEAST (TABLE_SHARED_MAX * TABLE_TARGETS_MAX)

int
router_new(const struct router_config *config, struct router **router_r)
{
	struct router *router;
	uint32_t cache_max = config->cache_max;

	if ((router = calloc(1, sizeof(*router))) == NULL)
		return -1;
	if (cache_max > 0 && cache_max < CACHE_MAX_LEAST)
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

/* Choosing --------------------------------------------------------------- */

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

	attempt_choose(&attempt);
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

	if (!attempt_choose_same_service(&attempt, choice))
		attempt_choose(&attempt);
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
