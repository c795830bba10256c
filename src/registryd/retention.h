/*
 * registryd/retention.h - history ends: by age and by size.
 *
 * Looks every ten minutes, after a reload and after many changes, how much
 * history there is; what is over store.history_age or store.history_rows
 * goes, in small steps with pauses, so that no change waits for it.  Of
 * several sluices on one store one at a time does it.  What some sluice
 * has yet to follow stays.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_RETENTION_H
#define REGISTRYD_RETENTION_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "registryd/store/store.h"

struct registry;

struct retention {
	ev_timer look, step;
	bool is_looking;		/* a look and its steps are on */
	bool is_pruned;			/* it had its steps */
	int64_t cutoff_wall_ms;		/* what is older goes; 0: nothing */
	bool was_measured;
	struct store_extent extent;	/* as it was measured last */
	uint64_t measured_generation;
	uint64_t pruned_count;		/* rows, by us, since we started */
};

void retention_start(struct registry *);
void retention_stop(struct registry *);
/* The settings changed: looks at once. */
void retention_reload(struct registry *);
/* A generation was published. */
void retention_note(struct registry *);

#endif
