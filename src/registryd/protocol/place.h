/*
 * registryd/protocol/place.h - what stands at a (service, domain, path).
 *
 * A session's route at a (domain, path) is a place, and a place is one
 * service and one route of the model, named after both; the sessions of
 * one service that want the same place each bring a backend to it.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_PLACE_H
#define REGISTRYD_PROTOCOL_PLACE_H

#include "registryd/protocol/session.h"
#include "registryd/write_queue.h"

/* place_name.c ------------------------------------------------------------ */

#define PLACE_NAME_SIZE 256

/* The name of the service at a place: "billing@shop.example:api:v1".
 * Returns 0, or -1 when it would be too long. */
MUST_CHECK int place_name(const char *service, const char *host,
    const char *prefix, char name[PLACE_NAME_SIZE]);

/* The service that sessions know, of such a name: "billing". */
void place_owner(const char *name, char owner[PLACE_NAME_SIZE]);

/* The backend of the model that a session's route has at a place; NULL:
 * none yet. */
const struct model_backend *place_backend(const struct model *,
    const char *service, const char *host, const struct session_route *);
const struct model_route *place_route(const struct model *,
    const char *service, const char *host, const struct session_route *);
/* The sessions' own route among those that lead to the service. */
const struct model_route *place_route_of(const struct model_service *);

/* place_index.c ----------------------------------------------------------- */

struct place {
	const char *host, *prefix;
	const struct session_route *route; /* whose fault it is */
};

/* One session's route at a place. */
struct place_member {
	const struct session *session;
	const struct session_config *config;
	const struct session_route *route;
	bool is_disabled;
	const char *host;		/* of the place */
	uint32_t next;			/* of its bucket, plus one */
};

/* All places of one service, found by host and prefix. */
struct place_index {
	struct place_member *list;
	uint32_t count, size;
	uint32_t *buckets;		/* first and last member, plus one */
	uint32_t bucket_count;
};

/* What the write is planned by. */
struct place_plan {
	struct write *write;
	const struct model *model;
	const struct protocol *protocol;
	const struct session *session;
	const struct session_config *config; /* the session's, in place of
					      * its active one; NULL: gone */
	bool is_disabled;		/* as the session will be */
	struct place_index index;
};

/* Of the sessions of the plan's service, as they will be.  0, or -1 when
 * out of memory. */
MUST_CHECK int place_index_make(struct place_plan *);
void place_index_clear(struct place_index *);
/* The next one at the place, in the order of the sessions; NULL: the
 * first.  NULL at the end. */
const struct place_member *place_index_next(const struct place_index *,
    const struct place *, const struct place_member *);

/* place_wish.c: what members want ----------------------------------------- */

/* The wishes of the leader, the one that applied last, count.  0, or -1
 * when out of memory. */
MUST_CHECK int place_wish_service(const struct place_member *leader,
    const char *name, struct service *);
MUST_CHECK int place_wish_route(const struct place_member *leader,
    int32_t priority, const char *name, struct route *);

/* place.c ----------------------------------------------------------------- */

/* Plans what the place is to be.  0, or -1 with write->problem. */
MUST_CHECK int place_plan(const struct place_plan *, const struct place *);

#endif
