/*
 * shm/worker_figures.c - status codes and latencies as indexes.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/worker_stats.h"

/* Index 0 is unused; the last of each class stands for all others. */
#define STATUS_CODES(X)                                                        \
	X(100) X(101) X(102) X(103) X(199)                                     \
	X(200) X(201) X(202) X(203) X(204) X(205) X(206) X(207) X(299)         \
	X(300) X(301) X(302) X(303) X(304) X(307) X(308) X(399)                \
	X(400) X(401) X(402) X(403) X(404) X(405) X(406) X(407) X(408)         \
	X(409) X(410) X(411) X(412) X(413) X(414) X(415) X(416) X(417)         \
	X(418) X(421) X(422) X(423) X(425) X(426) X(428) X(429) X(431)         \
	X(451) X(499)                                                          \
	X(500) X(501) X(502) X(503) X(504) X(505) X(507) X(508) X(511) X(599)

enum code_index {
	CODE_UNUSED,
#define X(status) CODE_##status,
	STATUS_CODES(X)
#undef X
	CODE_COUNT
};
_Static_assert((int)CODE_COUNT <= STATS_CODES_MAX, "layout of the segment");

#define STATUS_MIN 100
#define STATUS_MAX 599

uint32_t
stats_code_index(unsigned int status)
{
	static const uint8_t indexes[STATUS_MAX - STATUS_MIN + 1] = {
#define X(code) [(code) - STATUS_MIN] = CODE_##code,
		STATUS_CODES(X)
#undef X
	};
	static const uint8_t others[] = { CODE_199, CODE_299, CODE_399,
		CODE_499, CODE_599 };
	uint8_t index;

	if (status < STATUS_MIN || status > STATUS_MAX)
		return CODE_UNUSED;
	index = indexes[status - STATUS_MIN];
	return index != CODE_UNUSED ? index
				    : others[status / 100 - 1];
}

unsigned int
stats_code_status(uint32_t index)
{
	static const uint16_t statuses[CODE_COUNT] = {
#define X(status) [CODE_##status] = (status),
		STATUS_CODES(X)
#undef X
	};

	return index < CODE_COUNT ? statuses[index] : 0;
}

static const uint64_t bucket_bounds_us[STATS_BUCKETS] = { 50, 100, 200, 500,
	1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000,
	2000000, 5000000, 10000000, 30000000, 60000000, UINT64_MAX };

uint64_t
stats_bucket_bound_us(uint32_t bucket)
{
	return bucket < STATS_BUCKETS ? bucket_bounds_us[bucket] : UINT64_MAX;
}

uint32_t
stats_bucket_of(uint64_t us)
{
	uint32_t bucket = 0;

	while (us > bucket_bounds_us[bucket])
		bucket++;
	return bucket;
}

void
latency_add(struct latency_histogram *histogram, uint64_t us)
{
	stats_add(&histogram->buckets[stats_bucket_of(us)], 1);
	stats_add(&histogram->sum_us, us);
}
