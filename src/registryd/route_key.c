/*
 * registryd/route_key.c - what makes a route the same one elsewhere.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/route_key.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
write_sorted(struct json_writer *writer, char *const *list, uint32_t count)
{
	const char **sorted = calloc(count + 1u, sizeof(*sorted));

	if (sorted == NULL) {
		writer->buf->is_failed = true;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = list[i];
	qsort(sorted, count, sizeof(*sorted), compare);
	json_write_begin(writer, '[');
	for (uint32_t i = 0; i < count; i++)
		json_write_text(writer, sorted[i]);
	json_write_end(writer, ']');
	free(sorted);
}

void
route_key_write(const struct route *route, struct buf *buf)
{
	struct json_writer writer = json_writer(buf);

	json_write_begin(&writer, '[');
	write_sorted(&writer, route->domains, route->domain_count);
	write_sorted(&writer, route->prefixes, route->prefix_count);
	json_write_integer(&writer, route->priority);
	for (uint32_t i = 0; i < route->target_count; i++)
		json_write_text(&writer, route->targets[i].service);
	json_write_end(&writer, ']');
}
