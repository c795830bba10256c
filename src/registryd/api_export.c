/*
 * registryd/api_export.c - GET /v1/export: all that POST /v1/import takes.
 *
 * Sorted, an object a line, and of each object only what can be read
 * back, so that two exports differ where what they describe differs.
 * Static objects stand in the configuration file, and what a session
 * registered comes and goes with it: neither is exported.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "registryd/api_parts.h"
#include "registryd/object_json.h"
#include "registryd/route_key.h"

#define ROWS_MAX 64

/* The rows of an object that are exported. */
struct row_set {
	struct member rows[ROWS_MAX];
	struct members members;
};

static bool
is_service_not_api(const void *object)
{
	return ((const struct service *)object)->origin != ORIGIN_API;
}

static bool
is_backend_not_api(const void *object)
{
	return ((const struct backend *)object)->origin != ORIGIN_API;
}

static bool
is_route_not_api(const void *object)
{
	return ((const struct route *)object)->origin != ORIGIN_API;
}

static void
pick_rows(struct row_set *set, const struct members *all,
    bool (*is_origin_shown)(const void *object))
{
	size_t count = 0;

	for (size_t i = 0; i < all->count && count < ROWS_MAX; i++) {
		bool is_origin = strcmp(all->rows[i].name, "origin") == 0;

		if (all->rows[i].kind == MEMBER_SHOWN && !is_origin)
			continue;
		set->rows[count] = all->rows[i];
		if (is_origin)
			set->rows[count].is_shown = is_origin_shown;
		count++;
	}
	set->members = (struct members){ .rows = set->rows, .count = count };
}

static bool
is_exported(enum object_origin origin)
{
	return origin == ORIGIN_API || origin == ORIGIN_REGISTER;
}

/* Lines of a JSON array, in the order of their text. */
struct lines {
	char **list;
	size_t count, size;
	bool is_failed;
};

/* Takes the text of buf, which is empty then. */
static void
add_line(struct lines *lines, struct buf *buf)
{
	size_t size = lines->size == 0 ? 64 : lines->size * 2;
	char **list = lines->list;

	lines->is_failed |= buf->is_failed;
	if (lines->count == lines->size && !lines->is_failed) {
		if ((list = realloc(list, size * sizeof(*list))) == NULL) {
			lines->is_failed = true;
		} else {
			lines->list = list;
			lines->size = size;
		}
	}
	if (lines->is_failed)
		buf_free(buf);
	else
		lines->list[lines->count++] = buf->data;
	*buf = (struct buf){ 0 };
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
free_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->list[i]);
	free(lines->list);
	*lines = (struct lines){ 0 };
}

/* Writes the lines, each from its skip on, and frees them. */
static void
write_lines(struct buf *out, struct lines *lines, const char *indent,
    char skip_to)
{
	out->is_failed |= lines->is_failed;
	if (lines->count > 0)
		qsort(lines->list, lines->count, sizeof(*lines->list),
		    compare_lines);
	for (size_t i = 0; i < lines->count; i++) {
		const char *line = lines->list[i];

		if (skip_to != '\0')
			line = strchr(line, skip_to) + 1;
		buf_printf(out, "%s%s%s", i == 0 ? "\n" : ",\n", indent, line);
	}
	free_lines(lines);
}

/* Services --------------------------------------------------------------- */

static void
write_backends(struct buf *out, const struct model_service *service,
    const struct row_set *set)
{
	const struct model_backend *backend;
	struct lines lines = { 0 };

	TAILQ_FOREACH(backend, &service->backends, of_service) {
		struct buf buf = { 0 };
		struct json_writer writer = json_writer(&buf);

		if (!is_exported(backend->object.origin))
			continue;
		members_write(&set->members, &writer, &backend->object);
		add_line(&lines, &buf);
	}
	write_lines(out, &lines, "  ", '\0');
}

static void
write_services(struct buf *out, const struct model *model)
{
	const struct model_service *service = NULL;
	struct row_set services, backends;
	bool is_first = true;

	pick_rows(&services, members_of_service(), is_service_not_api);
	pick_rows(&backends, members_of_backend(), is_backend_not_api);
	while ((service = model_next_service(model,
		service == NULL ? NULL : service->object.name)) != NULL) {
		struct json_writer writer = json_writer(out);

		if (!is_exported(service->object.origin))
			continue;
		buf_append_text(out, is_first ? "\n" : ",\n");
		is_first = false;
		members_write(&services.members, &writer, &service->object);
		if (out->is_failed)
			return;
		out->data[--out->len] = '\0';	/* the brace is still to come */
		buf_append_text(out, ",\"backends\":[");
		write_backends(out, service, &backends);
		buf_append_text(out, "]}");
	}
}

/* Routes ----------------------------------------------------------------- */

static void
write_routes(struct buf *out, const struct model *model)
{
	const struct model_route *route = NULL;
	struct lines lines = { 0 };
	struct row_set set;

	pick_rows(&set, members_of_route(), is_route_not_api);
	while ((route = model_next_route(model,
		route == NULL ? 0 : route->object.id)) != NULL) {
		struct buf buf = { 0 };
		struct json_writer writer = json_writer(&buf);

		if (!is_exported(route->object.origin))
			continue;
		route_key_write(&route->object, &buf);
		buf_append_char(&buf, '\t');
		members_write(&set.members, &writer, &route->object);
		add_line(&lines, &buf);
	}
	write_lines(out, &lines, "", '\t');
}

void
api_export(struct registry *registry, struct admin_request *request)
{
	struct buf out = { 0 };

	if (!api_has_model(registry, request))
		return;
	buf_append_text(&out, "{\"services\":[");
	write_services(&out, registry->model);
	buf_append_text(&out, "\n],\"routes\":[");
	write_routes(&out, registry->model);
	buf_append_text(&out, "\n]}\n");
	admin_reply_json(request, 200, &out);
}
