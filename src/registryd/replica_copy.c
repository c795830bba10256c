/*
 * registryd/replica_copy.c - the replica takes all that the model has.
 *
 * Key range by key range, behind the last one that was written.
 */
/* SPDX-License-Identifier: ISC */
#include "registryd/replica_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ROWS 1000			/* in one transaction */

void
replica_end_copy(struct replica *replica)
{
	free(replica->copying.after_name);
	free(replica->copying.upto_name);
	replica->copying = (struct copying){ .kind = OBJECT_SERVICE };
}

void
replica_begin_copy(struct replica *replica)
{
	object_changes_clear(&replica->next.changes);
	replica_end_copy(replica);
	replica->copying.is_on = true;
	replica->is_copy_due = false;
}

void
replica_copy(struct replica *replica, const char *identity)
{
	const struct model *model;

	if (replica == NULL)
		return;
	model = replica->registry->model;
	replica->is_begun_anew |=
	    !store_is_same_database(replica->identity, identity) ||
	    model->generation < replica->generation;
	replica->is_identity_due |= strcmp(replica->identity, identity) != 0;
	snprintf(replica->identity, sizeof(replica->identity), "%s", identity);
	/* Begun when what is under way is written. */
	object_changes_clear(&replica->next.changes);
	replica->is_copy_due = true;
	replica_turn_after(replica, 0.0);
}

/* Each puts objects behind the last key into what is sent; upto is the
 * last of them, if there may be more.  0, or -1 when out of memory. */
static int
copy_services(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	const struct model *model = replica->registry->model;
	const struct model_service *service;
	const char *last = NULL;
	uint32_t count = 0;

	for (service = model_next_service(model, copying->after_name);
	    service != NULL && count < CHUNK_ROWS;
	    service = model_next_service(model, last)) {
		last = service->object.name;
		count++;
		if (service->object.origin != ORIGIN_FILE &&
		    object_changes_put_service(&replica->sent.changes,
			&service->object) == -1)
			return -1;
	}
	copying->has_more = count == CHUNK_ROWS;
	if (copying->has_more && (copying->upto_name = strdup(last)) == NULL)
		return -1;
	return 0;
}

static int
copy_backends(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	const struct model *model = replica->registry->model;
	const struct model_backend *backend;
	uint32_t count = 0;

	for (backend = model_next_backend(model, copying->after_id);
	    backend != NULL && count < CHUNK_ROWS;
	    backend = model_next_backend(model, copying->upto_id)) {
		copying->upto_id = backend->object.id;
		count++;
		if (backend->object.origin != ORIGIN_FILE &&
		    object_changes_put_backend(&replica->sent.changes,
			&backend->object) == -1)
			return -1;
	}
	copying->has_more = count == CHUNK_ROWS;
	return 0;
}

static int
copy_routes(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	const struct model *model = replica->registry->model;
	const struct model_route *route;
	uint32_t count = 0;

	for (route = model_next_route(model, copying->after_id);
	    route != NULL && count < CHUNK_ROWS;
	    route = model_next_route(model, copying->upto_id)) {
		copying->upto_id = route->object.id;
		count++;
		if (route->object.origin != ORIGIN_FILE &&
		    object_changes_put_route(&replica->sent.changes,
			&route->object) == -1)
			return -1;
	}
	copying->has_more = count == CHUNK_ROWS;
	return 0;
}

int
replica_copy_range(struct replica *replica)
{
	struct copying *copying = &replica->copying;
	int result = -1;

	switch (copying->kind) {
	case OBJECT_SERVICE:
		result = copy_services(replica);
		break;
	case OBJECT_BACKEND:
		result = copy_backends(replica);
		break;
	case OBJECT_ROUTE:
		result = copy_routes(replica);
		break;
	}
	replica->range = (struct replica_range){
		.kind = copying->kind,
		.after_name = copying->after_name == NULL
		    ? "" : copying->after_name,
		.upto_name = copying->upto_name,
		.after_id = copying->after_id,
		.upto_id = copying->has_more ? copying->upto_id : 0,
	};
	return result;
}

/* Services come first, routes last: a load
 * leaves routes to nowhere out. */
void
replica_step_copy(struct replica *replica)
{
	struct copying *copying = &replica->copying;

	if (!copying->is_on)
		return;
	free(copying->after_name);
	copying->after_name = copying->upto_name;
	copying->after_id = copying->has_more ? copying->upto_id : 0;
	copying->upto_name = NULL;
	copying->upto_id = 0;
	if (copying->has_more)
		return;
	if (copying->kind != OBJECT_ROUTE) {
		copying->kind++;
		return;
	}
	replica_end_copy(replica);
	replica->must_confirm = true;	/* says the generation, too */
}
