/*
 * master/pause.c - how long a role that died stays dead.
 */
/* SPDX-License-Identifier: ISC */
#include "master/pause.h"

int64_t
pause_after_death(struct pause *pause, int64_t lived_ms)
{
	int64_t pause_ms = PAUSE_FIRST_MS;

	if (lived_ms >= PAUSE_FORGIVEN_MS)
		pause->deaths = 0;
	if (pause->deaths++ == 0)
		return 0;
	for (uint32_t i = 2;
	    i < pause->deaths && pause_ms < PAUSE_LONGEST_MS; i++)
		pause_ms *= 2;
	return pause_ms < PAUSE_LONGEST_MS ? pause_ms : PAUSE_LONGEST_MS;
}
