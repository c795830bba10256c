/*
 * registryd/store/pg_pause.h - the pauses between tries to connect.
 *
 * They double up to a bound that is short enough for a failover to be
 * followed within seconds, and are drawn from the upper half of what they
 * could be, so that many instances do not come back at once.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_STORE_PG_PAUSE_H
#define REGISTRYD_STORE_PG_PAUSE_H

#include "common/random.h"

#define PG_PAUSE_FIRST_MS 100
#define PG_PAUSE_MAX_MS	  4000

/* Before the next try, after so many failures in a row. */
uint32_t pg_pause_ms(uint32_t failure_count, struct random_stream *);

#endif
