/*
 * registryd/protocol/poll.h - asking URLs each second until all answer.
 *
 * After MAINT_ENTER the page, after MAINT_EXIT the backends; then the
 * session hears MAINT_OK|target, or after 60 rounds the error.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_PROTOCOL_POLL_H
#define REGISTRYD_PROTOCOL_POLL_H

#include "registryd/protocol/session.h"

struct poll_order {
	struct session *session;
	struct bytes target;
	bool is_page;			/* an answer from 500 on is none */
	const char *fault;		/* after the last round */
};

/*
 * Begins; urls are taken from (and freed) in any case.  A poll of the
 * session for the same target that is under way ends without a word.
 * When out of memory the session is told MAINT_OK at once.
 */
void poll_start(const struct poll_order *, char **urls, uint32_t count);

/* Ends all polls, without a word. */
void poll_end_all(struct protocol *);

#endif
