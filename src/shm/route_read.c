/*
 * shm/route_read.c - copying whole records out of the table.
 *
 * Two steps.  The words of a record and of all that it names are copied
 * as they stand into the caller's arena, and the view is checked; then
 * they are taken apart at leisure.  Texts in the answer point into the
 * words copied.
 */
/* SPDX-License-Identifier: ISC */
#include "shm/route_pack.h"
#include "shm/route_view.h"

#define RAW_WORDS_MIN 64

/* Words copied out; used again when the read has to be done again. */
struct raw {
	struct arena *arena;
	uint64_t *words;
	size_t count, size;
	bool is_full;			/* the arena is */
};

/* One turn of copying; false when the record is not there, the view was
 * seen to be torn, or the arena is full. */
typedef bool copy_fn(const struct route_view *, uint32_t slot, struct raw *);

static bool
raw_add(struct raw *raw, const word *from, size_t count)
{
	if (from == NULL)
		return false;
	if (raw->size - raw->count < count) {
		size_t size = (raw->count + count) * 2 + RAW_WORDS_MIN;
		uint64_t *larger;

		larger = arena_alloc(raw->arena, size * WORD_BYTES);
		if (larger == NULL) {
			raw->is_full = true;
			return false;
		}
		if (raw->count > 0)
			memcpy(larger, raw->words, raw->count * WORD_BYTES);
		raw->words = larger;
		raw->size = size;
	}
	for (size_t i = 0; i < count; i++)
		raw->words[raw->count++] = word_load(from + i);
	return true;
}

/* Copies a record; its words are the last that raw holds. */
static bool
raw_add_record(struct raw *raw, const struct route_view *view,
    enum record_kind kind, uint32_t slot)
{
	return raw_add(raw, route_view_record(view, kind, slot),
	    record_words(kind));
}

/* Copies the block of a "place | bytes" word. */
static bool
raw_add_body(struct raw *raw, const struct route_view *view, uint64_t body)
{
	uint32_t words = words_for(word_low(body));

	return raw_add(raw, route_view_heap(view, word_high(body), words),
	    words);
}

/* Copies a text that is too long for its record. */
static bool
raw_add_text(struct raw *raw, const struct route_view *view,
    uint64_t first_word, size_t len)
{
	uint32_t words = words_for(len);

	if (len <= SHORT_TEXT_MAX)
		return true;
	return raw_add(raw, route_view_heap(view, word_low(first_word), words),
	    words);
}

/* The text of a record in raw; *next is where the words behind the
 * record are, and moves on when the text is among them. */
static struct bytes
raw_text(const uint64_t *in_record, size_t len, const uint64_t **next)
{
	const char *data = (const char *)in_record;

	if (len > SHORT_TEXT_MAX) {
		data = (const char *)*next;
		*next += words_for(len);
	}
	return bytes_slice(data, len);
}

/* Fills raw with what `copy` copies, all of one moment. */
static enum table_result
read_whole(const struct route_table *table, uint32_t slot, copy_fn *copy,
    struct raw *raw)
{
	for (unsigned int i = 0; i < TABLE_TRIES_MAX; i++) {
		struct route_view view;
		bool is_done;

		if (route_view_open(&view, table)) {
			raw->count = 0;
			is_done = copy(&view, slot, raw);
			if (route_view_is_whole(&view)) {
				if (is_done)
					return TABLE_FOUND;
				return raw->is_full ? TABLE_NO_MEMORY
						    : TABLE_ABSENT;
			}
			if (raw->is_full)
				return TABLE_NO_MEMORY;
		}
		route_table_count_retry(table);
	}
	return TABLE_BUSY;
}

static size_t
label_len(uint64_t version_word)
{
	return word_low(version_word) >> 1 & 0xff;
}

static bool
copy_route(const struct route_view *view, uint32_t slot, struct raw *raw)
{
	const uint64_t *record;
	uint64_t extra, label, version;

	if (!raw_add_record(raw, view, RECORD_ROUTE, slot))
		return false;
	record = raw->words;
	version = record[ROUTE_VERSION];
	extra = record[ROUTE_EXTRA];
	label = record[ROUTE_LABEL];
	if (word_high(version) == 0)
		return false;
	if (!raw_add_text(raw, view, label, label_len(version)))
		return false;
	return word_high(extra) == 0 || raw_add_body(raw, view, extra);
}

enum table_result
route_table_read_route(const struct route_table *table, uint32_t route,
    struct arena *arena, struct route_copy *copy)
{
	struct raw raw = { .arena = arena };
	const uint64_t *record, *next;
	struct route_spec *spec = &copy->spec;
	enum table_result result;

	result = read_whole(table, route, copy_route, &raw);
	if (result != TABLE_FOUND)
		return result;
	record = raw.words;
	next = record + ROUTE_WORDS;
	*copy = (struct route_copy){ .version = word_high(*record) };
	spec->id = record[ROUTE_ID];
	spec->label = raw_text(record + ROUTE_LABEL, label_len(*record), &next);
	spec->strip_prefix = (*record & 1) != 0;
	spec->target_count = word_low(*record) >> 16;
	if (spec->target_count > TABLE_TARGETS_MAX)
		return TABLE_ABSENT;
	spec->targets[0].service = word_high(record[ROUTE_LINK]);
	spec->targets[0].weight = word_low(record[ROUTE_LINK]);
	if (word_high(record[ROUTE_EXTRA]) != 0) {
		struct unpacker body = { (const char *)next,
			word_low(record[ROUTE_EXTRA]), false };

		unpack_route(&body, arena, spec);
		if (body.has_failed)
			return TABLE_NO_MEMORY;
	}
	return TABLE_FOUND;
}

static bool
copy_backend(const struct route_view *view, uint32_t slot, struct raw *raw)
{
	uint64_t body;

	if (!raw_add_record(raw, view, RECORD_BACKEND, slot))
		return false;
	if (word_high(raw->words[raw->count - BACKEND_WORDS +
		BACKEND_GENERATION]) == 0)
		return false;
	body = raw->words[raw->count - BACKEND_WORDS + BACKEND_BODY];
	return raw_add_body(raw, view, body);
}

/* Takes apart what copy_backend() copied; returns what is behind it. */
static const uint64_t *
decode_backend(const uint64_t *record, uint32_t slot,
    struct backend_copy *copy)
{
	size_t bytes = word_low(record[BACKEND_BODY]);
	struct unpacker body = { (const char *)(record + BACKEND_WORDS), bytes,
		false };

	*copy = (struct backend_copy){
		.slot = slot,
		.generation = word_high(record[BACKEND_GENERATION]),
		.spec.id = record[BACKEND_ID],
		.spec.service = word_low(record[BACKEND_GENERATION]),
	};
	unpack_backend(&body, &copy->spec);
	return record + BACKEND_WORDS + words_for(bytes);
}

enum table_result
route_table_read_backend(const struct route_table *table, uint32_t backend,
    struct arena *arena, struct backend_copy *copy)
{
	struct raw raw = { .arena = arena };
	enum table_result result;

	result = read_whole(table, backend, copy_backend, &raw);
	if (result == TABLE_FOUND)
		(void)decode_backend(raw.words, backend, copy);
	return result;
}

/* The slot at an index of a list of slots, two a word. */
static uint32_t
slot_of_list(const uint64_t *list, uint32_t index)
{
	uint64_t pair = list[index / 2];

	return (index & 1) != 0 ? word_high(pair) : word_low(pair);
}

/* The record, the list, the body; then each backend. */
static bool
copy_service(const struct route_view *view, uint32_t slot, struct raw *raw)
{
	uint64_t version, list, body;
	uint32_t count, list_words;

	if (!raw_add_record(raw, view, RECORD_SERVICE, slot))
		return false;
	version = raw->words[SERVICE_VERSION];
	list = raw->words[SERVICE_LIST];
	body = raw->words[SERVICE_BODY];
	count = word_low(version);
	if (word_high(version) == 0 || count > TABLE_BACKENDS_MAX)
		return false;
	list_words = (count + 1) / 2;
	if (count > 0 &&
	    !raw_add(raw, route_view_heap(view, word_high(list), list_words),
		list_words))
		return false;
	if (!raw_add_body(raw, view, body))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!copy_backend(view,
			slot_of_list(raw->words + SERVICE_WORDS, i), raw))
			return false;
	return true;
}

enum table_result
route_table_read_service(const struct route_table *table, uint32_t service,
    struct arena *arena, struct service_copy *copy)
{
	struct raw raw = { .arena = arena };
	const uint64_t *record, *list, *next;
	struct unpacker body;
	enum table_result result;
	uint32_t count;

	result = read_whole(table, service, copy_service, &raw);
	if (result != TABLE_FOUND)
		return result;
	record = raw.words;
	count = word_low(record[SERVICE_VERSION]);
	list = record + SERVICE_WORDS;
	next = list + (count + 1) / 2;
	*copy = (struct service_copy){
		.version = word_high(record[SERVICE_VERSION]),
		.spec.backend_count = count,
	};
	body = (struct unpacker){ (const char *)next,
		word_low(record[SERVICE_BODY]), false };
	unpack_service(&body, &copy->spec);
	next += words_for(word_low(record[SERVICE_BODY]));
	copy->backends = arena_alloc(arena,
	    (count > 0 ? count : 1) * sizeof(*copy->backends));
	if (copy->backends == NULL)
		return TABLE_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++)
		next = decode_backend(next, slot_of_list(list, i),
		    &copy->backends[i]);
	return TABLE_FOUND;
}

/* The entry and its long prefix, the list of its routes; the host and its
 * long name. */
static bool
copy_path(const struct route_view *view, uint32_t slot, struct raw *raw)
{
	uint64_t version, routes, prefix, name, name_len;
	uint32_t count;

	if (!raw_add_record(raw, view, RECORD_ENTRY, slot))
		return false;
	version = raw->words[ENTRY_VERSION];
	routes = raw->words[ENTRY_ROUTES];
	prefix = raw->words[ENTRY_PREFIX];
	count = word_low(routes) >> 16;
	if (word_high(version) == 0)
		return false;
	if (!raw_add_text(raw, view, prefix, word_low(routes) & 0xffff))
		return false;
	if (count > 1 &&
	    !raw_add(raw,
		route_view_heap(view, word_high(routes), (count + 1) / 2),
		(count + 1) / 2))
		return false;
	if (!raw_add_record(raw, view, RECORD_HOST, word_low(version)))
		return false;
	name_len = raw->words[raw->count - HOST_WORDS + HOST_NAME_LEN];
	name = raw->words[raw->count - HOST_WORDS + HOST_NAME];
	return raw_add_text(raw, view, name, word_low(name_len));
}

enum table_result
route_table_read_path(const struct route_table *table, uint32_t entry,
    struct arena *arena, struct path_copy *copy)
{
	struct raw raw = { .arena = arena };
	const uint64_t *record, *next;
	enum table_result result;
	uint32_t count, *routes;

	result = read_whole(table, entry, copy_path, &raw);
	if (result != TABLE_FOUND)
		return result;
	record = raw.words;
	next = record + ENTRY_WORDS;
	count = word_low(record[ENTRY_ROUTES]) >> 16;
	if ((routes = arena_alloc(arena, count * sizeof(*routes))) == NULL)
		return TABLE_NO_MEMORY;
	*copy = (struct path_copy){
		.version = word_high(record[ENTRY_VERSION]),
		.spec.priority = (int32_t)word_low(record[ENTRY_PRIORITY]),
		.spec.routes = routes,
		.spec.route_count = count,
	};
	copy->prefix = raw_text(record + ENTRY_PREFIX,
	    word_low(record[ENTRY_ROUTES]) & 0xffff, &next);
	if (copy->prefix.len == 0)
		copy->prefix = bytes_slice("/", 1);
	routes[0] = word_high(record[ENTRY_ROUTES]);
	for (uint32_t i = 0; count > 1 && i < count; i++)
		routes[i] = slot_of_list(next, i);
	if (count > 1)
		next += (count + 1) / 2;
	record = next;
	next = record + HOST_WORDS;
	copy->space = word_high(record[HOST_COUNT]);
	copy->host = raw_text(record + HOST_NAME,
	    word_low(record[HOST_NAME_LEN]), &next);
	return TABLE_FOUND;
}
