/*
 * shm/limits.c - what all workers count together: rate limits and trials.
 *
 * The region: a page with the header; the cells, in sets; a word of
 * trials a backend slot.
 *
 * A cell's time word, and what it says while the time in it is ahead:
 *
 *	0 | is hammered | count (22) | end of the window (40, ticks)
 *	1 | (1)         | the next request may pass then (62, ns)
 *
 * Zero, and any time that is past, is an idle cell.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/limits.h"

#include <errno.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/clock.h"
#include "shm/region_kinds.h"
#include "shm/words.h"

#define PACED	     (UINT64_C(1) << 63)
#define HAMMERED     (UINT64_C(1) << 62)
#define COUNT_SHIFT  40
#define COUNT_MASK   ((UINT64_C(1) << 22) - 1)
#define TICKS_MASK   ((UINT64_C(1) << COUNT_SHIFT) - 1)
#define TICK_SHIFT   17			/* a tick: 2^17 ns, 131 us */
/* A worker's clock is read once a turn of its loop: one that was not run
 * meanwhile is behind the one that began a window. */
#define LAG_NS	     NS_PER_S
#define NS_MASK	     (HAMMERED - 1)

#define QUIET_NS     (NS_PER_S / 4)	/* whoever is paced may come again */

_Static_assert(LIMIT_REQUESTS_MAX <= COUNT_MASK, "fits the count");

struct limit_cell {
	word key;			/* 0: nobody's */
	word time;
};

struct limits {
	struct region region;
	struct limit_cell *cells;
	word *trials;
	uint32_t set_count, slots;
};

static uint64_t
cells_size(const struct segment_capacity *capacity)
{
	return region_round_up((uint64_t)capacity->limit_cells *
	    sizeof(struct limit_cell));
}

uint64_t
limits_region_size(const struct segment_capacity *capacity)
{
	return SEGMENT_PAGE + cells_size(capacity) +
	    region_round_up((uint64_t)capacity->backends * WORD_BYTES);
}

/* Workers only ever exchange words here, so all of it is allocated. */
int
limits_region_prepare(const struct region *region)
{
	return region_allocate(region, 0, region->size_bytes);
}

/* Finishes opening; takes the region over, also on failure. */
static int
make_limits(struct region *region, struct limits **limits_r)
{
	const struct segment_capacity *capacity =
	    &region_header(region)->capacity;
	struct limits *limits = NULL;

	if (region->size_bytes != limits_region_size(capacity) ||
	    capacity->limit_cells < LIMIT_WAYS)
		errno = EINVAL;
	else
		limits = calloc(1, sizeof(*limits));
	if (limits == NULL) {
		int saved_errno = errno;

		region_unmap(region);
		errno = saved_errno;
		return -1;
	}
	limits->region = *region;
	limits->set_count = capacity->limit_cells / LIMIT_WAYS;
	limits->slots = capacity->backends;
	limits->cells = (struct limit_cell *)(void *)(region->base +
	    SEGMENT_PAGE);
	limits->trials = (word *)(void *)(region->base + SEGMENT_PAGE +
	    cells_size(capacity));
	*limits_r = limits;
	return 0;
}

int
limits_open(const char *dir, struct limits **limits_r)
{
	struct region region;

	if (region_map_path(dir, SEGMENT_LIMITS, 0, &region) == -1)
		return -1;
	return make_limits(&region, limits_r);
}

int
limits_open_writable(int fd, struct limits **limits_r)
{
	struct region region;

	if (region_map_fd(fd, SEGMENT_LIMITS, &region) == -1)
		return -1;
	return make_limits(&region, limits_r);
}

void
limits_close(struct limits **p)
{
	struct limits *limits = *p;

	*p = NULL;
	if (limits == NULL)
		return;
	region_unmap(&limits->region);
	free(limits);
}

/* Replaces a word if it is still `old`.  In one order for all: of two
 * workers that each swap a word and then look at the other's, one sees. */
static bool
word_swap(word *at, uint64_t old, uint64_t new)
{
	return atomic_compare_exchange_strong(at, &old, new);
}

/* Finding a cell --------------------------------------------------------- */

uint64_t
limits_key(uint64_t route_id, const struct in6_addr *client)
{
	size_t len = IN6_IS_ADDR_V4MAPPED(client) ? sizeof(*client) : 8;

	return XXH3_64bits_withSeed(client->s6_addr, len, route_id) | 1;
}

static struct limit_cell *
set_of(const struct limits *limits, uint64_t key)
{
	uint64_t set = ((key >> 32) * limits->set_count) >> 32;

	return limits->cells + set * LIMIT_WAYS;
}

static struct limit_cell *
find_cell(const struct limits *limits, uint64_t key)
{
	struct limit_cell *set = set_of(limits, key);

	for (int way = 0; way < LIMIT_WAYS; way++)
		if (word_load(&set[way].key) == key)
			return &set[way];
	return NULL;
}

/* When the cell's time is over. */
static int64_t
end_of(uint64_t time)
{
	if ((time & PACED) != 0)
		return (int64_t)(time & NS_MASK);
	return (int64_t)((time & TICKS_MASK) << TICK_SHIFT);
}

/* What is forgotten when a cell is taken from its tenant: requests. */
static uint64_t
loss_of(uint64_t time, int64_t now_ns)
{
	int64_t end_ns = end_of(time);

	if ((time & (PACED | HAMMERED)) != 0 && end_ns > now_ns - QUIET_NS)
		return UINT64_MAX;
	if ((time & PACED) != 0 || end_ns <= now_ns)
		return 0;
	return time >> COUNT_SHIFT & COUNT_MASK;
}

/* The cell of the set that is missed least: of equals, the oldest.  The
 * key's own, should it have one by now; the first that is nobody's, so
 * that all who look at once take the same. */
static struct limit_cell *
spare_cell(struct limit_cell *set, uint64_t key, int64_t now_ns)
{
	struct limit_cell *spare = NULL;
	uint64_t least = 0;
	int64_t oldest_ns = 0;

	for (int way = 0; way < LIMIT_WAYS; way++) {
		uint64_t time = word_load(&set[way].time);
		uint64_t loss = loss_of(time, now_ns);
		uint64_t tenant = word_load(&set[way].key);

		if (tenant == 0 || tenant == key)
			return &set[way];
		if (spare != NULL && (loss > least ||
		    (loss == least && end_of(time) >= oldest_ns)))
			continue;
		spare = &set[way];
		least = loss;
		oldest_ns = end_of(time);
	}
	return spare;
}

static bool
is_elsewhere(struct limit_cell *set, const struct limit_cell *cell,
    uint64_t key)
{
	for (int way = 0; way < LIMIT_WAYS; way++)
		if (&set[way] != cell && atomic_load(&set[way].key) == key)
			return true;
	return false;
}

/*
 * Makes a cell the key's own.  False where another worker was faster, or
 * took another cell for the same key at the same time: a count in each
 * would let more through than the limit.
 */
static bool
claim_cell(struct limit_cell *set, struct limit_cell *cell, uint64_t key)
{
	uint64_t old_key = word_load(&cell->key);
	uint64_t time = word_load(&cell->time);

	if (old_key == key || !word_swap(&cell->key, old_key, key))
		return false;
	/* What its tenant had is not the new one's to pay. */
	(void)word_swap(&cell->time, time, 0);
	if (!is_elsewhere(set, cell, key))
		return true;
	(void)word_swap(&cell->key, key, 0);
	return false;
}

/* The cell of a key, taken for it where it has none. */
static struct limit_cell *
take_cell(const struct limits *limits, uint64_t key, int64_t now_ns)
{
	struct limit_cell *set = set_of(limits, key), *cell;

	while ((cell = find_cell(limits, key)) == NULL) {
		cell = spare_cell(set, key, now_ns);
		if (claim_cell(set, cell, key))
			break;
	}
	return cell;
}

/* Counting --------------------------------------------------------------- */

static uint64_t
window_word(uint32_t count, int64_t end_ns)
{
	return (uint64_t)count << COUNT_SHIFT |
	    ((uint64_t)end_ns >> TICK_SHIFT & TICKS_MASK);
}

static int64_t
ms_until(int64_t then_ns, int64_t now_ns)
{
	return then_ns <= now_ns ? 0 :
	    (then_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
}

static uint64_t
step_paced(uint64_t time, const struct rate_limit_spec *spec, int64_t now_ns,
    struct limit_verdict *verdict)
{
	int64_t window_ns = (int64_t)spec->window_ms * NS_PER_MS;
	int64_t next_ns = end_of(time);

	verdict->remaining = 0;
	verdict->is_allowed = next_ns <= now_ns;
	if (verdict->is_allowed)
		next_ns += window_ns / spec->requests;
	verdict->retry_ms = ms_until(next_ns, now_ns);
	verdict->reset_ms = ms_until(next_ns + window_ns / 4, now_ns);
	return verdict->is_allowed ? PACED | (uint64_t)next_ns : time;
}

static uint64_t
step_window(uint64_t time, const struct rate_limit_spec *spec, int64_t now_ns,
    struct limit_verdict *verdict)
{
	int64_t window_ns = (int64_t)spec->window_ms * NS_PER_MS;
	uint32_t count = (uint32_t)(time >> COUNT_SHIFT & COUNT_MASK);
	int64_t end_ns = end_of(time);

	verdict->is_allowed = count < spec->requests;
	verdict->reset_ms = verdict->retry_ms = ms_until(end_ns, now_ns);
	verdict->remaining = 0;
	if (verdict->is_allowed) {
		verdict->remaining = spec->requests - count - 1;
		return time + (UINT64_C(1) << COUNT_SHIFT);
	}
	/* Refused in the window's last quarter: it does not mean to stop. */
	return end_ns - now_ns < window_ns / 4 ? time | HAMMERED : time;
}

/*
 * The word behind a request at now.  Pure.
 *
 *	idle                    -> a window, with this request in it
 *	a window, not over      -> counted, or refused
 *	a window that is over   -> idle; paced if it was hammered at its end
 *	paced                   -> passes once in a while, or refused
 *	paced, and long quiet   -> idle
 */
static uint64_t
step(uint64_t time, const struct rate_limit_spec *spec, int64_t now_ns,
    struct limit_verdict *verdict)
{
	int64_t window_ns = (int64_t)spec->window_ms * NS_PER_MS;
	int64_t end_ns = end_of(time);

	/* Of another clock or a longer window, that is no more. */
	if (end_ns - now_ns > window_ns + LAG_NS)
		time = 0;
	if ((time & (PACED | HAMMERED)) != 0 &&
	    now_ns - end_ns < window_ns / 4) {
		if ((time & PACED) != 0 || end_ns <= now_ns)
			return step_paced(PACED | (uint64_t)end_ns, spec,
			    now_ns, verdict);
	}
	if ((time & PACED) == 0 && end_ns > now_ns && time != 0)
		return step_window(time, spec, now_ns, verdict);
	verdict->is_allowed = true;
	verdict->remaining = spec->requests - 1;
	verdict->reset_ms = spec->window_ms;
	verdict->retry_ms = spec->requests > 1 ? 0 : spec->window_ms;
	return window_word(1, now_ns + window_ns);
}

void
limits_take(struct limits *limits, uint64_t key,
    const struct rate_limit_spec *spec, int64_t now_ns,
    struct limit_verdict *verdict_r)
{
	struct limit_cell *cell = take_cell(limits, key, now_ns);
	uint64_t old, new;

	do {
		old = word_load(&cell->time);
		new = step(old, spec, now_ns, verdict_r);
	} while (new != old && !word_swap(&cell->time, old, new));
}

void
limits_look(const struct limits *limits, uint64_t key,
    const struct rate_limit_spec *spec, int64_t now_ns,
    struct limit_verdict *verdict_r)
{
	const struct limit_cell *cell = find_cell(limits, key);

	(void)step(cell == NULL ? 0 : word_load(&cell->time), spec, now_ns,
	    verdict_r);
	if (verdict_r->is_allowed)
		verdict_r->remaining++;
}

/* Trials ----------------------------------------------------------------- */

/* generation << 32 | round << 16 | taken */
static uint64_t
trial_word(const struct limit_trial *trial, uint32_t taken)
{
	return word_pair(trial->generation, trial->round << 16 | taken);
}

static uint32_t
taken_of(uint64_t value, const struct limit_trial *trial)
{
	uint32_t taken = word_low(value) & 0xffff;

	return value == trial_word(trial, taken) ? taken : 0;
}

bool
limits_take_trial(struct limits *limits, const struct limit_trial *trial,
    uint32_t max)
{
	uint64_t old;
	uint32_t taken;

	if (trial->slot >= limits->slots)
		return false;
	do {
		old = word_load(&limits->trials[trial->slot]);
		taken = taken_of(old, trial);
		if (taken >= max || taken == UINT16_MAX)
			return false;
	} while (!word_swap(&limits->trials[trial->slot], old,
	    trial_word(trial, taken + 1)));
	return true;
}

void
limits_return_trial(struct limits *limits, const struct limit_trial *trial)
{
	uint64_t old;
	uint32_t taken;

	if (trial->slot >= limits->slots)
		return;
	do {
		old = word_load(&limits->trials[trial->slot]);
		if ((taken = taken_of(old, trial)) == 0)
			return;
	} while (!word_swap(&limits->trials[trial->slot], old,
	    trial_word(trial, taken - 1)));
}

uint32_t
limits_trials_taken(const struct limits *limits,
    const struct limit_trial *trial)
{
	if (trial->slot >= limits->slots)
		return 0;
	return taken_of(word_load(&limits->trials[trial->slot]), trial);
}
