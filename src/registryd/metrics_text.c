/*
 * registryd/metrics_text.c - lines of the Prometheus text format.
 */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "registryd/metrics.h"
#include "shm/worker_stats.h"

void
metric_begin(struct buf *buf, const struct metric_row *row)
{
	buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
	    row->name, row->type);
}

static void
write_value(struct buf *buf, struct bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		switch (value.data[i]) {
		case '\\':
			buf_append_text(buf, "\\\\");
			break;
		case '"':
			buf_append_text(buf, "\\\"");
			break;
		case '\n':
			buf_append_text(buf, "\\n");
			break;
		default:
			buf_append_char(buf, value.data[i]);
			break;
		}
	}
}

static void
write_labels(struct buf *buf, const struct metric_label *labels,
    uint32_t count)
{
	if (count == 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		buf_append_text(buf, i == 0 ? "{" : ",");
		buf_append_text(buf, labels[i].name);
		buf_append_text(buf, "=\"");
		write_value(buf, labels[i].value);
		buf_append_char(buf, '"');
	}
	buf_append_char(buf, '}');
}

void
metric_integer(struct buf *buf, const struct metric_row *row,
    const char *suffix, const struct metric_label *labels,
    uint32_t label_count, uint64_t value)
{
	buf_append_text(buf, row->name);
	buf_append_text(buf, suffix);
	write_labels(buf, labels, label_count);
	buf_printf(buf, " %" PRIu64 "\n", value);
}

void
metric_number(struct buf *buf, const struct metric_row *row,
    const char *suffix, const struct metric_label *labels,
    uint32_t label_count, double value)
{
	buf_append_text(buf, row->name);
	buf_append_text(buf, suffix);
	write_labels(buf, labels, label_count);
	buf_printf(buf, " %.15g\n", value);
}

#define HISTOGRAM_LABELS_MAX 8

void
metric_histogram(struct buf *buf, const struct metric_row *row,
    const struct metric_label *labels, uint32_t label_count,
    const uint64_t *buckets, uint64_t sum_us)
{
	struct metric_label all[HISTOGRAM_LABELS_MAX];
	uint64_t count = 0;
	char bound[32];

	for (uint32_t i = 0; i < label_count; i++)
		all[i] = labels[i];
	all[label_count].name = "le";
	for (uint32_t i = 0; i < STATS_BUCKETS; i++) {
		uint64_t us = stats_bucket_bound_us(i);

		count += buckets[i];
		if (us == UINT64_MAX)
			snprintf(bound, sizeof(bound), "+Inf");
		else
			snprintf(bound, sizeof(bound), "%.9g",
			    (double)us / 1e6);
		all[label_count].value = bytes_of(bound);
		metric_integer(buf, row, "_bucket", all, label_count + 1,
		    count);
	}
	metric_number(buf, row, "_sum", labels, label_count,
	    (double)sum_us / 1e6);
	metric_integer(buf, row, "_count", labels, label_count, count);
}
