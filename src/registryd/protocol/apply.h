/*
 * registryd/protocol/apply.h - from what sessions want to what is served.
 *
 * A session's route at a (domain, path) is a place, and a place is one
 * service and one route of the model, named after both; the sessions of
 * one service that want the same place each bring a backend to it.
 *
 * Every change is one write (write_queue.h): one commit, one generation,
 * with the notes of the session in the same transaction.  A session that
 * is written is ours thereafter; it fails if the session is not, by then,
 * whose we took it to be.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_APPLY_H
#define REGISTRYD_PROTOCOL_APPLY_H

#include "registryd/protocol/session.h"
#include "registryd/write_queue.h"

enum apply_kind {
	APPLY_TRY,			/* would it go? nothing is changed */
	APPLY_CONFIG,			/* the config becomes active */
	APPLY_REMOVE,			/* the session and its routes go */
	APPLY_ENABLE, APPLY_DISABLE,	/* its backends take requests,
					 * or none */
	APPLY_ADOPT,			/* nothing, but that it is ours */
};

/* fault NULL: done; else the error's text.  The session is still held. */
typedef void apply_done_fn(void *context, const char *fault);

/*
 * Submits; done comes from the loop.  Takes *config (APPLY_TRY and
 * APPLY_CONFIG; NULL otherwise).  cause: why it came by itself.
 * Returns 0, or -1 when out of memory: done does not come.
 */
struct apply_order {
	enum apply_kind kind;
	struct session *session;
	struct session_config *config;
	uint32_t scopes;		/* of APPLY_CONFIG */
	const char *cause;		/* NULL: the client asked for it */
	apply_done_fn *done;
	void *context;
};

MUST_CHECK int apply_submit(const struct apply_order *);

/* place.c: names ---------------------------------------------------------- */

#define PLACE_NAME_SIZE 256

/* The name of the service at a place: "billing@shop.example:api:v1".
 * Returns 0, or -1 when it would be too long. */
MUST_CHECK int place_name(const char *service, const char *host,
    const char *prefix, char name[PLACE_NAME_SIZE]);

/* The service that sessions know, of such a name: "billing". */
void place_owner(const char *name, char owner[PLACE_NAME_SIZE]);

/* place.c: a place's objects ---------------------------------------------- */

struct place {
	const char *service, *host, *prefix;
	const struct session_route *route; /* whose fault it is */
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
};

/* Plans what the place is to be.  0, or -1 with write->problem. */
MUST_CHECK int place_plan(const struct place_plan *, const struct place *);

/* The backend of the model that a session's route has at a place; NULL:
 * none yet. */
const struct model_backend *place_backend(const struct model *,
    const char *service, const char *host, const struct session_route *);
const struct model_route *place_route(const struct model *,
    const char *service, const char *host, const struct session_route *);

#endif
