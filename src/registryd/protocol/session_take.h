/*
 * registryd/protocol/session_take.h - sessions that another sluice had.
 *
 * Their client came to us, or the sluice that had them is gone for longer
 * than the grace.  All of the session is read from the store; then it is
 * ours, by a write that is a conflict if a third one was faster.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_SESSION_TAKE_H
#define REGISTRYD_PROTOCOL_SESSION_TAKE_H

#include "registryd/protocol/session.h"

struct taking;

/*
 * RECONNECT of a session that is not ours, maybe nobody's.  fault NULL:
 * it is ours now, or there is none (session NULL); else the error's text.
 * is_again: somebody else was at it; ask again when something is over.
 */
struct taking_outcome {
	struct session *session;
	const char *fault;
	bool is_again;
};
typedef void taking_done_fn(void *context, const struct taking_outcome *);

/* 0, or -1 when it cannot be asked for: done does not come. */
MUST_CHECK int session_take(struct protocol *, const char *key,
    taking_done_fn *done, void *context);

/* Once a second, of a session that another has: takes it when that one is
 * gone for long enough. */
void session_check_orphan(struct session *, struct instant now);

/* Ends all, without a word. */
void taking_end_all(struct protocol *);

#endif
