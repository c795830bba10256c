/*
 * tests/shm/match_model.c - lookup against a model too simple to be wrong.
 *
 * Random hosts, wildcards, prefixes, priorities and removals; after each
 * batch, random requests must find in the table what a walk over a plain
 * list finds.  A seed may be given as the argument; it is printed.
 */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/random.h"
#include "shm/fixture.h"

#define BATCHES	     300
#define CHANGES	     40
#define REQUESTS     400
#define ENTRIES_MAX  4096
#define TEXT_SIZE    200

struct entry {
	char host[2 * TEXT_SIZE], prefix[2 * TEXT_SIZE];
	int32_t priority;
	uint32_t route;			/* slot */
	uint64_t id;
	bool is_live;
};

static struct random_stream stream;
static struct entry entries[ENTRIES_MAX];
static size_t entry_count;
static uint64_t next_id;

/* Few names, so that they meet; one that is long. */
static const char *const labels[] = { "a", "b", "c", "com",
	"a-label-that-is-so-long-that-its-host-does-not-fit-inline" };
static const char *const segments[] = { "s", "s1", "s10", "x", "y",
	"a-segment-that-is-longer-than-the-record" };

static void
random_host(char *host, bool is_pattern)
{
	uint32_t count = random_below(&stream, 5);

	host[0] = '\0';
	if (count > 0 && is_pattern && random_below(&stream, 3) == 0)
		strcat(host, "*.");
	for (uint32_t i = 0; i < count && strlen(host) < TEXT_SIZE / 2; i++) {
		strcat(host, labels[random_below(&stream, COUNT_OF(labels))]);
		if (i + 1 < count && strlen(host) < TEXT_SIZE / 2)
			strcat(host, ".");
	}
}

static void
random_path(char *path, bool is_pattern)
{
	uint32_t count = random_below(&stream, 5);

	path[0] = '\0';
	for (uint32_t i = 0; i < count && strlen(path) < TEXT_SIZE / 2; i++) {
		strcat(path, "/");
		strcat(path,
		    segments[random_below(&stream, COUNT_OF(segments))]);
	}
	if (path[0] == '\0' || (!is_pattern && random_below(&stream, 5) == 0))
		strcat(path, "/");
}

static struct entry *
find_entry(const char *host, const char *prefix)
{
	for (size_t i = 0; i < entry_count; i++)
		if (entries[i].is_live && strcmp(entries[i].host, host) == 0 &&
		    strcmp(entries[i].prefix, prefix) == 0)
			return &entries[i];
	return NULL;
}

/* How specific the match of a host is; -1: none. */
static int
host_rank(const char *pattern, const char *host)
{
	size_t pattern_len = strlen(pattern), len = strlen(host);

	if (pattern_len == 0)
		return 0;
	if (strcmp(pattern, host) == 0)
		return 10000;
	if (pattern[0] != '*' || len < pattern_len ||
	    strcmp(host + len - (pattern_len - 1), pattern + 1) != 0)
		return -1;
	return (int)pattern_len;
}

static bool
prefix_matches(const char *prefix, const char *path)
{
	size_t len = strlen(prefix);

	if (strcmp(prefix, "/") == 0)
		return true;
	return strncmp(prefix, path, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

static bool
is_better(const struct entry *a, const struct entry *b, const char *host)
{
	int rank_a = host_rank(a->host, host);
	int rank_b = host_rank(b->host, host);

	if (rank_a != rank_b)
		return rank_a > rank_b;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return strlen(a->prefix) > strlen(b->prefix);
}

static uint64_t
model_route_id(const char *host, const char *path)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *entry = &entries[i];

		if (!entry->is_live || host_rank(entry->host, host) < 0 ||
		    !prefix_matches(entry->prefix, path))
			continue;
		if (best == NULL || is_better(entry, best, host))
			best = entry;
	}
	return best == NULL ? 0 : best->id;
}

static void
put_entry(struct table_writer *writer, const char *host, const char *prefix)
{
	struct entry *entry = find_entry(host, prefix);

	if (entry == NULL) {
		if (entry_count == ENTRIES_MAX)
			return;
		entry = &entries[entry_count++];
		(void)snprintf(entry->host, sizeof(entry->host), "%s", host);
		(void)snprintf(entry->prefix, sizeof(entry->prefix), "%s",
		    prefix);
	} else if (table_writer_remove_route(writer, entry->route) == -1)
		err(1, "table_writer_remove_route");
	entry->is_live = true;
	entry->id = ++next_id;
	entry->priority = (int32_t)random_below(&stream, 8) == 0
	    ? (int32_t)random_below(&stream, 5) - 2 : 0;
	entry->route = fixture_put_route(writer, entry->id, 0);
	fixture_put_path(writer, host, prefix, entry->priority, entry->route);
}

static void
remove_entry(struct table_writer *writer)
{
	struct entry *entry;
	struct path_key key;

	if (entry_count == 0)
		return;
	entry = &entries[random_below(&stream, (uint32_t)entry_count)];
	key = (struct path_key){ 0, bytes_of(entry->host),
		bytes_of(entry->prefix) };
	if (table_writer_remove_path(writer, &key) == -1 ||
	    table_writer_remove_route(writer, entry->route) == -1)
		err(1, "remove %s%s", entry->host, entry->prefix);
	*entry = entries[--entry_count];
}

static void
change(struct table_writer *writer)
{
	char host[2 * TEXT_SIZE], prefix[2 * TEXT_SIZE];

	if (random_below(&stream, 3) == 0) {
		remove_entry(writer);
		return;
	}
	random_host(host, true);
	if (host[0] != '\0' && host[strlen(host) - 1] == '.')
		return;
	random_path(prefix, true);
	put_entry(writer, host, prefix);
}

static void
check(const struct route_table *table)
{
	char host[2 * TEXT_SIZE], path[2 * TEXT_SIZE];
	uint64_t have, want;

	random_host(host, false);
	random_path(path, false);
	have = fixture_route_id(table, host, path);
	want = model_route_id(host, path);
	if (have != want)
		errx(1, "%s %s: route %llu, not %llu", host, path,
		    (unsigned long long)have, (unsigned long long)want);
}

int
main(int argc, char **argv)
{
	struct fixture fixture;
	struct table_writer *writer;
	struct route_table *table;

	random_fill(&stream.state, sizeof(stream.state));
	if (argc > 1)
		stream.state = strtoull(argv[1], NULL, 0);
	printf("seed %#llx\n", (unsigned long long)stream.state);
	(void)fflush(stdout);

	fixture_make(&fixture, ENTRIES_MAX);
	writer = fixture_writer(&fixture);
	table = fixture_table(&fixture);
	table_writer_begin(writer);
	(void)fixture_put_service(writer, "s");
	table_writer_commit(writer, 1);
	for (uint32_t batch = 0; batch < BATCHES; batch++) {
		table_writer_begin(writer);
		for (uint32_t i = 0; i < CHANGES; i++)
			change(writer);
		table_writer_commit(writer, batch + 2);
		for (uint32_t i = 0; i < REQUESTS; i++)
			check(table);
	}
	printf("%zu entries at the end\n", entry_count);
	route_table_close(&table);
	table_writer_close(&writer);
	fixture_remove(&fixture);
	return 0;
}
