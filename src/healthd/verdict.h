/*
 * healthd/verdict.h - a target's verdict, in shared memory and in the log.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_VERDICT_H
#define HEALTHD_VERDICT_H

#include "healthd/target.h"
#include "ipc/health_msg.h"
#include "shm/health.h"

/* Takes over what the region says of this tenant: nobody becomes unknown
 * because healthd was started anew. */
void verdict_restore(struct target *, struct health_map *);

/* Writes the outcome of a probe that took took_ms into the detail record. */
void verdict_record(const struct target *, struct health_map *,
    const struct attempt_outcome *, int64_t took_ms);

/* Counts a failure that a worker reported. */
void verdict_count_passive(const struct target *, struct health_map *);

/*
 * Makes the health word say what the probe's state is; flags that are
 * not of probes stay.  Returns true when that changed something, with
 * *changed_r filled for registryd, and the change logged.
 */
bool verdict_publish(const struct target *, struct health_map *,
    const char *reason, struct health_changed *changed_r);

#endif
