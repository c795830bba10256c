/*
 * registryd/store/instance.h - a sluice among those that share a store.
 *
 * Each writes one row about itself, under a name that no other has, and is
 * stale when it has not done so for as long as it said that it would.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_INSTANCE_H
#define REGISTRYD_STORE_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

struct store_instance {
	const char *name;
	const char *run;		/* tells two of one name apart */
	const char *host, *version;
	int64_t started_wall_ms;
	uint64_t generation;		/* that its table shows */

	/* when read, by the store's clock */
	uint64_t behind;		/* generations */
	int64_t seen_wall_ms;
	bool is_stale;
};

#endif
