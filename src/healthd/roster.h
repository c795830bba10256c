/*
 * healthd/roster.h - the route table, taken in as backends to watch.
 *
 * The table is what is to be probed.  It is taken in whole at the start
 * and when its change count moved; of the slots that registryd names,
 * only their services.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_ROSTER_H
#define HEALTHD_ROSTER_H

#include <stdint.h>

#include "healthd/monitor.h"
#include "shm/route_table.h"

struct roster;

/* Both are borrowed.  NULL when out of memory. */
struct roster *roster_new(const struct route_table *, struct monitor *);
void roster_free(struct roster **);

/* Takes all in, if something changed since. */
void roster_take_changes(struct roster *);

/* Takes in what was put or removed at these slots. */
void roster_take_slots(struct roster *, const uint32_t *slots, uint32_t count);

#endif
