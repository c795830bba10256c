/*
 * registryd/protocol/place_name.c - what a place is called, and found by.
 */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "registryd/model.h"
#include "registryd/protocol/place.h"

/* Names ------------------------------------------------------------------ */

/* '/' cannot stand in a name and becomes ':'; what would be mistaken for
 * a mark of ours is escaped. */
static void
append(struct buf *buf, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '/')
			buf_append_char(buf, ':');
		else if (strchr(":@%", *text) != NULL)
			buf_printf(buf, "%%%02X", (unsigned char)*text);
		else
			buf_append_char(buf, *text);
	}
}

int
place_name(const char *service, const char *host, const char *prefix,
    char name[PLACE_NAME_SIZE])
{
	struct buf buf = { 0 };
	int result = -1;

	append(&buf, service);
	buf_append_char(&buf, '@');
	append(&buf, host);
	append(&buf, strcmp(prefix, "/") == 0 ? "" : prefix);
	if (!buf.is_failed && buf.len < PLACE_NAME_SIZE) {
		memcpy(name, buf.data, buf.len + 1);
		result = 0;
	}
	buf_free(&buf);
	return result;
}

void
place_owner(const char *name, char owner[PLACE_NAME_SIZE])
{
	size_t len = 0;
	unsigned int byte;

	while (*name != '\0' && *name != '@' && len < PLACE_NAME_SIZE - 1) {
		if (*name == '%' && sscanf(name + 1, "%2X", &byte) == 1) {
			owner[len++] = (char)byte;
			name += 3;
		} else {
			owner[len++] = *name == ':' ? '/' : *name;
			name++;
		}
	}
	owner[len] = '\0';
}

/* Finding ---------------------------------------------------------------- */

const struct model_route *
place_route_of(const struct model_service *service)
{
	const struct model_target *target;

	if (service == NULL)
		return NULL;
	LIST_FOREACH(target, &service->targets, of_service)
		if (target->route->object.origin == ORIGIN_SESSION &&
		    target->route->object.target_count == 1)
			return target->route;
	return NULL;
}

static const struct model_backend *
find_backend(const struct model_service *service, const char *url)
{
	const struct model_backend *backend;

	if (service == NULL)
		return NULL;
	TAILQ_FOREACH(backend, &service->backends, of_service)
		if (backend->object.origin == ORIGIN_SESSION &&
		    strcmp(backend->object.url, url) == 0)
			return backend;
	return NULL;
}

static const struct model_service *
find_service(const struct model *model, const char *service,
    const char *host, const struct session_route *route)
{
	char name[PLACE_NAME_SIZE];

	if (host == NULL || route->prefix == NULL ||
	    place_name(service, host, route->prefix, name) == -1)
		return NULL;
	return model_find_service(model, name);
}

const struct model_backend *
place_backend(const struct model *model, const char *service,
    const char *host, const struct session_route *route)
{
	return find_backend(find_service(model, service, host, route),
	    route->url);
}

const struct model_route *
place_route(const struct model *model, const char *service, const char *host,
    const struct session_route *route)
{
	return place_route_of(find_service(model, service, host, route));
}
