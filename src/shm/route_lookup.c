/*
 * shm/route_lookup.c - from a host and a path to a path entry.
 *
 * The hot path of every request: no allocation, no system call, and for
 * the common host (one exact name, prefixes of one depth) two cache
 * lines that other requests do not share, a bucket and an entry.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/route_hash.h"
#include "shm/route_view.h"

/* After so many links of one chain the view is checked: a torn chain may
 * be a ring. */
#define CHAIN_CHECK_INTERVAL 32

/* Where each prefix of a path ends, found as far as it is asked for. */
struct path_ends {
	struct bytes path;
	uint32_t found;			/* depths found; ends[0] always is */
	uint32_t scanned;		/* bytes, up to the next slash */
	uint32_t ends[TABLE_DEPTH_MAX + 1];
};

struct lookup {
	struct route_view view;
	uint64_t seed;
	uint32_t space;
	struct bytes host;
	struct path_ends path;
	bool is_torn;
	struct path_match match;
};

static void
path_ends_start(struct path_ends *path, struct bytes text)
{
	path->path = text;
	path->found = 0;
	path->scanned = 0;
	path->ends[0] = 0;
}

/* Finds ends up to the given depth; returns the depth that the path has. */
static uint32_t
path_ends_find(struct path_ends *path, uint32_t depth)
{
	while (path->found < depth) {
		const char *segment = path->path.data + path->scanned + 1;
		size_t left = path->path.len - path->scanned;
		const char *slash;
		uint32_t end;

		/* At the end of the text, or a last slash. */
		if (left <= 1 || path->scanned > TABLE_PATH_MAX)
			break;
		slash = memchr(segment, '/', left - 1);
		end = slash == NULL ? (uint32_t)path->path.len
				    : (uint32_t)(slash - path->path.data);
		path->ends[++path->found] = end;
		path->scanned = end;
	}
	return path->found < depth ? path->found : depth;
}

/* Which chain a hash begins; 0 when it has none. */
ALWAYS_INLINE uint32_t
chain_of_hash(const struct route_view *view, enum index_kind kind,
    uint32_t hash)
{
	const struct route_layout *layout = &view->table->layout;
	uint64_t count = word_load(&view->head->buckets[kind]);
	uint32_t bucket;
	uint64_t pair;

	if (UNLIKELY(count == 0 || count > layout->bucket_max[kind]))
		return 0;
	bucket = bucket_of_hash(hash, (uint32_t)count);
	pair = word_load(view->words + layout->buckets[kind] + bucket / 2);
	return (bucket & 1) != 0 ? word_high(pair) : word_low(pair);
}

/* Says whether a walk may go on after so many links. */
static bool
walk_may_go_on(struct lookup *lookup, uint32_t links)
{
	if (LIKELY(links % CHAIN_CHECK_INTERVAL != 0))
		return true;
	if (route_view_is_whole(&lookup->view))
		return true;
	lookup->is_torn = true;
	return false;
}

static bool
is_host(struct lookup *lookup, const word *record, struct bytes name)
{
	const word *text;
	size_t len = word_low(word_load(record + HOST_NAME_LEN));

	if (len != name.len ||
	    word_high(word_load(record + HOST_COUNT)) != lookup->space)
		return false;
	text = route_view_text(&lookup->view, record + HOST_NAME, len);
	if (UNLIKELY(text == NULL)) {
		lookup->is_torn = true;
		return false;
	}
	return words_equal(text, name.data, len);
}

/* The record of a host, NULL when there is none. */
static const word *
find_host(struct lookup *lookup, struct bytes name, uint32_t *slot_r)
{
	uint32_t hash = route_hash_host(lookup->seed, lookup->space, name.data,
	    name.len);
	uint32_t next = chain_of_hash(&lookup->view, INDEX_HOST, hash);

	for (uint32_t links = 1; next != 0; links++) {
		const word *record = route_view_record(&lookup->view,
		    RECORD_HOST, next - 1);
		uint64_t link;

		if (UNLIKELY(record == NULL)) {
			lookup->is_torn = true;
			return NULL;
		}
		link = word_load(record + HOST_LINK);
		if (word_high(link) == hash && is_host(lookup, record, name)) {
			*slot_r = next - 1;
			return record;
		}
		next = word_low(link);
		if (!walk_may_go_on(lookup, links))
			return NULL;
	}
	return NULL;
}

static bool
is_entry(struct lookup *lookup, const word *record, uint32_t host,
    struct bytes prefix)
{
	const word *text;
	size_t len = word_low(word_load(record + ENTRY_ROUTES)) & 0xffff;

	if (len != prefix.len ||
	    word_low(word_load(record + ENTRY_VERSION)) != host)
		return false;
	text = route_view_text(&lookup->view, record + ENTRY_PREFIX, len);
	if (UNLIKELY(text == NULL)) {
		lookup->is_torn = true;
		return false;
	}
	return words_equal(text, prefix.data, len);
}

/* The record of an entry, NULL when there is none. */
static const word *
find_entry(struct lookup *lookup, uint32_t host, struct bytes prefix,
    uint32_t *slot_r)
{
	uint32_t hash = route_hash_prefix(lookup->seed, host, prefix.data,
	    prefix.len);
	uint32_t next = chain_of_hash(&lookup->view, INDEX_ENTRY, hash);

	for (uint32_t links = 1; next != 0; links++) {
		const word *record = route_view_record(&lookup->view,
		    RECORD_ENTRY, next - 1);
		uint64_t link;

		if (UNLIKELY(record == NULL)) {
			lookup->is_torn = true;
			return NULL;
		}
		link = word_load(record + ENTRY_LINK);
		if (word_high(link) == hash &&
		    is_entry(lookup, record, host, prefix)) {
			*slot_r = next - 1;
			return record;
		}
		next = word_low(link);
		if (!walk_may_go_on(lookup, links))
			return NULL;
	}
	return NULL;
}

/*
 * Tries the prefixes that the host has, longest first.  The first hit
 * ends it unless the host has (or had) entries of a higher priority.
 */
static bool
match_prefixes(struct lookup *lookup, const word *host, uint32_t slot)
{
	uint64_t depths = word_load(host + HOST_DEPTHS);
	int32_t highest = (int32_t)word_high(word_load(host + HOST_NAME_LEN));
	bool is_found = false;
	uint32_t depth;

	if (UNLIKELY(depths == 0))
		return false;
	depth = path_ends_find(&lookup->path,
	    63 - (uint32_t)__builtin_clzll(depths));
	depths &= UINT64_MAX >> (63 - depth);
	while (depths != 0) {
		struct bytes prefix = lookup->path.path;
		const word *entry;
		uint64_t routes;
		uint32_t entry_slot;
		int32_t priority;

		depth = 63 - (uint32_t)__builtin_clzll(depths);
		depths &= ~(UINT64_C(1) << depth);
		prefix.len = lookup->path.ends[depth];
		entry = find_entry(lookup, slot, prefix, &entry_slot);
		if (entry == NULL)
			continue;
		priority = (int32_t)word_low(word_load(entry + ENTRY_PRIORITY));
		if (is_found && priority <= lookup->match.priority)
			continue;
		is_found = true;
		routes = word_load(entry + ENTRY_ROUTES);
		lookup->match = (struct path_match){
			.entry = entry_slot,
			.version = word_high(word_load(entry + ENTRY_VERSION)),
			.route = word_low(routes) >> 16 == 1 ?
			    word_high(routes) : TABLE_NONE,
			.prefix_len = (uint32_t)prefix.len,
			.priority = priority,
		};
		if (priority >= highest)
			break;
	}
	return is_found;
}

static bool
match_host(struct lookup *lookup, struct bytes name)
{
	uint32_t slot;
	const word *host = find_host(lookup, name, &slot);

	return host != NULL && match_prefixes(lookup, host, slot);
}

/* "*.b.c", then "*.c" for "a.b.c": those whose number of labels some
 * wildcard has. */
static bool
match_wildcards(struct lookup *lookup, uint64_t mask)
{
	char name[TABLE_HOST_MAX + 1];
	struct bytes host = lookup->host;
	uint32_t labels = 0;

	if (mask == 0 || host.len == 0 || host.len > TABLE_HOST_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++)
		labels += host.data[i] == '.';
	for (size_t i = 0; i < host.len && labels > 0; i++) {
		if (host.data[i] != '.')
			continue;
		/* Behind this dot stand so many labels. */
		if ((mask >> (labels < 63 ? labels : 63) & 1) != 0) {
			size_t len = host.len - i;

			name[0] = '*';
			memcpy(name + 1, host.data + i, len);
			if (match_host(lookup, bytes_slice(name, len + 1)))
				return true;
		}
		labels--;
	}
	return false;
}

static bool
look_up(struct lookup *lookup)
{
	uint64_t mask;

	if (lookup->host.len > 0 && match_host(lookup, lookup->host))
		return true;
	mask = word_load(&lookup->view.head
			      ->space_masks[lookup->space % ROUTE_SPACES]);
	if (match_wildcards(lookup, mask & ~UINT64_C(1)))
		return true;
	return (mask & 1) != 0 && match_host(lookup, bytes_slice("", 0));
}

enum table_result
route_table_lookup(const struct route_table *table, uint32_t space,
    struct bytes host, struct bytes path, struct path_match *match)
{
	struct lookup lookup;

	lookup.space = space;
	lookup.host = host;
	path_ends_start(&lookup.path, path);
	for (unsigned int i = 0; i < TABLE_TRIES_MAX; i++) {
		bool is_found;

		if (route_view_open(&lookup.view, table)) {
			lookup.seed = word_load(&table->control->hash_seed);
			lookup.is_torn = false;
			is_found = look_up(&lookup);
			if (route_view_is_whole(&lookup.view)) {
				if (is_found)
					*match = lookup.match;
				return is_found ? TABLE_FOUND : TABLE_ABSENT;
			}
		}
		route_table_count_retry(table);
	}
	return TABLE_BUSY;
}
