/*
 * shm/table_store.c - every store that the publisher makes.
 *
 * If the writer dies, at whatever store: up to the store of `state` the
 * active copy is the old one and was not touched; from that store on it
 * is the new one, and whole.  The other copy's sequence is odd, or its
 * change count is not that of the active copy, until both are equal.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/table_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#ifdef CRASH_HOOKS
#include <signal.h>
#endif

#include "common/clock.h"
#include "common/log.h"
#include "common/random.h"

#define PLACE_SEQ      HEAD_PLACE(seq)
#define PLACE_CHANGE   HEAD_PLACE(change_count)

/* An area grows by a sixteenth, within these bounds, in words. */
#define GROW_SHIFT 4
#define GROW_MIN   (UINT64_C(2) * SEGMENT_PAGE / WORD_BYTES)
#define GROW_MAX   (UINT64_C(256) * SEGMENT_PAGE / WORD_BYTES)

/* How long a successor waits for the last writer to be gone. */
#define LOCK_TRIES   250
#define LOCK_WAIT_NS (20 * NS_PER_MS)

/* A batch of more ranges is published by copying the table. */
#define JOURNAL_RANGES_MIN 64
#define JOURNAL_RANGES_MAX (UINT32_C(1) << 20)
#define RANGE_WORDS_MAX	   0xffff

#ifdef CRASH_HOOKS
/* Tests name the store, from 1, that the process shall not live to make. */
static unsigned long stores_left;

static void
crash_arm(const char *variable)
{
	const char *value = getenv(variable);

	stores_left = value == NULL ? 0 : strtoul(value, NULL, 10);
}

static void
crash_count(void)
{
	if (stores_left > 0 && --stores_left == 0)
		(void)raise(SIGKILL);
}
#else
static inline void
crash_arm(const char *variable)
{
	(void)variable;
}

static inline void
crash_count(void)
{
}
#endif

/* The only function that stores into the region. */
static void
region_store(word *at, uint64_t value)
{
	crash_count();
	atomic_store_explicit(at, value, memory_order_release);
}

static void
seq_open(word *copy)
{
	uint64_t seq = word_load(copy + PLACE_SEQ);

	if ((seq & 1) == 0)
		region_store(copy + PLACE_SEQ, seq + 1);
}

static void
seq_close(word *copy)
{
	region_store(copy + PLACE_SEQ, word_load(copy + PLACE_SEQ) + 1);
}

static void
copy_words(const word *from, word *to, uint64_t place, uint64_t count)
{
	for (uint64_t i = place; i < place + count; i++) {
		uint64_t value = word_load(from + i);

		if (word_load(to + i) != value)
			region_store(to + i, value);
	}
}

/* All of the head but the sequence, which is each copy's own. */
static void
copy_head_words(const word *from, word *to)
{
	_Static_assert(PLACE_SEQ == 0, "the sequence comes first");
	copy_words(from, to, 1, COPY_HEAD_WORDS - 1);
}

/* Where an area starts in a copy, and how much of it that copy uses. */
static uint64_t
area_place(const struct route_layout *layout, enum store_area area)
{
	if (area == AREA_HEAP)
		return layout->heap;
	if (area < AREA_RECORDS)
		return layout->buckets[area - AREA_BUCKETS];
	return layout->records[area - AREA_RECORDS];
}

static uint64_t
area_used(const word *copy, enum store_area area)
{
	if (area == AREA_HEAP)
		return word_load(copy + HEAD_PLACE(heap_used));
	if (area < AREA_RECORDS)
		return (word_load(copy + HEAD_PLACE(buckets) + area -
			    AREA_BUCKETS) + 1) / 2;
	return word_load(copy + HEAD_PLACE(extents) + area - AREA_RECORDS) *
	    record_words((enum record_kind)(area - AREA_RECORDS));
}

static uint64_t
area_max(const struct route_layout *layout, enum store_area area)
{
	if (area == AREA_HEAP)
		return layout->heap_max;
	if (area < AREA_RECORDS)
		return (layout->bucket_max[area - AREA_BUCKETS] + 1) / 2;
	return (uint64_t)layout->record_max[area - AREA_RECORDS] *
	    record_words((enum record_kind)(area - AREA_RECORDS));
}

static void
copy_used_words(const struct table_store *store, const word *from, word *to)
{
	copy_head_words(from, to);
	for (enum store_area area = 0; area < AREA_COUNT; area++)
		copy_words(from, to, area_place(&store->layout, area),
		    area_used(from, area));
}

/* Makes the words that the batch changed in `from` the same in `to`. */
static void
copy_journal(struct table_store *store, const word *from, word *to)
{
	struct store_journal *journal = &store->journal;

	if (journal->is_whole) {
		copy_used_words(store, from, to);
		return;
	}
	copy_head_words(from, to);
	for (size_t i = 0; i < journal->count; i++)
		copy_words(from, to, journal->ranges[i] >> 16,
		    (journal->ranges[i] & RANGE_WORDS_MAX) + 1);
}

static void
journal_add(struct store_journal *journal, uint64_t place)
{
	if (journal->is_whole)
		return;
	if (journal->count > 0) {
		uint64_t *last = &journal->ranges[journal->count - 1];
		uint64_t behind = place - (*last >> 16);
		uint64_t words = *last & RANGE_WORDS_MAX;

		if (behind <= words)
			return;
		if (behind == words + 1 && words < RANGE_WORDS_MAX) {
			++*last;
			return;
		}
	}
	if (journal->count == journal->size) {
		size_t size = journal->size * 2 + JOURNAL_RANGES_MIN;
		uint64_t *larger = NULL;

		if (size <= JOURNAL_RANGES_MAX)
			larger = realloc(journal->ranges,
			    size * sizeof(*larger));
		if (larger == NULL) {
			journal->is_whole = true;
			return;
		}
		journal->ranges = larger;
		journal->size = size;
	}
	journal->ranges[journal->count++] = place << 16;
}

static void
journal_reset(struct store_journal *journal)
{
	journal->count = 0;
	journal->is_whole = false;
}

void
store_put(struct table_store *store, uint64_t place, uint64_t value)
{
	region_store(store->copies[store->target] + place, value);
	if (place >= COPY_HEAD_WORDS)
		journal_add(&store->journal, place);
}

static int
allocate_words(struct table_store *store, uint64_t place, uint64_t count)
{
	for (unsigned int i = 0; i < ROUTE_COPIES; i++)
		if (region_allocate(&store->region,
			route_copy_offset(&store->layout, i) +
			    place * WORD_BYTES,
			count * WORD_BYTES) == -1)
			return -1;
	return 0;
}

int
store_reserve(struct table_store *store, enum store_area area, uint64_t words)
{
	uint64_t have = store->allocated[area], step, want;

	if (LIKELY(words <= have))
		return 0;
	if (words > area_max(&store->layout, area)) {
		errno = ENOSPC;
		return -1;
	}
	step = have >> GROW_SHIFT;
	step = step < GROW_MIN ? GROW_MIN : step > GROW_MAX ? GROW_MAX : step;
	want = words > have + step ? words : have + step;
	if (want > area_max(&store->layout, area))
		want = area_max(&store->layout, area);
	if (allocate_words(store, area_place(&store->layout, area) + have,
		want - have) == -1)
		return -1;
	store->allocated[area] = want;
	return 0;
}

void
store_begin(struct table_store *store)
{
	crash_arm("SLUICE_CRASH_AT_STORE");
	store->target = !(word_load(&store->control->state) & 1);
	journal_reset(&store->journal);
	seq_open(store->copies[store->target]);
}

void
store_publish(struct table_store *store, uint64_t generation)
{
	word *target = store->copies[store->target];
	word *other = store->copies[!store->target];
	uint64_t change_count = store_get(store, PLACE_CHANGE) + 1;

	store_put(store, HEAD_PLACE(generation), generation);
	store_put(store, HEAD_PLACE(published_ns), (uint64_t)clock_now().ns);
	store_put(store, PLACE_CHANGE, change_count);
	seq_close(target);
	region_store(&store->control->state, change_count << 1 | store->target);

	seq_open(other);
	copy_journal(store, target, other);
	seq_close(other);
}

void
store_revert(struct table_store *store)
{
	word *target = store->copies[store->target];

	copy_journal(store, store->copies[!store->target], target);
	seq_close(target);
}

/* Whether a copy's head says what an area can hold. */
static bool
copy_is_sane(const struct table_store *store, const word *copy)
{
	for (enum store_area area = 0; area < AREA_COUNT; area++)
		if (area_used(copy, area) > area_max(&store->layout, area))
			return false;
	return (word_load(copy + PLACE_SEQ) & 1) == 0;
}

/* Makes both copies equal, whatever the last writer left behind. */
static int
repair(struct table_store *store)
{
	unsigned int active = word_load(&store->control->state) & 1;
	const word *from = store->copies[active];
	word *to = store->copies[!active];

	if (!copy_is_sane(store, from)) {
		log_error("routes: the active copy of the table is damaged");
		errno = EINVAL;
		return -1;
	}
	for (enum store_area area = 0; area < AREA_COUNT; area++)
		if (store_reserve(store, area, area_used(from, area)) == -1)
			return -1;
	if ((word_load(to + PLACE_SEQ) & 1) == 0 &&
	    word_load(to + PLACE_CHANGE) == word_load(from + PLACE_CHANGE))
		return 0;
	log_notice("routes: repairing what the last writer left undone");
	seq_open(to);
	copy_used_words(store, from, to);
	seq_close(to);
	return 0;
}

static void
set_hash_seed(struct table_store *store)
{
	uint64_t seed = 0;

	while (seed == 0)
		random_fill(&seed, sizeof(seed));
	if (word_load(&store->control->hash_seed) == 0)
		region_store(&store->control->hash_seed, seed);
}

/*
 * Keeps a second writer out, such as one whose master died before it.
 * The lock is the open file's: the kernel drops it with its last
 * descriptor, whatever its holder died of.
 */
static int
lock_region(int fd)
{
	const struct timespec pause = { 0, LOCK_WAIT_NS };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_len = 1 };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
		if (i == 0)
			log_notice("routes: waiting for the last writer to "
				   "end");
		(void)nanosleep(&pause, NULL);
	}
	errno = EAGAIN;
	return -1;
}

int
table_store_open(struct table_store *store, int fd)
{
	const struct segment_capacity *capacity;

	*store = (struct table_store){ .region.fd = -1 };
	if (region_map_fd(fd, SEGMENT_ROUTES, &store->region) == -1)
		return -1;
	capacity = &region_header(&store->region)->capacity;
	if (route_layout_size(capacity) != store->region.size_bytes) {
		errno = EINVAL;
		goto fail;
	}
	route_layout_make(capacity, &store->layout);
	store->control = (struct route_control *)(void *)(store->region.base +
	    ROUTE_CONTROL_OFFSET);
	for (unsigned int i = 0; i < ROUTE_COPIES; i++)
		store->copies[i] = (word *)(void *)(store->region.base +
		    route_copy_offset(&store->layout, i));
	crash_arm("SLUICE_CRASH_AT_REPAIR");
	if (lock_region(store->region.fd) == -1 || repair(store) == -1)
		goto fail;
	set_hash_seed(store);
	return 0;
fail:
	region_unmap(&store->region);
	return -1;
}

void
store_close(struct table_store *store)
{
	region_unmap(&store->region);
	free(store->journal.ranges);
}
