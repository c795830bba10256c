/*
 * routing/slot_cache.h - decoded records by slot, no more than so many.
 *
 * A record is found with two loads.  Past its bound the cache drops what
 * was not asked for since it last came by (second chance), but never
 * what somebody holds: records are counted references, one of which is
 * the cache's.
 */
/* SPDX-License-Identifier: ISC */
#ifndef ROUTING_SLOT_CACHE_H
#define ROUTING_SLOT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/compat.h"

#define SLOT_PAGE_SIZE 512		/* slots */

/* The head of a cached record. */
struct cache_item {
	TAILQ_ENTRY(cache_item) link;
	uint32_t slot;
	uint32_t version;
	uint32_t references;
	bool is_recent;			/* asked for since it came by */
};

TAILQ_HEAD(cache_queue, cache_item);

/* Frees a record that nobody holds any more. */
typedef void cache_free_fn(void *context, struct cache_item *);

struct slot_cache {
	struct cache_item ***pages;	/* page_count, each NULL or a page */
	uint32_t page_count;
	uint32_t count, max;
	struct cache_queue queue;	/* the next to be dropped first */
	cache_free_fn *free_item;
	void *context;
};

void slot_cache_init(struct slot_cache *, uint32_t max, cache_free_fn *,
    void *context);
/* Gives up all references of the cache. */
void slot_cache_clear(struct slot_cache *);

/* What is kept for the slot, or NULL; no reference is added. */
static inline struct cache_item *
slot_cache_find(const struct slot_cache *cache, uint32_t slot)
{
	uint32_t page = slot / SLOT_PAGE_SIZE;

	if (page >= cache->page_count || cache->pages[page] == NULL)
		return NULL;
	return cache->pages[page][slot % SLOT_PAGE_SIZE];
}

/*
 * Keeps an item (slot, version and one reference set) in place of what
 * was kept for its slot.  Returns 0, or -1 with ENOMEM: the item is the
 * caller's then.
 */
MUST_CHECK int slot_cache_put(struct slot_cache *, struct cache_item *);

/* Gives up the cache's reference. */
void slot_cache_remove(struct slot_cache *, struct cache_item *);

/* Gives up a reference. */
void slot_cache_release(struct slot_cache *, struct cache_item *);

#endif
