/*
 * tests/unit/healthd/world.c - a segment, a monitor and backends to probe.
 */
/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define WATCHDOG_S 30.0

static void
on_changed(void *context, const struct health_changed *changed)
{
	struct world *world = context;

	world->changed = *changed;
	world->changed_count++;
}

static void
make_monitor(struct world *world)
{
	const struct monitor_config config = {
		.loop = world->loop,
		.health = world->health,
		.resolver = world->resolver,
		.settings = world->settings,
		.changed = on_changed,
		.context = world,
		.seed = 1,
	};

	world->monitor = monitor_new(&config);
	assert_non_null(world->monitor);
	world->roster = roster_new(world->table, world->monitor);
	assert_non_null(world->roster);
}

void
world_open(struct world *world)
{
	const struct segment_capacity capacity = { 64, 64, 8192, 64 };
	struct buf errors = { 0 };
	bool is_adopted;
	int fd;

	memset(world, 0, sizeof(*world));
	snprintf(world->root, sizeof(world->root),
	    "/tmp/sluice-healthd-XXXXXX");
	assert_non_null(mkdtemp(world->root));
	setenv("SLUICE_SHM_DIR", world->root, 1);
	assert_int_equal(segment_dir("t", world->dir), 0);
	assert_int_equal(segment_create(world->dir, &capacity, (uid_t)-1,
	    (gid_t)-1, &is_adopted), 0);
	fd = segment_open_writable(world->dir, SEGMENT_ROUTES, 0);
	assert_int_equal(table_writer_open(fd, &world->writer), 0);
	assert_int_equal(route_table_open(world->dir, &world->table), 0);
	fd = segment_open_writable(world->dir, SEGMENT_HEALTH, 0);
	assert_int_equal(health_open_writable(fd, &world->health), 0);
	world->loop = ev_loop_new(EVFLAG_AUTO);
	world->resolver = resolver_new(world->loop);
	assert_non_null(world->resolver);
	assert_int_equal(settings_parse(bytes_of("health { interval = 1h\n"
	    "timeout = 20s }\n"), &world->settings, &errors), 0);
	buf_free(&errors);
	make_monitor(world);
}

void
world_close(struct world *world)
{
	roster_free(&world->roster);
	monitor_free(&world->monitor);
	resolver_free(&world->resolver);
	health_close(&world->health);
	route_table_close(&world->table);
	table_writer_close(&world->writer);
	settings_free(&world->settings);
	ev_loop_destroy(world->loop);
	segment_remove(world->dir);
	rmdir(world->root);
}

void
world_restart_monitor(struct world *world)
{
	roster_free(&world->roster);
	monitor_free(&world->monitor);
	make_monitor(world);
}

uint32_t
world_add_service(struct world *world, const struct probe_spec *probe,
    const struct backend_spec *backends, uint32_t count, uint32_t *slots_r)
{
	struct service_spec service = { .probe = *probe };
	uint32_t slot = TABLE_NONE;
	char name[32];

	snprintf(name, sizeof(name), "s%u", (unsigned int)++world->generation);
	service.name = bytes_of(name);
	table_writer_begin(world->writer);
	assert_int_equal(table_writer_put_service(world->writer, &slot,
	    &service), 0);
	for (uint32_t i = 0; i < count; i++) {
		struct backend_spec backend = backends[i];

		backend.id = ++world->next_id;
		backend.service = slot;
		backend.weight = 1;
		slots_r[i] = TABLE_NONE;
		assert_int_equal(table_writer_put_backend(world->writer,
		    &slots_r[i], &backend), 0);
	}
	service.backends = slots_r;
	service.backend_count = count;
	assert_int_equal(table_writer_put_service(world->writer, &slot,
	    &service), 0);
	table_writer_commit(world->writer, world->generation);
	return slot;
}

static void
on_watchdog(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct world *world = timer->data;

	(void)events;
	world->is_late = true;
	ev_break(loop, EVBREAK_ONE);
}

/* What another process does turns no loop of ours. */
static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

void
world_run_until(struct world *world, bool (*is_so)(struct world *, void *),
    void *context)
{
	ev_timer watchdog, tick;

	ev_timer_init(&watchdog, on_watchdog, WATCHDOG_S, 0.0);
	watchdog.data = world;
	ev_now_update(world->loop);
	ev_timer_start(world->loop, &watchdog);
	ev_timer_init(&tick, on_tick, 0.01, 0.01);
	ev_timer_start(world->loop, &tick);
	while (!is_so(world, context) && !world->is_late)
		ev_run(world->loop, EVRUN_ONCE);
	ev_timer_stop(world->loop, &watchdog);
	ev_timer_stop(world->loop, &tick);
	if (world->is_late)
		fail_msg("waited for ever");
}

uint32_t
world_generation(struct world *world, uint32_t slot)
{
	struct backend_copy copy = { 0 };
	struct arena arena;

	arena_init(&arena, 65536);
	assert_int_equal(route_table_read_backend(world->table, slot, &arena,
	    &copy), TABLE_FOUND);
	arena_free(&arena);
	return copy.generation;
}

uint32_t
world_flags(struct world *world, uint32_t slot)
{
	return health_get(world->health, slot, world_generation(world, slot));
}

struct wanted {
	uint32_t slot, flags;
};

static bool
has_flags(struct world *world, void *context)
{
	const struct wanted *wanted = context;

	return world_flags(world, wanted->slot) == wanted->flags;
}

void
world_wait_flags(struct world *world, uint32_t slot, uint32_t flags)
{
	struct wanted wanted = { slot, flags };

	world_run_until(world, has_flags, &wanted);
}

/* Fakes ------------------------------------------------------------------ */

struct visitor {
	struct fake *fake;
	ev_io reading;
	LIST_ENTRY(visitor) link;
};

static void
end_visit(struct visitor *visitor)
{
	LIST_REMOVE(visitor, link);
	ev_io_stop(visitor->fake->loop, &visitor->reading);
	close(visitor->reading.fd);
	free(visitor);
}

static void
on_request(struct ev_loop *loop, ev_io *io, int events)
{
	struct visitor *visitor = io->data;
	struct fake *fake = visitor->fake;
	ssize_t got = recv(io->fd, fake->request, sizeof(fake->request) - 1, 0);

	(void)loop;
	(void)events;
	if (got > 0)
		fake->request[got] = '\0';
	if (got > 0 && fake->answer == NULL)
		return;
	if (got > 0)
		(void)send(io->fd, fake->answer, strlen(fake->answer),
		    MSG_NOSIGNAL);
	end_visit(visitor);
}

static void
on_visit(struct ev_loop *loop, ev_io *io, int events)
{
	struct fake *fake = io->data;
	struct visitor *visitor;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd == -1)
		return;
	fake->accepted_count++;
	visitor = calloc(1, sizeof(*visitor));
	assert_non_null(visitor);
	visitor->fake = fake;
	LIST_INSERT_HEAD(&fake->visitors, visitor, link);
	ev_io_init(&visitor->reading, on_request, fd, EV_READ);
	visitor->reading.data = visitor;
	ev_io_start(loop, &visitor->reading);
}

static void
listen_on(struct fake *fake, int fd, const struct sockaddr *address,
    socklen_t len)
{
	assert_int_equal(bind(fd, address, len), 0);
	assert_int_equal(listen(fd, 4096), 0);
	ev_io_init(&fake->accepting, on_visit, fd, EV_READ);
	fake->accepting.data = fake;
	ev_io_start(fake->loop, &fake->accepting);
}

void
fake_open(struct fake *fake, struct ev_loop *loop, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(fake, 0, sizeof(*fake));
	fake->loop = loop;
	fake->answer = answer;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listen_on(fake, fd, (struct sockaddr *)&address, len);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	fake->port = ntohs(address.sin_port);
}

bool
fake_open_v6(struct fake *fake, struct ev_loop *loop, const char *answer)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);

	memset(fake, 0, sizeof(*fake));
	if (fd == -1 || bind(fd, (struct sockaddr *)&address, len) == -1 ||
	    listen(fd, 128) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) == -1) {
		close(fd);
		return false;
	}
	fake->loop = loop;
	fake->answer = answer;
	fake->port = ntohs(address.sin6_port);
	ev_io_init(&fake->accepting, on_visit, fd, EV_READ);
	fake->accepting.data = fake;
	ev_io_start(loop, &fake->accepting);
	return true;
}

void
fake_open_unix(struct fake *fake, struct ev_loop *loop, const char *path,
    const char *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(fake, 0, sizeof(*fake));
	fake->loop = loop;
	fake->answer = answer;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	listen_on(fake, fd, (struct sockaddr *)&address, sizeof(address));
}

void
fake_close(struct fake *fake)
{
	while (!LIST_EMPTY(&fake->visitors))
		end_visit(LIST_FIRST(&fake->visitors));
	ev_io_stop(fake->loop, &fake->accepting);
	close(fake->accepting.fd);
}
