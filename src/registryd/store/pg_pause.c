/*
 * registryd/store/pg_pause.c - the pauses between tries to connect.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_pause.h"

uint32_t
pg_pause_ms(uint32_t failure_count, struct random_stream *random)
{
	uint32_t pause_ms = PG_PAUSE_MAX_MS;

	if (failure_count < 16 &&
	    (PG_PAUSE_FIRST_MS << failure_count) < PG_PAUSE_MAX_MS)
		pause_ms = PG_PAUSE_FIRST_MS << failure_count;
	return pause_ms / 2 + random_below(random, pause_ms / 2 + 1);
}
