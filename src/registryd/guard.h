/*
 * registryd/guard.h - no accident empties the table.
 *
 * A change that would remove more than store.max_shrink percent of what is
 * routed at once, of at least GUARD_ROUTES_MIN, is not carried out until
 * an operator says so.  From the store, that is counted in paths, so that
 * a service that registered again is no loss; from the API, in routes.
 *
 * What comes from the store is held: the table and the model stand, writes
 * are refused, and the store is read again now and then, in case it was
 * mended.  What is asked of the API is refused unless it says force.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_GUARD_H
#define REGISTRYD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/settings.h"
#include "registryd/model.h"
#include "shm/route_table.h"

#define GUARD_ROUTES_MIN 10

struct guard_loss {
	size_t routed, removed;		/* without static ones */
};

struct guard {
	bool is_held;
	uint64_t generation;		/* what is held */
	struct guard_loss loss;
	bool is_accepted;		/* the above, and no more than that */
	uint64_t held_count;		/* how often it began to hold */
};

bool guard_is_too_much(const struct settings *, const struct guard_loss *);

/* What the table has and the model has not.  Costs the table. */
void guard_compare(const struct model *, const struct route_table *,
    struct guard_loss *loss_r);

/*
 * Whether a model that was loaded may be taken; keeps what is held, and
 * logs each change of that.
 */
bool guard_lets_through(struct guard *, const struct settings *,
    const struct model *, const struct route_table *);

/* One sentence about what is held. */
#define GUARD_TEXT_SIZE 160
void guard_describe(const struct guard *, char text[GUARD_TEXT_SIZE]);

#endif
