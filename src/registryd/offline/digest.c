/*
 * registryd/offline/digest.c - whether two tables hold the same rows.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/offline/digest.h"

#include <stdlib.h>
#include <xxhash.h>

#include "common/json.h"

static uint64_t
hash(struct bytes bytes, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes.data, bytes.len, seed);
}

static uint64_t
mix(uint64_t one, uint64_t other)
{
	const uint64_t both[] = { one, other };

	return XXH3_64bits(both, sizeof(both));
}

static uint64_t
hash_string(const struct json_doc *doc, int value)
{
	char *text = json_string(doc, value);
	uint64_t result = hash(text == NULL ? json_raw(doc, value)
					    : bytes_of(text), JSON_STRING);

	free(text);
	return result;
}

/* Containers nest no deeper than JSON_DEPTH_MAX. */
static uint64_t
hash_value(const struct json_doc *doc, int value)
{
	enum json_type type = json_type(doc, value);
	uint64_t sum = type;
	int element = JSON_NONE;
	struct bytes key;

	if (type == JSON_STRING)
		return hash_string(doc, value);
	if (type != JSON_ARRAY && type != JSON_OBJECT)
		return hash(json_raw(doc, value), type);
	while (json_each(doc, value, &element,
	    type == JSON_OBJECT ? &key : NULL)) {
		if (type == JSON_ARRAY)
			sum = mix(sum, hash_value(doc, element));
		else
			sum += mix(hash(key, 0), hash_value(doc, element));
	}
	return mix(sum, type);
}

uint64_t
digest_json(struct bytes text)
{
	struct json_doc *doc;
	size_t offset;
	uint64_t result;

	if (json_parse(text, &doc, &offset) == -1)
		return hash(text, 0);
	result = hash_value(doc, json_root(doc));
	json_doc_free(&doc);
	return result;
}

static uint64_t
hash_cell(enum sql_type type, const struct cell *cell)
{
	switch (cell->type) {
	case CELL_NULL:
		return 0;
	case CELL_INTEGER:
		return mix((uint64_t)cell->integer, CELL_INTEGER);
	case CELL_TEXT:
		break;
	}
	return type == SQL_JSON ? digest_json(cell->text)
				: hash(cell->text, CELL_TEXT);
}

void
digest_add_row(struct digest *digest, const enum sql_type *types,
    const struct cell *cells, uint32_t count)
{
	uint64_t row = 0;

	for (uint32_t i = 0; i < count; i++)
		row = mix(row, hash_cell(types[i], &cells[i]));
	digest->count++;
	digest->sum += row;
}
