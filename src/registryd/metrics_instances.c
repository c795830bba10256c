/*
 * registryd/metrics_instances.c - what /metrics says of those that share
 * the store, as it was read with the last heartbeat.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/metrics.h"
#include "registryd/metrics_parts.h"

void
metrics_write_instances(struct buf *buf, const struct instances *instances)
{
	const struct instance_row *row;
	struct metric_label label = { "instance", bytes_of("") };

	metric_begin(buf, metric_row(METRIC_INSTANCE_BEHIND));
	STAILQ_FOREACH(row, &instances->rows, entry) {
		label.value = bytes_of(row->instance.name);
		metric_integer(buf, metric_row(METRIC_INSTANCE_BEHIND), "",
		    &label, 1, row->instance.behind);
	}
	metric_begin(buf, metric_row(METRIC_INSTANCE_STALE));
	STAILQ_FOREACH(row, &instances->rows, entry) {
		label.value = bytes_of(row->instance.name);
		metric_integer(buf, metric_row(METRIC_INSTANCE_STALE), "",
		    &label, 1, row->instance.is_stale);
	}
}
