/*
 * routing/slot_cache.c - decoded records by slot, no more than so many.
 */
/* SPDX-License-Identifier: ISC */
#include "routing/slot_cache.h"

#include <stdlib.h>
#include <string.h>

void
slot_cache_init(struct slot_cache *cache, uint32_t max,
    cache_free_fn *free_item, void *context)
{
	*cache = (struct slot_cache){
		.max = max,
		.free_item = free_item,
		.context = context,
	};
	TAILQ_INIT(&cache->queue);
}

void
slot_cache_clear(struct slot_cache *cache)
{
	struct cache_item *item;

	while ((item = TAILQ_FIRST(&cache->queue)) != NULL)
		slot_cache_remove(cache, item);
	for (uint32_t i = 0; i < cache->page_count; i++)
		free(cache->pages[i]);
	free(cache->pages);
	cache->pages = NULL;
	cache->page_count = 0;
}

void
slot_cache_release(struct slot_cache *cache, struct cache_item *item)
{
	if (--item->references == 0)
		cache->free_item(cache->context, item);
}

void
slot_cache_remove(struct slot_cache *cache, struct cache_item *item)
{
	cache->pages[item->slot / SLOT_PAGE_SIZE][item->slot % SLOT_PAGE_SIZE] =
	    NULL;
	TAILQ_REMOVE(&cache->queue, item, link);
	cache->count--;
	slot_cache_release(cache, item);
}

/* Makes sure that the slot has a page.  Returns 0, or -1. */
static int
grow(struct slot_cache *cache, uint32_t slot)
{
	uint32_t page = slot / SLOT_PAGE_SIZE;

	if (page >= cache->page_count) {
		struct cache_item ***pages;

		pages = realloc(cache->pages, (page + 1) * sizeof(*pages));
		if (pages == NULL)
			return -1;
		memset(pages + cache->page_count, 0,
		    (page + 1 - cache->page_count) * sizeof(*pages));
		cache->pages = pages;
		cache->page_count = page + 1;
	}
	if (cache->pages[page] == NULL)
		cache->pages[page] =
		    calloc(SLOT_PAGE_SIZE, sizeof(**cache->pages));
	return cache->pages[page] == NULL ? -1 : 0;
}

/* Drops one item that nobody holds; those asked for lately come later. */
static void
make_room(struct slot_cache *cache)
{
	for (uint32_t looks = 2 * cache->count; looks > 0; looks--) {
		struct cache_item *item = TAILQ_FIRST(&cache->queue);

		if (item->references == 1 && !item->is_recent) {
			slot_cache_remove(cache, item);
			return;
		}
		item->is_recent = false;
		TAILQ_REMOVE(&cache->queue, item, link);
		TAILQ_INSERT_TAIL(&cache->queue, item, link);
	}
}

int
slot_cache_put(struct slot_cache *cache, struct cache_item *item)
{
	struct cache_item *old;

	if (grow(cache, item->slot) == -1)
		return -1;
	if ((old = slot_cache_find(cache, item->slot)) != NULL)
		slot_cache_remove(cache, old);
	else if (cache->count >= cache->max)
		make_room(cache);
	cache->pages[item->slot / SLOT_PAGE_SIZE][item->slot % SLOT_PAGE_SIZE] =
	    item;
	TAILQ_INSERT_TAIL(&cache->queue, item, link);
	cache->count++;
	return 0;
}
