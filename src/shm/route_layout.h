/*
 * shm/route_layout.h - how the routes region is laid out.
 *
 * Private to src/shm: known to the reader and to the writer, and to
 * segment_create(), which makes the file.
 *
 *	page 0		struct region_header, struct route_control
 *	copy 0, copy 1	a struct copy_head each, then the areas: records
 *			of hosts, entries, routes, services and backends,
 *			the two bucket arrays, the heap
 *
 * All zeroes is a valid empty table.  A place in a copy is the number of
 * a word from the start of the copy, the same in both; where a slot or a
 * place may be absent, the slot is stored plus one, and place 0 is none.
 * Words beyond what the head of a copy counts as used hold anything.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_ROUTE_LAYOUT_H
#define SHM_ROUTE_LAYOUT_H

#include <stdint.h>

#include "common/compat.h"
#include "shm/segment.h"
#include "shm/words.h"

#define ROUTE_SPACES	 64		/* masks; spaces share them */
#define ROUTE_COPIES	 2
#define HEAP_CLASSES	 96

/* The kinds of record, each an array with slots. */
enum record_kind {
	RECORD_HOST,
	RECORD_ENTRY,
	RECORD_ROUTE,
	RECORD_SERVICE,
	RECORD_BACKEND,
	RECORD_KINDS
};

/* What a bucket array leads to. */
enum index_kind {
	INDEX_HOST,			/* (space, host) to hosts */
	INDEX_ENTRY,			/* (host slot, prefix) to entries */
	INDEX_KINDS
};

/*
 * Words of records.  RECORD_LINK is the same in all kinds: the next
 * record, plus one, of a hash chain (hosts, entries) or of the free list;
 * in hosts and entries its upper half is the hash.
 */
enum { RECORD_LINK = 3 };

enum host_word {
	HOST_COUNT,			/* space | entries; no entries: free */
	HOST_DEPTHS,			/* bit d: prefixes of d segments */
	HOST_NAME_LEN,			/* highest priority ever | length */
	HOST_LINK,
	HOST_NAME,			/* a short text */
	HOST_WORDS = 8
};

enum entry_word {
	ENTRY_VERSION,			/* version, 0: free | host slot */
	ENTRY_ROUTES,			/* slot, or place of the list | how
					 * many << 16 | length of prefix */
	ENTRY_PRIORITY,			/* 0 | priority */
	ENTRY_LINK,
	ENTRY_PREFIX,			/* a short text; "/" is "" here */
	ENTRY_WORDS = 8
};

enum route_word {
	ROUTE_VERSION,			/* version, 0: free | target count << 16
					 * | length of label << 1 | strip */
	ROUTE_ID,
	ROUTE_EXTRA,			/* place of the body, 0: none | bytes */
	ROUTE_LINK,			/* used records: first target's service
					 * | its weight */
	ROUTE_LABEL,			/* a short text */
	ROUTE_WORDS = 8
};

enum service_word {
	SERVICE_VERSION,		/* version, 0: free | backend count */
	SERVICE_LIST,			/* place of the slots | 0 */
	SERVICE_BODY,			/* place | bytes */
	SERVICE_LINK,
	SERVICE_WORDS
};

enum backend_word {
	BACKEND_GENERATION,		/* generation, 0: free | service slot */
	BACKEND_ID,
	BACKEND_BODY,			/* place | bytes */
	BACKEND_LINK,
	BACKEND_WORDS
};

/* A short text stands in the record itself, a longer one in the heap,
 * and the record's first word of text is its place. */
#define SHORT_TEXT_WORDS 4
#define SHORT_TEXT_MAX	 (SHORT_TEXT_WORDS * WORD_BYTES)

/* The head of a copy.  The first line is all that a lookup needs. */
struct copy_head {
	word seq;			/* odd while it is being changed */
	word change_count;		/* of the batch that it shows */
	word buckets[INDEX_KINDS];	/* in use */
	word heap_used;			/* words, the first counts as used */
	word extents[RECORD_KINDS];	/* slots ever used */
	word counts[RECORD_KINDS];	/* live */
	word free_slots[RECORD_KINDS];	/* plus one; 0: none */
	word version_count;		/* the latest version given out */
	word generation;
	word published_ns;
	word space_masks[ROUTE_SPACES];	/* bit 0: a default host stands; bit
					 * n: a wildcard of n labels */
	word free_blocks[HEAP_CLASSES];	/* places */
};
_Static_assert(sizeof(struct copy_head) == (23 + 64 + 96) * WORD_BYTES,
    "layout of the segment");

#define COPY_HEAD_WORDS (sizeof(struct copy_head) / WORD_BYTES)

struct route_control {
	word state;			/* change count << 1 | active copy */
	word hash_seed;			/* set once, by the first writer */
};

#define ROUTE_CONTROL_OFFSET 128

/* Where things are in a copy, in words; from the capacity alone. */
struct route_layout {
	uint64_t records[RECORD_KINDS];
	uint64_t buckets[INDEX_KINDS];
	uint64_t heap;
	uint64_t copy_words;
	uint32_t record_max[RECORD_KINDS];
	uint32_t bucket_max[INDEX_KINDS];
	uint64_t heap_max;
};

void route_layout_make(const struct segment_capacity *,
    struct route_layout *layout_r);

/* The size of the region's file. */
uint64_t route_layout_size(const struct segment_capacity *);

/* Allocates what an empty table needs.  0, or -1 with errno ENOSPC. */
MUST_CHECK int route_layout_prepare(const struct region *);

/* Words of a record. */
static inline uint32_t
record_words(enum record_kind kind)
{
	_Static_assert((int)HOST_WORDS == ENTRY_WORDS &&
	    (int)HOST_WORDS == ROUTE_WORDS &&
	    (int)SERVICE_WORDS == BACKEND_WORDS, "two sizes of record");
	return kind <= RECORD_ROUTE ? (uint32_t)HOST_WORDS
				    : (uint32_t)SERVICE_WORDS;
}

/* The place of a record. */
static inline uint64_t
record_place(const struct route_layout *layout, enum record_kind kind,
    uint32_t slot)
{
	return layout->records[kind] + (uint64_t)slot * record_words(kind);
}

static inline uint64_t
route_copy_offset(const struct route_layout *layout, unsigned int copy)
{
	return SEGMENT_PAGE + copy * layout->copy_words * WORD_BYTES;
}

/* The bucket for a hash when so many are in use; Litwin's address
 * function.  count > 0. */
static inline uint32_t
bucket_of_hash(uint32_t hash, uint32_t count)
{
	uint32_t mask = UINT32_MAX >> __builtin_clz(count | 1);
	uint32_t bucket = hash & mask;

	return bucket < count ? bucket : bucket & mask >> 1;
}

#endif
