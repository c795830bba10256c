/*
 * healthd/failures.h - what workers saw fail, read from their rings.
 *
 * Each worker.K region is mapped read-only when it appears, and read
 * with a cursor of our own.  Workers write an eventfd when they push;
 * whoever owns the loop calls failures_read() then, and
 * failures_scan() each second, for regions that are new.
 */
/* SPDX-License-Identifier: ISC */
#ifndef HEALTHD_FAILURES_H
#define HEALTHD_FAILURES_H

#include <stdint.h>

#include "shm/health.h"
#include "shm/worker_stats.h"

struct failures;

typedef void failures_fn(void *context, const struct failure *);

/* dir and health are borrowed for good; how far rings were read is kept
 * in the latter.  NULL when out of memory. */
struct failures *failures_new(const char *dir, struct health_map *health,
    failures_fn *, void *context);
void failures_free(struct failures **);

/* Maps regions that appeared since the last time. */
void failures_scan(struct failures *);

/* Calls back for each failure not read yet, in the order in which they
 * happened (but for those that are older than this process, of a ring
 * that was never read); returns how many were told. */
uint32_t failures_read(struct failures *);

/* Overwritten before we read them. */
uint64_t failures_lost_count(const struct failures *);

#endif
