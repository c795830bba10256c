/*
 * shm/route_table.c - opening the table, and what single loads tell.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/route_table.h"

#include <errno.h>
#include <stdlib.h>

#include "shm/route_view.h"

int
route_table_open(const char *dir, struct route_table **table_r)
{
	struct route_table *table;

	if ((table = calloc(1, sizeof(*table))) == NULL)
		return -1;
	if ((table->retry_count = calloc(1, sizeof(*table->retry_count))) ==
	    NULL)
		goto fail;
	if (region_map_path(dir, SEGMENT_ROUTES, 0, &table->region) == -1)
		goto fail;
	route_layout_make(&region_header(&table->region)->capacity,
	    &table->layout);
	if (route_layout_size(&region_header(&table->region)->capacity) !=
	    table->region.size_bytes) {
		region_unmap(&table->region);
		errno = EINVAL;
		goto fail;
	}
	table->control = (const struct route_control *)(const void *)(
	    table->region.base + ROUTE_CONTROL_OFFSET);
	for (unsigned int i = 0; i < ROUTE_COPIES; i++)
		table->copies[i] = (const struct copy_head *)(const void *)(
		    table->region.base + route_copy_offset(&table->layout, i));
	*table_r = table;
	return 0;
fail:
	free(table->retry_count);
	free(table);
	return -1;
}

void
route_table_close(struct route_table **p)
{
	struct route_table *table = *p;

	*p = NULL;
	if (table == NULL)
		return;
	region_unmap(&table->region);
	free(table->retry_count);
	free(table);
}

/*
 * The version of a record as it is published.  A copy whose change begins
 * at that moment may give a version that is not published yet: the caller
 * then reads, and gets the one that is.
 */
ALWAYS_INLINE uint32_t
record_version(const struct route_table *table, enum record_kind kind,
    uint32_t slot)
{
	struct route_view view;

	(void)route_view_open(&view, table);
	if (slot >= word_load(&view.head->extents[kind]) ||
	    slot >= table->layout.record_max[kind])
		return 0;
	return word_high(word_load(view.words +
	    record_place(&table->layout, kind, slot)));
}

uint32_t
route_table_entry_version(const struct route_table *table, uint32_t entry)
{
	return record_version(table, RECORD_ENTRY, entry);
}

uint32_t
route_table_route_version(const struct route_table *table, uint32_t route)
{
	return record_version(table, RECORD_ROUTE, route);
}

uint32_t
route_table_service_version(const struct route_table *table, uint32_t service)
{
	return record_version(table, RECORD_SERVICE, service);
}

uint64_t
route_table_change_count(const struct route_table *table)
{
	return word_load(&table->control->state) >> 1;
}

/* A word of the head of the active copy, as it was published. */
static uint64_t
published_word(const struct route_table *table, size_t place)
{
	struct route_view view;
	uint64_t value = 0;

	for (unsigned int i = 0; i < TABLE_TRIES_MAX; i++) {
		if (route_view_open(&view, table)) {
			value = word_load(view.words + place);
			if (route_view_is_whole(&view))
				return value;
		}
		route_table_count_retry(table);
	}
	return value;
}

uint64_t
route_table_generation(const struct route_table *table)
{
	return published_word(table,
	    offsetof(struct copy_head, generation) / WORD_BYTES);
}

int64_t
route_table_published_ns(const struct route_table *table)
{
	return (int64_t)published_word(table,
	    offsetof(struct copy_head, published_ns) / WORD_BYTES);
}

static uint64_t
used_words(const struct route_view *view)
{
	uint64_t words = COPY_HEAD_WORDS + word_load(&view->head->heap_used);

	for (unsigned int i = 0; i < INDEX_KINDS; i++)
		words += (word_load(&view->head->buckets[i]) + 1) / 2;
	for (unsigned int i = 0; i < RECORD_KINDS; i++)
		words += word_load(&view->head->extents[i]) * record_words(i);
	return words;
}

static void
fill_extent(const struct route_view *view, struct table_extent *extent)
{
	const struct copy_head *head = view->head;

	extent->hosts = (uint32_t)word_load(&head->extents[RECORD_HOST]);
	extent->entries = (uint32_t)word_load(&head->extents[RECORD_ENTRY]);
	extent->routes = (uint32_t)word_load(&head->extents[RECORD_ROUTE]);
	extent->services = (uint32_t)word_load(&head->extents[RECORD_SERVICE]);
	extent->backends = (uint32_t)word_load(&head->extents[RECORD_BACKEND]);
	extent->entry_count = (uint32_t)word_load(&head->counts[RECORD_ENTRY]);
	extent->route_count = (uint32_t)word_load(&head->counts[RECORD_ROUTE]);
	extent->service_count =
	    (uint32_t)word_load(&head->counts[RECORD_SERVICE]);
	extent->backend_count =
	    (uint32_t)word_load(&head->counts[RECORD_BACKEND]);
	extent->used_bytes = used_words(view) * WORD_BYTES;
}

void
route_table_extent(const struct route_table *table,
    struct table_extent *extent)
{
	struct route_view view;

	for (unsigned int i = 0; i < TABLE_TRIES_MAX; i++) {
		if (route_view_open(&view, table)) {
			fill_extent(&view, extent);
			if (route_view_is_whole(&view))
				return;
		}
		route_table_count_retry(table);
	}
}

uint64_t
route_table_retry_count(const struct route_table *table)
{
	return atomic_load_explicit(table->retry_count, memory_order_relaxed);
}
