/*
 * registryd/static_orders.c - maintenance and drain of what stands in the
 * configuration file.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/static_orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "registryd/object_json.h"
#include "registryd/registry.h"
#include "registryd/store/condition_text.h"

#define KEY_SIZE 512

/* Names ------------------------------------------------------------------ */

const char *
static_order_sluice(const struct registry *registry)
{
	return store_can_follow(registry->store) ? registry->instances.name :
						   "-";
}

/* What follows the sluice's name in a key, if that is ours. */
static const char *
own_part(const struct registry *registry, const char *key)
{
	const char *sluice = static_order_sluice(registry);
	size_t len = strlen(sluice);

	return strncmp(key, sluice, len) == 0 && key[len] == ' ' ?
	    key + len + 1 : NULL;
}

/* "service users": 0 with the kind, *key_r "users". */
static int
parse_part(const char *part, enum object_kind *kind_r, const char **key_r)
{
	char word[16];
	const char *blank = strchr(part, ' ');

	if (blank == NULL || (size_t)(blank - part) >= sizeof(word))
		return -1;
	snprintf(word, sizeof(word), "%.*s", (int)(blank - part), part);
	*key_r = blank + 1;
	return object_kind_parse(word, kind_r);
}

/* "sluice@host service users" */
int
static_order_add(struct note_changes *changes, const char *sluice,
    enum object_kind kind, const char *key, const struct condition *condition)
{
	char name[KEY_SIZE];
	struct buf text = { 0 };
	int result = -1;

	snprintf(name, sizeof(name), "%s %s %s", sluice,
	    object_kind_name(kind), key);
	if (condition_is_none(condition))
		return note_changes_add(changes, NOTE_REMOVE_ALL,
		    NOTE_CONDITION, name, 0, NULL);
	if (condition_write(&text, condition) == 0)
		result = note_changes_add(changes, NOTE_PUT, NOTE_CONDITION,
		    name, 0, text.data);
	buf_free(&text);
	return result;
}

/* The model -------------------------------------------------------------- */

/* The object as it was and is, for history; NULL: there is none. */
struct texts {
	char *before, *after;
};

static int
set_service(struct model *model, const char *name,
    const struct condition *condition, struct texts *texts)
{
	const struct model_service *there = model_find_service(model, name);
	struct service service;
	int result = -1;

	if (there == NULL || there->object.origin != ORIGIN_FILE)
		return 0;
	if (service_copy_object(&there->object, &service) == -1)
		return -1;
	texts->before = service_text(&there->object);
	condition_clear(&service.condition);
	if (condition_copy(condition, &service.condition) == 0) {
		texts->after = service_text(&service);
		result = model_put_service(model, &service);
	}
	service_clear(&service);
	return result;
}

static int
set_backend(struct model *model, uint64_t id,
    const struct condition *condition, struct texts *texts)
{
	const struct model_backend *there = model_find_backend(model, id);
	struct backend backend;
	int result = -1;

	if (there == NULL || there->object.origin != ORIGIN_FILE)
		return 0;
	if (backend_copy_object(&there->object, &backend) == -1)
		return -1;
	texts->before = backend_text(&there->object);
	condition_clear(&backend.condition);
	if (condition_copy(condition, &backend.condition) == 0) {
		texts->after = backend_text(&backend);
		result = model_put_backend(model, &backend);
	}
	backend_clear(&backend);
	return result;
}

static int
set_route(struct model *model, uint64_t id,
    const struct condition *condition, struct texts *texts)
{
	const struct model_route *there = model_find_route(model, id);
	struct route route;
	int result = -1;

	if (there == NULL || there->object.origin != ORIGIN_FILE)
		return 0;
	if (route_copy_object(&there->object, &route) == -1)
		return -1;
	texts->before = route_text(&there->object);
	condition_clear(&route.condition);
	if (condition_copy(condition, &route.condition) == 0) {
		texts->after = route_text(&route);
		result = model_put_route(model, &route);
	}
	route_clear(&route);
	return result;
}

static int
set_condition(struct model *model, enum object_kind kind, const char *key,
    const struct condition *condition, struct texts *texts)
{
	switch (kind) {
	case OBJECT_SERVICE:
		return set_service(model, key, condition, texts);
	case OBJECT_BACKEND:
		return set_backend(model, strtoull(key, NULL, 10), condition,
		    texts);
	case OBJECT_ROUTE:
		return set_route(model, strtoull(key, NULL, 10), condition,
		    texts);
	}
	return 0;
}

/* body NULL: the order is taken back. */
static void
take(const struct registry *registry, struct model *model, const char *key,
    const char *body, struct texts *texts)
{
	const char *part = own_part(registry, key);
	struct condition condition = { 0 };
	enum object_kind kind;

	if (part == NULL)
		return;
	if (parse_part(part, &kind, &key) == -1 ||
	    (body != NULL && condition_read(body, &condition) == -1) ||
	    set_condition(model, kind, key, &condition, texts) == -1)
		log_warn("order to \"%s\" of the configuration: left out",
		    part);
	condition_clear(&condition);
}

void
static_order_load(const struct registry *registry, struct model *model,
    const struct store_note *note)
{
	struct texts texts = { 0 };

	take(registry, model, note->key, note->body, &texts);
	free(texts.before);
	free(texts.after);
}

/* Done ------------------------------------------------------------------- */

static void
tell(struct registry *registry, const struct write *write, const char *key,
    const struct texts *texts)
{
	enum object_kind kind;
	const char *part = own_part(registry, key);

	if (texts->after == NULL || part == NULL ||
	    parse_part(part, &kind, &key) == -1)
		return;
	log_info("%s %s of the configuration: ordered by %s (%s, %s)",
	    object_kind_name(kind), key, write->who, write->from,
	    write->channel);
	audit_tell(registry, &(struct store_history){
		.who = write->who,
		.from = write->from,
		.channel = write->channel,
		.request_id = write->request_id,
		.kind = object_kind_name(kind),
		.key = key,
		.action = "update",
		.before_json = texts->before,
		.after_json = texts->after,
	    });
}

void
static_orders_applied(struct registry *registry, const struct write *write)
{
	for (uint32_t i = 0; i < write->notes.count; i++) {
		const struct note_change *note = &write->notes.list[i];
		struct texts texts = { 0 };

		if (note->kind != NOTE_CONDITION)
			continue;
		take(registry, registry->model, note->key, note->body, &texts);
		tell(registry, write, note->key, &texts);
		free(texts.before);
		free(texts.after);
	}
}
