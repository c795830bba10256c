/*
 * shm/route_table.h - reading the route table.
 *
 * Writer:  registryd, alone (shm/table_writer.h).   Readers: everybody.
 *
 * The region holds two whole copies and an atomic index of the active
 * one (left-right), each copy inside a seqlock of its own.  A reader
 * loads the index, reads that copy, copies the answer out and checks the
 * copy's sequence; on a difference it starts again from the index.  (So it
 * does when the copy's change count is not the one that stood beside the
 * index: a batch may be complete there that is not yet published.)  The
 * writer works on the copy that is not active, so a reader is disturbed
 * only when it stays through a whole publication; and whatever
 * instruction kills the writer, the active copy is whole.
 *
 * A copy is: records in arrays (hosts, path entries, routes, services,
 * backends), a linear-hashing index from (space, host) to hosts and from
 * (host, prefix) to path entries, and a heap of strings and lists.
 * Arrays and index grow with what is in them.  Indexes only, checked
 * against the header just read; no pointers.
 *
 * Every put gives its record a new version, unique in the table's life
 * for all practical purposes (32 bits of a counter).  A reader that kept
 * what it read compares versions, a single atomic load, and is spared
 * the reading.
 *
 * Sources: Ramalhete, Correia, "Left-Right: a concurrency control
 * technique with wait-free population oblivious reads", 2013; Boehm,
 * HPL-2012-68; Litwin, "Linear hashing", VLDB 1980.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_ROUTE_TABLE_H
#define SHM_ROUTE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/compat.h"
#include "shm/route_spec.h"
#include "shm/segment.h"

struct route_table;

/* Maps DIR/routes read-only.  Errors: see region_map_path(). */
MUST_CHECK int route_table_open(const char *dir, struct route_table **table_r);
void route_table_close(struct route_table **);

enum table_result {
	TABLE_FOUND,
	TABLE_ABSENT,			/* no such route, or an empty slot */
	TABLE_BUSY,			/* torn TABLE_TRIES_MAX times in turn */
	TABLE_NO_MEMORY,		/* the arena is full */
};

/* More than a reader could need unless its clock or writer is broken. */
#define TABLE_TRIES_MAX 1000

/* Where a lookup ended. */
struct path_match {
	uint32_t entry;			/* slot of the path entry */
	uint32_t version;		/* of the entry */
	uint32_t route;			/* the one there; TABLE_NONE: several,
					 * see route_table_read_path() */
	uint32_t prefix_len;		/* bytes of path that matched; "/": 0 */
	int32_t priority;
};

/*
 * Finds the path entry for a request.
 *
 * host   lower case, no port, no trailing dot; empty if there is none.
 * path   normalised, starts with '/', without the query.
 *
 * Order: the most specific host that has a matching prefix (exact,
 * "*.suffix" longest first, default); there the highest priority; there
 * the longest prefix, on segment boundaries ("/s1" serves "/s1" and
 * "/s1/x", never "/s10").
 *
 * Costs a probe for each host form present and each prefix depth that
 * the host has; never depends on the number of routes.  No allocation,
 * no system call.
 */
enum table_result route_table_lookup(const struct route_table *,
    uint32_t space, struct bytes host, struct bytes path,
    struct path_match *match_r);

/* The version of a record, 0 if the slot is empty: one or two loads. */
uint32_t route_table_entry_version(const struct route_table *, uint32_t entry);
uint32_t route_table_route_version(const struct route_table *, uint32_t route);
uint32_t route_table_service_version(const struct route_table *,
    uint32_t service);

/* Changes with every publication; the cheap "is anything new?". */
uint64_t route_table_change_count(const struct route_table *);

/* The store's generation that the active copy shows; 0: none yet. */
uint64_t route_table_generation(const struct route_table *);
/* When it was published: CLOCK_MONOTONIC ns; 0: never. */
int64_t route_table_published_ns(const struct route_table *);

/*
 * Copying records out.  Strings and lists are allocated in the arena.
 * Each copy is whole in itself and carries the version that it had.
 */
struct path_copy {
	uint32_t version;
	uint32_t space;
	struct bytes host, prefix;
	struct path_spec spec;
};

struct route_copy {
	uint32_t version;
	struct route_spec spec;
};

struct backend_copy {
	uint32_t slot;
	uint32_t generation;		/* of the tenant; see shm/health.h */
	struct backend_spec spec;
};

struct service_copy {
	uint32_t version;
	struct service_spec spec;	/* spec.backends is NULL; see below */
	struct backend_copy *backends;	/* spec.backend_count of them */
};

enum table_result route_table_read_path(const struct route_table *,
    uint32_t entry, struct arena *, struct path_copy *copy_r);
enum table_result route_table_read_route(const struct route_table *,
    uint32_t route, struct arena *, struct route_copy *copy_r);
/* With its backends, all of one moment. */
enum table_result route_table_read_service(const struct route_table *,
    uint32_t service, struct arena *, struct service_copy *copy_r);
enum table_result route_table_read_backend(const struct route_table *,
    uint32_t backend, struct arena *, struct backend_copy *copy_r);

/* How many slots were ever used: walk 0 .. n-1 and skip TABLE_ABSENT. */
struct table_extent {
	uint32_t hosts, entries, routes, services, backends;	/* slots */
	/* live */
	uint32_t entry_count, route_count, service_count, backend_count;
	uint64_t used_bytes;		/* of one copy */
};

void route_table_extent(const struct route_table *, struct table_extent *);

/* How often this process had to read again, since it opened the table. */
uint64_t route_table_retry_count(const struct route_table *);

#endif
