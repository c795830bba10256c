/*
 * registryd/import.h - a document that is being taken over; api_import.c.
 *
 * Inside one call of a write's plan: the model does not change meanwhile.
 */
/* SPDX-License-Identifier: ISC */
#ifndef REGISTRYD_IMPORT_H
#define REGISTRYD_IMPORT_H

#include "common/json.h"
#include "registryd/model.h"
#include "registryd/write_queue.h"

/* A route of the model, and whether the document has it. */
struct present_route {
	char *key;
	const struct model_route *route;
	bool is_named;
};

/* What was named, as text; sorted, it is searched. */
struct names {
	char **list;
	size_t count, size;
};

struct import {
	struct write *write;
	const struct model *model;
	struct json_doc *doc;
	struct names names;
	struct present_route *routes;
	size_t route_count;
	bool replaces;
};

/* Each 0, or -1 with the problem of the write set. */
int import_out_of_memory(struct import *);

/* import_names.c: services, and backends of services; url NULL: none. */
MUST_CHECK int import_add_name(struct import *, const char *service,
    const char *url);
/* -1 also when one of them was there twice. */
MUST_CHECK int import_sort_names(struct import *);
bool import_is_named(const struct import *, const char *service,
    const char *url);

/* import_services.c: an element of the list of services, with its
 * backends. */
MUST_CHECK int import_take_service(struct import *, int element);
/* A problem's pointer is within element index of a list. */
void import_point_into(struct import *, const char *list, uint32_t index);
enum object_origin import_origin(const struct import *, int element);
/* Maintenance and drain are no part of a document: they stay. */
MUST_CHECK int import_keep_condition(struct import *, struct condition *,
    const struct condition *present);
/* Takes both texts. */
bool import_is_same_text(char *a, char *b);

/* import_routes.c: the routes that there are, and an element of the list. */
MUST_CHECK int import_list_routes(struct import *);
MUST_CHECK int import_take_route(struct import *, int element);

#endif
