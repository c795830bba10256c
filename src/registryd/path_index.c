/*
 * registryd/path_index.c - paths of the model by (domain, prefix).
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/path_index.h"

#include <stdlib.h>
#include <xxhash.h>

#include "registryd/model.h"

#define SIZE_FIRST 64

uint64_t
path_hash(struct bytes domain, struct bytes prefix)
{
	return XXH3_64bits_withSeed(prefix.data, prefix.len,
	    XXH3_64bits(domain.data, domain.len));
}

static size_t
place_after(const struct path_index *index, size_t place)
{
	return (place + 1) & (index->size - 1);
}

struct model_path *
path_index_find(const struct path_index *index, struct bytes domain,
    struct bytes prefix)
{
	uint64_t hash = path_hash(domain, prefix);

	if (index->size == 0)
		return NULL;
	for (size_t i = hash & (index->size - 1);
	    index->places[i].path != NULL; i = place_after(index, i)) {
		const struct path_place *place = &index->places[i];

		if (place->hash == hash &&
		    bytes_is(domain, place->path->domain) &&
		    bytes_is(prefix, place->path->prefix))
			return place->path;
	}
	return NULL;
}

static void
put(struct path_index *index, struct path_place place)
{
	size_t i = place.hash & (index->size - 1);

	while (index->places[i].path != NULL)
		i = place_after(index, i);
	index->places[i] = place;
}

static int
grow(struct path_index *index)
{
	struct path_index larger = {
		.size = index->size == 0 ? SIZE_FIRST : 2 * index->size,
		.count = index->count,
	};

	larger.places = calloc(larger.size, sizeof(*larger.places));
	if (larger.places == NULL)
		return -1;
	for (size_t i = 0; i < index->size; i++)
		if (index->places[i].path != NULL)
			put(&larger, index->places[i]);
	free(index->places);
	*index = larger;
	return 0;
}

int
path_index_insert(struct path_index *index, struct model_path *path)
{
	if (4 * (index->count + 1) > 3 * index->size && grow(index) == -1)
		return -1;
	put(index, (struct path_place){ path->hash, path });
	index->count++;
	return 0;
}

void
path_index_remove(struct path_index *index, const struct model_path *path)
{
	size_t hole = path->hash & (index->size - 1), next;

	while (index->places[hole].path != path)
		hole = place_after(index, hole);
	/* Those behind move up if the hole is between them and their home. */
	for (next = place_after(index, hole);
	    index->places[next].path != NULL; next = place_after(index, next)) {
		size_t home = index->places[next].hash & (index->size - 1);

		if (((next - home) & (index->size - 1)) <
		    ((next - hole) & (index->size - 1)))
			continue;
		index->places[hole] = index->places[next];
		hole = next;
	}
	index->places[hole] = (struct path_place){ 0 };
	index->count--;
}

struct model_path *
path_index_take(struct path_index *index)
{
	while (index->size > 0) {
		struct model_path *path = index->places[--index->size].path;

		if (path != NULL)
			return path;
	}
	free(index->places);
	*index = (struct path_index){ 0 };
	return NULL;
}
