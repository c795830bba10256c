/*
 * registryd/metrics_replica.c - what /metrics says of the local file.
 */
/* SPDX-License-Identifier: ISC */
#include "common/clock.h"
#include "registryd/metrics.h"
#include "registryd/metrics_parts.h"
#include "registryd/registry.h"

static void
one(struct buf *buf, enum metric_id id, uint64_t value)
{
	metric_begin(buf, metric_row(id));
	metric_integer(buf, metric_row(id), "", NULL, 0, value);
}

void
metrics_write_replica(struct buf *buf, const struct registry *registry)
{
	struct replica_figures figures;
	struct spool_figures spool;

	if (registry->replica == NULL)
		return;
	replica_figures(registry->replica, &figures);
	one(buf, METRIC_REPLICA_GENERATION, figures.generation);
	if (figures.confirmed_wall_ms != 0) {
		metric_begin(buf, metric_row(METRIC_REPLICA_AGE));
		metric_number(buf, metric_row(METRIC_REPLICA_AGE), "", NULL,
		    0, (double)(clock_wall_ms() -
			figures.confirmed_wall_ms) / 1e3);
	}
	one(buf, METRIC_REPLICA_SERVED, registry->bring_up.is_served);
	one(buf, METRIC_REPLICA_GOOD, figures.is_good);
	one(buf, METRIC_REPLICA_FAILED, figures.failed_count);
	one(buf, METRIC_REPLICA_SET_ASIDE, figures.set_aside_count);
	spool_figures(registry->spool, &spool);
	one(buf, METRIC_SPOOL_WAITING, spool.waiting_count);
	one(buf, METRIC_SPOOL_SPOOLED, spool.spooled_count);
	one(buf, METRIC_SPOOL_PLAYED, spool.played_count);
	one(buf, METRIC_SPOOL_DROPPED, spool.dropped_count);
}
