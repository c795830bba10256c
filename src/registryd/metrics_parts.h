/*
 * registryd/metrics_parts.h - the parts of the page of /metrics; for the
 * metrics*.c files.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_METRICS_PARTS_H
#define REGISTRYD_METRICS_PARTS_H

#include "common/buf.h"
#include "registryd/instances.h"
#include "registryd/model.h"
#include "shm/health.h"
#include "shm/route_table.h"
#include "shm/worker_stats.h"

struct protocol;

struct metrics_page {
	struct buf buf;
	struct worker_stats *workers[SEGMENT_WORKERS_MAX];
	uint32_t worker_count;
};

/* metrics_routes.c */
void metrics_write_routes(struct metrics_page *, const struct route_table *);
/* metrics_backends.c */
void metrics_write_backends(struct metrics_page *, const struct route_table *,
    const struct health_map *);
/* metrics_control.c */
void metrics_write_drains(struct metrics_page *, const struct model *);
void metrics_write_certificates(struct buf *, const struct protocol *);
/* metrics_instances.c */
void metrics_write_instances(struct buf *, const struct instances *);
/* metrics_replica.c; nothing where there is none */
struct registry;
void metrics_write_replica(struct buf *, const struct registry *);
/* metrics_process.c */
void metrics_write_process(struct buf *, int64_t started_wall_ms);

#endif
