/*
 * registryd/control.h - orders of maintenance and drain.
 *
 * An order is a change of the object that it is about: planned into a
 * write like any other, so that it is one commit, one generation, one
 * row of history, and workers obey when the write is answered.
 *
 * Ends come by themselves: maintenance with an end is taken back, and a
 * drain that is complete gets its outcome, by a write of channel
 * "clock", by a timer here.  Workers go by the clock alone; the timer
 * only makes the store say what is so already.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_CONTROL_H
#define REGISTRYD_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/compat.h"
#include "registryd/model.h"
#include "registryd/write_queue.h"

struct registry;

enum control_verb {
	CONTROL_MAINTENANCE_ENTER,
	CONTROL_MAINTENANCE_EXIT,
	CONTROL_DRAIN_START,
	CONTROL_DRAIN_CANCEL,
};

/* Strings are borrowed; NULL is "". */
struct control_order {
	enum control_verb verb;
	const char *who, *reason;
	const char *page_url, *allow;	/* of CONTROL_MAINTENANCE_ENTER */
	int64_t until_wall_ms;		/* likewise; 0: until told */
	int64_t span_ms;		/* of CONTROL_DRAIN_START */
};

/* Whom it is about: a service by name, others by id. */
struct control_target {
	enum object_kind kind;
	const char *name;
	uint64_t id;
};

/* NULL: there is no such object. */
const struct condition *control_condition(const struct model *,
    const struct control_target *);

/*
 * Adds the order to a write.  What is ordered already is no change; a
 * drain that is on goes on as it was when its span is the same, and
 * begins anew when not.  0, or -1 with write->problem (404, 422).
 */
MUST_CHECK int control_plan(struct write *, const struct model *,
    const struct control_target *, const struct control_order *);

/* The same to all services, as one change. */
MUST_CHECK int control_plan_all(struct write *, const struct model *,
    const struct control_order *);

/* What is in flight at a target now. */
struct control_load {
	uint64_t in_flight;		/* tunnels, too */
	uint64_t tunnels;
	int64_t oldest_ms;		/* age of the oldest; 0: none known */
};
void control_measure(const struct registry *, const struct control_target *,
    struct control_load *load_r);

/* The timer of ends.  After every publication: when is the next? */
MUST_CHECK int control_start(struct registry *);
void control_stop(struct registry *);
void control_schedule(struct registry *);

#endif
