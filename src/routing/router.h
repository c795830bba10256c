/*
 * routing/router.h - from a request to a backend.
 *
 * The decision itself, shared by the worker, which obeys it, and by
 * registryd, which explains it: the same functions on the same segment.
 * One router a process; it keeps decoded routes and services and reads
 * the table again only when a record's version has changed.  Nothing
 * here blocks, logs, or makes a system call.
 *
 * Lifetime: routes and services are counted references.  What a match
 * or a choice points to is good until router_release_*(); a newer
 * version in the table makes the router drop its own reference only.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_ROUTER_H
#define ROUTING_ROUTER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/compat.h"
#include "shm/health.h"
#include "shm/limits.h"
#include "shm/route_table.h"

struct router;

/* In-flight requests of a backend, over all workers where that is known. */
typedef uint32_t router_in_flight_fn(void *context, uint32_t backend_slot,
    uint64_t backend_id);

/* Takes a trial of a half-open backend, if one of max is left to take. */
typedef bool router_trial_fn(void *context, const struct limit_trial *,
    uint32_t max);

struct router_config {
	const struct route_table *table;
	const struct health_map *health; /* NULL: all unjudged */
	router_in_flight_fn *in_flight;	/* NULL: all zero */
	router_trial_fn *take_trial;	/* NULL: half-open takes nothing */
	void *context;			/* of both */
	uint64_t seed;			/* of the random choices */
	int64_t suspect_ms;		/* how long a failure keeps one off */
	uint32_t cache_max;		/* records of a kind; 0: as many as
					 * do well */
};

MUST_CHECK int router_new(const struct router_config *,
    struct router **router_r);
void router_free(struct router **);

/* A backend as a decoded service holds it. */
struct routed_backend {
	uint32_t slot, generation;
	struct backend_spec spec;
	bool has_condition;		/* spec.condition says something */
	struct instant suspect_until;	/* this process saw it fail */
	void *user;			/* the owner's, e.g. its address; see
					 * router_set_drop_user */
	/* what follows is the router's own */
	int64_t smooth_weight;		/* of round robin */
	uint64_t address_hash;		/* of consistent hashing */
	bool has_handed_user_on;	/* a newer version owns user */
};

struct routed_service {
	uint32_t slot, version;
	bool has_condition;
	struct service_spec spec;	/* spec.backends is NULL */
	struct routed_backend *backends; /* spec.backend_count */
};

struct routed_route {
	uint32_t slot, version;
	bool has_condition;
	struct route_spec spec;
};

/* What the decision looks at, and nothing of HTTP's version. */
struct route_query {
	uint32_t space;			/* the listener's */
	struct bytes host, path;	/* as route_table_lookup() wants them */
	struct in6_addr client;		/* IPv4 mapped */
	/* The value of a request field by its lower-case name; may be NULL
	 * (no fields). */
	struct bytes (*field)(const void *request, struct bytes name);
	const void *request;
};

/*
 * Why there is no backend, in the order of precedence: of the reasons of
 * several backends the first wins.  But where one is only full, that is
 * the reason, whatever is wrong with the others: a page of maintenance is
 * for when none is left, and a full one will be free again.
 */
enum route_refusal {
	REFUSED_NOT,			/* there is a backend */
	REFUSED_NO_ROUTE,		/* 404 */
	REFUSED_MAINTENANCE,		/* 503, the page */
	REFUSED_DRAINING,		/* 503, Draining */
	REFUSED_BREAKER,		/* 503 */
	REFUSED_UNHEALTHY,		/* 503: all are down */
	REFUSED_NO_BACKEND,		/* 503: the service has none */
	REFUSED_BUSY,			/* 503: those left at max_connections */
	REFUSED_TABLE,			/* 503: the table could not be read */
};

/* The stable short word for logs: "no_route", "no_healthy_backend", ... */
const char *route_refusal_word(enum route_refusal);

struct route_choice {
	enum route_refusal refusal;
	struct path_match match;	/* unless REFUSED_NO_ROUTE */
	struct routed_route *route;	/* NULL when there is none */
	struct routed_service *service;
	struct routed_backend *backend;	/* of service; NULL when refused */
	bool is_trial;			/* of a half-open breaker */
	uint32_t trial_round;		/* of such a trial */
	/* REFUSED_MAINTENANCE: the first that ordered it, for its page */
	const struct condition_spec *condition;
};

/*
 * Decides for a request: route, service, backend.
 *
 * Of routes that share a path one is taken in turn, by the sum of their
 * backends' weights; of a route's targets one by weight; of the
 * service's backends one by its policy among the best tier that has any:
 * proven up, then unproven, then suspect; never one that is down, in
 * maintenance, or has an open breaker or no weight.  When the one taken
 * has nobody of a tier to serve, the others that share are tried, and
 * only then the next tier.  A backend whose service is not probed can
 * not be proven, and counts as proven.
 *
 * Of a service with more than 64 backends, 16 that stand side by side are
 * looked at for each choice, drawn by what of their weights can be taken;
 * all of them only where hardly any can, and where the policy is a hash.
 *
 * What is in maintenance takes nothing but from those whom its list
 * lets pass; what else can serve does.
 *
 * A draining backend's weight falls on a straight line; where nobody
 * else can take its share, that share is REFUSED_DRAINING, dealt out by a
 * low-discrepancy sequence.  So is the share of a draining route or
 * service, where no other route or target takes it.
 *
 * The references of *choice_r are the caller's; router_release() gives
 * them back.  A refused choice also holds route and service where they
 * are known.
 */
void router_choose(struct router *, const struct route_query *,
    struct instant now, struct route_choice *choice_r);

/*
 * Chooses another backend for the same request, never one of the slots
 * tried: first of the same service, then of the route's other targets,
 * then of the other routes that share the path.  Replaces what *choice
 * holds, perhaps the route too: its strip_prefix and header edits count.
 * Returns false, with *choice as it was, when there is no other.
 */
bool router_choose_other(struct router *, const struct route_query *,
    const uint32_t *tried, uint32_t tried_count, struct instant now,
    struct route_choice *choice);

/*
 * When the nearest drain of the route, the service or the backend of a
 * choice is complete, by the table as it is now; ns 0: none drains.
 */
struct instant router_drain_end(struct router *, const struct route_choice *);

/* Gives the references back; *choice is zeroed. */
void router_release(struct router *, struct route_choice *choice);

/* This process saw the backend fail (or answer): it is used only where
 * no better one is, for suspect_ms or until it answers. */
void router_note_failure(struct router *, const struct route_choice *,
    struct instant now);
void router_note_success(struct router *, const struct route_choice *);

/*
 * What becomes of every routed_backend's user pointer when its service is
 * dropped.  It is carried over to the next version of a service for a
 * backend of the same slot and generation, and stays good in older
 * versions as long as those are held.  Set it once, when it is NULL.
 */
typedef void router_drop_user_fn(void *context, void *user);
void router_set_drop_user(struct router *, router_drop_user_fn *,
    void *context);

/* Explaining ------------------------------------------------------------- */

/* Why one backend may or may not be taken now; "" where it may. */
struct backend_standing {
	uint32_t slot;
	uint64_t id;
	uint32_t flags;			/* health word; 0 unjudged */
	bool is_eligible;
	double share_left;		/* by its drain; 1: it does not drain */
	bool in_maintenance;
	uint32_t trial_round;
	const char *tier;		/* "proven", "unproven", "suspect",
					 * or "none" */
	const char *why;		/* "maintenance", "down", ... or "" */
};

/* Fills up to max standings for a service's backends, as a client would
 * find them (NULL: any); returns how many. */
uint32_t router_explain_service(struct router *, const struct routed_service *,
    const struct in6_addr *client, struct instant now,
    struct backend_standing *standings, uint32_t max);

/* The decoded route or service of a slot, a counted reference; NULL when
 * absent.  router_put_* gives back. */
struct routed_route *router_get_route(struct router *, uint32_t slot);
struct routed_service *router_get_service(struct router *, uint32_t slot);
void router_put_route(struct router *, struct routed_route *);
void router_put_service(struct router *, struct routed_service *);

#endif
