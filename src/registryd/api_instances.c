/*
 * registryd/api_instances.c - GET /v1/instances: who shares the store.
 */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "registryd/api_parts.h"

static void
write_time(struct json_writer *writer, const char *key, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(wall_ms, text);
	json_write_key(writer, key);
	json_write_text(writer, text);
}

static void
write_instance(struct json_writer *writer, const struct registry *registry,
    const struct store_instance *instance)
{
	json_write_begin(writer, '{');
	json_write_key(writer, "name");
	json_write_text(writer, instance->name);
	json_write_key(writer, "self");
	json_write_bool(writer,
	    strcmp(instance->name, registry->instances.name) == 0);
	json_write_key(writer, "generation");
	json_write_integer(writer, (int64_t)instance->generation);
	json_write_key(writer, "behind");
	json_write_integer(writer, (int64_t)instance->behind);
	json_write_key(writer, "stale");
	json_write_bool(writer, instance->is_stale);
	write_time(writer, "seen_at", instance->seen_wall_ms);
	write_time(writer, "started_at", instance->started_wall_ms);
	json_write_key(writer, "version");
	json_write_text(writer, instance->version);
	json_write_key(writer, "host");
	json_write_text(writer, instance->host);
	json_write_key(writer, "run");
	json_write_text(writer, instance->run);
	json_write_end(writer, '}');
}

struct listing {
	struct instances_listener listener;
	struct registry *registry;
	struct admin_request *request;
};

static void
on_heard(void *context, const struct store_outcome *outcome)
{
	struct listing *listing = context;
	struct registry *registry = listing->registry;
	struct admin_request *request = listing->request;
	const struct instance_row *row;
	struct api_list list;

	instances_ignore(&listing->listener);
	free(listing);
	if (outcome->result != STORE_OK) {
		api_reply_problem(request, 503, "store_unavailable",
		    "the store cannot be reached: %s", outcome->message);
		return;
	}
	if (!api_has_model(registry, request))
		return;
	api_list_begin(&list);
	STAILQ_FOREACH(row, &registry->instances.rows, entry)
		write_instance(&list.writer, registry, &row->instance);
	api_list_reply(registry, request, &list, NULL);
}

static void
reply_self(struct registry *registry, struct admin_request *request)
{
	struct store_instance self;
	struct api_list list;

	instances_self(registry, &self);
	api_list_begin(&list);
	write_instance(&list.writer, registry, &self);
	api_list_reply(registry, request, &list, NULL);
}

void
api_instances(struct registry *registry, struct admin_request *request)
{
	struct listing *listing;
	struct api_page page;

	if (!api_has_model(registry, request) || !api_page(request, &page))
		return;
	if (!store_can_follow(registry->store)) {
		reply_self(registry, request);
		return;
	}
	if ((listing = calloc(1, sizeof(*listing))) == NULL) {
		api_reply_problem(request, 503, "out_of_memory",
		    "out of memory; try again");
		return;
	}
	listing->registry = registry;
	listing->request = request;
	listing->listener.heard = on_heard;
	listing->listener.context = listing;
	instances_listen(registry, &listing->listener);
}
