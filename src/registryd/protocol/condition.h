/*
 * registryd/protocol/condition.h - maintenance and drain of a session's
 * backends, at once.
 *
 * One write: the backends that the session's active routes have, each
 * with the order in its condition (store/object.h).  Workers obey what
 * the table then says.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_CONDITION_H
#define REGISTRYD_PROTOCOL_CONDITION_H

#include "registryd/protocol/session.h"

struct model;
struct model_backend;

enum condition_verb {
	CONDITION_ENTER_MAINTENANCE,
	CONDITION_EXIT_MAINTENANCE,
	CONDITION_START_DRAIN,
	CONDITION_CANCEL_DRAIN,
};

struct condition_order {
	enum condition_verb verb;
	struct session *session;
	struct bytes target;		/* copied */
	struct bytes page_url;		/* copied; may be empty */
	int64_t at_wall_ms, span_ms;	/* of a drain */
	struct note_changes *notes;	/* to go with it, taken; or NULL */
	/* fault NULL: done; else the error's text */
	void (*done)(void *context, const char *fault);
	void *context;
};

/* 0, or -1 when out of memory: done does not come, the notes are the
 * caller's still. */
MUST_CHECK int condition_submit(const struct condition_order *);

/* Walks the backends of the session's active routes that target means;
 * a backend of several routes comes once for each.  Start with a zeroed
 * walk; NULL at the end. */
struct backend_walk {
	uint32_t route, host;
	const struct session_route *at;	/* the route of what was returned */
};

const struct model_backend *backend_walk_next(struct backend_walk *,
    const struct model *, const struct session *, struct bytes target);

/* Whether each part of the target means an active route. */
bool session_has_target(const struct session *, struct bytes target);

#endif
