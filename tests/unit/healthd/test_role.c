/*
 * tests/unit/healthd/test_role.c - sluice-healthd itself, run as master
 * runs it.
 *
 * The test is master, registryd and a worker at once: it lays out the
 * descriptors, publishes, pushes failures, and listens to what healthd
 * has to say.
 */
/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "daemon/settings_fd.h"
#include "ipc/channel.h"
#include "ipc/inherited.h"
#include "ipc/role_msg.h"
#include "shm/worker_stats.h"
#include "world.h"

#define PROGRAM "./sluice-healthd"

struct stage {
	struct world world;
	struct fake fake;
	struct worker_stats *worker;
	int failures_fd;
	struct channel *master, *peer;
	pid_t pid;
	bool is_ready, is_gone;
	uint32_t told_count;		/* FROM_HEALTHD_CHANGED */
	struct health_changed told;
};

static int
on_role_message(void *context, const struct channel_message *message)
{
	struct stage *stage = context;

	if (message->type == FROM_ROLE_READY)
		stage->is_ready = true;
	return 0;
}

static int
on_peer_message(void *context, const struct channel_message *message)
{
	struct stage *stage = context;

	assert_int_equal(message->type, FROM_HEALTHD_CHANGED);
	assert_int_equal(message->body_len, sizeof(stage->told));
	memcpy(&stage->told, message->body, sizeof(stage->told));
	stage->told_count++;
	return 0;
}

static void
on_master_closed(void *context)
{
	struct stage *stage = context;

	channel_free(&stage->master);
	stage->is_gone = true;
}

static void
on_peer_closed(void *context)
{
	struct stage *stage = context;

	channel_free(&stage->peer);
}

/* In the child: puts the descriptors in their places and becomes healthd. */
static void
become_healthd(int master_fd, int settings_fd, int region_fd, int failures_fd,
    int peer_fd)
{
	const int from[] = { master_fd, settings_fd, region_fd, failures_fd,
		peer_fd };
	static const int to[] = { FD_MASTER, FD_SETTINGS, FD_REGION,
		FD_FAILURES, FD_PEER };
	int aside[COUNT_OF(from)];

	for (size_t i = 0; i < COUNT_OF(from); i++)
		aside[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 64);
	for (size_t i = 0; i < COUNT_OF(from); i++)
		if (dup2(aside[i], to[i]) == -1)
			_exit(99);
	execl(PROGRAM, PROGRAM, "-r", "0", (char *)NULL);
	_exit(98);
}

static struct channel *
new_peer(struct stage *stage, int fd)
{
	const struct channel_handlers handlers = { on_peer_message,
		on_peer_closed, stage };

	return channel_new(stage->world.loop, fd, HEALTH_MSG_VERSION,
	    &handlers);
}

static bool
is_ready(struct world *world, void *context)
{
	const struct stage *stage = context;

	(void)world;
	return stage->is_ready;
}

static void
start(struct stage *stage)
{
	const struct channel_handlers handlers = { on_role_message,
		on_master_closed, stage };
	int master[2], peer[2];
	int settings_fd = settings_fd_new(stage->world.settings);
	int region_fd = segment_open_writable(stage->world.dir,
	    SEGMENT_HEALTH, 0);

	assert_int_equal(channel_pair(master), 0);
	assert_int_equal(channel_pair(peer), 0);
	stage->is_ready = stage->is_gone = false;
	stage->pid = fork();
	assert_true(stage->pid >= 0);
	if (stage->pid == 0)
		become_healthd(master[1], settings_fd, region_fd,
		    stage->failures_fd, peer[1]);
	close(master[1]);
	close(peer[1]);
	close(settings_fd);
	close(region_fd);
	stage->master = channel_new(stage->world.loop, master[0],
	    ROLE_MSG_VERSION, &handlers);
	stage->peer = new_peer(stage, peer[0]);
	assert_non_null(stage->master);
	assert_non_null(stage->peer);
	world_run_until(&stage->world, is_ready, stage);
}

static bool
is_gone(struct world *world, void *context)
{
	const struct stage *stage = context;

	(void)world;
	return stage->is_gone;
}

/* Waits for its end; returns its status. */
static int
wait_end(struct stage *stage)
{
	int status;

	world_run_until(&stage->world, is_gone, stage);
	assert_int_equal(waitpid(stage->pid, &status, 0), stage->pid);
	if (stage->peer != NULL)
		channel_free(&stage->peer);
	return status;
}

static void
open_stage(struct stage *stage)
{
	const struct segment_capacity capacity = { 64, 64, 8192, 64 };
	int fd;

	memset(stage, 0, sizeof(*stage));
	world_open(&stage->world);
	free(stage->world.settings->instance);
	stage->world.settings->instance = strdup("t");
	fake_open(&stage->fake, stage->world.loop, "");
	assert_int_equal(segment_create_worker(stage->world.dir, 3, &capacity,
	    (uid_t)-1, (gid_t)-1), 0);
	fd = segment_open_writable(stage->world.dir, SEGMENT_WORKER, 3);
	assert_int_equal(worker_stats_open_writable(fd, &stage->worker), 0);
	stage->failures_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void
close_stage(struct stage *stage)
{
	worker_stats_close(&stage->worker);
	close(stage->failures_fd);
	world_close(&stage->world);
}

static uint32_t
publish_one(struct stage *stage)
{
	const struct probe_spec probe = { .kind = PROBE_CONNECT };
	struct backend_spec backend = { .host = BYTES_LITERAL("127.0.0.1"),
		.port = stage->fake.port };
	struct health_published published = { .generation = 1,
		.slot_count = 1 };
	uint32_t slot;

	world_add_service(&stage->world, &probe, &backend, 1, &slot);
	published.slots[0] = slot;
	assert_int_equal(channel_send(stage->peer, TO_HEALTHD_PUBLISHED,
	    &published, sizeof(published), NULL, 0), 0);
	return slot;
}

static void
push_failure(struct stage *stage, uint32_t slot)
{
	const struct failure failure = {
		.backend = slot,
		.generation = world_generation(&stage->world, slot),
		.kind = FAILURE_CONNECT,
		.at_ns = clock_now().ns,
	};
	const uint64_t one = 1;

	worker_stats_push_failure(stage->worker, &failure);
	assert_int_equal(write(stage->failures_fd, &one, sizeof(one)),
	    sizeof(one));
}

static bool
was_told(struct world *world, void *context)
{
	const struct stage *stage = context;

	(void)world;
	return stage->told_count > 0;
}

static void
wait_told(struct stage *stage, uint32_t flags)
{
	world_run_until(&stage->world, was_told, stage);
	assert_int_equal(stage->told.flags_after, flags);
	stage->told_count = 0;
}

static void
end_drained(struct stage *stage)
{
	const struct role_drain order = { .deadline_ns = 0 };
	int status;

	assert_int_equal(channel_send(stage->master, TO_ROLE_DRAIN, &order,
	    sizeof(order), NULL, 0), 0);
	status = wait_end(stage);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
healthd_watches_what_is_published(void **state)
{
	struct stage stage;
	uint32_t slot;

	(void)state;
	open_stage(&stage);
	start(&stage);
	slot = publish_one(&stage);
	wait_told(&stage, HEALTH_UP);
	assert_int_equal(world_flags(&stage.world, slot), HEALTH_UP);

	fake_close(&stage.fake);
	push_failure(&stage, slot);
	wait_told(&stage, HEALTH_DOWN);
	assert_int_equal(world_flags(&stage.world, slot), HEALTH_DOWN);
	assert_int_equal(atomic_load(&health_beat(stage.world.health)->pid),
	    stage.pid);
	end_drained(&stage);
	assert_int_equal(world_flags(&stage.world, slot), HEALTH_DOWN);
	close_stage(&stage);
}

static void
words_stand_while_healthd_is_dead(void **state)
{
	struct stage stage;
	uint32_t slot;

	(void)state;
	open_stage(&stage);
	start(&stage);
	slot = publish_one(&stage);
	wait_told(&stage, HEALTH_UP);
	kill(stage.pid, SIGKILL);
	(void)wait_end(&stage);
	assert_int_equal(world_flags(&stage.world, slot), HEALTH_UP);

	/* What failed meanwhile is read by the next one. */
	fake_close(&stage.fake);
	push_failure(&stage, slot);
	start(&stage);
	wait_told(&stage, HEALTH_DOWN);
	end_drained(&stage);
	close_stage(&stage);
}

static void
registryd_may_come_and_go(void **state)
{
	struct stage stage;
	uint32_t slot;
	int peer[2];

	(void)state;
	open_stage(&stage);
	start(&stage);
	channel_free(&stage.peer);
	assert_int_equal(channel_pair(peer), 0);
	assert_int_equal(channel_send(stage.master, TO_ROLE_PEER, NULL, 0,
	    &peer[1], 1), 0);
	close(peer[1]);
	stage.peer = new_peer(&stage, peer[0]);
	slot = publish_one(&stage);
	wait_told(&stage, HEALTH_UP);

	/* A registryd that breaks the protocol is cut off, no more. */
	assert_int_equal(channel_send(stage.peer, 77, NULL, 0, NULL, 0), 0);
	while (stage.peer != NULL)
		ev_run(stage.world.loop, EVRUN_ONCE);
	fake_close(&stage.fake);
	push_failure(&stage, slot);
	world_wait_flags(&stage.world, slot, HEALTH_DOWN);
	end_drained(&stage);
	close_stage(&stage);
}

static void
without_a_master_it_leaves(void **state)
{
	struct stage stage;
	int status;

	(void)state;
	open_stage(&stage);
	start(&stage);
	channel_free(&stage.master);
	assert_int_equal(waitpid(stage.pid, &status, 0), stage.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	channel_free(&stage.peer);
	fake_close(&stage.fake);
	close_stage(&stage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthd_watches_what_is_published),
		cmocka_unit_test(words_stand_while_healthd_is_dead),
		cmocka_unit_test(registryd_may_come_and_go),
		cmocka_unit_test(without_a_master_it_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
