/*
 * shm/table_path.c - hosts, and the path entries that hang on them.
 *
 * A host stands while it has entries.  What it says of them all (which
 * depths of prefix there are, the highest priority) only ever grows
 * until the last entry goes, and so do the masks of a space: a bit too
 * many costs a reader a probe, and nothing else.
 */
/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "shm/route_hash.h"
#include "shm/table_change.h"
#include "shm/table_heap.h"
#include "shm/table_record.h"

#define MASK_LABELS_MAX 63

static uint64_t
hash_seed(const struct table_store *store)
{
	return word_load(&store->control->hash_seed);
}

static uint64_t
host_place(const struct table_store *store, uint32_t host)
{
	return record_place(&store->layout, RECORD_HOST, host);
}

static uint64_t
entry_place(const struct table_store *store, uint32_t entry)
{
	return record_place(&store->layout, RECORD_ENTRY, entry);
}

/* "*.a" or "a" or "", lower case. */
static bool
is_host_normalised(struct bytes host)
{
	if (host.len > TABLE_HOST_MAX)
		return false;
	if (host.len > 0 && host.data[0] == '*' &&
	    (host.len < 3 || host.data[1] != '.' || host.data[2] == '.'))
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (host.data[i] == '\0' ||
		    (host.data[i] >= 'A' && host.data[i] <= 'Z') ||
		    (host.data[i] == '*' && i > 0))
			return false;
	return true;
}

/* "/", or "/a/b" with no empty segment; *depth_r is how many it has. */
static bool
is_prefix_normalised(struct bytes prefix, uint32_t *depth_r)
{
	uint32_t depth = 0;

	if (prefix.len == 0 || prefix.len > TABLE_PATH_MAX ||
	    prefix.data[0] != '/')
		return false;
	for (size_t i = 0; i < prefix.len; i++) {
		if (prefix.data[i] == '\0')
			return false;
		if (prefix.data[i] != '/')
			continue;
		if (i > 0 && prefix.data[i - 1] == '/')
			return false;
		depth++;
	}
	if (prefix.len == 1)
		depth = 0;
	else if (prefix.data[prefix.len - 1] == '/')
		return false;
	*depth_r = depth;
	return depth <= TABLE_DEPTH_MAX;
}

/* The host's slot, or TABLE_NONE. */
static uint32_t
find_host(const struct table_store *store, const struct path_key *key,
    uint32_t hash)
{
	uint32_t next = index_chain(store, INDEX_HOST, hash);

	while (next != 0) {
		uint64_t at = host_place(store, next - 1);
		uint64_t link = store_get(store, at + HOST_LINK);

		if (word_high(link) == hash &&
		    word_high(store_get(store, at + HOST_COUNT)) ==
			key->space &&
		    heap_text_is(store, at + HOST_NAME,
			word_low(store_get(store, at + HOST_NAME_LEN)),
			key->host))
			return next - 1;
		next = word_low(link);
	}
	return TABLE_NONE;
}

/* The entry's slot, or TABLE_NONE.  The prefix of "/" is "" in here. */
static uint32_t
find_entry(const struct table_store *store, uint32_t host,
    struct bytes prefix, uint32_t hash)
{
	uint32_t next = index_chain(store, INDEX_ENTRY, hash);

	while (next != 0) {
		uint64_t at = entry_place(store, next - 1);
		uint64_t link = store_get(store, at + ENTRY_LINK);

		if (word_high(link) == hash &&
		    word_low(store_get(store, at + ENTRY_VERSION)) == host &&
		    heap_text_is(store, at + ENTRY_PREFIX,
			word_low(store_get(store, at + ENTRY_ROUTES)) & 0xffff,
			prefix))
			return next - 1;
		next = word_low(link);
	}
	return TABLE_NONE;
}

/* Says in its space's mask that such a host stands. */
static void
mark_space(struct table_store *store, const struct path_key *key)
{
	uint64_t place = HEAD_PLACE(space_masks) + key->space % ROUTE_SPACES;
	uint32_t labels = 0;

	if (key->host.len > 0 && key->host.data[0] != '*')
		return;
	for (size_t i = 0; i < key->host.len; i++)
		labels += key->host.data[i] == '.';
	if (labels > MASK_LABELS_MAX)
		labels = MASK_LABELS_MAX;
	store_put(store, place,
	    store_get(store, place) | UINT64_C(1) << labels);
}

static int
add_host(struct table_store *store, const struct path_key *key, uint32_t hash,
    int32_t priority, uint32_t *host_r)
{
	uint64_t at;

	if (record_alloc(store, RECORD_HOST, host_r) == -1)
		return -1;
	at = host_place(store, *host_r);
	store_put(store, at + HOST_COUNT, word_pair(key->space, 0));
	store_put(store, at + HOST_DEPTHS, 0);
	store_put(store, at + HOST_NAME_LEN,
	    word_pair((uint32_t)priority, (uint32_t)key->host.len));
	if (heap_put_text(store, at + HOST_NAME, key->host) == -1)
		return -1;
	mark_space(store, key);
	return index_insert(store, INDEX_HOST, *host_r, hash);
}

/* One entry more or less; the host goes with its last one. */
static void
count_entry(struct table_store *store, uint32_t host, int change)
{
	uint64_t at = host_place(store, host);
	uint64_t count = store_get(store, at + HOST_COUNT);

	if (change < 0 && word_low(count) == 1) {
		index_remove(store, INDEX_HOST, host);
		heap_free_text(store, at + HOST_NAME,
		    word_low(store_get(store, at + HOST_NAME_LEN)));
		record_free(store, RECORD_HOST, host);
		return;
	}
	store_put(store, at + HOST_COUNT,
	    word_pair(word_high(count), word_low(count) + (uint32_t)change));
}

/* Tells the host of a prefix and a priority that it has. */
static void
widen_host(struct table_store *store, uint32_t host, uint32_t depth,
    int32_t priority)
{
	uint64_t at = host_place(store, host);
	uint64_t depths = store_get(store, at + HOST_DEPTHS);
	uint64_t name_len = store_get(store, at + HOST_NAME_LEN);

	if ((depths >> depth & 1) == 0)
		store_put(store, at + HOST_DEPTHS,
		    depths | UINT64_C(1) << depth);
	if (priority > (int32_t)word_high(name_len))
		store_put(store, at + HOST_NAME_LEN,
		    word_pair((uint32_t)priority, word_low(name_len)));
}

/* Puts the routes into an entry whose old ones are gone. */
static int
fill_entry(struct table_store *store, uint32_t entry, uint32_t host,
    uint32_t prefix_len, const struct path_spec *spec)
{
	uint64_t at = entry_place(store, entry);
	uint32_t routes = spec->routes[0];

	if (spec->route_count > 1 &&
	    heap_alloc_slots(store, spec->routes, spec->route_count,
		&routes) == -1)
		return -1;
	store_put(store, at + ENTRY_VERSION,
	    word_pair(record_new_version(store), host));
	store_put(store, at + ENTRY_ROUTES,
	    word_pair(routes, spec->route_count << 16 | prefix_len));
	store_put(store, at + ENTRY_PRIORITY,
	    word_pair(0, (uint32_t)spec->priority));
	return 0;
}

static void
free_routes(struct table_store *store, uint32_t entry)
{
	uint64_t routes = store_get(store,
	    entry_place(store, entry) + ENTRY_ROUTES);
	uint32_t count = word_low(routes) >> 16;

	if (count > 1)
		heap_free(store, word_high(routes), (count + 1) / 2);
}

static int
add_entry(struct table_store *store, uint32_t host, struct bytes prefix,
    uint32_t hash, const struct path_spec *spec)
{
	uint64_t at;
	uint32_t entry;

	if (record_alloc(store, RECORD_ENTRY, &entry) == -1)
		return -1;
	at = entry_place(store, entry);
	if (fill_entry(store, entry, host, (uint32_t)prefix.len, spec) == -1 ||
	    index_insert(store, INDEX_ENTRY, entry, hash) == -1 ||
	    heap_put_text(store, at + ENTRY_PREFIX, prefix) == -1)
		return -1;
	count_entry(store, host, 1);
	return 0;
}

static bool
are_routes_known(const struct table_store *store, const struct path_spec *spec)
{
	if (spec->route_count < 1 || spec->route_count > TABLE_SHARED_MAX)
		return false;
	for (uint32_t i = 0; i < spec->route_count; i++)
		if (!record_is_known(store, RECORD_ROUTE, spec->routes[i]))
			return false;
	return true;
}

static struct bytes
inner_prefix(const struct path_key *key)
{
	return key->prefix.len == 1 ? bytes_slice("", 0) : key->prefix;
}

int
change_put_path(struct table_store *store, const struct path_key *key,
    const struct path_spec *spec)
{
	struct bytes prefix = inner_prefix(key);
	uint32_t depth, host, entry, hash;

	if (!is_host_normalised(key->host) ||
	    !is_prefix_normalised(key->prefix, &depth) ||
	    !are_routes_known(store, spec)) {
		errno = EINVAL;
		return -1;
	}
	hash = route_hash_host(hash_seed(store), key->space, key->host.data,
	    key->host.len);
	host = find_host(store, key, hash);
	if (host == TABLE_NONE &&
	    add_host(store, key, hash, spec->priority, &host) == -1)
		return -1;
	widen_host(store, host, depth, spec->priority);

	hash = route_hash_prefix(hash_seed(store), host, prefix.data,
	    prefix.len);
	entry = find_entry(store, host, prefix, hash);
	if (entry == TABLE_NONE)
		return add_entry(store, host, prefix, hash, spec);
	free_routes(store, entry);
	return fill_entry(store, entry, host, (uint32_t)prefix.len, spec);
}

int
change_remove_path(struct table_store *store, const struct path_key *key)
{
	struct bytes prefix = inner_prefix(key);
	uint32_t depth, host, entry = TABLE_NONE;

	if (!is_host_normalised(key->host) ||
	    !is_prefix_normalised(key->prefix, &depth)) {
		errno = EINVAL;
		return -1;
	}
	host = find_host(store, key,
	    route_hash_host(hash_seed(store), key->space, key->host.data,
		key->host.len));
	if (host != TABLE_NONE)
		entry = find_entry(store, host, prefix,
		    route_hash_prefix(hash_seed(store), host, prefix.data,
			prefix.len));
	if (entry == TABLE_NONE) {
		errno = ENOENT;
		return -1;
	}
	index_remove(store, INDEX_ENTRY, entry);
	free_routes(store, entry);
	heap_free_text(store, entry_place(store, entry) + ENTRY_PREFIX,
	    prefix.len);
	record_free(store, RECORD_ENTRY, entry);
	count_entry(store, host, -1);
	return 0;
}
