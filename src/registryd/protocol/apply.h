/*
 * registryd/protocol/apply.h - from what sessions want to what is served.
 *
 * Every change is one write (write_queue.h): one commit, one generation,
 * with the notes of the session in the same transaction.  A session that
 * is written is ours thereafter; it fails if the session is not, by then,
 * whose we took it to be.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_APPLY_H
#define REGISTRYD_PROTOCOL_APPLY_H

#include "registryd/protocol/place.h"
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

#endif
