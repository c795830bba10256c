/*
 * shm/route_hash.h - the hashes that the table's index is built on.
 *
 * Private to src/shm; reader and writer must agree on them.
 */
/* SPDX-License-Identifier: ISC */
#ifndef SHM_ROUTE_HASH_H
#define SHM_ROUTE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint32_t
route_hash(uint64_t seed, uint32_t owner, const char *text, size_t len)
{
	uint64_t hash = XXH3_64bits_withSeed(text, len,
	    seed ^ (uint64_t)owner * UINT64_C(0x9e3779b97f4a7c15));

	return (uint32_t)(hash ^ hash >> 32);
}

/* Of a host: its space and its name. */
static inline uint32_t
route_hash_host(uint64_t seed, uint32_t space, const char *name, size_t len)
{
	return route_hash(seed, space, name, len);
}

/* Of an entry: its host's slot and its prefix, "" for "/". */
static inline uint32_t
route_hash_prefix(uint64_t seed, uint32_t host, const char *prefix, size_t len)
{
	return route_hash(~seed, host, prefix, len);
}

#endif
