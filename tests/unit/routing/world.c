/*
 * tests/unit/routing/world.c - a table, health words and a router to test.
 */
/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

static char shm_dir[] = "/tmp/sluice-test-XXXXXX";
static struct world world;

static uint32_t
in_flight(void *context, uint32_t slot, uint64_t id)
{
	struct world *w = context;

	assert_int_equal(id, slot + 1000);
	if (w->proven_meanwhile != TABLE_NONE)
		world_prove(w, w->proven_meanwhile);
	return w->in_flight[slot];
}

static bool
take_trial(void *context, const struct limit_trial *trial, uint32_t max)
{
	struct world *w = context;

	assert_int_not_equal(trial->generation, 0);
	assert_true(max > 0);
	if (w->trials == 0)
		return false;
	w->trials--;
	return true;
}

static void
drop_user(void *context, void *user)
{
	struct world *w = context;

	w->dropped_users++;
	free(user);
}

void
world_use_router(struct world *w, uint32_t cache_max)
{
	const struct router_config config = {
		.table = w->table,
		.health = w->health,
		.in_flight = in_flight,
		.take_trial = take_trial,
		.context = w,
		.seed = 7,
		.suspect_ms = 10000,
		.cache_max = cache_max,
	};

	router_free(&w->router);
	assert_int_equal(router_new(&config, &w->router), 0);
	router_set_drop_user(w->router, drop_user, w);
}

int
world_set_up(void **state)
{
	const struct segment_capacity capacity = {
		.routes = 4096,
		.services = 4096,
		.backends = WORLD_BACKENDS_MAX,
		.limit_cells = 64,
	};
	bool was_adopted;

	memset(&world, 0, sizeof(world));
	log_set_level(LOG_LEVEL_WARN);
	strcpy(shm_dir, "/tmp/sluice-test-XXXXXX");
	assert_non_null(mkdtemp(shm_dir));
	setenv("SLUICE_SHM_DIR", shm_dir, 1);
	assert_int_equal(segment_dir("test", world.dir), 0);
	assert_int_equal(segment_create(world.dir, &capacity, (uid_t)-1,
	    (gid_t)-1, &was_adopted), 0);
	assert_int_equal(table_writer_open(segment_open_writable(world.dir,
	    SEGMENT_ROUTES, 0), &world.writer), 0);
	assert_int_equal(health_open_writable(segment_open_writable(world.dir,
	    SEGMENT_HEALTH, 0), &world.words), 0);
	assert_int_equal(route_table_open(world.dir, &world.table), 0);
	assert_int_equal(health_open(world.dir, &world.health), 0);
	world.now.ns = 1000 * NS_PER_S;
	world.proven_meanwhile = TABLE_NONE;
	world_use_router(&world, 0);
	*state = &world;
	return 0;
}

int
world_tear_down(void **state)
{
	(void)state;
	router_free(&world.router);
	health_close(&world.health);
	health_close(&world.words);
	route_table_close(&world.table);
	table_writer_close(&world.writer);
	segment_remove(world.dir);
	return rmdir(shm_dir);
}

static void
commit(struct world *w)
{
	table_writer_commit(w->writer, ++w->generation);
}

/* The first put only tells the slot that the id is made of. */
uint32_t
world_add_backend(struct world *w, uint32_t weight)
{
	char host[32];
	struct backend_spec spec = {
		.service = TABLE_NONE,
		.weight = weight,
		.kind = BACKEND_TCP,
	};
	uint32_t slot = TABLE_NONE;
	static unsigned int count;

	snprintf(host, sizeof(host), "backend-%u.test", count);
	spec.host = bytes_of(host);
	spec.port = (uint16_t)(1024 + count++ % 60000);
	table_writer_begin(w->writer);
	assert_int_equal(table_writer_put_backend(w->writer, &slot, &spec), 0);
	spec.id = slot + 1000;
	assert_int_equal(table_writer_put_backend(w->writer, &slot, &spec), 0);
	commit(w);
	assert_true(slot < WORLD_BACKENDS_MAX);
	return slot;
}

uint32_t
world_put_service(struct world *w, uint32_t slot, enum balance_policy policy,
    const uint32_t *backends, uint32_t count)
{
	const struct service_spec spec = {
		.name = BYTES_LITERAL("users"),
		.policy = policy,
		.hash_header = BYTES_LITERAL("x-user"),
		.probe = { .kind = PROBE_CONNECT, .interval_ms = 1000,
		    .timeout_ms = 500, .rise = 1, .fall = 1 },
		.backends = backends,
		.backend_count = count,
	};

	table_writer_begin(w->writer);
	assert_int_equal(table_writer_put_service(w->writer, &slot, &spec), 0);
	commit(w);
	return slot;
}

uint32_t
world_put_route(struct world *w, uint32_t slot,
    const struct route_target *targets, uint32_t count)
{
	struct route_spec spec = {
		.id = 5,
		.label = BYTES_LITERAL("users-5"),
		.target_count = count,
	};

	memcpy(spec.targets, targets, count * sizeof(*targets));
	table_writer_begin(w->writer);
	assert_int_equal(table_writer_put_route(w->writer, &slot, &spec), 0);
	commit(w);
	return slot;
}

void
world_put_path(struct world *w, const char *prefix, const uint32_t *routes,
    uint32_t count)
{
	const struct path_key key = { .prefix = bytes_of(prefix) };
	const struct path_spec spec = { .routes = routes,
		.route_count = count };

	table_writer_begin(w->writer);
	assert_int_equal(table_writer_put_path(w->writer, &key, &spec), 0);
	commit(w);
}

uint32_t
world_add_plain(struct world *w, const char *prefix, enum balance_policy policy,
    const uint32_t *weights, uint32_t count)
{
	uint32_t backends[64], route;
	struct route_target target = { .weight = 1 };

	for (uint32_t i = 0; i < count; i++)
		backends[i] = world_add_backend(w, weights[i]);
	target.service =
	    world_put_service(w, TABLE_NONE, policy, backends, count);
	route = world_put_route(w, TABLE_NONE, &target, 1);
	world_put_path(w, prefix, &route, 1);
	return target.service;
}

static const struct routed_backend *
backend_of(struct world *w, uint32_t service_slot, uint32_t index)
{
	struct routed_service *service =
	    router_get_service(w->router, service_slot);
	const struct routed_backend *backend;

	assert_non_null(service);
	assert_true(index < service->spec.backend_count);
	backend = &service->backends[index];
	router_put_service(w->router, service); /* the cache still has it */
	return backend;
}

void
world_set_flags(struct world *w, uint32_t service, uint32_t index,
    uint32_t flags)
{
	const struct routed_backend *backend = backend_of(w, service, index);

	assert_int_equal(health_put(w->words, backend->slot,
	    backend->generation, flags), 0);
}

void
world_prove(struct world *w, uint32_t service_slot)
{
	struct routed_service *service =
	    router_get_service(w->router, service_slot);

	for (uint32_t i = 0; i < service->spec.backend_count; i++)
		world_set_flags(w, service_slot, i, HEALTH_UP);
	router_put_service(w->router, service);
}

void
world_order_backend(struct world *w, uint32_t service, uint32_t index,
    const struct condition_spec *condition)
{
	const struct routed_backend *backend = backend_of(w, service, index);
	struct backend_spec spec = backend->spec;
	uint32_t slot = backend->slot;

	spec.service = service;
	spec.condition = *condition;
	table_writer_begin(w->writer);
	assert_int_equal(table_writer_put_backend(w->writer, &slot, &spec), 0);
	commit(w);
}

void
world_drain(struct world *w, uint32_t service, uint32_t index, int64_t span_ms)
{
	const struct condition_spec condition = {
		.drain_start_ns = w->now.ns,
		.drain_span_ms = span_ms,
	};

	world_set_flags(w, service, index, HEALTH_UP);
	world_order_backend(w, service, index, &condition);
}

struct route_query
world_query(const char *path, uint32_t client)
{
	struct route_query query = { .path = bytes_of(path) };

	query.client.s6_addr[10] = query.client.s6_addr[11] = 0xff;
	memcpy(query.client.s6_addr + 12, &client, sizeof(client));
	return query;
}

uint32_t
world_choose(struct world *w, const struct route_query *query,
    enum route_refusal *refusal_r)
{
	struct route_choice choice;
	uint32_t slot = TABLE_NONE;

	router_choose(w->router, query, w->now, &choice);
	if (choice.backend != NULL)
		slot = choice.backend->slot;
	assert_int_equal(choice.backend == NULL, choice.refusal != REFUSED_NOT);
	*refusal_r = choice.refusal;
	router_release(w->router, &choice);
	return slot;
}
