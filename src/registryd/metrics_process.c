/*
 * registryd/metrics_process.c - what /metrics says of this process.
 */
/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "registryd/metrics.h"
#include "registryd/metrics_parts.h"

static void
one(struct buf *buf, enum metric_id id, double value)
{
	metric_begin(buf, metric_row(id));
	metric_number(buf, metric_row(id), "", NULL, 0, value);
}

static void
write_cpu(struct buf *buf)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == -1)
		return;
	one(buf, METRIC_CPU,
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
		    1e6);
}

static void
write_memory(struct buf *buf)
{
	unsigned long long pages, resident;
	FILE *file = fopen("/proc/self/statm", "re");
	double page = (double)sysconf(_SC_PAGESIZE);

	if (file == NULL)
		return;
	if (fscanf(file, "%llu %llu", &pages, &resident) == 2) {
		one(buf, METRIC_RESIDENT, (double)resident * page);
		one(buf, METRIC_VIRTUAL, (double)pages * page);
	}
	fclose(file);
}

static void
write_descriptors(struct buf *buf)
{
	struct rlimit limit;
	DIR *dir = opendir("/proc/self/fd");
	long count = -3;		/* ".", ".." and dir itself */

	if (dir != NULL) {
		while (readdir(dir) != NULL)
			count++;
		closedir(dir);
		one(buf, METRIC_FDS, (double)count);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		one(buf, METRIC_FDS_MAX, (double)limit.rlim_cur);
}

void
metrics_write_process(struct buf *buf, int64_t started_wall_ms)
{
	write_cpu(buf);
	write_memory(buf);
	write_descriptors(buf);
	one(buf, METRIC_START, (double)started_wall_ms / 1e3);
}
