/*
 * ctl/ask.h - asking the admin API, with failures told to the person.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "common/json.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

/*
 * Asks.  An answer that is JSON and no problem (RFC 9457) is left in
 * answer_r->body and *doc_r; *doc_r is NULL where there is nothing to
 * show.  Why it went wrong is on standard error by then.  Both are to be
 * given back with ctl_answer_free() in any case.
 */
enum ctl_exit ctl_ask(const struct ctl *, const char *method,
    const char *target, struct bytes body, struct client_answer *answer_r,
    struct json_doc **doc_r);

/* Prints the answer as it came, or as lines (api_verbs.c). */
void ctl_show(const struct ctl *, const struct client_answer *,
    const struct json_doc *);

void ctl_answer_free(struct client_answer *, struct json_doc **);

#endif
