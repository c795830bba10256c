/*
 * tests/unit/registryd/fake_store.c - a store that answers when it is told to.
 */
/* SPDX-License-Identifier: ISC */
#include "fake_store.h"

#include "registryd/store/change.h"

static int
take_request(struct store *store, struct store_request *request)
{
	struct fake_store *fake =
	    CONTAINER_OF(store, struct fake_store, store);

	STAILQ_INSERT_TAIL(&fake->requests, request, entry);
	return 0;
}

static const struct store_driver_row driver = {
	.submit = take_request,
	.can_follow = true,
};

void
fake_store_init(struct fake_store *fake, struct ev_loop *loop)
{
	*fake = (struct fake_store){ .store = { .driver = &driver,
	    .loop = loop, .figures = { .is_up = true } } };
	STAILQ_INIT(&fake->requests);
}

void
fake_store_clear(struct fake_store *fake)
{
	struct store_request *request;

	while ((request = STAILQ_FIRST(&fake->requests)) != NULL) {
		STAILQ_REMOVE_HEAD(&fake->requests, entry);
		request_drop(&request);
	}
}

struct store_request *
fake_store_take(struct fake_store *fake)
{
	struct store_request *request;

	while (STAILQ_EMPTY(&fake->requests))
		ev_run(fake->store.loop, EVRUN_ONCE);
	request = STAILQ_FIRST(&fake->requests);
	STAILQ_REMOVE_HEAD(&fake->requests, entry);
	return request;
}

static void
stamp(struct fake_store *fake, struct store_request *request)
{
	struct commit_stamp stamp = {
		.generation = ++fake->generation,
		.at_wall_ms = 1700000000000,
		.next_backend_id = 1000 * fake->generation,
		.next_route_id = 1000 * fake->generation,
	};

	for (uint32_t i = 0; i < request->ask.commit.change_count; i++)
		change_stamp(&request->ask.commit.changes[i], &stamp);
	request->outcome.generation = stamp.generation;
	request->outcome.at_wall_ms = stamp.at_wall_ms;
}

void
fake_store_answer(struct fake_store *fake, struct store_request *request,
    enum store_result result)
{
	if (result != STORE_OK)
		request_fail(request, result, "the fake said so");
	else if (request->type == REQUEST_COMMIT)
		stamp(fake, request);
	request_finish(&request);
}

/* Writes ------------------------------------------------------------------ */

static int
on_commit(void *context, const struct store_commit *commit)
{
	return spool_commit(context, commit);
}

static int
check_nothing(void *context, const struct write *write,
    struct problem *problem)
{
	(void)context, (void)write, (void)problem;
	return 0;
}

static int
publish_nothing(void *context, uint64_t generation, struct problem *problem)
{
	(void)context, (void)generation, (void)problem;
	return 0;
}

static void
on_applied(void *context, const struct write *write)
{
	(void)context, (void)write;
}

struct write_backing
fake_store_backing(struct registry *registry)
{
	return (struct write_backing){
		.sluice = "test",
		.commit = on_commit,
		.model = registry_model,
		.no_model = registry_no_model,
		.check_room = check_nothing,
		.publish = publish_nothing,
		.applied = on_applied,
		.is_stale = registry_is_stale,
		.skipped = follow_skipped,
		.context = registry,
	};
}
