/*
 * worker/pages.h - maintenance pages that stand elsewhere.
 *
 * An order of maintenance may name the URL of its page.  It is fetched
 * when a request needs it, once for all that wait, and good for a
 * second, so that a busy service in maintenance is no burden for who
 * serves its page.  What cannot be had is answered by the built-in page.
 */
/* SPDX-License-Identifier: ISC */
#ifndef WORKER_PAGES_H
#define WORKER_PAGES_H

#include <stdbool.h>

#include "common/bytes.h"
#include "common/clock.h"

struct exchange;
struct pages;
struct worker;

/* NULL when out of memory. */
struct pages *pages_new(struct worker *);

/*
 * Answers with the page at url, at once or later, with
 * exchange_answer_page() or, where there is none to be had,
 * exchange_refuse().  False: it cannot be done (out of memory, no URL).
 */
bool pages_answer(struct pages *, struct exchange *, struct bytes url);

/* It waits no longer, if it does. */
void pages_leave(struct exchange *);

/* Frees what nobody asked for lately. */
void pages_sweep(struct pages *, struct instant now);

#endif
