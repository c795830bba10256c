/*
 * registryd/store/pg_array.c - PostgreSQL's arrays as text.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/store/pg_array.h"

#include <stdlib.h>

#include "registryd/store/lists.h"

void
pg_array_append_text(struct buf *array, struct bytes text)
{
	size_t start = 0;

	buf_append_char(array, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '"' && text.data[i] != '\\')
			continue;
		buf_append(array, bytes_slice(text.data + start, i - start));
		buf_append_char(array, '\\');
		start = i;
	}
	buf_append(array, bytes_slice(text.data + start, text.len - start));
	buf_append_char(array, '"');
}

/* By way of the texts that the list means. */
static int
append_texts(struct buf *array, const char *json)
{
	uint32_t count = 0;
	char **texts = NULL;
	int result = texts_read(json, &texts, &count);

	buf_append_char(array, '{');
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(array, ',');
		pg_array_append_text(array, bytes_of(texts[i]));
		free(texts[i]);
	}
	free(texts);
	buf_append_char(array, '}');
	return result;
}

int
pg_array_append_json(struct buf *array, struct bytes json)
{
	/* Without an escape both quote alike; but they bracket otherwise. */
	if (json.len < 2 || json.data[0] != '[' || json.data[1] != '"' ||
	    memchr(json.data, '\\', json.len) != NULL)
		return append_texts(array, json.data);
	buf_append_char(array, '{');
	buf_append(array, bytes_slice(json.data + 1, json.len - 2));
	buf_append_char(array, '}');
	return 0;
}
